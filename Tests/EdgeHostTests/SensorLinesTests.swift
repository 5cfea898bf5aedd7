import GPIOProvider
import XCTest

@testable import EdgeHost

final class SensorLinesTests: XCTestCase {
  private let findings: [SensorSurvey.Finding] = [
    finding(.thermal(zone: "cpu-thermal"), 48.312),
    finding(
      .iio(IIOChannel(device: DeviceName("ads1115", at: "1-0048"), channel: "voltage0")), -1.5),
    finding(
      .hwmon(HwmonChannel(device: DeviceName("coretemp"), channel: "temp", label: "Core 0")), 49,
      "temp2_alarm is set"),
    finding(.w1(id: "28-0316a2795aff"), nil, "no conversion\u{1B}"),
    finding(.raspberryPi(RaspberryPiState(.capped, sinceBoot: true)), 1),
    finding(.host(.disk(path: "/")), 1024), finding(.host(.disk(path: "/var")), 2048),
    finding(.counter(CounterCount(device: DeviceName("eqep"), count: 0)), 7),
  ]

  private static func finding(
    _ kind: SensorKind, _ value: Double?, _ reason: String? = nil
  ) -> SensorSurvey.Finding {
    SensorSurvey.Finding(kind, value, reason: reason)
  }

  func testTheLinesAreThoseOfAManifest() throws {
    let text = SensorLines.text(findings).string
    let manifest =
      "capabilities:\n- builtin: sensors\n  sensors:\n"
      + text.split(separator: "\n").map { "  \($0)\n" }.joined()
    guard case .sensors(let sensors)? = try goodManifest(manifest).capabilities.first else {
      return XCTFail("no sensors")
    }
    XCTAssertEqual(sensors.map { $0.kind }, findings.map { $0.kind })
    XCTAssertEqual(
      sensors.map { $0.name },
      [
        "cpu-thermal", "ads1115-voltage0", "coretemp-core-0", "28-0316a2795aff", "capped", "disk",
        "disk-2", "eqep-count0",
      ])
    let outcomes = text.split(separator: "\n").map { $0.split(separator: "#").last ?? "" }
    XCTAssertEqual(
      outcomes,
      [
        " 48.312 Cel", " -1.5 V", " 49.0 Cel, uncertain: temp2_alarm is set",
        " bad: no conversion?", " 1.0 /", " 1024.0 B", " 2048.0 B", " 7.0 count",
      ])
  }

  func testJSON() {
    let lines = SensorLines.json(Array(findings[2...3])).string.split(separator: "\n")
    XCTAssertEqual(
      lines,
      [
        """
        {"name":"coretemp-core-0","kind":"hwmon","device":"coretemp","channel":"temp",\
        "label":"Core 0","value":49.0,"unit":"Cel","reason":"temp2_alarm is set"}
        """,
        """
        {"name":"28-0316a2795aff","kind":"w1","id":"28-0316a2795aff","value":null,"unit":"Cel",\
        "reason":"no conversion\\u001b"}
        """,
      ])
  }

  func testTheCommandLine() throws {
    func command(_ words: String...) throws -> Command {
      try Arguments.command(words) { _ in nil }
    }
    XCTAssertEqual(try command("sensors", "list"), .sensors(json: false))
    XCTAssertEqual(try command("sensors", "list", "--json"), .sensors(json: true))
    XCTAssertThrowsError(try command("sensors"))
    XCTAssertThrowsError(try command("sensors", "scan"))
    XCTAssertThrowsError(try command("sensors", "list", "cpu"))
    XCTAssertThrowsError(try command("sensors", "list", "--timeout", "5s"))
  }
}
