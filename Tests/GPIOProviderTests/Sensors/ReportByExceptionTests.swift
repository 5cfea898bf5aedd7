import Transport
import XCTest

@testable import GPIOProvider

final class ReportByExceptionTests: XCTestCase {
  private static func configuration(
    _ deadband: ReportConfiguration.Deadband?, min: Int64 = 0, max: Int64? = nil
  ) -> ReportConfiguration {
    var configuration = ReportConfiguration()
    configuration.deadband = deadband
    configuration.minInterval = .seconds(min)
    configuration.maxInterval = max.map { .seconds($0) }
    return configuration
  }

  private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

  /// A reading each second; nil is a bad one. Returns the seconds at which they were told.
  private func told(_ configuration: ReportConfiguration, _ values: [Double?]) -> [Int64] {
    var reporting = ReportByException(configuration)
    var told: [Int64] = []
    for (index, value) in values.enumerated() {
      let second = Int64(index)
      let quality: SensorQuality = value == nil ? .bad : .good
      if reporting.takes(value, quality, at: at(second), next: at(second + 1)) {
        told.append(second)
      }
    }
    return told
  }

  func testWithoutDeadbandEachIsTold() {
    XCTAssertEqual(told(Self.configuration(nil), [1, 1, nil, nil, 1]), [0, 1, 2, 3, 4])
  }

  func testADeadbandIsAgainstTheValueThatWasToldLast() {
    let slow = [20, 20.1, 20.2, 20.3, 20.4, 20.5, 20.4, 20.3]
    XCTAssertEqual(
      told(Self.configuration(.absolute(0.25)), slow), [0, 3], "it creeps, and is told all the same"
    )
    XCTAssertEqual(told(Self.configuration(.absolute(0)), [1, 1, 2, 2, 1]), [0, 2, 4])
    XCTAssertEqual(
      told(Self.configuration(.absolute(1)), [1, 2, 2.5, 1.5]), [0, 2], "as far as it is not beyond"
    )
  }

  func testADeadbandOfPercentIsOfTheValueThatWasToldLast() {
    XCTAssertEqual(
      told(Self.configuration(.percent(10)), [100, 109, 111, 101, 99]), [0, 2, 4])
    XCTAssertEqual(told(Self.configuration(.percent(10)), [-100, -109, -111]), [0, 2])
    XCTAssertEqual(
      told(Self.configuration(.percent(100)), [0, 0, 0.001, 0.001]), [0, 2],
      "of nothing, everything is more")
  }

  func testAChangeOfQualityIsToldAtOnce() {
    XCTAssertEqual(
      told(Self.configuration(.absolute(1), min: 10), [5, nil, nil, 5, 5]), [0, 1, 3])
  }

  func testReadingsAreSoFarApart() {
    XCTAssertEqual(
      told(Self.configuration(nil, min: 3), Array(repeating: 1, count: 10)), [0, 3, 6, 9])
    XCTAssertEqual(
      told(Self.configuration(.absolute(1), min: 3), [0, 9, 0, 0, 5, 5, 5, 5]), [0, 4],
      "what went away meanwhile is not told")
  }

  func testNeverLongerWithoutAReadingThanTheMaximum() {
    let values = [Double?](repeating: 1, count: 11)
    XCTAssertEqual(told(Self.configuration(.absolute(1), max: 5), values), [0, 5, 10])
    // The next one would be too late.
    var reporting = ReportByException(Self.configuration(.absolute(1), max: 10))
    var seconds: [Int64] = []
    for second in stride(from: Int64(0), to: 40, by: 4)
    where reporting.takes(1, .good, at: at(second), next: at(second + 4)) {
      seconds.append(second)
    }
    XCTAssertEqual(seconds, [0, 8, 16, 24, 32])
  }

  func testWithoutMeasurementsTheLatestIsToldAPeriodLater() {
    var reporting = ReportByException(Self.configuration(.absolute(1), max: 10))
    XCTAssertNil(reporting.deadline(period: .seconds(2)))
    XCTAssertTrue(reporting.takes(1, .good, at: at(0), next: at(2)))
    XCTAssertEqual(reporting.deadline(period: .seconds(2)), at(12))
    XCTAssertTrue(reporting.takes(1, .good, at: at(12), next: at(12)))
    XCTAssertEqual(reporting.deadline(period: .seconds(2)), at(24))
  }

  /// What holds whatever the values are: the listener is never further off than the deadband once the
  /// shortest interval is over, hears of each change of quality, and not too often.
  func testWhatAListenerMayRelyOn() {
    for seed in UInt64(1)...500 {
      var random = SeededGenerator(seed: seed)
      let deadband = Double.random(in: 0...3, using: &random)
      let least = Int64.random(in: 0...5, using: &random)
      let most = Int64.random(in: 6...20, using: &random)
      var reporting = ReportByException(
        Self.configuration(.absolute(deadband), min: least, max: most))
      var heard: (value: Double?, quality: SensorQuality, at: Int64)?
      var value = 0.0
      for second in Int64(0)..<300 {
        value += Double.random(in: -1...1, using: &random)
        let quality: SensorQuality = Int.random(in: 0...9, using: &random) == 0 ? .bad : .good
        let told = quality == .bad ? nil : value
        let before = heard
        if reporting.takes(told, quality, at: at(second), next: at(second + 1)) {
          heard = (told, quality, second)
        }
        guard let heard else { return XCTFail("the first is told") }
        XCTAssertEqual(heard.quality, quality, "seed \(seed)")
        XCTAssertLessThanOrEqual(second + 1 - heard.at, most, "seed \(seed)")
        if let before, before.quality == quality, heard.at == second {
          XCTAssertGreaterThanOrEqual(second - before.at, least, "seed \(seed)")
        }
        if let told, let last = heard.value, second - heard.at >= least {
          XCTAssertLessThanOrEqual((told - last).magnitude, deadband, "seed \(seed)")
        }
      }
    }
  }
}
