import Transport
import XCTest

@testable import GPIOProvider

final class OutputBankTests: XCTestCase {
  private let on = ["siren on command"]
  private let off = ["siren off command"]

  // MARK: Commands, pulses, leases

  func testASetLasts() {
    var bench = OutputBench()
    XCTAssertEqual(bench.set(true, at: 0), on)
    XCTAssertEqual(bench.set(true, at: 1), ["(siren on command)"])
    XCTAssertNil(bench.bank.deadline)
    XCTAssertEqual(bench.handle(at: .max), [])
    XCTAssertEqual(bench.command([("siren", .toggle())], at: 5), off)
    XCTAssertEqual(bench.command([("siren", .toggle(lease: .milliseconds(20)))], at: 6), on)
    XCTAssertEqual(bench.course(), ["26 siren off lease"])
  }

  func testAPulseEndsInItsOpposite() {
    for before in [false, true] {
      for pulse in [false, true] {
        var bench = OutputBench { $0.safe = .keep }
        _ = bench.set(before, at: 0)
        _ = bench.set(pulse, pulse: 500, at: 10)
        XCTAssertEqual(bench.handle(at: 509), [])
        XCTAssertEqual(bench.handle(at: 510), [pulse ? "siren off pulse" : "siren on pulse"])
        XCTAssertEqual(bench.handle(at: 510), [], "a repeated call")
        XCTAssertNil(bench.bank.deadline)
      }
    }
  }

  func testALeaseEndsInTheSafeState() {
    let table: [(OutputConfiguration.SafeState, Bool, [String])] = [
      (.inactive, true, ["100 siren off lease"]), (.inactive, false, []),
      (.active, false, ["100 siren on lease"]), (.active, true, []), (.keep, true, []),
    ]
    for (safe, isActive, course) in table {
      var bench = OutputBench { $0.safe = safe }
      _ = bench.set(isActive, lease: 100, at: 0)
      XCTAssertEqual(bench.course(), course, "\(safe) \(isActive)")
      XCTAssertEqual(bench.bank.isActive(0), safe == .keep ? isActive : safe == .active)
    }
  }

  func testARenewedLeaseHolds() {
    var bench = OutputBench()
    _ = bench.set(true, lease: 100, at: 0)
    XCTAssertEqual(bench.set(true, lease: 100, at: 90), ["(siren on command)"])
    XCTAssertEqual(bench.course(), ["190 siren off lease"])
  }

  func testACommandSupersedesPulseBlinkAndLease() {
    var bench = OutputBench()
    _ = bench.set(true, pulse: 10, lease: 20, at: 0)
    XCTAssertEqual(bench.set(true, at: 5), ["(siren on command)"])
    XCTAssertNil(bench.bank.deadline)
    _ = bench.blink(on: 10, off: 10, count: 3, lease: 25, at: 10)
    XCTAssertEqual(bench.set(false, at: 15), off)
    XCTAssertNil(bench.bank.deadline)
  }

  func testAPulseThatOutlastsTheLeaseEndsWithIt() {
    var bench = OutputBench { $0.safe = .active }
    _ = bench.set(false, pulse: 50, lease: 20, at: 0)
    XCTAssertEqual(bench.course(), ["20 siren on lease"])
    var kept = OutputBench { $0.safe = .keep }
    _ = kept.set(true, pulse: 50, lease: 20, at: 0)
    XCTAssertEqual(kept.course(), ["50 siren off pulse"])
  }

  func testPulseAndLeaseThatAreBothOverdueSwitchOnce() {
    var bench = OutputBench { $0.safe = .active }
    _ = bench.set(true, pulse: 10, lease: 20, at: 0)
    XCTAssertEqual(bench.handle(at: 1_000), [], "off and on again is not worth a rattle")
    XCTAssertTrue(bench.bank.isActive(0))
    XCTAssertNil(bench.bank.deadline)
  }

  func testSeveralAreCommandedAllOrNone() {
    var bench = OutputBench(["a", "b"]) { $0.minOff = .milliseconds(100) }
    XCTAssertEqual(
      bench.command([("a", .set(false)), ("b", .set(true))], at: 40),
      ["b: min_off: switched off 40 ms ago, may be switched on again in 60 ms", "at 100"])
    XCTAssertFalse(bench.bank.isActive(1))
    XCTAssertEqual(
      bench.command([("a", .set(true)), ("b", .set(false)), ("a", .set(false))], at: 100),
      ["(b off command)", "(a off command)"], "the last word for an output counts")
  }

  func testWhatTheBoardDoesNotHaveIsRefused() {
    var bench = OutputBench(isTaken: false)
    XCTAssertEqual(
      bench.set(true, at: 0), ["siren: not_taken: the board does not have the line", "never"])
    XCTAssertEqual(
      bench.set(true, "nobody", at: 0), ["output: not_taken: there is no number -1", "never"])
    bench.bank.begin(7, isActive: true, at: milliseconds(0))
    bench.bank.end(-1)
    XCTAssertFalse(bench.bank.isActive(7))
  }

  // MARK: Blinking

  func testABlinkEndsInactive() {
    var bench = OutputBench()
    XCTAssertEqual(bench.blink(on: 10, off: 20, count: 2, at: 0), on)
    XCTAssertEqual(
      bench.course(), ["10 siren off blink", "30 siren on blink", "40 siren off blink"])
    XCTAssertEqual(bench.blink(on: 10, off: 20, count: 0, at: 50), ["(siren off command)"])
    XCTAssertNil(bench.bank.deadline)
  }

  func testABlinkServedLateIsSlowerNotShorter() {
    var bench = OutputBench()
    _ = bench.blink(on: 10, off: 20, count: 2, at: 0)
    XCTAssertEqual(bench.handle(at: 500), ["siren off blink"])
    XCTAssertEqual(
      bench.course(), ["520 siren on blink", "530 siren off blink"])
  }

  func testALeaseEndsABlink() {
    var bench = OutputBench { $0.safe = .active }
    _ = bench.blink(on: 10, off: 20, count: 9, lease: 15, at: 0)
    XCTAssertEqual(bench.course(), ["10 siren off blink", "15 siren on lease"])
  }

  func testABlinkThatCannotBeIsRefused() {
    var bench = OutputBench {
      $0.minOn = .milliseconds(10)
      $0.minOff = .milliseconds(20)
      $0.maxOn = .milliseconds(50)
      $0.maxRate = OutputConfiguration.Rate(count: 2, period: .milliseconds(100))
    }
    XCTAssertEqual(
      bench.blink(on: 9, off: 90, count: 1, at: 50),
      ["siren: min_on: active for 9 ms is shorter than 10 ms", "never"])
    XCTAssertEqual(
      bench.blink(on: 40, off: 19, count: 2, at: 50),
      ["siren: min_off: inactive for 19 ms is shorter than 20 ms", "never"])
    XCTAssertEqual(
      bench.blink(on: 51, off: 60, count: 3, at: 50),
      ["siren: max_on: active for 51 ms is longer than 50 ms", "never"])
    XCTAssertEqual(
      bench.blink(on: 20, off: 29, count: 3, at: 50),
      ["siren: max_rate: more than 2 times in 100 ms", "never"])
    XCTAssertEqual(bench.blink(on: 20, off: 29, count: 2, at: 50), on)
    XCTAssertEqual(bench.course().count, 3)
    // Two at 50 and 99; of the next two the first must wait for the one, the second for the other.
    XCTAssertEqual(
      bench.blink(on: 20, off: 30, count: 2, at: 140),
      [
        "siren: max_rate: at most 2 times in 100 ms, may be switched on again in 10 ms", "at 150",
      ])
  }

  func testABlinkEndsWhereAnInterlockForbidsIt() {
    var bench = OutputBench(["siren", "b"], interlocks: [(["siren", "b"], 0)])
    _ = bench.blink(on: 10, off: 20, count: 3, at: 0)
    XCTAssertEqual(bench.handle(at: 10), ["siren off blink"])
    XCTAssertEqual(bench.set(true, "b", at: 20), ["b on command"])
    XCTAssertEqual(bench.course(), [])
    XCTAssertNil(bench.bank.deadline)
  }

  // MARK: Link

  func testTheLinkMayBeGoneForSoLong() {
    var bench = OutputBench { $0.linkLoss = .milliseconds(100) }
    _ = bench.set(true, lease: 900, at: 0)
    bench.link(false, at: 50)
    bench.link(false, at: 90)
    XCTAssertEqual(bench.handle(at: 149), [])
    bench.link(true, at: 149)
    XCTAssertEqual(bench.handle(at: 200), [])
    bench.link(false, at: 200)
    XCTAssertEqual(bench.handle(at: 300), ["siren off link_loss"])
    XCTAssertNil(bench.bank.deadline, "the lease has ended with it")
    XCTAssertEqual(bench.set(true, at: 310), on, "somebody at the board")
    XCTAssertNil(bench.bank.deadline, "once for each loss")
    bench.link(true, at: 400)
    bench.link(false, at: 500)
    XCTAssertEqual(bench.course(), ["600 siren off link_loss"])
  }

  func testBeforeTheFirstLinkTheTimeCountsFromTheStart() {
    var configuration = OutputConfiguration()
    configuration.linkLoss = .milliseconds(100)
    var bank = OutputBank([("siren", configuration)])
    bank.linkChanged(isConnected: false, at: milliseconds(3))
    XCTAssertNil(bank.deadline)
    bank.begin(0, isActive: true, at: milliseconds(5))
    XCTAssertEqual(bank.deadline, milliseconds(105))
    XCTAssertEqual(
      bank.handleDeadline(at: milliseconds(105)),
      [OutputBank.Change(output: 0, isActive: false, cause: .linkLoss)])
    bank.end(0)
    bank.begin(0, isActive: true, at: milliseconds(200))
    XCTAssertEqual(bank.deadline, milliseconds(300), "later than the loss")
  }

  func testALostLinkLeavesWhatIsToBeKept() {
    var bench = OutputBench {
      $0.safe = .keep
      $0.linkLoss = .zero
    }
    _ = bench.set(true, pulse: 50, at: 0)
    bench.link(false, at: 10)
    XCTAssertEqual(bench.course(), ["50 siren off pulse"])
    XCTAssertEqual(bench.stop(at: 60), [])
  }

  // MARK: Lost lines, the end of time

  func testWhatIsUnderWayEndsWithTheLineUnlessItIsKept() {
    var bench = OutputBench()
    _ = bench.set(true, pulse: 50, lease: 90, at: 0)
    bench.bank.end(0)
    bench.begin(0, true, at: 10)
    XCTAssertNil(bench.bank.deadline)
    // An opener that is pressed must still let go, though not before the guards allow it.
    var kept = OutputBench {
      $0.safe = .keep
      $0.minOn = .milliseconds(30)
    }
    _ = kept.set(true, pulse: 50, at: 0)
    kept.bank.end(0)
    XCTAssertEqual(kept.handle(at: 60), [])
    kept.begin(0, true, at: 70)
    XCTAssertEqual(kept.course(), ["100 siren off pulse"])
  }

  func testTimesAtTheEndOfTheRangeDoNotTrap() {
    let ends = [Int64.min, -1, 0, 1, .max]
    for length in ends {
      for start in ends {
        var configuration = OutputConfiguration()
        let duration = Duration.nanoseconds(length)
        configuration.minOn = duration
        configuration.minOff = duration
        configuration.maxOn = duration
        configuration.linkLoss = duration
        configuration.maxRate = OutputConfiguration.Rate(count: Int(length), period: duration)
        var bank = OutputBank(
          [("a", configuration), ("b", configuration)],
          interlocks: [InterlockConfiguration(name: "g", lines: ["a", "b"], deadTime: duration)])
        for (step, now) in ends.enumerated() {
          let now = Instant(nanoseconds: max(now, start))
          bank.begin(step % 2, isActive: step > 2, at: now)
          for action in [
            OutputBank.Action.set(true, pulse: duration, lease: duration),
            .blink(on: duration, off: duration, count: Int(length), lease: duration), .set(false),
          ] {
            _ = try? bank.command([OutputBank.Command(output: 0, action: action)], at: now)
          }
          _ = bank.handleDeadline(at: now)
        }
        let end = Instant(nanoseconds: .max)
        for _ in 0..<3 { _ = bank.handleDeadline(at: end) }
        _ = bank.enterSafeState(at: end)
        XCTAssertFalse(bank.isActive(0), "\(length) from \(start)")
      }
    }
  }
}
