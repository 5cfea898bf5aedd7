import XCTest

@testable import EdgeHost

/// `services`: what plain NATS clients may do.
final class ManifestServicesTests: XCTestCase {
  private func services(_ text: String, line: UInt = #line) throws -> Manifest.Services {
    try goodManifest("services: \(text)\ncapabilities: []", line: line).services
  }

  func testValues() throws {
    XCTAssertEqual(try goodManifest("capabilities: []").services, Manifest.Services())
    XCTAssertEqual(
      try services("{}"), Manifest.Services(takesCommands: true, commandRate: 50))
    for (text, rate) in [("1/s", 1), ("\"7/s\"", 7), ("10000/s", 10_000)] as [(String, UInt32)] {
      XCTAssertEqual(
        try services("{commands: on, rate: \(text)}"),
        Manifest.Services(takesCommands: true, commandRate: rate))
    }
    XCTAssertFalse(try services("{commands: off}").takesCommands)
  }

  func testMistakes() {
    func mistakes(_ services: String, _ expected: String, line: UInt = #line) {
      assertMistakes("services: \(services)\ncapabilities: []", [expected], line: line)
    }
    mistakes("{commands: true}", "1:22: 'commands' must be on or off, not 'true'")
    mistakes(
      "{commands: off, rate: 5/s}", "1:27: 'rate' makes no sense with 'commands: off'")
    for text in ["0/s", "10001/s", "50", "/s", "5 /s", "5/min", "-5/s", "1.5/s", "99999999999/s"] {
      mistakes("{rate: \(text)}", "1:18: 'rate' must be a rate from 1/s to 10000/s, not '\(text)'")
    }
    mistakes(
      "{burst: 5}",
      "1:12: unknown key 'burst': the keys of the services dialect are commands and rate")
    mistakes(
      "off",
      "1:11: 'services' must be a mapping of keys to values that describes the services dialect, "
        + "not 'off'")
  }
}
