import XCTest

@testable import Transport

final class BackoffTests: XCTestCase {
  private let first = Duration.milliseconds(250)
  private let cap = Duration.seconds(30)

  func testBounds() {
    for seed in UInt64(0)..<50 {
      var backoff = Backoff(first: first, cap: cap, seed: seed)
      for failure in 0..<100 {
        let bound = min(first * (Int64(1) << Int64(min(failure, 30))), cap)
        let delay = backoff.next()
        XCTAssertLessThanOrEqual(delay, bound)
        XCTAssertGreaterThanOrEqual(
          delay, failure < 2 ? .zero : Duration(nanoseconds: bound.nanoseconds / 4))
      }
      XCTAssertEqual(backoff.failures, 100)
    }
  }

  /// A fleet that fails together comes back spread over most of the bound.
  func testJitterSpreads() {
    for failures in [1, 3, 20] {
      var delays: [Duration] = []
      for seed in UInt64(0)..<200 {
        var backoff = Backoff(first: first, cap: cap, seed: seed)
        for _ in 1..<failures { _ = backoff.next() }
        delays.append(backoff.next())
      }
      let bound = min(first * (Int64(1) << Int64(failures - 1)), cap)
      let spread = (delays.max() ?? .zero) - (delays.min() ?? .zero)
      XCTAssertGreaterThan(spread * 10, bound * 7)
      XCTAssertGreaterThan(Set(delays).count, 195)
    }
  }

  func testSameSeedSameDelays() {
    var one = Backoff(first: first, cap: cap, seed: 5)
    var two = Backoff(first: first, cap: cap, seed: 5)
    var other = Backoff(first: first, cap: cap, seed: 6)
    let delays = (0..<20).map { _ in one.next() }
    XCTAssertEqual((0..<20).map { _ in two.next() }, delays)
    XCTAssertNotEqual((0..<20).map { _ in other.next() }, delays)
  }

  func testReset() {
    var backoff = Backoff(first: first, cap: cap, seed: 1)
    for _ in 0..<20 { _ = backoff.next() }
    backoff.reset()
    XCTAssertEqual(backoff.failures, 0)
    XCTAssertLessThanOrEqual(backoff.next(), first)
  }

  /// Credentials are repaired by people: minutes, but never for good.
  func testRefusals() {
    for seed in UInt64(0)..<50 {
      var backoff = Backoff(first: first, cap: cap, seed: seed)
      for refusal in 0..<100 {
        let bound = min(Duration.seconds(60) * (Int64(1) << Int64(min(refusal, 10))), .seconds(900))
        let delay = backoff.nextAfterRefusal()
        XCTAssertLessThanOrEqual(delay, bound)
        XCTAssertGreaterThanOrEqual(delay * 2, bound)
      }
      backoff.reset()
      XCTAssertLessThanOrEqual(backoff.next(), first)
      XCTAssertLessThanOrEqual(backoff.nextAfterRefusal(), .seconds(60))
    }
  }

  func testOddSettings() {
    for (first, cap) in [
      (Duration.zero, Duration.zero), (.seconds(60), .seconds(1)), (.seconds(1), .zero),
    ] {
      var backoff = Backoff(first: first, cap: cap, seed: 1)
      for _ in 0..<100 {
        let delay = backoff.next()
        XCTAssertGreaterThanOrEqual(delay, .zero)
        XCTAssertLessThanOrEqual(delay, cap)
      }
    }
    var huge = Backoff(
      first: Duration(nanoseconds: .max), cap: Duration(nanoseconds: .max), seed: 1)
    for _ in 0..<100 { XCTAssertGreaterThanOrEqual(huge.next(), .zero) }
  }

  func testRandomGenerator() {
    var random = RandomGenerator(seed: 0)
    // The published sequence of SplitMix64 from seed 0.
    XCTAssertEqual(random.next(), 0xE220_A839_7B1D_CDAF)
    XCTAssertEqual(random.next(), 0x6E78_9E6A_A1B9_65F4)
    XCTAssertEqual(random.next(), 0x06C4_5D18_8009_454F)
    XCTAssertEqual(random.next(through: 0), 0)
    for _ in 0..<1000 { XCTAssertLessThanOrEqual(random.next(through: 6), 6) }
    XCTAssertEqual(random.duration(through: .zero), .zero)
    XCTAssertEqual(random.duration(through: .seconds(-1)), .zero)
    _ = random.next(through: .max)
    _ = random.duration(through: Duration(nanoseconds: .max))
    let token = random.token(length: 12)
    XCTAssertEqual(token.count, 12)
    XCTAssertTrue(Subject.isValid(token.span))
    XCTAssertNotEqual(RandomGenerator.systemSeed, RandomGenerator.systemSeed)
  }
}
