import Lattice
import Transport
import XCTest

@testable import GPIOProvider

final class SensorsProviderTests: SensorsTestCase {
  func testTheContract() {
    let contract = started(sensor()).contract
    XCTAssertEqual(contract.id, "edge:sensors")
    XCTAssertEqual(contract.name, "sensors")
    XCTAssertEqual(contract.operations.map { $0.name }, ["get"])
    XCTAssertEqual(contract.operations.map { $0.isCommand }, [false])
    XCTAssertEqual(contract.events.map { $0.name }, ["reading", "alarm"])
  }

  func testResourcesSayWhatIsKnown() {
    let provider = started(sensor("cpu"), sensor("gpu") { $0.unit = "K" })
    sources[0].fail("gone")
    provider.handleDeadline(at: time.now)
    let resources = provider.resources
    XCTAssertEqual(resources.map { $0.name }, ["cpu", "gpu"])
    XCTAssertEqual(resources.map { $0.operations }, [["get"], ["get"]])
    XCTAssertEqual(
      resources[0].properties.names, ["kind", "zone", "unit", "every_ms", "report", "error"])
    XCTAssertEqual(resources[1].properties.names, ["kind", "zone", "unit", "every_ms", "report"])
    XCTAssertEqual(resources[0].properties["error"], .string("gone"))
    XCTAssertEqual(resources[1].properties["unit"], .string("K"))
    XCTAssertEqual(resources[1].properties["every_ms"], .integer(10_000))
  }

  func testAReadingTellsAllInThisOrder() throws {
    let provider = started(sensor { $0.report = .durable })
    source.set(48.312)
    provider.handleDeadline(at: time.now)
    let event = try XCTUnwrap(events.events.first)
    XCTAssertEqual(event.capability, "sensors")
    XCTAssertEqual(event.resource, "cpu")
    XCTAssertEqual(event.kind, "reading")
    XCTAssertEqual(event.delivery, .durable)
    XCTAssertEqual(event.factClass, .reading)
    XCTAssertEqual(event.instant, time.now)
    XCTAssertEqual(event.body.names, ["name", "kind", "value", "unit", "quality", "seq"])
    XCTAssertEqual(
      event.body.fields.map { $0.value },
      [
        .string("cpu"), .string("thermal"), .double(48.312), .string("Cel"), .string("good"),
        .integer(1),
      ])
    let answer = try provider.call("get", "cpu", at: time.now).get()
    XCTAssertEqual(answer.names, event.body.names + ["time", "time_quality"])
    XCTAssertEqual(answer["time"], .string("2026-11-03T07:54:43.000000000Z"))
  }

  func testScaleOffsetAndUnit() {
    let provider = started(
      sensor {
        $0.unit = "K"
        $0.transform = LinearTransform(offset: 273.15).then(LinearTransform(scale: 1, offset: -0.5))
      })
    source.set(48.312)
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(take().first?["value"], .double(320.962))
  }

  func testAValueThatScalingMakesInfiniteIsBad() {
    let provider = started(sensor { $0.transform.scale = 1e300 })
    source.set(1e300)
    provider.handleDeadline(at: time.now)
    let reading = take().first
    XCTAssertEqual(reading?["value"], .null)
    XCTAssertEqual(
      reading?["reason"], .string("the value is not finite after 'scale' and 'offset'"))
  }

  // MARK: Quality

  func testAnUncertainReadingSaysWhy() {
    let provider = started(sensor())
    source.outcome = .success(Measured(85, uncertain: "85 is what it shows after power-up"))
    provider.handleDeadline(at: time.now)
    let reading = take().first
    XCTAssertEqual(reading?["value"], .double(85))
    XCTAssertEqual(reading?["quality"], .string("uncertain"))
    XCTAssertEqual(reading?["reason"], .string("85 is what it shows after power-up"))
    XCTAssertEqual(provider.problemCount, 0)
  }

  func testAnUncertainMeasurementInTheFilterIsNamed() {
    let provider = started(sensor { $0.filter = .median(3) })
    source.outcome = .success(Measured(85, uncertain: "power-up"))
    provider.handleDeadline(at: time.now)
    source.set(20)
    for _ in 0..<3 { advance(provider, 10) }
    let readings = take()
    XCTAssertEqual(
      readings.map { $0["quality"] },
      [.string("uncertain"), .string("uncertain"), .string("uncertain"), .string("good")])
    XCTAssertEqual(
      readings[1]["reason"], .string("an earlier measurement that is in the filter was uncertain"))
    XCTAssertNil(readings[3]["reason"])
  }

  func testABadSensorTellsWhyAndComesBack() {
    let provider = started(sensor())
    source.fail("no thermal zone")
    run(provider, for: 9)
    let bad = take()
    XCTAssertEqual(
      bad.map { $0.names },
      [
        ["name", "kind", "value", "unit", "quality", "seq", "reason"]
      ])
    XCTAssertEqual(bad.first?["value"], .null)
    XCTAssertEqual(bad.first?["quality"], .string("bad"))
    XCTAssertEqual(bad.first?["reason"], .string("no thermal zone"))
    XCTAssertEqual(provider.problemCount, 1)

    run(provider, for: 50)
    XCTAssertEqual(source.measurements, 3, "less and less often")
    source.set(50)
    run(provider, for: 41)
    let back = take()
    XCTAssertEqual(back.last?["value"], .double(50))
    XCTAssertEqual(provider.problemCount, 0)
    XCTAssertEqual(told, ["cpu: no thermal zone", "cpu: good"], "the same reason is told once")
    source.fail("garbage")
    run(provider, for: 10)
    XCTAssertEqual(take().last?["quality"], .string("bad"))
    XCTAssertEqual(told.last, "cpu: garbage")
  }

  func testADeviceThatAppearsIsTriedAtOnce() {
    let provider = started(sensor("a"), sensor("b"))
    sources[0].fail("gone")
    run(provider, for: 200)
    _ = take()
    sources[0].set(21)
    let (a, b) = (sources[0].measurements, sources[1].measurements)
    provider.deviceAppeared(at: time.now)
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(sources[0].measurements, a + 1)
    XCTAssertEqual(sources[1].measurements, b, "it needs none")
    XCTAssertEqual(take().map { $0["value"] }, [.double(21)])
  }

  func testAHangingSensorBecomesStaleWithinThreePeriodsAndComesBack() {
    let provider = started(sensor { $0.reporting.deadband = .absolute(1) })
    provider.handleDeadline(at: time.now)
    _ = take()
    source.isSlow = true
    run(provider, for: 30)
    XCTAssertEqual(take().count, 0)
    time.advance(.nanoseconds(1))
    provider.handleDeadline(at: time.now)
    let stale = take()
    XCTAssertEqual(stale.map { $0["quality"] }, [.string("stale")])
    XCTAssertEqual(stale.first?["value"], .double(20), "the last that is known")
    XCTAssertEqual(
      stale.first?["reason"], .string("no measurement has ended for three periods"))
    XCTAssertEqual(provider.problemCount, 1)
    run(provider, for: 100)
    XCTAssertEqual(take().count, 0, "told once")
    XCTAssertEqual(
      provider.resources[0].properties["skipped"], .integer(12), "periods that were left out")

    source.finish()
    XCTAssertEqual(take().map { $0["quality"] }, [.string("good")])
    XCTAssertEqual(
      told, ["cpu: no measurement has ended for three periods", "cpu: good"])
  }

  func testAStaleReadingHasItsOwnTime() {
    let provider = started(sensor())
    provider.handleDeadline(at: time.now)
    let measured = time.now
    source.isSlow = true
    run(provider, for: 31)
    XCTAssertEqual(events.events.last?.body["quality"], .string("stale"))
    XCTAssertEqual(events.events.last?.instant, measured)
  }

  func testAfterALongFailureTheFilterBeginsAnew() {
    let provider = started(sensor { $0.filter = .average(4) })
    source.set(100)
    run(provider, for: 35)
    source.fail("gone")
    run(provider, for: 100)
    _ = take()
    source.set(20)
    run(provider, for: 200)
    XCTAssertEqual(take().first { $0["quality"] == .string("good") }?["value"], .double(20))
  }

  func testAFilterBridgesAShortFailure() {
    let provider = started(sensor { $0.filter = .average(2) })
    source.set(10)
    provider.handleDeadline(at: time.now)
    source.fail("once")
    advance(provider, 10)
    source.set(20)
    advance(provider, 10)
    XCTAssertEqual(take().map { $0["value"] }, [.double(10), .null, .double(15)])
  }

  // MARK: Report by exception

  func testOnlyWhatIsBeyondTheDeadbandIsTold() {
    let provider = started(sensor { $0.reporting.deadband = .absolute(0.5) })
    for value in [20, 20.4, 20.6, 20.7, 20] {
      source.set(value)
      provider.handleDeadline(at: time.now)
      time.advance(.seconds(10))
    }
    let readings = take()
    XCTAssertEqual(readings.map { $0["value"] }, [.double(20), .double(20.6), .double(20)])
    XCTAssertEqual(readings.map { $0["seq"] }, [.integer(1), .integer(2), .integer(3)])
  }

  func testASensorThatNeverChangesIsHeardOf() {
    let provider = started(
      sensor {
        $0.reporting.deadband = .absolute(1)
        $0.reporting.maxInterval = .seconds(60)
      })
    run(provider, for: 300)
    XCTAssertEqual(take().count, 6)
  }

  func testABadSensorThatIsSeldomTriedIsHeardOf() {
    let provider = started(
      sensor {
        $0.reporting.deadband = .absolute(1)
        $0.reporting.maxInterval = .seconds(60)
      })
    source.fail("gone")
    run(provider, for: 1200)
    var last = time.now - .seconds(1200)
    for event in events.events {
      XCTAssertLessThanOrEqual(event.instant, time.now)
      last = max(last, event.instant)
    }
    XCTAssertGreaterThanOrEqual(take().count, 1200 / 70)
  }

  func testWhatWasNotHeardIsToldWhenTheLinkIsBack() {
    let provider = started(
      sensor("a") { $0.reporting.deadband = .absolute(1) },
      sensor("b") {
        $0.reporting.deadband = .absolute(1)
        $0.report = .durable
      })
    run(provider, for: 100)
    events.events = []
    provider.linkChanged(isConnected: false, at: time.now)
    provider.linkChanged(isConnected: true, at: time.now)
    run(provider, for: 100)
    XCTAssertEqual(events.events.map { $0.resource }, ["a"], "the other is kept")
  }

  // MARK: Alarms

  private func withAlarm(_ change: (inout AlarmConfiguration) -> Void = { _ in })
    -> SensorConfiguration
  {
    var hot = AlarmConfiguration(name: "hot", limit: .above(70))
    change(&hot)
    return sensor {
      $0.alarms = [hot]
      $0.reporting.deadband = .absolute(1000)
    }
  }

  func testAnAlarmIsAFactOfItsOwn() throws {
    let provider = started(withAlarm { $0.hysteresis = 5 })
    provider.handleDeadline(at: time.now)
    _ = take()
    source.set(71.5)
    advance(provider, 10)
    let event = try XCTUnwrap(events.events.first)
    XCTAssertEqual(events.events.count, 1, "the reading is within the deadband")
    XCTAssertEqual(event.kind, "alarm")
    XCTAssertEqual(event.delivery, .durable, "whatever the sensor's report")
    XCTAssertEqual(event.factClass, .alarm)
    XCTAssertEqual(event.instant, time.now)
    XCTAssertEqual(
      event.body.names,
      ["name", "alarm", "active", "value", "limit", "unit", "quality", "seq"])
    XCTAssertEqual(
      event.body.fields.map { $0.value },
      [
        .string("cpu"), .string("hot"), .bool(true), .double(71.5), .double(70), .string("Cel"),
        .string("good"), .integer(3),
      ])
    XCTAssertEqual(
      provider.call("get", "cpu", at: time.now)["alarms"], .list([.string("hot")]))
    source.set(65)
    events.events = []
    advance(provider, 10)
    XCTAssertEqual(take("alarm").map { $0["active"] }, [.bool(false)])
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["alarms"], .list([]))
  }

  func testTheFirstStateOfEachAlarmIsTold() {
    let provider = started(withAlarm())
    run(provider, for: 100)
    XCTAssertEqual(take("alarm").map { $0["active"] }, [.bool(false)])
  }

  func testABadReadingChangesNoAlarm() {
    let provider = started(withAlarm())
    source.set(80)
    run(provider, for: 5)
    source.fail("gone")
    run(provider, for: 300)
    XCTAssertEqual(take("alarm").map { $0["active"] }, [.bool(true)])
    XCTAssertEqual(
      provider.call("get", "cpu", at: time.now)["alarms"], .list([.string("hot")]))
  }

  /// A delay and an interval are so many periods, also when one measurement takes longer than another.
  func testSlowMeasurementsMakeNothingAPeriodLonger() {
    var sensor = withAlarm { $0.delay = .seconds(30) }
    sensor.reporting = ReportConfiguration()
    sensor.reporting.minInterval = .seconds(20)
    let provider = started(sensor)
    let begin = time.now
    source.set(80)
    source.isSlow = true
    for _ in 0..<5 {
      provider.handleDeadline(at: time.now)
      // The first takes half a second, the others none.
      if time.now == begin { time.advance(.milliseconds(500)) }
      source.finish()
      time.advance(begin + .seconds(10 * Int64(source.measurements)) - time.now)
    }
    let told = events.events.map { "\($0.kind) \(($0.instant - begin).milliseconds)" }
    XCTAssertEqual(told, ["reading 500", "reading 20000", "alarm 30000", "reading 40000"])
  }

  func testACallersMeasurementChangesNoAlarm() {
    let provider = started(withAlarm())
    provider.handleDeadline(at: time.now)
    _ = take()
    source.set(80)
    time.advance(.seconds(2))
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["value"], .double(80))
    XCTAssertEqual(events.events.count, 0)
  }

  // MARK: Time

  func testReadingsAreSpreadAndKeepTheirDistance() {
    let provider = started((0..<4).map { sensor("s\($0)", every: 8) })
    let begin = time.now
    var told: [(String, Int64)] = []
    while let deadline = provider.deadline, deadline < begin + .seconds(16) {
      time.advance(deadline - time.now)
      let before = events.events.count
      provider.handleDeadline(at: time.now)
      XCTAssertEqual(events.events.count, before + 1, "one at a time")
      told.append((events.events.last?.resource ?? "", (time.now - begin).seconds))
    }
    XCTAssertEqual(told.map { $0.0 }, ["s0", "s1", "s2", "s3", "s0", "s1", "s2", "s3"])
    XCTAssertEqual(told.map { $0.1 }, [0, 2, 4, 6, 8, 10, 12, 14])
  }

  func testALongPeriodDoesNotMakeTheFirstReadingLate() {
    let provider = started((0..<2).map { sensor("s\($0)", every: 3_600) })
    provider.handleDeadline(at: time.now)
    advance(provider, 5)
    XCTAssertEqual(events.events.map { $0.resource }, ["s0", "s1"])
  }

  func testPeriodsThatWereSleptThroughAreLeftOut() {
    let provider = started(sensor())
    provider.handleDeadline(at: time.now)
    let begin = time.now
    advance(provider, 47)
    XCTAssertEqual(take().map { $0["quality"] }, [.string("good"), .string("good")])
    XCTAssertEqual(provider.deadline, begin + .seconds(50), "in its old place")
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(events.events.count, 0, "a repeated call")
  }

  func testStopEndsIt() {
    let provider = started(sensor("a"), sensor("b"))
    sources[0].isSlow = true
    provider.handleDeadline(at: time.now)
    provider.stop(at: time.now)
    XCTAssertNil(provider.deadline)
    sources[0].finish()
    advance(provider, 100)
    XCTAssertEqual(events.events.count, 0)
    XCTAssertNil(started([SensorConfiguration]()).deadline)
  }

  /// A clock that is set forward or back by years changes nothing but the times that are told.
  func testAJumpOfTheWallClockChangesNothing() {
    var readings: [[Instant]] = []
    for jump in [0, -1_700_000_000, 3_000_000_000] as [Int64] {
      let begin = time.now
      let provider = started(
        sensor {
          $0.reporting.deadband = .absolute(0)
          $0.reporting.maxInterval = .seconds(60)
        })
      run(provider, for: 100)
      time.wallClock = time.wallClock + .seconds(jump)
      run(provider, for: 100)
      readings.append(events.events.map { Instant(nanoseconds: 0) + ($0.instant - begin) })
      _ = take()
    }
    XCTAssertEqual(readings[0].count, 4)
    XCTAssertEqual(readings[0], readings[1])
    XCTAssertEqual(readings[0], readings[2])
  }

  /// Whatever the loop and the sources do: numbers have no gap, measurements do not overlap (the source
  /// checks), no deadline is left in the past, and each sensor is heard of.
  func testWhatHoldsWhateverHappens() {
    for seed in UInt64(1)...100 {
      var random = SeededGenerator(seed: seed)
      events.events = []
      let provider = started(
        (0..<3).map { index in
          sensor("s\(index)", every: .random(in: 1...20, using: &random)) {
            if Bool.random(using: &random) { $0.reporting.deadband = .absolute(5) }
            if Bool.random(using: &random) { $0.reporting.maxInterval = .seconds(60) }
            $0.alarms = [AlarmConfiguration(name: "a", limit: .below(-20))]
          }
        })
      for _ in 0..<300 {
        time.advance(.milliseconds(.random(in: 0...9_000, using: &random)))
        for source in sources {
          source.isSlow = Bool.random(using: &random)
          if Bool.random(using: &random) { source.finish() }
          source.set(.random(in: -30...30, using: &random))
          if Int.random(in: 0...4, using: &random) == 0 { source.fail("seed \(seed)") }
        }
        if Int.random(in: 0...9, using: &random) == 0 { provider.deviceAppeared(at: time.now) }
        provider.handleDeadline(at: time.now)
        if let deadline = provider.deadline {
          XCTAssertGreaterThan(deadline, time.now, "seed \(seed)")
        }
      }
      XCTAssertEqual(
        events.events.map { $0.body["seq"] },
        (1...Int64(events.events.count)).map { .integer($0) }, "seed \(seed)")
      XCTAssertEqual(Set(events.events.map { $0.resource }).count, 3, "seed \(seed)")
    }
  }
}
