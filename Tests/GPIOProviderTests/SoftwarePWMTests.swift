import Transport
import XCTest

@testable import GPIOProvider

final class SoftwarePWMTests: XCTestCase {
  /// One switch of the output.
  private struct Switch: Equatable {
    var time: Instant
    var isActive: Bool

    init(_ time: Int64, _ isActive: Bool) {
      (self.time, self.isActive) = (milliseconds(time), isActive)
    }
  }

  /// The switches up to `end`, each deadline handled on time.
  private func run(_ pwm: inout SoftwarePWM, until end: Int64) -> [Switch] {
    var switches: [Switch] = []
    while let deadline = pwm.deadline, deadline <= milliseconds(end) {
      if let isActive = pwm.handleDeadline(at: deadline) {
        switches.append(Switch(deadline.nanoseconds / 1_000_000, isActive))
      }
      XCTAssertNotEqual(pwm.deadline, deadline, "it is still due")
      if pwm.deadline == deadline { break }
    }
    return switches
  }

  func testTimingIsWithinBounds() {
    let table: [(UInt32, Double, period: Int64, active: Int64)] = [
      (100, 0.25, 10_000_000, 2_500_000), (3, 0.5, 333_333_333, 166_666_667),
      (1, 1, 1_000_000_000, 1_000_000_000), (0, 0.5, 1_000_000_000, 500_000_000),
      (.max, 1, 1, 1), (1_000_000_000, 0.4, 1, 0), (25_000, 0.33, 40_000, 13_200),
      (100, -1, 10_000_000, 0), (100, 7, 10_000_000, 10_000_000), (100, .nan, 10_000_000, 0),
      (100, .infinity, 10_000_000, 10_000_000), (100, -.infinity, 10_000_000, 0),
    ]
    for (frequency, duty, period, active) in table {
      let timing = PWMTiming(frequency: frequency, duty: duty)
      XCTAssertEqual(timing.period, .nanoseconds(period), "\(frequency) Hz \(duty)")
      XCTAssertEqual(timing.active, .nanoseconds(active), "\(frequency) Hz \(duty)")
    }
  }

  func testSwitchesTwiceAPeriod() {
    var pwm = SoftwarePWM(frequency: 100, at: milliseconds(0))
    XCTAssertNil(pwm.deadline)
    XCTAssertEqual(pwm.set(duty: 0.3, at: milliseconds(0)), true)
    XCTAssertEqual(
      run(&pwm, until: 23),
      [Switch(3, false), Switch(10, true), Switch(13, false), Switch(20, true), Switch(23, false)])
    XCTAssertEqual(pwm.duty, 0.3)
  }

  func testNoneAndAllMakeNoSwitching() {
    var pwm = SoftwarePWM(frequency: 50, at: milliseconds(0))
    for (duty, write) in [(0, nil), (1, true), (1, nil), (0, false), (.nan, nil), (2, true)]
      as [(Double, Bool?)]
    {
      XCTAssertEqual(pwm.set(duty: duty, at: milliseconds(7)), write, "\(duty)")
      XCTAssertNil(pwm.deadline, "\(duty)")
      XCTAssertNil(pwm.handleDeadline(at: milliseconds(1_000)))
    }
    XCTAssertEqual(pwm.duty, 1)
  }

  func testADutyChangeKeepsThePhase() {
    var pwm = SoftwarePWM(frequency: 100, at: milliseconds(0))
    _ = pwm.set(duty: 0.5, at: milliseconds(0))
    _ = run(&pwm, until: 20)
    XCTAssertEqual(pwm.set(duty: 0.2, at: milliseconds(24)), false, "its part has passed")
    XCTAssertEqual(run(&pwm, until: 32), [Switch(30, true), Switch(32, false)])
    XCTAssertEqual(pwm.set(duty: 0.8, at: milliseconds(34)), true)
    XCTAssertEqual(run(&pwm, until: 40), [Switch(38, false), Switch(40, true)])
    _ = pwm.set(duty: 0, at: milliseconds(41))
    XCTAssertEqual(pwm.set(duty: 0.5, at: milliseconds(53)), true)
    XCTAssertEqual(run(&pwm, until: 60), [Switch(55, false), Switch(60, true)])
  }

  func testAFrequencyChangeBeginsAPeriod() {
    var pwm = SoftwarePWM(frequency: 100, at: milliseconds(0))
    _ = pwm.set(duty: 0.5, at: milliseconds(0))
    XCTAssertNil(pwm.set(frequency: 100, at: milliseconds(2)), "no change")
    XCTAssertEqual(pwm.deadline, milliseconds(5))
    XCTAssertEqual(run(&pwm, until: 7), [Switch(5, false)])
    XCTAssertEqual(pwm.set(frequency: 50, at: milliseconds(7)), true)
    XCTAssertEqual(run(&pwm, until: 27), [Switch(17, false), Switch(27, true)])
    for (frequency, taken) in [(0, 1), (201, 200), (.max, 200)] as [(UInt32, UInt32)] {
      _ = pwm.set(frequency: frequency, at: milliseconds(30))
      XCTAssertEqual(pwm.frequency, taken)
      XCTAssertEqual(SoftwarePWM(frequency: frequency, at: milliseconds(0)).frequency, taken)
    }
  }

  func testALateCallSkipsWhatWasMissed() {
    var pwm = SoftwarePWM(frequency: 100, at: milliseconds(0))
    _ = pwm.set(duty: 0.5, at: milliseconds(0))
    XCTAssertNil(pwm.handleDeadline(at: milliseconds(1_002)), "it is active there too")
    XCTAssertEqual(pwm.deadline, milliseconds(1_005))
    XCTAssertEqual(pwm.handleDeadline(at: milliseconds(2_007)), false)
    XCTAssertEqual(pwm.deadline, milliseconds(2_010))
  }

  func testTimesAtTheEndsOfTheRangeDoNotTrap() {
    var pwm = SoftwarePWM(frequency: 7, at: Instant(nanoseconds: .max))
    _ = pwm.set(duty: 0.5, at: Instant(nanoseconds: .min))
    XCTAssertTrue(pwm.isActive)
    _ = pwm.handleDeadline(at: Instant(nanoseconds: .max))
    _ = pwm.set(duty: 0.1, at: Instant(nanoseconds: .max))
  }

  /// Over many periods the output is active for its part of the time: on time to a nanosecond in each
  /// period, and late by no more than the lateness.
  func testTheAverageIsTheDuty() {
    for seed in UInt64(1)...200 {
      var random = SeededGenerator(seed: seed)
      let start = Int64.random(in: 0...1_000_000_000_000, using: &random)
      var pwm = SoftwarePWM(
        frequency: .random(in: 1...200, using: &random), at: Instant(nanoseconds: start))
      let duty = Double.random(in: 0.01...0.99, using: &random)
      let late = Bool.random(using: &random) ? 0 : Int64.random(in: 1...40_000, using: &random)
      let periods = 100
      let period = 1_000_000_000 / Int64(pwm.frequency)
      var (isActive, active, last) = (false, Int64(0), start)
      var switches = 0
      if let state = pwm.set(duty: duty, at: Instant(nanoseconds: start)) { isActive = state }
      while let deadline = pwm.deadline?.nanoseconds, deadline <= start + Int64(periods) * period {
        let now = deadline + (late == 0 ? 0 : .random(in: 0...late, using: &random))
        guard let state = pwm.handleDeadline(at: Instant(nanoseconds: now)) else {
          return XCTFail("nothing to switch at a deadline: seed \(seed)")
        }
        XCTAssertNotEqual(state, isActive, "seed \(seed)")
        XCTAssertGreaterThan(now, last, "two switches at one instant: seed \(seed)")
        if isActive { active += now - last }
        (isActive, last) = (state, now)
        switches += 1
      }
      XCTAssertEqual(switches, 2 * periods, "seed \(seed)")
      let wanted = duty * Double(period) * Double(periods)
      XCTAssertEqual(
        Double(active), wanted, accuracy: Double(Int64(periods) * (1 + late)), "seed \(seed)")
    }
  }

  /// Whatever is commanded and however late: the state is that of the present moment, a second call at
  /// the same moment does nothing, and the next deadline lies ahead.
  func testNeverTwiceAtOneInstant() {
    for seed in UInt64(1)...300 {
      var random = SeededGenerator(seed: seed)
      var pwm = SoftwarePWM(frequency: 20, at: milliseconds(0))
      var (now, output, duty) = (Int64(0), false, 0)
      for step in 0..<100 {
        let context = "seed \(seed) step \(step)"
        now += Int64.random(in: 0...(step % 10 == 0 ? 5_000 : 40), using: &random)
        let isCommand = Int.random(in: 0..<4, using: &random) == 0
        if isCommand { duty = Int.random(in: 0...50, using: &random) }
        let wasDue = isCommand || pwm.deadline.isDue(at: milliseconds(now))
        let write =
          isCommand
          ? pwm.set(duty: Double(duty) / 50, at: milliseconds(now))
          : pwm.handleDeadline(at: milliseconds(now))
        if let write {
          XCTAssertTrue(wasDue && write != output, context)
          output = write
        }
        XCTAssertEqual(pwm.isActive, output, context)
        XCTAssertEqual(output, now % 50 < duty, context)
        XCTAssertNil(pwm.handleDeadline(at: milliseconds(now)), context)
        if let deadline = pwm.deadline {
          XCTAssertGreaterThan(deadline, milliseconds(now), context)
        }
      }
    }
  }
}
