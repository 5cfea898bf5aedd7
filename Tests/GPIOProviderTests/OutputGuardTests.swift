import Transport
import XCTest

@testable import GPIOProvider

/// Guards and interlocks, as a bank of outputs keeps them.
final class OutputGuardTests: XCTestCase {
  private let on = ["siren on command"]
  private let off = ["siren off command"]

  // MARK: Guards

  func testMinOffAndMinOn() {
    var bench = OutputBench {
      $0.minOff = .seconds(30)
      $0.minOn = .milliseconds(10)
    }
    XCTAssertEqual(
      bench.set(true, at: 2_000),
      [
        "siren: min_off: switched off 2000 ms ago, may be switched on again in 28000 ms",
        "at 30000",
      ]
    )
    XCTAssertEqual(bench.set(true, at: 30_000), on)
    XCTAssertEqual(
      bench.command([("siren", .toggle())], at: 30_009),
      ["siren: min_on: switched on 9 ms ago, may be switched off again in 1 ms", "at 30010"])
    XCTAssertEqual(bench.set(false, at: 30_010), off)
  }

  func testAPulseMustSatisfyTheGuardsAtItsEnd() {
    var bench = OutputBench {
      $0.minOff = .milliseconds(50)
      $0.minOn = .milliseconds(50)
    }
    XCTAssertEqual(
      bench.set(true, pulse: 49, at: 100),
      ["siren: min_on: a pulse of 49 ms is shorter than 50 ms", "never"])
    XCTAssertEqual(bench.set(true, at: 100), on)
    // It is active already: what counts is the whole time.
    XCTAssertEqual(
      bench.set(true, pulse: 20, at: 110),
      ["siren: min_on: a pulse of 20 ms is shorter than 50 ms, allowed in 20 ms", "at 130"])
    XCTAssertEqual(bench.set(true, pulse: 20, at: 130), ["(siren on command)"])
    XCTAssertEqual(bench.course(), ["150 siren off pulse"])
    XCTAssertEqual(
      bench.set(false, pulse: 10, at: 170),
      ["siren: min_off: a pulse of 10 ms is shorter than 50 ms, allowed in 20 ms", "at 190"])
    // A lease that ends first makes the pulse's end nobody's business.
    XCTAssertEqual(bench.set(false, pulse: 10, lease: 10, at: 170), ["(siren off command)"])
  }

  func testSafetyBeatsMinOnAndMinOff() {
    func bench(_ safe: OutputConfiguration.SafeState) -> OutputBench {
      var bench = OutputBench {
        $0.safe = safe
        $0.minOn = .seconds(9)
        $0.minOff = .seconds(9)
        $0.linkLoss = .milliseconds(5)
      }
      bench.begin(0, safe == .inactive, at: 0)
      return bench
    }
    for safe in [OutputConfiguration.SafeState.inactive, .active] {
      let state = "siren \(safe == .active ? "on" : "off")"
      var leased = bench(safe)
      _ = leased.set(safe == .inactive, lease: 5, at: 1)
      XCTAssertEqual(leased.course(), ["6 \(state) lease"])
      var alone = bench(safe)
      alone.link(false, at: 1)
      XCTAssertEqual(alone.course(), ["6 \(state) link_loss"])
      var stopped = bench(safe)
      XCTAssertEqual(stopped.stop(at: 1), ["\(state) stop"])
      XCTAssertEqual(stopped.stop(at: 2), ["(\(state) stop)"], "written in any case")
    }
  }

  func testMaxOnIsNotExtended() {
    var bench = OutputBench { $0.maxOn = .milliseconds(100) }
    _ = bench.set(true, at: 0)
    XCTAssertEqual(bench.set(true, lease: 500, at: 90), ["(siren on command)"])
    XCTAssertEqual(bench.handle(at: 99), [])
    XCTAssertEqual(bench.handle(at: 100), ["siren off max_on"])
    XCTAssertEqual(
      bench.set(true, pulse: 101, at: 600),
      ["siren: max_on: a pulse of 101 ms is longer than 100 ms", "never"])
    _ = bench.set(true, pulse: 100, at: 600)
    XCTAssertEqual(bench.course(), ["700 siren off pulse"])
    _ = bench.set(false, pulse: 10, at: 800)
    XCTAssertEqual(bench.course(), ["810 siren on pulse", "910 siren off max_on"])
  }

  func testMaxOnWinsOverMinOnAndAnActiveSafeState() {
    var bench = OutputBench {
      $0.safe = .active
      $0.maxOn = .milliseconds(100)
      $0.minOn = .milliseconds(200)
    }
    _ = bench.set(true, lease: 150, at: 0)
    XCTAssertEqual(
      bench.course(), ["100 siren off max_on", "150 siren on lease", "250 siren off max_on"])
  }

  func testMaxOnThatIsDueFirstEndsABlink() {
    for time in [100, 200] as [Int64] {
      var bench = OutputBench { $0.maxOn = .milliseconds(100) }
      _ = bench.set(true, at: 0)
      _ = bench.blink(on: 50, off: 50, count: 3, at: 60)
      XCTAssertEqual(bench.handle(at: time), ["siren off max_on"])
      XCTAssertNil(bench.bank.deadline)
    }
  }

  func testMaxOnGoesOnWhenTheLineWasLost() {
    var bench = OutputBench { $0.maxOn = .milliseconds(100) }
    _ = bench.set(true, at: 0)
    bench.bank.end(0)
    XCTAssertNil(bench.bank.deadline)
    XCTAssertTrue(bench.bank.isActive(0))
    bench.begin(0, true, at: 60)
    XCTAssertEqual(bench.course(), ["100 siren off max_on"])
  }

  func testMaxRateCountsWhoeverSwitches() {
    var bench = OutputBench {
      $0.safe = .active
      $0.maxRate = OutputConfiguration.Rate(count: 2, period: .milliseconds(100))
    }
    _ = bench.set(true, at: 0)
    _ = bench.set(false, lease: 10, at: 10)
    XCTAssertEqual(bench.course(), ["20 siren on lease"])
    _ = bench.set(false, lease: 10, at: 30)
    XCTAssertEqual(bench.course(), ["40 siren on lease"], "safety is not refused")
    _ = bench.set(false, at: 50)
    XCTAssertEqual(
      bench.set(true, at: 60),
      [
        "siren: max_rate: at most 2 times in 100 ms, may be switched on again in 60 ms", "at 120",
      ])
    // A pulse that would switch it on at its end is judged by that time.
    XCTAssertEqual(bench.set(false, pulse: 59, at: 60).last, "at 61")
    XCTAssertEqual(bench.set(false, pulse: 60, at: 60), ["(siren off command)"])
    XCTAssertEqual(bench.course(), ["120 siren on pulse"])
  }

  func testAPulseThatSurvivedALossIsJudgedAgain() {
    var bench = OutputBench {
      $0.safe = .keep
      $0.maxRate = OutputConfiguration.Rate(count: 1, period: .milliseconds(100))
    }
    _ = bench.set(false, pulse: 50, at: 0)
    // Found active in between, which nobody could foresee.
    bench.begin(0, true, at: 10)
    bench.begin(0, false, at: 20)
    XCTAssertEqual(bench.handle(at: 50), [])
    XCTAssertFalse(bench.bank.isActive(0))
    XCTAssertNil(bench.bank.deadline)
  }

  func testGuardsCountFromTheStart() {
    var bench = OutputBench(isTaken: false) {
      $0.minOff = .milliseconds(50)
      $0.minOn = .milliseconds(50)
    }
    bench.begin(0, false, at: 100)
    XCTAssertEqual(bench.set(true, at: 149).last, "at 150")
    bench.begin(0, true, at: 200)
    XCTAssertEqual(bench.set(false, at: 249).last, "at 250")
  }

  // MARK: Interlocks

  func testOnlyOneOfAnInterlockIsActive() {
    var bench = OutputBench(["up", "down"], interlocks: [(["up", "down"], 500)])
    XCTAssertEqual(bench.set(true, "up", at: 1_000), ["up on command"])
    XCTAssertEqual(
      bench.set(true, "down", at: 1_001), ["down: interlock: up of gate is active", "never"])
    XCTAssertEqual(
      bench.command([("up", .set(false)), ("down", .set(true))], at: 1_001),
      ["down: interlock: up of gate is active, and 500 ms must pass after it", "never"])
    XCTAssertEqual(bench.set(false, "up", at: 1_100), ["up off command"])
    XCTAssertEqual(
      bench.set(true, "down", at: 1_200),
      [
        "down: interlock: up of gate switched off 100 ms ago, may be switched on in 400 ms",
        "at 1600",
      ])
    XCTAssertEqual(bench.set(true, "up", at: 1_200), ["up on command"], "the same one at once")
  }

  func testWithoutDeadTimeTwoMayChangePlacesAtOnce() {
    var bench = OutputBench(["up", "down"], interlocks: [(["up", "down", "nobody"], 0)])
    _ = bench.set(true, "up", at: 0)
    XCTAssertEqual(
      bench.command([("down", .set(true)), ("up", .set(false))], at: 0),
      ["up off command", "down on command"], "first what becomes inactive")
    XCTAssertEqual(bench.set(false, "down", at: 0), ["down off command"])
    XCTAssertEqual(
      bench.command([("up", .set(true)), ("down", .set(true))], at: 0),
      ["down: interlock: up of gate is active", "never"])
  }

  func testAPulseDoesNotEndAgainstAnInterlock() {
    var bench = OutputBench(["up", "down"], interlocks: [(["up", "down"], 0)]) { $0.safe = .active }
    _ = bench.set(false, "up", pulse: 10, at: 0)
    _ = bench.set(true, "down", lease: 50, at: 5)
    XCTAssertEqual(bench.course(), ["55 down off lease"], "up stays; no safe state is active here")
    _ = bench.set(true, "up", at: 60)
    XCTAssertEqual(bench.stop(at: 70), ["up off stop", "(down off stop)"])
  }

  func testALostLineCountsAsItWas() {
    var bench = OutputBench(["up", "down"], interlocks: [(["up", "down"], 20)])
    _ = bench.set(true, "up", at: 100)
    bench.bank.end(0)
    XCTAssertEqual(
      bench.set(true, "down", at: 500), ["down: interlock: up of gate is active", "never"])
    bench.begin(0, false, at: 600)
    XCTAssertEqual(bench.set(true, "down", at: 600).last, "at 620")
    XCTAssertEqual(bench.set(true, "down", at: 620), ["down on command"])
  }

  func testTwoThatAreFoundActiveDoNotStaySo() {
    var bench = OutputBench(["up", "down"], interlocks: [(["up", "down"], 20)], isTaken: false)
    XCTAssertTrue(bench.bank.mayBegin(0, isActive: true, at: milliseconds(100)))
    bench.begin(0, true, at: 100)
    XCTAssertTrue(bench.bank.mayBegin(1, isActive: false, at: milliseconds(100)))
    XCTAssertFalse(bench.bank.mayBegin(1, isActive: true, at: milliseconds(100)))
    bench.begin(1, true, at: 100)
    XCTAssertEqual(bench.course(), ["100 down off interlock"])
    XCTAssertTrue(bench.bank.isActive(0))
  }

  func testAtStartAnInactiveLineKeepsNobodyWaiting() {
    // Both are as they were before a restart: there is no switch to wait after.
    var bench = OutputBench(["up", "down"], interlocks: [(["up", "down"], 20)], isTaken: false)
    bench.begin(0, false, at: 100)
    bench.begin(1, true, at: 100)
    XCTAssertNil(bench.bank.deadline)
    _ = bench.set(false, "down", at: 200)
    XCTAssertFalse(bench.bank.mayBegin(0, isActive: true, at: milliseconds(219)))
    XCTAssertTrue(bench.bank.mayBegin(0, isActive: true, at: milliseconds(220)))
  }
}
