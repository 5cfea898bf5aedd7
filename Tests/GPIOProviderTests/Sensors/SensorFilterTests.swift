import Transport
import XCTest

@testable import GPIOProvider

final class SensorFilterTests: XCTestCase {
  private func filtered(_ configuration: FilterConfiguration, _ values: [Double]) -> [Double] {
    var filter = SensorFilter(configuration)
    return values.map { filter.add($0, isUncertain: false).value }
  }

  func testWithoutFilterEachValueIsItself() {
    XCTAssertEqual(filtered(.none, [3, 1, 2]), [3, 1, 2])
  }

  func testAMedianTakesOutASingleWrongValueAndKeepsASteps() {
    XCTAssertEqual(filtered(.median(3), [20, 20, 85, 20, 20]), [20, 20, 20, 20, 20])
    XCTAssertEqual(filtered(.median(3), [1, 1, 1, 9, 9, 9]), [1, 1, 1, 1, 9, 9])
    XCTAssertEqual(
      filtered(.median(5), [4, 2]), [4, 3], "until the window is full, what there is")
  }

  func testAnAverage() {
    XCTAssertEqual(filtered(.average(4), [2, 4, 6, 8, 10]), [2, 3, 4, 5, 7])
  }

  func testLargeNumbersStayFinite() {
    let large = Double.greatestFiniteMagnitude
    for configuration: FilterConfiguration in [.average(2), .median(3)] {
      let values = filtered(configuration, [large, large, -large, large])
      XCTAssertTrue(values.allSatisfy { $0.isFinite }, "\(configuration): \(values)")
    }
  }

  func testAnUncertainMeasurementIsFeltUntilItHasLeftTheWindow() {
    var filter = SensorFilter(.median(3))
    let uncertain = [false, true, false, false, false].map {
      filter.add(20, isUncertain: $0).isUncertain
    }
    XCTAssertEqual(uncertain, [false, true, true, true, false])
  }

  func testAfterAResetNothingOldIsLeft() {
    var filter = SensorFilter(.average(3))
    for value in [100.0, 200, 300, 400] { _ = filter.add(value, isUncertain: true) }
    filter.reset()
    let next = filter.add(1, isUncertain: false)
    XCTAssertEqual(next.value, 1)
    XCTAssertFalse(next.isUncertain)
    XCTAssertEqual(filter.add(3, isUncertain: false).value, 2)
  }

  /// Against the plain definition over the last values.
  func testFiltersAreWhatTheyAreCalled() {
    for seed in UInt64(1)...200 {
      var random = SeededGenerator(seed: seed)
      let size = 2 * Int.random(in: 1...15, using: &random) + 1
      let values = (0..<100).map { _ in Double(Int.random(in: -50...50, using: &random)) }
      let medians = filtered(.median(size), values)
      let averages = filtered(.average(size), values)
      for index in values.indices {
        let window = values[max(0, index - size + 1)...index].sorted()
        let mean = window.reduce(0, +) / Double(window.count)
        let low = window[(window.count - 1) / 2]
        let high = window[window.count / 2]
        XCTAssertEqual(medians[index], (low + high) / 2, "seed \(seed)")
        XCTAssertEqual(averages[index], mean, accuracy: 1e-9, "seed \(seed)")
      }
    }
  }
}
