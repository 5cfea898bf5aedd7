import Transport
import XCTest

@testable import Lattice

final class EventTimeTests: XCTestCase {
  private let harness = ServicesHarness()

  private func published() -> String { harness.bus.takePublished().last?.payload ?? "" }

  func testTheTimeIsThatOfTheEventHoweverLateItIsTold() {
    harness.time.advance(.seconds(5))
    harness.host.emit(
      CapabilityEvent(
        capability: "gpio", resource: "door", kind: "edge", delivery: .latest,
        at: harness.time.now - .milliseconds(1500), body: Record()))
    XCTAssertEqual(
      published(),
      #"{"time":"2026-11-03T07:54:46.500000000Z","monotonic_ns":103500000000,"#
        + #""time_quality":"synced"}"#)
  }

  func testAnUnknownTimeSaysOfWhichBoot() {
    harness.time.advance(.seconds(60))
    harness.time.isSynchronised = false
    harness.time.wallClock = Timestamp(nanoseconds: 7_000_000_000)
    harness.emit("door", .latest, [("active", .bool(true))])
    XCTAssertEqual(
      published(),
      #"{"active":true,"time":"1970-01-01T00:00:07.000000000Z","monotonic_ns":160000000000,"#
        + #""time_quality":"unknown","boot":"00010203-0405-0607-0809-0a0b0c0d0e0f"}"#)
  }

  func testABodyThatWasWrittenBeforeGetsItsTimeAndAge() {
    var time = harness.host.time(of: harness.time.now)
    time.age = .milliseconds(3_600_000)
    let end =
      #""time":"2026-11-03T07:54:43.000000000Z","monotonic_ns":100000000000,"#
      + #""time_quality":"synced","age_ms":3600000}"#
    for (body, expected) in [(#"{"a":{}}"#, #"{"a":{},"# + end), ("{}", "{" + end)] {
      let bytes = time.appended(to: Array(body.utf8).span)
      XCTAssertEqual(String(decoding: bytes, as: UTF8.self), expected)
    }
  }
}
