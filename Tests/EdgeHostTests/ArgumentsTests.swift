import Transport
import XCTest

@testable import EdgeHost

final class ArgumentsTests: XCTestCase {
  private func parse(
    _ line: String, _ environment: [String: String] = [:]
  ) -> Result<Command, UsageError> {
    parse(line.split(separator: " ").map(String.init), environment)
  }

  private func parse(
    _ words: [String], _ environment: [String: String] = [:]
  ) -> Result<Command, UsageError> {
    do throws(UsageError) {
      return .success(try Arguments.command(words) { environment[$0] })
    } catch {
      return .failure(error)
    }
  }

  private func assertParses(
    _ line: String, _ expected: Command, _ environment: [String: String] = [:],
    file: StaticString = #filePath, line number: UInt = #line
  ) {
    switch parse(line, environment) {
    case .success(let command): XCTAssertEqual(command, expected, line, file: file, line: number)
    case .failure(let error): XCTFail("\(line): \(error.message.string)", file: file, line: number)
    }
  }

  private func mistake(_ words: [String], _ environment: [String: String] = [:]) -> String? {
    if case .failure(let error) = parse(words, environment) { return error.message.string }
    return nil
  }

  private func options(
    _ server: String = "127.0.0.1:4222", json: Bool = false, timeout: Transport.Duration? = nil
  ) throws -> OperatorOptions {
    OperatorOptions(server: try ServerURL(parsing: server), json: json, timeout: timeout)
  }

  private func path(_ path: String, expands: Bool = false) -> ManifestPath {
    ManifestPath(path: path, expandsEnvironment: expands)
  }

  // MARK: commands

  func testHelpAndVersion() {
    for line in [
      "help", "--help", "-h", "run --help", "check -h", "hosts --unknown --help",
      "--version --help", "help --version",
    ] {
      assertParses(line, line == "help --version" ? .version : .help)
    }
    for line in ["--version", "run --version", "nonsense --version"] {
      assertParses(line, .version)
    }
  }

  func testRun() {
    for line in [
      "run --manifest m.yaml", "run --manifest=m.yaml", "--manifest m.yaml run",
      "--manifest=m.yaml run", "--manifest m.yaml", "--manifest=m.yaml",
      "run --manifest other.yaml --manifest m.yaml",
    ] {
      assertParses(line, .run(path("m.yaml")))
    }
    for line in [
      "run --manifest m.yaml --expand-env", "run --expand-env --manifest=m.yaml",
      "--expand-env run --manifest m.yaml", "--expand-env --manifest m.yaml",
      "--manifest m.yaml --expand-env",
    ] {
      assertParses(line, .run(path("m.yaml", expands: true)))
    }
    assertParses("run --manifest=a=b", .run(path("a=b")))
    assertParses("run --manifest=--odd", .run(path("--odd")))
    assertParses("run --manifest -", .run(path("-")))
  }

  func testCheck() {
    var skipping = path("m.yaml")
    skipping.skipsFiles = true
    assertParses("check --no-files m.yaml", .check(skipping, showsLimits: false))
    assertParses("check m.yaml --limits", .check(path("m.yaml"), showsLimits: true))
    assertParses("check m.yaml", .check(path("m.yaml"), showsLimits: false))
    assertParses(
      "check --expand-env m.yaml", .check(path("m.yaml", expands: true), showsLimits: false))
    assertParses(
      "--expand-env check m.yaml", .check(path("m.yaml", expands: true), showsLimits: false))
    assertParses(
      "check m.yaml --expand-env", .check(path("m.yaml", expands: true), showsLimits: false))
  }

  func testHosts() throws {
    assertParses("hosts", .hosts(try options()))
    let all = Command.hosts(try options("hub:4223", json: true, timeout: .milliseconds(1500)))
    for line in [
      "hosts --server hub:4223 --json --timeout 1500ms",
      "--server=nats://hub:4223 hosts --timeout=1500ms --json",
      "--json --timeout 1500ms --server hub:4223 hosts",
    ] {
      assertParses(line, all)
    }
  }

  func testCall() throws {
    let get = CallRequest(
      lattice: "default", host: "dock-7", capability: "gpio", operation: "get", arguments: [])
    assertParses("call dock-7 gpio get", .call(get, try options()))
    var set = get
    set.operation = "set"
    set.lattice = "wh7"
    set.arguments = ["name=siren", "active=true"]
    for line in [
      "call dock-7 gpio set name=siren active=true --lattice wh7 --json",
      "--lattice=wh7 --json call dock-7 gpio set name=siren active=true",
      "call --json dock-7 gpio --lattice wh7 set name=siren active=true",
      "call dock-7 gpio set name=siren --json active=true --lattice x --lattice wh7",
    ] {
      assertParses(line, .call(set, try options(json: true)))
    }
    let describe = CallRequest(
      lattice: "default", host: "dock-7", capability: "", operation: "describe", arguments: [])
    assertParses("call dock-7 describe", .call(describe, try options()))
    assertParses(
      "call --timeout 2s dock-7 describe", .call(describe, try options(timeout: .seconds(2))))
  }

  func testWatch() throws {
    var request = WatchRequest(subject: "edge.>", count: nil, acknowledges: false)
    assertParses("watch", .watch(request, try options()))
    request.subject = "edge.wh7.*.gpio.>"
    assertParses("watch edge.wh7.*.gpio.>", .watch(request, try options()))
    request.count = 3
    request.acknowledges = true
    for line in [
      "watch edge.wh7.*.gpio.> --count 3 --acknowledge",
      "--acknowledge --count=3 watch edge.wh7.*.gpio.>",
      "watch --count 3 edge.wh7.*.gpio.> --acknowledge",
    ] {
      assertParses(line, .watch(request, try options()))
    }
    request.count = .max
    assertParses(
      "watch --count 9223372036854775807 --acknowledge edge.wh7.*.gpio.>",
      .watch(request, try options()))
  }

  func testWhoTheOperatorIs() throws {
    var expected = try options()
    for (line, authentication): (String, Authentication) in [
      ("hosts --creds ops.creds", .credentials(FileReference(path: "ops.creds"))),
      ("hosts --nkey=/etc/ops.nk", .nkey(FileReference(path: "/etc/ops.nk"))),
      ("hosts", .none),
    ] {
      expected.authentication = authentication
      assertParses(line, .hosts(expected))
    }
    let environment = ["LATTICE_CREDS_FILE": "of-environment"]
    expected.authentication = .credentials(FileReference(path: "of-environment"))
    assertParses("hosts", .hosts(expected), environment)
    expected.authentication = .nkey(FileReference(path: "ops.nk"))
    assertParses("hosts --nkey ops.nk", .hosts(expected), environment)
    XCTAssertEqual(
      mistake(["hosts", "--creds", "a", "--nkey", "b"]), "--creds and --nkey: give one")
    XCTAssertEqual(
      mistake(["check", "a.yaml", "--creds", "b"]), "--creds does not belong to this command")
  }

  func testTLSOfTheOperator() throws {
    XCTAssertEqual(
      mistake(["hosts", "--tlscert", "a"]), "--tlscert and --tlskey go together")
    XCTAssertEqual(mistake(["hosts", "--tlskey", "a"]), "--tlscert and --tlskey go together")
    guard TLSConfiguration.isAvailable else {
      return XCTAssertEqual(mistake(["hosts", "--tlsca", "a"]), "this build has no TLS")
    }
    var expected = try options()
    var tls = TLSConfiguration()
    tls.authorities = FileReference(path: "ca.pem")
    expected.tls = tls
    assertParses("hosts --tlsca ca.pem", .hosts(expected))
    tls.certificate = FileReference(path: "me.pem")
    tls.key = FileReference(path: "me.key")
    expected.tls = tls
    assertParses("hosts --tlsca ca.pem --tlscert me.pem --tlskey me.key", .hosts(expected))
  }

  func testTheEnvironmentGivesDefaults() throws {
    let environment = ["LATTICE_HOST": "leaf", "LATTICE_NAMESPACE": "wh7"]
    assertParses("hosts", .hosts(try options("leaf:4222")), environment)
    assertParses("hosts --server hub", .hosts(try options("hub")), environment)
    var request = CallRequest(
      lattice: "wh7", host: "h", capability: "", operation: "describe", arguments: [])
    assertParses("call h describe", .call(request, try options("leaf")), environment)
    request.lattice = "x"
    assertParses("call h describe --lattice x", .call(request, try options("leaf")), environment)
    // As for the manifest, an empty variable counts as none.
    request.lattice = "default"
    assertParses(
      "call h describe", .call(request, try options()),
      ["LATTICE_HOST": "", "LATTICE_NAMESPACE": ""])
  }

  // MARK: mistakes

  func testMistakes() {
    let table: [(String, String)] = [
      ("", "no command given"), ("--json", "no command given"),
      ("--expand-env", "no command given"),
      ("start", "unknown command \"start\""), ("Run --manifest m", "unknown command \"Run\""),
      ("-x", "unknown command \"-x\""), ("hosts --all", "unknown option --all"),
      ("hosts --all=1", "unknown option --all=1"), ("hosts --", "unknown option --"),
      ("hosts --jso", "unknown option --jso"), ("hosts --json=yes", "--json takes no value"),
      ("watch --acknowledge=", "--acknowledge takes no value"),
      ("run", "run needs --manifest FILE"), ("run m.yaml", "\"m.yaml\" is one argument too many"),
      ("run --manifest", "--manifest needs a value"), ("--manifest", "--manifest needs a value"),
      ("run --manifest --expand-env", "--manifest needs a value"),
      ("hosts --server --json", "--server needs a value"),
      ("hosts --timeout", "--timeout needs a value"),
      ("call h describe --lattice", "--lattice needs a value"),
      ("watch --count", "--count needs a value"),
      ("run --manifest m --json", "--json does not belong to this command"),
      ("--manifest m --server x", "--server does not belong to this command"),
      ("check", "check needs a FILE"), ("check a b", "\"b\" is one argument too many"),
      ("check m --manifest m", "--manifest does not belong to this command"),
      ("run m --limits", "--limits does not belong to this command"),
      ("check m --json", "--json does not belong to this command"),
      ("hosts wh7", "\"wh7\" is one argument too many"),
      ("hosts --lattice wh7", "--lattice does not belong to this command"),
      ("hosts --count 1", "--count does not belong to this command"),
      ("hosts --expand-env", "--expand-env does not belong to this command"),
      ("call", "call needs HOST CAPABILITY OPERATION, or HOST describe"),
      ("call h", "call needs HOST CAPABILITY OPERATION, or HOST describe"),
      ("call h gpio", "call needs HOST CAPABILITY OPERATION, or HOST describe"),
      ("call h describe x=1", "\"x=1\" is one argument too many"),
      ("call h gpio get --acknowledge", "--acknowledge does not belong to this command"),
      ("call h gpio get --count 1", "--count does not belong to this command"),
      ("watch a b", "\"b\" is one argument too many"),
      ("watch --lattice x", "--lattice does not belong to this command"),
      ("watch --count 0", "--count 0 is no positive number"),
      ("watch --count -1", "--count -1 is no positive number"),
      ("watch --count x", "--count x is no positive number"),
      ("watch --count=", "--count  is no positive number"),
      ("watch --count 9223372036854775808", "--count 9223372036854775808 is no positive number"),
      ("hosts --timeout 5", "--timeout 5 is no duration such as 5s or 500ms"),
      ("hosts --timeout 0s", "--timeout 0s is no duration such as 5s or 500ms"),
      ("hosts --timeout -1s", "--timeout -1s is no duration such as 5s or 500ms"),
      ("hosts --timeout 1m", "--timeout 1m is no duration such as 5s or 500ms"),
      (
        "hosts --timeout 99999999999d",
        "--timeout 99999999999d is no duration such as 5s or 500ms"
      ),
      (
        "hosts --server hub:0", "--server: '0' is not a port: say a number from 1 to 65535"
      ),
      (
        "hosts --server=",
        "--server: the server address is empty: say nats://HOST or nats://HOST:PORT"
      ),
      ("hosts --server ws://h", "--server: the scheme 'ws' is not supported: say nats://HOST:PORT"),
      ("run --manifest m.yaml --no-files", "--no-files does not belong to this command"),
    ]
    for (line, message) in table {
      XCTAssertEqual(mistake(line.split(separator: " ").map(String.init)), message, line)
    }
    XCTAssertEqual(mistake([""]), "unknown command \"\"")
    XCTAssertEqual(mistake(["hosts", ""]), "\"\" is one argument too many")
  }

  /// What may be a secret is not repeated: standard error ends up in logs.
  func testAMistakeRepeatsNoSecret() {
    let message =
      "user names, passwords and tokens do not belong in the address: name a file with them in "
      + "'auth' of the manifest"
    XCTAssertEqual(
      mistake(["hosts", "--server", "nats://ann:hunter2@hub"]), "--server: " + message)
    XCTAssertEqual(
      mistake(["hosts"], ["LATTICE_HOST": "ann:hunter2@hub"]), "LATTICE_HOST: " + message)
  }
}
