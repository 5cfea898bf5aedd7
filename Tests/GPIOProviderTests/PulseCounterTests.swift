import Transport
import XCTest

@testable import GPIOProvider

final class PulseCounterTests: XCTestCase {
  private func counter(every: Int64 = 1_000, count: Int64 = 0) -> PulseCounter {
    var counter = PulseCounter(every: .milliseconds(every), count: count)
    counter.begin(at: milliseconds(0))
    return counter
  }

  func testAWindowIsReportedAtItsEnd() {
    var counter = counter(count: 40)
    for time in [100, 400, 700] as [Int64] { counter.pulse(at: milliseconds(time)) }
    XCTAssertEqual(counter.count, 43)
    XCTAssertEqual(counter.deadline, milliseconds(1_000))
    XCTAssertNil(counter.handleDeadline(at: milliseconds(999)))
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(1_000)), .init(count: 43, pulses: 3, rate: 3))
    XCTAssertNil(counter.handleDeadline(at: milliseconds(1_000)), "a repeated call")
    XCTAssertEqual(counter.deadline, milliseconds(2_000))
  }

  func testLostEdgesWerePulses() {
    var counter = counter()
    counter.pulse(lost: 9, at: milliseconds(10))
    counter.pulse(lost: .max, at: milliseconds(20))
    let pulses = 10 + Int64(UInt32.max) + 1
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(1_000)),
      .init(count: pulses, pulses: pulses, rate: Double(pulses)))
  }

  func testTheRateIsOverTheRealLength() {
    var counter = counter()
    for time in 0..<30 { counter.pulse(at: milliseconds(Int64(time) * 100)) }
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(3_000)), .init(count: 30, pulses: 30, rate: 10))
    XCTAssertEqual(counter.deadline, milliseconds(4_000), "the next is a whole one")
  }

  func testSilenceIsReportedOnce() {
    var counter = counter(count: 7)
    let silence = PulseCounter.Report(count: 7, pulses: 0, rate: 0)
    XCTAssertEqual(counter.handleDeadline(at: milliseconds(1_000)), silence, "the restored count")
    XCTAssertNil(counter.deadline)
    XCTAssertNil(counter.handleDeadline(at: milliseconds(60_000)))
    // A pulse begins no window of its own: it is in the one from 61 to 62 seconds.
    counter.pulse(at: milliseconds(61_800))
    XCTAssertEqual(counter.deadline, milliseconds(62_000))
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(62_000)), .init(count: 8, pulses: 1, rate: 1))
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(63_000)), .init(count: 8, pulses: 0, rate: 0))
    XCTAssertNil(counter.deadline)
  }

  func testAPulseFromBeforeTheWindowIsInIt() {
    var counter = counter()
    _ = counter.handleDeadline(at: milliseconds(1_000))
    counter.pulse(at: milliseconds(-1_500))
    counter.pulse(at: milliseconds(990))
    XCTAssertEqual(counter.deadline, milliseconds(2_000))
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(2_000)), .init(count: 2, pulses: 2, rate: 2))
  }

  func testResetReturnsTheCountAndLeavesTheRate() {
    var counter = counter(count: 100)
    counter.pulse(at: milliseconds(1))
    XCTAssertEqual(counter.reset(), 101)
    counter.pulse(at: milliseconds(2))
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(1_000)), .init(count: 1, pulses: 2, rate: 2))
  }

  func testALineTakenAnewBeginsAWindow() {
    var counter = counter(count: 5)
    counter.pulse(at: milliseconds(1))
    counter.begin(at: milliseconds(1_500))
    XCTAssertEqual(counter.deadline, milliseconds(2_500))
    XCTAssertEqual(
      counter.handleDeadline(at: milliseconds(2_500)), .init(count: 6, pulses: 0, rate: 0))
  }

  func testExtremesDoNotTrap() {
    var counter = PulseCounter(every: .zero, count: .max)
    XCTAssertNil(counter.deadline, "before the start")
    XCTAssertNil(counter.handleDeadline(at: milliseconds(1)))
    counter.begin(at: Instant(nanoseconds: .min))
    XCTAssertEqual(counter.deadline, Instant(nanoseconds: .min) + PulseCounter.windowMin)
    XCTAssertEqual(counter.handleDeadline(at: Instant(nanoseconds: .max))?.rate, 0)
    counter.pulse(at: Instant(nanoseconds: .max))
    XCTAssertEqual(counter.count, .min)
    XCTAssertEqual(counter.handleDeadline(at: Instant(nanoseconds: .max))?.rate, 0, "no length")
  }

  /// Whatever is lost and however late anything is handled: the count is that of the pulses sent, each
  /// pulse is in one window, and silence is told once.
  func testEveryPulseIsCountedAndReportedOnce() {
    for seed in UInt64(1)...300 {
      var random = SeededGenerator(seed: seed)
      let start = Int64.random(in: 0...1_000_000, using: &random)
      var counter = PulseCounter(
        every: .milliseconds(.random(in: 1...500, using: &random)), count: start)
      var lost = LostEdges()
      counter.begin(at: milliseconds(0))
      var (now, sent, waiting, sequence) = (Int64(0), Int64(0), Int64(0), UInt32(0))
      var reports: [PulseCounter.Report] = []
      var windowStart = milliseconds(0)

      func deliver() {
        // The kernel kept the newest of those that wait.
        if waiting > 0 { counter.pulse(lost: lost.take(sequence), at: milliseconds(now)) }
        waiting = 0
      }
      func end() {
        let isDue = counter.deadline.isDue(at: milliseconds(now))
        let report = counter.handleDeadline(at: milliseconds(now))
        XCTAssertEqual(report != nil, isDue, "seed \(seed)")
        guard let report else { return }
        reports.append(report)
        if reports.count > 1 && reports[reports.count - 2].pulses == 0 {
          XCTAssertGreaterThan(report.pulses, 0, "silence told twice: seed \(seed)")
        } else {
          let seconds = Double((milliseconds(now) - windowStart).nanoseconds) / 1e9
          XCTAssertEqual(report.rate, Double(report.pulses) / seconds, "seed \(seed)")
        }
        windowStart = milliseconds(now)
      }
      for _ in 0..<300 {
        now += Int64.random(
          in: 0...(Int.random(in: 0..<20, using: &random) == 0 ? 3_000 : 30), using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
          let pulses = UInt32.random(in: 1...40, using: &random)
          sent += Int64(pulses)
          waiting += Int64(pulses)
          sequence &+= pulses
        case 1: deliver()
        default: end()
        }
      }
      deliver()
      XCTAssertEqual(counter.count, start + sent, "seed \(seed)")
      while let deadline = counter.deadline {
        now = max(now, deadline.nanoseconds / 1_000_000)
        end()
      }
      XCTAssertEqual(reports.reduce(0) { $0 + $1.pulses }, sent, "seed \(seed)")
      XCTAssertEqual(reports.last?.count, start + sent, "seed \(seed)")
      XCTAssertEqual(reports.last?.rate, 0, "seed \(seed)")
    }
  }
}
