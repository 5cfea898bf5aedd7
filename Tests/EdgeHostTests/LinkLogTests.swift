import Transport
import XCTest

@testable import EdgeHost

final class LinkLogTests: XCTestCase {
  private var log = LinkLog()
  private var now = Instant(nanoseconds: 0)

  private func line(_ failure: String) -> String? {
    log.line(Text(failure), retryIn: .milliseconds(250), at: now)?.string
  }

  func testEachReasonIsWrittenOnce() {
    XCTAssertEqual(line("a: refused"), "a: refused; next try in 250 ms")
    XCTAssertEqual(line("b: refused"), "b: refused; next try in 250 ms")
    XCTAssertNil(line("a: refused"))
    XCTAssertNil(line("b: refused"))
    XCTAssertEqual(
      line("a: timed out"),
      "a: timed out; next try in 250 ms (2 tries that failed were not logged)")
    // Whoever was connected hears of it.
    log.connected()
    XCTAssertEqual(line("a: refused"), "a: refused; next try in 250 ms")
  }

  /// Without a link a host tries every few seconds, through the night.
  func testANightIsFewLines() {
    var lines = 0
    var tries = 0
    while now < Instant(nanoseconds: 0) + .seconds(12 * 3_600) {
      tries += 1
      if line("a: no route to host") != nil { lines += 1 }
      now = now + .seconds(8)
    }
    XCTAssertGreaterThan(tries, 5_000)
    XCTAssertEqual(lines, 12 * 6)
  }

  func testEverNewReasonsAreBounded() {
    var lines = 0
    for number in 0..<1_000 where line("a: \(number)") != nil { lines += 1 }
    XCTAssertEqual(lines, LinkLog.reasonsMax)
  }
}
