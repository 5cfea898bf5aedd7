import Transport
import XCTest

@testable import GPIOProvider

final class LinearTransformTests: XCTestCase {
  func testOneAfterTheOther() {
    let first = LinearTransform(scale: 2, offset: 3)
    let second = LinearTransform(scale: -4, offset: 5)
    XCTAssertEqual(first.then(second).apply(to: 10), second.apply(to: first.apply(to: 10)))
    XCTAssertEqual(LinearTransform.identity.then(first), first)
    XCTAssertEqual(first.then(.identity), first)
  }

  func testRoundingLeavesNoBinaryDust() {
    for (value, expected): (Double, Double) in [
      (0.1 + 0.2, 0.3), (48.312 + 273.15, 321.462), (3 * 0.1, 0.3), (-0.1 - 0.2, -0.3),
      (1.0 / 3, 0.333333333333), (2.0 / 3, 0.666666666667), (999_999_999_999, 999_999_999_999),
      (0.999_999_999_999_9, 1), (1e-9 / 3, 3.33333333333e-10),
    ] {
      XCTAssertEqual(value.roundedToTwelveDigits, expected)
    }
  }

  func testWhatIsNotRounded() {
    for value in [
      0, -0.0, 1e12, 1e13 + 0.5, 1e300, .greatestFiniteMagnitude, 1e-11, .leastNonzeroMagnitude,
      .infinity,
      -.infinity,
    ] {
      XCTAssertEqual(value.roundedToTwelveDigits.bitPattern, value.bitPattern, "\(value)")
    }
    XCTAssertTrue(Double.nan.roundedToTwelveDigits.isNaN)
  }

  /// A number of at most twelve digits is what it was; any other is off by half of the last digit.
  func testRoundingIsExactForWhatHasTwelveDigits() {
    var random = SeededGenerator(seed: 12)
    for _ in 0..<100_000 {
      let digits = Int64.random(in: -999_999_999_999...999_999_999_999, using: &random)
      var power = 1.0
      for _ in 0..<Int.random(in: 0...12, using: &random) { power *= 10 }
      let value = Double(digits) / power
      if value.magnitude >= 1e-10 { XCTAssertEqual(value.roundedToTwelveDigits, value) }
      let any = Double.random(in: -1000...1000, using: &random)
      XCTAssertEqual(any.roundedToTwelveDigits, any, accuracy: any.magnitude * 5.1e-12)
    }
  }
}
