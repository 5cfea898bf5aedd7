import Transport
import XCTest

@testable import GPIOProvider

final class OutputControlTests: XCTestCase {
  func testASetWithoutTimesLasts() {
    var control = OutputControl(safe: .inactive, isActive: false)
    control.set(true, at: milliseconds(0))
    XCTAssertTrue(control.isActive)
    XCTAssertNil(control.deadline)
    XCTAssertNil(control.handleDeadline(at: Instant(nanoseconds: .max)))
    XCTAssertTrue(control.isActive)
  }

  func testAPulseEndsInItsOpposite() {
    // Also when the line was active before: a second press of the opener lets go as well.
    for before in [false, true] {
      for pulse in [false, true] {
        var control = OutputControl(safe: .keep, isActive: before)
        control.set(pulse, pulse: .milliseconds(500), at: milliseconds(0))
        XCTAssertEqual(control.deadline, milliseconds(500))
        XCTAssertNil(control.handleDeadline(at: milliseconds(499)))
        XCTAssertEqual(control.isActive, pulse)
        XCTAssertEqual(control.handleDeadline(at: milliseconds(500)), !pulse)
        XCTAssertNil(control.deadline)
        XCTAssertNil(control.handleDeadline(at: milliseconds(500)), "a repeated call")
        XCTAssertEqual(control.isActive, !pulse)
      }
    }
  }

  func testALeaseEndsInTheSafeState() {
    let table: [(OutputConfiguration.SafeState, Bool, write: Bool?)] = [
      (.inactive, true, false), (.inactive, false, nil),
      (.active, false, true), (.active, true, nil),
      (.keep, true, nil), (.keep, false, nil),
    ]
    for (safe, active, write) in table {
      var control = OutputControl(safe: safe, isActive: false)
      control.set(active, lease: .milliseconds(100), at: milliseconds(0))
      XCTAssertNil(control.handleDeadline(at: milliseconds(99)))
      XCTAssertEqual(control.handleDeadline(at: milliseconds(100)), write, "\(safe) \(active)")
      XCTAssertNil(control.deadline)
    }
  }

  func testARenewedLeaseHolds() {
    var control = OutputControl(safe: .inactive, isActive: false)
    for time in stride(from: Int64(0), to: 1_000, by: 90) {
      XCTAssertNil(control.handleDeadline(at: milliseconds(time)))
      control.set(true, lease: .milliseconds(100), at: milliseconds(time))
    }
    XCTAssertEqual(control.deadline, milliseconds(990 + 100))
  }

  func testALaterSetSupersedesPulseAndLease() {
    var control = OutputControl(safe: .inactive, isActive: false)
    control.set(true, pulse: .milliseconds(10), lease: .milliseconds(20), at: milliseconds(0))
    control.set(true, at: milliseconds(5))
    XCTAssertNil(control.deadline)
    XCTAssertNil(control.handleDeadline(at: milliseconds(100)))
    XCTAssertTrue(control.isActive)
  }

  func testALeaseThatEndsFirstEndsThePulse() {
    var control = OutputControl(safe: .active, isActive: false)
    control.set(false, pulse: .milliseconds(50), lease: .milliseconds(20), at: milliseconds(0))
    XCTAssertEqual(control.handleDeadline(at: milliseconds(20)), true)
    XCTAssertNil(control.deadline)
    XCTAssertNil(control.handleDeadline(at: milliseconds(50)))
    XCTAssertTrue(control.isActive)
  }

  func testAPulseGoesOnWhenAKeptLeaseEnds() {
    var control = OutputControl(safe: .keep, isActive: false)
    control.set(true, pulse: .milliseconds(50), lease: .milliseconds(20), at: milliseconds(0))
    XCTAssertNil(control.handleDeadline(at: milliseconds(20)))
    XCTAssertEqual(control.deadline, milliseconds(50))
    XCTAssertEqual(control.handleDeadline(at: milliseconds(50)), false)
  }

  func testBothOverdueEndInTheSafeState() {
    var control = OutputControl(safe: .active, isActive: false)
    control.set(true, pulse: .milliseconds(10), lease: .milliseconds(20), at: milliseconds(0))
    // Active, pulse to inactive, lease to active: nothing is left to write.
    XCTAssertNil(control.handleDeadline(at: milliseconds(1_000)))
    XCTAssertTrue(control.isActive)
    XCTAssertNil(control.deadline)
  }

  func testStopTakesTheSafeState() {
    for (safe, write) in [
      (OutputConfiguration.SafeState.inactive, false), (.active, true), (.keep, nil),
    ] as [(OutputConfiguration.SafeState, Bool?)] {
      var control = OutputControl(safe: safe, isActive: false)
      control.set(true, pulse: .seconds(1), lease: .seconds(2), at: milliseconds(0))
      XCTAssertEqual(control.enterSafeState(), write)
      XCTAssertNil(control.deadline)
    }
  }

  func testTimesAtTheEndOfTheRangeDoNotTrap() {
    var control = OutputControl(safe: .inactive, isActive: false)
    let end = Instant(nanoseconds: .max)
    control.set(true, pulse: .seconds(.max), lease: .seconds(.max), at: end)
    XCTAssertEqual(control.deadline, end)
    XCTAssertEqual(control.handleDeadline(at: end), false)
  }

  /// Whatever is commanded and whenever the deadlines are handled, the line is as a plain model of
  /// the last command says, and no deadline that has passed is left over.
  func testFollowsTheLastCommandWhateverHappens() {
    for seed in UInt64(1)...400 {
      var random = SeededGenerator(seed: seed)
      let safe = [OutputConfiguration.SafeState.inactive, .active, .keep]
        .randomElement(using: &random)!
      var control = OutputControl(safe: safe, isActive: Bool.random(using: &random))
      var written = control.isActive
      var model = Model(safe: safe, active: written)
      var now: Int64 = 0
      for step in 0..<200 {
        now += Int64.random(in: 0...40, using: &random)
        let context = "seed \(seed) step \(step) at \(now) ms"
        if Bool.random(using: &random) {
          let pulse = Bool.random(using: &random) ? Int64.random(in: 1...60, using: &random) : nil
          let lease = Bool.random(using: &random) ? Int64.random(in: 1...60, using: &random) : nil
          let active = Bool.random(using: &random)
          control.set(
            active, pulse: pulse.map { .milliseconds($0) }, lease: lease.map { .milliseconds($0) },
            at: milliseconds(now))
          written = active
          model = Model(safe: safe, active: active, pulse: pulse, lease: lease, at: now)
        } else {
          if let level = control.handleDeadline(at: milliseconds(now)) {
            XCTAssertNotEqual(level, written, "a write that changes nothing: \(context)")
            written = level
          }
          XCTAssertEqual(written, model.isActive(at: now), context)
          XCTAssertEqual(control.isActive, written, context)
          if let deadline = control.deadline {
            XCTAssertGreaterThan(deadline, milliseconds(now), context)
          }
        }
      }
      // Left alone: one deadline after the other, until none is left.
      var deadlines = 0
      while let deadline = control.deadline, deadlines < 3 {
        deadlines += 1
        if let level = control.handleDeadline(at: deadline) { written = level }
      }
      XCTAssertLessThanOrEqual(deadlines, 2, "seed \(seed)")
      XCTAssertEqual(written, model.isActive(at: .max), "seed \(seed)")
      if model.lease != nil && safe != .keep {
        XCTAssertEqual(written, safe == .active, "not safe: seed \(seed)")
      }
    }
  }

  /// One command and what it means at any later time, worked out from the beginning each time.
  private struct Model {
    var safe: OutputConfiguration.SafeState
    var active: Bool
    var pulse: Int64?
    var lease: Int64?
    var at: Int64 = 0

    func isActive(at now: Int64) -> Bool {
      if let lease, now >= at + lease, safe != .keep { return safe == .active }
      if let pulse, now >= at + pulse { return !active }
      return active
    }
  }
}
