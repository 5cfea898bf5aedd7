import Transport
import XCTest

@testable import GPIOProvider

final class SensorScheduleTests: XCTestCase {
  private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

  private func started(every seconds: Int64 = 10) -> SensorSchedule {
    var schedule = SensorSchedule(every: .seconds(seconds))
    schedule.start(at: at(0))
    return schedule
  }

  private func fail(_ schedule: inout SensorSchedule, at second: Int64) {
    XCTAssertTrue(schedule.begin(at: at(second)))
    XCTAssertEqual(
      schedule.end(isGood: false, at: at(second)), .report(due: at(second)))
  }

  func testItKeepsItsPlaceAndLeavesOutWhatWasSleptThrough() {
    var schedule = started()
    XCTAssertTrue(schedule.begin(at: at(0)))
    XCTAssertEqual(schedule.measuring, .report(due: at(0)))
    _ = schedule.end(isGood: true, at: at(1))
    XCTAssertFalse(schedule.begin(at: at(9)))
    XCTAssertTrue(schedule.begin(at: at(47)))
    XCTAssertEqual(schedule.measuring, .report(due: at(40)), "the period that it belongs to")
    XCTAssertEqual(schedule.due, at(50))
  }

  func testMeasurementsNeverOverlap() {
    var schedule = started()
    XCTAssertTrue(schedule.begin(at: at(0)))
    XCTAssertFalse(schedule.begin(at: at(10)))
    XCTAssertFalse(schedule.begin(at: at(20)))
    XCTAssertEqual(schedule.skipped, 2)
    XCTAssertEqual(schedule.due, at(30))
    _ = schedule.end(isGood: true, at: at(25))
    XCTAssertTrue(schedule.begin(at: at(30)))
    XCTAssertEqual(schedule.measuring, .report(due: at(30)))
  }

  func testFailuresAreTriedLessAndLessOften() {
    var schedule = started()
    var tries: [Int64] = []
    while let due = schedule.due, due <= at(2000) {
      tries.append((due - at(0)).seconds)
      fail(&schedule, at: (due - at(0)).seconds)
    }
    XCTAssertEqual(tries.prefix(8), [0, 10, 30, 70, 150, 310, 610, 910])
    XCTAssertTrue(zip(tries, tries.dropFirst()).allSatisfy { $1 - $0 <= 300 })
  }

  func testASlowPeriodIsNotMadeSlower() {
    var schedule = started(every: 3_600)
    for second in [0, 3_600, 7_200] as [Int64] { fail(&schedule, at: second) }
    XCTAssertEqual(schedule.due, at(10_800))
  }

  func testItIsBackAtItsOldPace() {
    var schedule = started()
    for second in [0, 10, 30, 70] as [Int64] { fail(&schedule, at: second) }
    XCTAssertTrue(schedule.begin(at: at(150)))
    XCTAssertEqual(schedule.measuring, .report(due: at(150)))
    _ = schedule.end(isGood: true, at: at(151))
    XCTAssertEqual(schedule.due, at(160))
  }

  func testADeviceThatAppearsIsTriedAtOnceButNotInBursts() {
    var schedule = started()
    schedule.retry(at: at(0))
    XCTAssertEqual(schedule.due, at(0))
    for second in [0, 10, 30, 70] as [Int64] { fail(&schedule, at: second) }
    schedule.retry(at: at(100))
    XCTAssertEqual(schedule.due, at(100))
    fail(&schedule, at: 100)
    for _ in 0..<20 { schedule.retry(at: at(100)) }
    XCTAssertEqual(schedule.due, at(101))
  }

  func testADeviceThatAppearsChangesNothingForAGoodSensor() {
    var schedule = started()
    XCTAssertTrue(schedule.begin(at: at(0)))
    _ = schedule.end(isGood: true, at: at(0))
    schedule.retry(at: at(3))
    XCTAssertEqual(schedule.due, at(10))
  }

  func testACallersGoodMeasurementBringsTheNextForward() {
    var schedule = started()
    for second in [0, 10, 30, 70] as [Int64] { fail(&schedule, at: second) }
    schedule.begin(for: .answer, at: at(80))
    _ = schedule.end(isGood: true, at: at(80))
    XCTAssertEqual(schedule.due, at(80))
    XCTAssertTrue(schedule.begin(at: at(80)))
    XCTAssertEqual(schedule.measuring, .report(due: at(80)))
    XCTAssertEqual(schedule.due, at(90))
  }

  func testAPeriodicMeasurementTakesOverTheCallers() {
    var schedule = started()
    schedule.begin(for: .answer, at: at(9))
    _ = schedule.end(isGood: true, at: at(9))
    XCTAssertTrue(schedule.begin(at: at(9)))
    _ = schedule.end(isGood: true, at: at(9))
    schedule.begin(for: .answer, at: at(19))
    XCTAssertFalse(schedule.begin(at: at(20)))
    XCTAssertEqual(schedule.skipped, 0)
    XCTAssertEqual(schedule.end(isGood: true, at: at(21)), .report(due: at(20)))
    XCTAssertEqual(schedule.due, at(30))
    XCTAssertNil(schedule.end(isGood: true, at: at(22)), "there is none")
  }

  func testACallersFailureCountsForNothing() {
    var schedule = started()
    XCTAssertTrue(schedule.begin(at: at(0)))
    _ = schedule.end(isGood: true, at: at(0))
    for _ in 0..<5 {
      schedule.begin(for: .answer, at: at(1))
      _ = schedule.end(isGood: false, at: at(1))
    }
    XCTAssertEqual(schedule.due, at(10))
  }

  func testPeriodsThatMakeNoSense() {
    for every in [Transport.Duration.zero, .seconds(-1), .nanoseconds(.min)] {
      var schedule = SensorSchedule(every: every)
      schedule.start(at: at(0))
      XCTAssertTrue(schedule.begin(at: at(0)))
      _ = schedule.end(isGood: false, at: at(0))
      XCTAssertGreaterThan(schedule.due ?? at(0), at(0))
    }
    var schedule = SensorSchedule(every: .nanoseconds(.max))
    schedule.start(at: at(0))
    for _ in 0..<5 {
      _ = schedule.begin(at: at(0))
      _ = schedule.end(isGood: false, at: at(0))
    }
    XCTAssertEqual(schedule.due, Instant(nanoseconds: .max))
  }

  /// Whatever happens, it never measures twice at once, and no try is further away than the bound.
  func testWhatHoldsWhateverHappens() {
    for seed in UInt64(1)...300 {
      var random = SeededGenerator(seed: seed)
      let every = Int64.random(in: 1...100, using: &random)
      var schedule = started(every: every)
      var now: Int64 = 0
      for _ in 0..<300 {
        now += Int64.random(in: 0...200, using: &random)
        let wasMeasuring = schedule.measuring != nil
        switch Int.random(in: 0...3, using: &random) {
        case 0: schedule.retry(at: at(now))
        case 1 where wasMeasuring:
          _ = schedule.end(isGood: .random(using: &random), at: at(now))
        default:
          if schedule.begin(at: at(now)), case .report(let nominal)? = schedule.measuring {
            XCTAssertFalse(wasMeasuring, "seed \(seed)")
            XCTAssertLessThanOrEqual(nominal, at(now), "seed \(seed)")
            XCTAssertGreaterThan(nominal + .seconds(every), at(now), "seed \(seed)")
          }
        }
        let due = schedule.due ?? at(0)
        XCTAssertLessThanOrEqual(due, at(now) + .seconds(max(every, 300) + every), "seed \(seed)")
      }
    }
  }
}
