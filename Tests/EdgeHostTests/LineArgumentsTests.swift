import GPIOProvider
import Transport
import XCTest

@testable import EdgeHost

/// Command lines of `gpio`, `get`, `set`, `safe`, and of `watch` with a pattern.
final class LineArgumentsTests: XCTestCase {
  private func parse(_ line: String) -> Result<Command, UsageError> {
    do throws(UsageError) {
      return .success(
        try Arguments.command(line.split(separator: " ").map(String.init)) {
          $0 == "LATTICE_NAMESPACE" ? "wh7" : nil
        })
    } catch {
      return .failure(error)
    }
  }

  private func gpio(_ line: String) throws -> GPIORequest {
    guard case .gpio(let request) = try parse("gpio " + line).get() else {
      throw UsageError(message: "not gpio")
    }
    return request
  }

  private func call(_ line: String) throws -> CallRequest {
    guard case .call(let request, _) = try parse(line).get() else {
      throw UsageError(message: "not a call")
    }
    return request
  }

  func testListScanAndNames() throws {
    XCTAssertEqual(try gpio("list"), GPIORequest(.list))
    XCTAssertEqual(try gpio("names"), GPIORequest(.names))
    let list = try gpio("list gpiochip0 1 --json")
    XCTAssertEqual(list.names, ["gpiochip0", "1"])
    XCTAssertTrue(list.json)
    XCTAssertNil(try gpio("scan").manifest)
    XCTAssertEqual(try gpio("scan --manifest m.yaml").manifest, "m.yaml")
  }

  func testGet() throws {
    let request = try gpio("get a b --numeric --timeout 2s --socket /s")
    XCTAssertEqual(request.names, ["a", "b"])
    XCTAssertTrue(request.isNumeric)
    XCTAssertEqual(request.timeout, .seconds(2))
    XCTAssertEqual(request.socket, "/s")
  }

  /// Words that libgpiod's users type without thinking.
  func testShortOptions() throws {
    let request = try gpio("get -c gpiochip0 -l -b pull-up 4")
    XCTAssertEqual(request.chip, "gpiochip0")
    XCTAssertTrue(request.isActiveLow)
    XCTAssertEqual(request.bias, .pullUp)
    XCTAssertEqual(request.names, ["4"])
    XCTAssertEqual(try gpio("watch -n 3 a").count, 3)
  }

  func testSet() throws {
    let request = try gpio("set a=active b=off c=1 d=0 e=on f=inactive g=true h=false --lease 5s")
    XCTAssertEqual(request.names, ["a", "b", "c", "d", "e", "f", "g", "h"])
    XCTAssertEqual(request.values, [true, false, true, false, true, false, true, false])
    XCTAssertEqual(request.lease, .seconds(5))
    XCTAssertEqual(try gpio("set a=1 --hold 1min").hold, .seconds(60))
  }

  func testPulse() throws {
    let request = try gpio("pulse siren 250ms")
    XCTAssertEqual(request.names, ["siren"])
    XCTAssertEqual(request.duration, .milliseconds(250))
  }

  func testGetAndSetOverTheLattice() throws {
    let get = try call("get dock-7/dock-door")
    XCTAssertEqual(get.lattice, "wh7")
    XCTAssertEqual(get.host, "dock-7")
    XCTAssertEqual(get.capability, "gpio")
    XCTAssertEqual(get.operation, "get")
    XCTAssertEqual(get.arguments, ["name=dock-door"])
    XCTAssertEqual(get.form, .value)
    XCTAssertTrue(get.triesSensors)
    let set = try call("set dock-7/siren on --pulse 2s --lease 30s --lattice x")
    XCTAssertEqual(set.lattice, "x")
    XCTAssertEqual(
      set.arguments, ["name=siren", "active=true", "pulse_ms=2000", "lease_ms=30000"])
    XCTAssertFalse(set.triesSensors)
  }

  func testWatchOfAPattern() throws {
    guard case .watch(let request, _) = try parse("watch dock-*/door --count 2").get() else {
      return XCTFail()
    }
    XCTAssertEqual(request.subject, "edge.wh7.*.*.door.*")
    XCTAssertEqual(request.pattern, try NamePattern("dock-*/door"))
    XCTAssertEqual(request.count, 2)
    guard case .watch(let whole, _) = try parse("watch edge.wh7.d.gpio.a/b.edge").get() else {
      return XCTFail()
    }
    XCTAssertNil(whole.pattern)
    XCTAssertEqual(whole.subject, "edge.wh7.d.gpio.a/b.edge")
  }

  func testSafe() throws {
    XCTAssertEqual(
      try parse("safe --manifest m.yaml --json").get(),
      .safe(ManifestPath(path: "m.yaml"), json: true))
  }

  func testMistakes() {
    let table = [
      ("gpio", "gpio needs list, scan, names, get, set, pulse or watch"),
      (
        "gpio fly", "\"fly\" is no action of gpio: list, scan, names, get, set, pulse and watch are"
      ),
      ("gpio get", "gpio get needs the NAME of a line"),
      ("gpio set", "gpio set needs the NAME of a line"),
      ("gpio get a a", "\"a\" is given twice"),
      ("gpio set a", "\"a\" is not NAME=VALUE"), ("gpio set =1", "\"=1\" is not NAME=VALUE"),
      (
        "gpio set a=2",
        "\"2\" is no state of a line: say active or inactive, on or off, 1 or 0"
      ),
      ("gpio pulse a", "gpio pulse needs NAME DURATION"),
      ("gpio pulse a 5", "the pulse's 5 is no duration such as 5s or 500ms"),
      ("gpio pulse a 2h", "the pulse's 2h must be between 1ms and 1h"),
      ("gpio get a -b up", "--bias up must be as-is, disabled, pull-up or pull-down"),
      (
        "gpio get a -c 0 --socket s",
        "--chip takes lines directly, --socket through a host: say one"
      ),
      ("gpio get a --hold 1s", "--hold does not belong to this command"),
      ("gpio set a=1 --hold 1", "--hold 1 is no duration such as 5s or 500ms"),
      ("gpio watch -n 0", "--count 0 is no positive number"),
      ("hosts -c 1", "--chip does not belong to this command"),
      ("get", "get needs HOST/NAME"), ("get dock-7", "get needs HOST/NAME"),
      ("get a/b c", "\"c\" is one argument too many"),
      ("get a/b --pulse 1s", "--pulse does not belong to this command"),
      ("set a/b", "set needs HOST/NAME and on or off"),
      (
        "set a/b maybe",
        "\"maybe\" is no state of a line: say active or inactive, on or off, 1 or 0"
      ),
      ("set a/b on --pulse 2d", "--pulse 2d must be between 1ms and 1h"),
      ("watch a./b", "\"a.\" in \"a./b\" can be no name, nor a pattern of one"),
      ("watch /b", "\"\" in \"/b\" can be no name, nor a pattern of one"),
      ("safe", "safe needs --manifest FILE"), ("safe m", "\"m\" is one argument too many"),
    ]
    for (line, message) in table {
      switch parse(line) {
      case .success: XCTFail(line)
      case .failure(let error): XCTAssertEqual(error.message.string, message, line)
      }
    }
  }

  func testPatterns() throws {
    let table = [
      ("dock-*/door", "edge.l.dock-7.gpio.door.edge", true),
      ("dock-*/door", "edge.l.dock-.gpio.door.edge", true),
      ("dock-*/door", "edge.l.gate-7.gpio.door.edge", false),
      ("dock-*/door", "edge.l.dock-7.gpio.doors.edge", false),
      ("*/*", "edge.l.a.sensors.b.reading", true),
      ("*7*/*oo*", "edge.l.dock-7.gpio.door.edge", true),
      ("*7*/*oo*", "edge.l.dock-8.gpio.door.edge", false),
      ("*ab*ab/x", "edge.l.ababab.gpio.x.edge", true),
      ("*ab*ab/x", "edge.l.aba.gpio.x.edge", false),
      ("*/*", "edge.l.a.status", false), ("*/*", "edge.l.a.gpio.b.c.d", false),
    ]
    for (pattern, subject, expected) in table {
      let subject = Array(subject.utf8)
      XCTAssertEqual(
        try NamePattern(pattern).matches(subject.span), expected, "\(pattern) \(subject)")
    }
    // Not exponential in the number of its stars.
    let stars = Array(String(repeating: "*a", count: 30).utf8)
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 2_000) + [UInt8(ascii: "b")]
    XCTAssertFalse(NamePattern.isMatch(text[...], stars[...]))
  }
}
