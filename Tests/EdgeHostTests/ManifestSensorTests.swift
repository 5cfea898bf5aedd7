import GPIOProvider
import Transport
import XCTest

@testable import EdgeHost

/// What a manifest says to be done with a sensor's values: what it means, and what is refused.
final class ManifestSensorTests: XCTestCase {
  private static let head = "capabilities:\n  - builtin: sensors\n    sensors:\n    - "

  /// - Parameter keys: of a sensor, behind its name and kind.
  private func sensor(
    _ keys: String, kind: String = "thermal, zone: z", line: UInt = #line
  ) throws -> SensorConfiguration {
    let text = Self.head + "{name: a, kind: \(kind), \(keys)}\n"
    let manifest = try goodManifest(text, line: line)
    var sensors: [SensorConfiguration] = []
    if case .sensors(let given)? = manifest.capabilities.first { sensors = given }
    return try XCTUnwrap(sensors.first)
  }

  /// The keys begin at column 8, the first on line 5: each is on a line of its own.
  private func assertSensor(
    _ keys: [String], kind: String = "thermal, zone: z", _ expected: String...,
    file: StaticString = #filePath, line: UInt = #line
  ) {
    let text =
      Self.head + "{name: a, kind: \(kind),\n"
      + keys.map { "       \($0)" }
      .joined(separator: ",\n") + "}\n"
    XCTAssertEqual(mistakes(Array(text.utf8)), expected, "in:\n\(text)", file: file, line: line)
  }

  // MARK: Units

  func testTheUnitIsTheKindsUnlessAnotherOfItsQuantityIsGiven() throws {
    let plain = try sensor("every: 5s")
    XCTAssertEqual(plain.unit, "Cel")
    XCTAssertEqual(plain.transform, .identity)
    let kelvin = try sensor("unit: K, offset: -0.5")
    XCTAssertEqual(kelvin.unit, "K")
    XCTAssertEqual(kelvin.transform.apply(to: 20), 292.65, accuracy: 1e-9)
    let scaled = try sensor("scale: 2, offset: 1, unit: K")
    XCTAssertEqual(scaled.transform.apply(to: 0), 547.3, accuracy: 1e-9, "the unit, then the scale")
    XCTAssertEqual(try sensor("unit: hPa", kind: "simulated").unit, "hPa")
    XCTAssertEqual(try sensor("scale: 3", kind: "simulated").transform.scale, 3)
    XCTAssertEqual(try sensor("scale: 3", kind: "simulated").unit, "/")
  }

  func testUnitsThatDoNotFit() {
    assertSensor(
      ["unit: hPa"], "5:14: 'unit' of 'kind: thermal' must be Cel or K, not 'hPa'")
    assertSensor(
      ["unit: C"], "5:14: 'unit' of 'kind: thermal' must be Cel or K, not 'C'")
    assertSensor(
      ["scale: 2", "unit: hPa"], "6:14: 'unit' of 'kind: thermal' must be Cel or K, not 'hPa'")
    assertSensor(
      ["unit: pa"], kind: "simulated",
      "5:14: 'unit' must be a unit of SenML such as Cel, %RH, V or hPa, not 'pa': "
        + "did you mean 'Pa'?")
    assertSensor(
      ["unit: parsec"], kind: "simulated",
      "5:14: 'unit' must be a unit of SenML such as Cel, %RH, V or hPa, not 'parsec'")
    assertSensor(
      ["scale: 0", "offset: a"], "5:15: 'scale' must not be 0: all values would be the same",
      "6:16: 'offset' must be a number such as 21.5, not 'a'")
  }

  // MARK: Filter

  func testFilters() throws {
    XCTAssertEqual(try sensor("every: 1s").filter, .none)
    XCTAssertEqual(try sensor("filter: {median: 5}").filter, .median(5))
    XCTAssertEqual(try sensor("filter: {average: 60}").filter, .average(60))
  }

  func testFiltersThatMakeNoSense() {
    assertSensor(
      ["filter: 5"],
      "5:16: 'filter' must be a mapping of keys to values that describes a filter, not '5'")
    assertSensor(
      ["filter: {}"],
      "5:16: a filter needs 'median': or 'average', a number of measurements such as 5")
    assertSensor(
      ["filter: {median: 4}"],
      "5:25: 'median' must be odd, so that one of them is in the middle: say 5")
    assertSensor(
      ["filter: {median: 33}"], "5:25: 'median' must be a whole number from 3 to 31, not '33'")
    assertSensor(
      ["filter: {average: 1}"],
      "5:26: 'average' must be a whole number from 2 to 60, not '1'")
    assertSensor(
      ["filter: {median: 3, average: 4}"],
      "5:28: 'average' beside 'median': a sensor has one filter")
  }

  // MARK: Report by exception

  func testReporting() throws {
    let reporting = try sensor(
      "every: 1s, deadband: 0.2, min_interval: 5s, max_interval: 1h"
    ).reporting
    XCTAssertEqual(reporting.deadband, .absolute(0.2))
    XCTAssertEqual(reporting.minInterval, .seconds(5))
    XCTAssertEqual(reporting.maxInterval, .seconds(3_600))
    XCTAssertEqual(try sensor("deadband: 2%").reporting.deadband, .percent(2))
    XCTAssertEqual(try sensor("deadband: 0").reporting.deadband, .absolute(0))
    XCTAssertEqual(try sensor("every: 1s").reporting, ReportConfiguration())
  }

  func testReportingThatMakesNoSense() {
    let number = "must be a number of the sensor's unit such as 0.2, or of percent such as 2%, not"
    assertSensor(["deadband: -1"], "5:18: 'deadband' \(number) '-1'")
    assertSensor(["deadband: 2 %"], "5:18: 'deadband' \(number) '2 %'")
    assertSensor(["deadband: '%'"], "5:18: 'deadband' \(number) '%'")
    assertSensor(["deadband: 101%"], "5:18: 'deadband' must be at most 100%")
    assertSensor(
      ["every: 10s", "deadband: 1", "min_interval: 60s", "max_interval: 30s"],
      "8:22: 'max_interval' must not be below 'min_interval'")
    assertSensor(
      ["every: 10s", "deadband: 1", "min_interval: 5s", "max_interval: 9s"],
      "7:22: 'min_interval' must not be below 'every' (10s)",
      "8:22: 'max_interval' must not be below 'every' (10s)")
    assertSensor(
      ["max_interval: 1h"],
      "5:22: 'max_interval' needs 'deadband': without it nothing holds readings back")
  }

  // MARK: Alarms

  func testAlarms() throws {
    let alarms = try sensor(
      "alarms: [{name: hot, above: 70, hysteresis: 2.5, delay: 30s}, {name: cold, below: -5}]"
    ).alarms
    var hot = AlarmConfiguration(name: "hot", limit: .above(70))
    hot.hysteresis = 2.5
    hot.delay = .seconds(30)
    XCTAssertEqual(alarms, [hot, AlarmConfiguration(name: "cold", limit: .below(-5))])
    XCTAssertEqual(try sensor("alarms: []").alarms, [])
  }

  func testAlarmsThatMakeNoSense() {
    assertSensor(
      ["alarms: {name: hot, above: 1}"],
      "5:16: 'alarms' must be a list of alarms such as [{name: hot, above: 70}], not a mapping")
    assertSensor(
      ["alarms: [{}]"], "5:17: an alarm needs 'name': what its events call it",
      "5:17: an alarm needs 'above': or 'below', the limit in the sensor's unit")
    assertSensor(
      ["alarms: [{name: a, above: 1, below: 2}]"],
      "5:37: 'below' beside 'above': make two alarms of it")
    assertSensor(
      ["alarms: [{name: a, above: 1, hysteresis: -1, delay: 5}]"],
      "5:49: 'hysteresis' must not be negative",
      "5:60: 'delay' needs a unit: say 5ms or 5s")
    assertSensor(
      ["alarms: [{name: a, above: x}]"],
      "5:34: 'above' must be a number such as 21.5, not 'x'")
    assertSensor(
      ["alarms: [{name: a, above: 1}, {name: a, below: 0}]"],
      "5:45: the alarm 'a' is given twice: first at 5:24")
    assertSensor(
      ["alarms: [{name: a b, abov: 1}]"],
      "5:24: 'name' becomes part of NATS subjects: no blanks, '.', '*', '>' or non-ASCII; "
        + "say 'a-b'",
      "5:29: unknown key 'abov': did you mean 'above'?")
    let many = (0..<9).map { "{name: a\($0), above: 1}" }.joined(separator: ", ")
    assertSensor(["alarms: [\(many)]"], "5:16: 'alarms' has 9 entries: at most 8")
  }

  // MARK: Simulated sensors

  func testASimulatedSensorMayFailOnPurpose() throws {
    guard
      case .simulated(let values) = try sensor(
        "script: {values: [20, bad, 21]}", kind: "simulated"
      ).kind
    else { return XCTFail("not simulated") }
    XCTAssertEqual(values.map { $0.isFinite }, [true, false, true])
  }
}
