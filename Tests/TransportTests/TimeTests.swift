import XCTest

@testable import Transport

/// Time saturates instead of trapping: "never" is the largest instant, and adding to it stays there.
final class TimeTests: XCTestCase {
  private let longest = Duration(nanoseconds: .max)
  private let shortest = Duration(nanoseconds: .min)
  private let never = Instant(nanoseconds: .max)
  private let always = Instant(nanoseconds: .min)

  func testUnits() {
    XCTAssertEqual(Duration.microseconds(3).nanoseconds, 3_000)
    XCTAssertEqual(Duration.milliseconds(-3).nanoseconds, -3_000_000)
    XCTAssertEqual(Duration.seconds(3).nanoseconds, 3_000_000_000)
    XCTAssertEqual(Duration.milliseconds(2999).seconds, 2)
    XCTAssertEqual(Duration.milliseconds(-2999).seconds, -2)
    XCTAssertEqual(Duration.microseconds(1999).milliseconds, 1)
    XCTAssertEqual(Duration.seconds(.max), longest)
    XCTAssertEqual(Duration.seconds(.min), shortest)
    XCTAssertEqual(Duration.milliseconds(9_223_372_036_855), longest)
  }

  func testDurationsSaturate() {
    XCTAssertEqual(longest + .nanoseconds(1), longest)
    XCTAssertEqual(longest - .nanoseconds(-1), longest)
    XCTAssertEqual(shortest - .nanoseconds(1), shortest)
    XCTAssertEqual(shortest + shortest, shortest)
    XCTAssertEqual(Duration.zero - shortest, longest)
    XCTAssertEqual(longest + shortest, .nanoseconds(-1))
    XCTAssertEqual(longest * 2, longest)
    XCTAssertEqual(longest * -2, shortest)
    XCTAssertEqual(shortest * 2, shortest)
    XCTAssertEqual(shortest * -1, longest)
    XCTAssertEqual(longest * 0, .zero)
    XCTAssertEqual(Duration.seconds(2) * 3, .seconds(6))
  }

  func testInstantsSaturate() {
    XCTAssertEqual(never + .seconds(1), never)
    XCTAssertEqual(always - .seconds(1), always)
    XCTAssertEqual(never - always, longest)
    XCTAssertEqual(always - never, shortest)
    XCTAssertEqual(Instant(nanoseconds: -1) - never, shortest)
    XCTAssertEqual(Instant(nanoseconds: 5) - Instant(nanoseconds: 7), .nanoseconds(-2))
    XCTAssertEqual(Timestamp(nanoseconds: .max) + .seconds(1), Timestamp(nanoseconds: .max))
  }

  func testEarlier() {
    let soon = Instant(nanoseconds: 1)
    let late = Instant(nanoseconds: 2)
    XCTAssertEqual(Instant.earlier(soon, late), soon)
    XCTAssertEqual(Instant.earlier(late, soon), soon)
    XCTAssertEqual(Instant.earlier(nil, late), late)
    XCTAssertEqual(Instant.earlier(soon, nil), soon)
    XCTAssertNil(Instant.earlier(nil, nil))
  }

  func testOrder() {
    XCTAssertLessThan(Duration.milliseconds(1), .seconds(1))
    XCTAssertLessThan(always, never)
    XCTAssertLessThan(Timestamp(nanoseconds: 1), Timestamp(nanoseconds: 2))
  }
}
