import Transport
import XCTest

@testable import Lattice

/// Requests that may be late, with and without a clock that can be trusted.
final class ServicesLatenessTests: XCTestCase {
  private let get = "edge.wh7.dock-7.gpio.door.get"
  private let past = "Edge-Deadline: 2026-11-03T07:54:42Z"
  private let ahead = "Edge-Deadline: 2026-11-03T07:54:48Z"

  /// A host to which nothing comes that its server took more than `age` ago.
  private func harness(
    isSynchronised: Bool, age: Transport.Duration?, requestTimeout: Transport.Duration? = nil
  ) -> ServicesHarness {
    let harness = ServicesHarness(requestTimeout: requestTimeout)
    harness.time.isSynchronised = isSynchronised
    harness.bus.takenAfter = age.map { harness.time.now - $0 }
    harness.pins.answer = { _ in .success(Record()) }
    return harness
  }

  private func assertExecuted(
    _ harness: ServicesHarness, _ headers: String, until remaining: Transport.Duration?,
    line: UInt = #line
  ) {
    XCTAssertEqual(harness.request(get, headers: headers).map { $0.payload }, ["{}"], line: line)
    XCTAssertEqual(
      harness.pins.invocations.last?.deadline, remaining.map { harness.time.now + $0 }, line: line)
    XCTAssertEqual(harness.bus.renewals, 0, line: line)
  }

  private func assertRefused(
    _ harness: ServicesHarness, _ headers: String, _ code: Int, _ reason: String,
    line: UInt = #line
  ) {
    let answers = harness.request(get, headers: headers)
    let expected = refusal("door", code, reason)
    XCTAssertEqual(answers.map { $0.payload }, [expected.payload], line: line)
    XCTAssertEqual(answers.map { $0.headers }, [expected.headers], line: line)
    XCTAssertTrue(harness.pins.invocations.isEmpty, line: line)
  }

  private func stale(_ waited: Int, _ allowed: Int) -> String {
    "the request may be stale: it may have waited for \(waited) ms, and \(allowed) ms are allowed; "
      + "send it again"
  }

  func testATimeoutIsComparedWithTheAgeThatIsPossible() {
    let timeout = headerBlock("Edge-Timeout: 2s")
    for isSynchronised in [true, false] {
      assertExecuted(
        harness(isSynchronised: isSynchronised, age: .seconds(2)), timeout, until: .zero)
      assertExecuted(
        harness(isSynchronised: isSynchronised, age: .milliseconds(300)), timeout,
        until: .milliseconds(1700))
      assertRefused(
        harness(isSynchronised: isSynchronised, age: .milliseconds(2001)), timeout, 408,
        stale(2001, 2000))
      // Where nothing is known of the age, nothing is said of it.
      assertExecuted(harness(isSynchronised: isSynchronised, age: nil), timeout, until: nil)
    }
  }

  func testARefusedRequestMayBeSentAgain() {
    let harness = harness(isSynchronised: false, age: .seconds(60))
    let timeout = headerBlock("Edge-Timeout: 2s")
    assertRefused(harness, timeout, 408, stale(60_000, 2000))
    XCTAssertEqual(harness.bus.renewals, 1)
    // The server has answered meanwhile.
    harness.bus.takenAfter = harness.time.now
    harness.time.advance(.milliseconds(100))
    XCTAssertEqual(harness.request(get, headers: timeout).map { $0.payload }, ["{}"])
  }

  func testASynchronisedClockDecides() {
    let both = headerBlock(ahead, "Edge-Timeout: 2s")
    assertExecuted(harness(isSynchronised: true, age: .seconds(60)), both, until: .seconds(5))
    assertRefused(
      harness(isSynchronised: true, age: .zero), headerBlock(past, "Edge-Timeout: 2h"), 408,
      "get of 'door' came 1000 ms too late")
  }

  func testWithoutASynchronisedClockBothMustAgree() {
    let both = headerBlock(ahead, "Edge-Timeout: 2s")
    assertExecuted(harness(isSynchronised: false, age: .seconds(1)), both, until: .seconds(1))
    assertRefused(harness(isSynchronised: false, age: .seconds(3)), both, 408, stale(3000, 2000))
    assertExecuted(
      harness(isSynchronised: false, age: .seconds(1)), headerBlock(ahead, "Edge-Timeout: 1h"),
      until: .seconds(5))
    assertRefused(
      harness(isSynchronised: false, age: .zero), headerBlock(past, "Edge-Timeout: 2h"), 408,
      "get of 'door' came 1000 ms too late")
    // A deadline alone says nothing of the age.
    assertExecuted(
      harness(isSynchronised: false, age: .seconds(99)), headerBlock(ahead), until: .seconds(5))
  }

  func testTheManifestsTimeoutIsForThoseThatSayNothing() {
    func make(_ isSynchronised: Bool, _ age: Int64) -> ServicesHarness {
      harness(
        isSynchronised: isSynchronised, age: .seconds(age), requestTimeout: .seconds(10))
    }
    assertExecuted(make(true, 10), "", until: .zero)
    assertRefused(make(true, 11), "", 408, stale(11_000, 10_000))
    assertRefused(make(false, 11), headerBlock(ahead), 408, stale(11_000, 10_000))
    assertExecuted(make(true, 11), headerBlock(ahead), until: .seconds(5))
    assertExecuted(make(false, 60), headerBlock("Edge-Timeout: 2min"), until: .seconds(60))
  }

  func testTimeouts() {
    let table: [(String, Transport.Duration)] = [
      ("500ms", .milliseconds(500)), ("2s", .seconds(2)), ("3min", .seconds(180)),
      ("1h", .seconds(3600)), (" 2s ", .seconds(2)), ("0s", .zero),
      ("999999999h", .seconds(999_999_999 * 3600)),
    ]
    for (text, remaining) in table {
      assertExecuted(
        harness(isSynchronised: true, age: .zero), headerBlock("eDGE-tIMEOUT: \(text)"),
        until: remaining)
    }
    for text in ["", "2", "s", "-1s", "1.5s", "2 s", "2S", "2sec", "1d", "9999999999s", "1s2s"] {
      assertRefused(
        harness(isSynchronised: true, age: .zero), headerBlock("Edge-Timeout: \(text)"), 400,
        "Edge-Timeout '\(text)' is no duration such as 500ms or 2s")
    }
  }
}
