import Transport
import XCTest

@testable import EdgeHost

final class RateLimitedLogTests: XCTestCase {
  private final class FakeTime: TimeSource {
    var now = Instant(nanoseconds: 0)
    var wallClock = Timestamp(nanoseconds: 0)
    var isSynchronised = true
  }

  private final class Lines {
    var lines: [String] = []
  }

  private let time = FakeTime()
  private let written = Lines()
  private lazy var log = RateLimitedLog(time: time) { [written] text in
    written.lines.append(text().string)
  }

  private func pass(_ duration: Transport.Duration) { time.now = time.now + duration }

  func testEachKindOnceAMinute() {
    log.report("bad request", "first")
    log.report("not published", "other")
    for _ in 0..<5 {
      pass(.seconds(10))
      log.report("bad request", "more")
    }
    XCTAssertEqual(written.lines, ["first", "other"])
    pass(.seconds(10))
    log.report("bad request", "after a minute")
    log.report("bad request", "and again")
    log.report("not published", "other")
    XCTAssertEqual(
      written.lines.suffix(2), ["after a minute (and 5 more since the last report)", "other"])
    pass(.seconds(60))
    log.report("bad request", "third")
    pass(.seconds(60))
    log.report("bad request", "fourth")
    XCTAssertEqual(
      written.lines.suffix(2), ["third (and 1 more since the last report)", "fourth"])
  }

  func testWhatIsLeftOutIsNotEvenBuilt() {
    var built = 0
    func text() -> Text {
      built += 1
      return "x"
    }
    for _ in 0..<10 { log.report("kind", text()) }
    XCTAssertEqual(built, 1)
  }
}
