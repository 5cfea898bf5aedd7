import CLinux
import Foundation
import XCTest

@testable import Transport

/// A session with OpenSSL's server at the other end. Only in builds with TLS.
final class TLSSessionTests: XCTestCase {
  private static let folder = NSTemporaryDirectory() + "edge-host-tls-\(UUID().uuidString)"

  override class func setUp() {
    // One authority, and certificates by it, with an RSA key.
    let script = """
      set -e
      mkdir -p \(folder); cd \(folder)
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
        -subj '/CN=Test CA' -days 30
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout no.key -out other.pem \
        -subj '/CN=Other CA' -days 30
      openssl req -newkey rsa:2048 -nodes -keyout key.pem -out hub.csr -subj /CN=hub.example
      echo subjectAltName=DNS:hub.example,DNS:*.wild.example,IP:127.0.0.1 > names
      openssl x509 -req -in hub.csr -CA ca.pem -CAkey ca.key -extfile names -out hub.pem -days 20
      cat ca.pem other.pem > both.pem
      echo -e '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index\\nunique_subject=no\\nnew_certs_dir=.\\nserial=serial
      default_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied' > ca.cnf
      touch index; echo 01 > serial
      ca() { openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in hub.csr -extfile names "$@"; }
      ca -startdate 20200101000000Z -enddate 20210102030400Z -out old.pem -notext
      ca -startdate 20900102030400Z -enddate 20910101000000Z -out young.pem -notext
      """
    _ = try? TLSSessionTests.shell(script)
  }

  override class func tearDown() { try? FileManager.default.removeItem(atPath: folder) }

  override func setUpWithError() throws {
    try XCTSkipUnless(TLSConfiguration.isAvailable, "this build has no TLS")
  }

  @discardableResult
  private static func shell(_ script: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  // MARK: the peer

  private func file(_ name: String) throws -> FileReference {
    try FileReference(parsing: TLSSessionTests.folder + "/" + name)
  }

  private func configuration(_ authorities: String = "ca.pem") throws -> TLSConfiguration {
    var configuration = TLSConfiguration()
    configuration.authorities = try file(authorities)
    return configuration
  }

  /// Starts `openssl s_server`, which echoes lines reversed, until the test ends; returns its port.
  private func serve(_ arguments: String...) throws -> UInt16 {
    let port = UInt16.random(in: 20000..<60000)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.currentDirectoryURL = URL(fileURLWithPath: TLSSessionTests.folder)
    process.arguments =
      ["s_server", "-accept", "127.0.0.1:\(port)", "-key", "key.pem", "-rev", "-quiet"]
      + (arguments.contains("-cert") ? [] : ["-cert", "hub.pem"]) + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    addTeardownBlock { process.terminate() }
    return port
  }

  /// The server takes one connection after the other, so each is closed when nobody needs it any more.
  private final class Socket {
    let descriptor: Int32
    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }
  }

  /// A connected, non-blocking socket.
  private func connect(_ port: UInt16) throws -> Socket {
    for _ in 0..<500 {
      let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if result == 0 {
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        return Socket(socket)
      }
      close(socket)
      usleep(20_000)
    }
    throw XCTSkip("openssl s_server did not start")
  }

  private func wait(_ socket: Socket, _ outcome: TLSOutcome) throws {
    var poll = pollfd(
      fd: socket.descriptor, events: outcome == .wantsWrite ? 4 : 1, revents: 0)
    if Glibc.poll(&poll, 1, 30_000) != 1 { throw TLSError.system(SystemError("poll", -110)) }
  }

  private func open(
    _ port: UInt16, _ configuration: TLSConfiguration, host: String = "hub.example",
    ticket: TLSTicket = TLSTicket()
  ) throws -> (session: TLSSession, socket: Socket) {
    let socket = try connect(port)
    let session = try TLSSession(
      on: socket.descriptor, host: host, configuration, try configuration.read(), ticket: ticket)
    while true {
      let outcome = try session.handshake()
      if case .done = outcome { return (session, socket) }
      if outcome == .closed { throw TLSError.system(SystemError("closed", 0)) }
      try wait(socket, outcome)
    }
  }

  private func read(_ count: Int, _ session: TLSSession, _ socket: Socket) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1000)
    while bytes.count < count {
      let outcome = try buffer.withUnsafeMutableBytes { try session.read(into: $0) }
      switch outcome {
      case .done(let length): bytes += buffer[..<length]
      case .closed: return bytes
      case .wantsRead, .wantsWrite: try wait(socket, outcome)
      }
    }
    return bytes
  }

  private func write(_ bytes: [UInt8], _ session: TLSSession, _ socket: Socket) throws {
    var rest = bytes[...]
    repeat {
      rest = rest.dropFirst(rest.withUnsafeBytes { session.append($0) })
      let outcome = try session.flush()
      if case .done = outcome { continue }
      try wait(socket, outcome)
    } while !rest.isEmpty || session.hasUnsentBytes
  }

  private func error(
    _ port: UInt16, _ configuration: TLSConfiguration, host: String = "hub.example"
  ) -> TLSError? {
    do {
      let (session, socket) = try open(port, configuration, host: host)
      // With TLS 1.3 a server says only now what it thinks of us.
      try write(Array("x\n".utf8), session, socket)
      _ = try read(1, session, socket)
      return nil
    } catch {
      return error as? TLSError
    }
  }

  // MARK: tests

  func testBothVersionsCarryDataAndResume() throws {
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
      let port = try serve(option)
      let ticket = TLSTicket()
      for isSecond in [false, true] {
        let (session, socket) = try open(port, try configuration(), ticket: ticket)
        XCTAssertEqual(session.version, version)
        XCTAssertEqual(session.isResumed, isSecond, version)
        try write(Array("edge\n".utf8), session, socket)
        XCTAssertEqual(try read(5, session, socket), Array("egde\n".utf8))
        session.sayGoodbye()
      }
      // Other authorities: whom to trust has changed, so certificates are verified again.
      let (session, _) = try open(port, try configuration("both.pem"), ticket: ticket)
      XCTAssertFalse(session.isResumed)
    }
  }

  func testMuchDataInBothDirections() throws {
    let (session, socket) = try open(try serve(), try configuration())
    for length in [1, 4095, 4096, 4097, 15000] {
      let line = [UInt8](repeating: 0x61, count: length) + [0x0A]
      try write(line, session, socket)
      XCTAssertEqual(try read(length + 1, session, socket), line)
    }
  }

  func testAFullSocketKeepsTheRecord() throws {
    let (session, socket) = try open(try serve(), try configuration())
    defer { _ = socket }
    var appended = 0
    let bytes = [UInt8](repeating: 0x62, count: 4096)
    // The server answers a line only when it ends, so nothing is read and the socket fills.
    while true {
      appended += bytes.withUnsafeBytes { session.append($0) }
      if try session.flush() == .wantsWrite { break }
      if appended > 64_000_000 { return XCTFail("the socket never fills") }
    }
    XCTAssertTrue(session.hasUnsentBytes)
    XCTAssertEqual(bytes.withUnsafeBytes { session.append($0) }, 0)
  }

  func testNames() throws {
    let port = try serve()
    for host in ["hub.example", "HUB.example.", "a.wild.example", "127.0.0.1"] {
      XCTAssertNil(error(port, try configuration(), host: host), host)
    }
    for host in ["example", "b.a.wild.example", "127.0.0.2", "xhub.example"] {
      XCTAssertEqual(
        error(port, try configuration(), host: host),
        .name(expected: host, found: "hub.example, *.wild.example, 127.0.0.1"))
    }
    var named = try configuration()
    named.serverName = "hub.example"
    XCTAssertNil(error(port, named, host: "10.0.0.1"))
  }

  func testWhoIsNotTrusted() throws {
    XCTAssertEqual(error(try serve(), try configuration("other.pem")), .unknownAuthority("Test CA"))
    XCTAssertEqual(error(try serve(), TLSConfiguration()), .unknownAuthority("Test CA"))
    XCTAssertEqual(error(try serve(), try configuration("key.pem")), .unknownAuthority("Test CA"))
    XCTAssertThrowsError(try configuration("key.pem").check()) { error in
      XCTAssertEqual(error as? TLSError, .noAuthority)
    }
    XCTAssertNoThrow(try configuration("both.pem").check())
  }

  func testDates() throws {
    let clock: ClockTrust = EventLoop.isWallClockSynchronised ? .synchronised : .unsynchronised
    XCTAssertEqual(
      error(try serve("-cert", "old.pem"), try configuration()),
      .expired("hub.example, which ended 2021-01-02 03:04 UTC", clock))
    XCTAssertEqual(
      error(try serve("-cert", "young.pem"), try configuration()),
      .notYetValid("hub.example, which begins 2090-01-02 03:04 UTC", clock))
  }

  func testOldVersionsAndOtherProtocols() throws {
    let old = try serve("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    let found = error(old, try configuration())
    XCTAssertTrue(found == .noCommonVersion || found == .alert(70), "\(String(describing: found))")
  }

  func testClientCertificate() throws {
    for version in ["-tls1_2", "-tls1_3"] {
      let port = try serve(
        version, "-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error")
      var own = try configuration()
      let without = error(port, own)
      XCTAssertTrue(
        without == .alert(116) || without == .alert(40), "\(String(describing: without))")
      own.certificate = try file("hub.pem")
      own.key = try file("key.pem")
      XCTAssertNil(error(port, own), version)
      own.key = try file("ca.key")
      XCTAssertThrowsError(try own.check()) { error in
        XCTAssertEqual(error as? TLSError, .wrongKey(own.key))
      }
      XCTAssertEqual(error(port, own), .wrongKey(own.key))
      own.key = try file("hub.pem")
      XCTAssertEqual(error(port, own), .badKey(own.key))
      own.certificate = try file("key.pem")
      XCTAssertEqual(error(port, own), .badCertificate(own.certificate))
    }
  }
}
