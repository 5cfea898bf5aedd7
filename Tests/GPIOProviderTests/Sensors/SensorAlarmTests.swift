import Transport
import XCTest

@testable import GPIOProvider

final class SensorAlarmTests: XCTestCase {
  private func alarm(
    _ limit: AlarmConfiguration.Limit, hysteresis: Double = 0, delay: Int64 = 0
  ) -> SensorAlarm {
    var configuration = AlarmConfiguration(name: "a", limit: limit)
    configuration.hysteresis = hysteresis
    configuration.delay = .seconds(delay)
    return SensorAlarm(configuration)
  }

  private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

  /// A value each second; nil is a bad reading. What was told, and when: `3+` began, `7-` ended.
  private func told(_ alarm: SensorAlarm, _ values: [Double?]) -> [String] {
    var alarm = alarm
    var told: [String] = []
    for (second, value) in values.enumerated() {
      guard let value else { continue }
      if alarm.update(value, at: at(Int64(second))) {
        told.append("\(second)\(alarm.isActive ? "+" : "-")")
      }
    }
    return told
  }

  func testAboveAndBelow() {
    XCTAssertEqual(told(alarm(.above(70)), [60, 70, 71, 72, 70, 60]), ["0-", "2+", "4-"])
    XCTAssertEqual(told(alarm(.below(2)), [5, 2, 1.9, 0, 2, 5]), ["0-", "2+", "4-"])
  }

  func testHysteresis() {
    XCTAssertEqual(
      told(alarm(.above(70), hysteresis: 5), [60, 71, 69, 71, 66, 65.1, 65, 69]),
      ["0-", "1+", "6-"])
    XCTAssertEqual(
      told(alarm(.below(10), hysteresis: 2), [20, 9, 11, 9, 11.9, 12, 11]), ["0-", "1+", "5-"])
  }

  func testDelay() {
    let hot = alarm(.above(70), delay: 3)
    XCTAssertEqual(told(hot, [60, 71, 71, 71, 71, 60]), ["0-", "4+", "5-"])
    XCTAssertEqual(told(hot, [60, 71, 71, 60, 71, 71, 71, 60]), ["0-"], "too short, twice")
  }

  func testBadReadingsNeitherBeginNorEndIt() {
    XCTAssertEqual(
      told(alarm(.above(70)), [60, 71, nil, nil, nil, 71, nil, 60]), ["0-", "1+", "7-"])
    XCTAssertEqual(
      told(alarm(.above(70), delay: 3), [60, 71, nil, nil, nil, nil, 71]), ["0-", "6+"],
      "the delay is over with the first value that shows it")
    XCTAssertEqual(told(alarm(.above(70)), [nil, nil]), [])
  }

  func testTheFirstStateIsToldOnceItIsKnown() {
    XCTAssertEqual(told(alarm(.above(70)), [71, 71]), ["0+"])
    XCTAssertEqual(told(alarm(.above(70)), [60, 60]), ["0-"])
    XCTAssertEqual(told(alarm(.above(70), delay: 2), [71, 71, 71, 71]), ["2+"])
    XCTAssertEqual(told(alarm(.above(70), delay: 2), [71, 71, 60]), ["2-"])
  }

  /// What is told alternates, whatever the values are, and agrees with them.
  func testWhatAListenerMayRelyOn() {
    for seed in UInt64(1)...500 {
      var random = SeededGenerator(seed: seed)
      let hysteresis = Double.random(in: 0...3, using: &random)
      let delay = Int64.random(in: 0...4, using: &random)
      var alarm = alarm(.above(10), hysteresis: hysteresis, delay: delay)
      var heard: Bool?
      var value = 9.0
      var beyondFor: Int64 = -1
      for second in Int64(0)..<400 {
        value += Double.random(in: -1...1, using: &random) + (10 - value) / 20
        beyondFor = value > 10 ? beyondFor + 1 : -1
        if alarm.update(value, at: at(second)) {
          XCTAssertNotEqual(heard, alarm.isActive, "seed \(seed): told twice")
          heard = alarm.isActive
        }
        XCTAssertEqual(heard ?? false, alarm.isActive, "seed \(seed): not told")
        if beyondFor >= delay { XCTAssertTrue(alarm.isActive, "seed \(seed)") }
        if value <= 10 - hysteresis { XCTAssertFalse(alarm.isActive, "seed \(seed)") }
      }
    }
  }
}
