import Lattice
import Transport
import XCTest

@testable import GPIOProvider

final class SensorsProviderTests: XCTestCase {
  private let time = FakeTime()
  private let events = EventRecorder()
  private var tree: ThermalTree!
  private var told: [String] = []

  override func setUpWithError() throws { tree = try ThermalTree() }
  override func tearDown() { tree.remove() }

  private func simulated(
    _ name: String, _ values: [Double], every: Transport.Duration = .seconds(10)
  ) -> SensorConfiguration {
    SensorConfiguration(name: name, kind: .simulated(values: values), unit: "%RH", every: every)
  }

  private func thermal(
    _ name: String, zone: String = "cpu-thermal", every: Transport.Duration = .seconds(10)
  ) -> SensorConfiguration {
    SensorConfiguration(name: name, kind: .thermal(zone: zone), unit: "Cel", every: every)
  }

  private func started(_ sensors: [SensorConfiguration]) -> SensorsProvider {
    let provider = SensorsProvider(sensors: sensors, time: time, thermalRoot: tree.root)
    provider.eventSink = events
    provider.onProblem = { [unowned self] sensor, reason in
      self.told.append("\(sensor): \(reason ?? "good")")
    }
    provider.start(at: time.now)
    return provider
  }

  private func advance(_ provider: SensorsProvider, _ duration: Transport.Duration) {
    time.advance(duration)
    provider.handleDeadline(at: time.now)
  }

  func testTheContract() {
    XCTAssertEqual(Contract.sensors.id, "edge:sensors")
    XCTAssertEqual(Contract.sensors.name, "sensors")
    XCTAssertEqual(Contract.sensors.operations.map { $0.name }, ["get"])
    XCTAssertEqual(Contract.sensors.operations.map { $0.isCommand }, [false])
    XCTAssertEqual(Contract.sensors.events.map { $0.name }, ["reading"])
  }

  func testResourcesSayWhatIsKnown() {
    let provider = started([thermal("cpu"), simulated("humidity", [40])])
    provider.handleDeadline(at: time.now)
    let resources = provider.resources
    XCTAssertEqual(resources.map { $0.name }, ["cpu", "humidity"])
    XCTAssertEqual(resources.map { $0.operations }, [["get"], ["get"]])
    XCTAssertEqual(
      resources[0].properties.names, ["kind", "zone", "unit", "every_ms", "report", "error"])
    XCTAssertEqual(resources[1].properties.names, ["kind", "unit", "every_ms", "report"])
    XCTAssertEqual(resources[1].properties["unit"], .string("%RH"))
    XCTAssertEqual(resources[1].properties["every_ms"], .integer(10_000))
  }

  func testAReadingTellsAllInThisOrder() throws {
    try tree.add(1, type: "cpu-thermal", temp: "48312\n")
    var configuration = thermal("cpu")
    configuration.report = .durable
    let provider = started([configuration])
    provider.handleDeadline(at: time.now)
    let event = try XCTUnwrap(events.events.first)
    XCTAssertEqual(event.capability, "sensors")
    XCTAssertEqual(event.resource, "cpu")
    XCTAssertEqual(event.kind, "reading")
    XCTAssertEqual(event.delivery, .durable)
    XCTAssertEqual(
      event.body.names, ["name", "kind", "value", "unit", "quality", "seq"])
    XCTAssertEqual(
      event.body.fields.map { $0.value },
      [
        .string("cpu"), .string("thermal"), .double(48.312), .string("Cel"),
        .string("good"), .integer(1),
      ])
    XCTAssertEqual(event.instant, time.now)
    XCTAssertEqual(event.factClass, .reading)
    var answer = event.body
    answer.append("time", .string("2026-11-03T07:54:43.000000000Z"))
    answer.append("time_quality", .string("synced"))
    XCTAssertEqual(try provider.call("get", "cpu", at: time.now).get(), answer)
  }

  func testABadSensorTellsWhyAndComesBack() throws {
    let provider = started([thermal("cpu")])
    provider.handleDeadline(at: time.now)
    let bad = try XCTUnwrap(events.events.last?.body)
    XCTAssertEqual(
      bad.names, ["name", "kind", "value", "unit", "quality", "seq", "reason"])
    XCTAssertEqual(bad["value"], .null)
    XCTAssertEqual(bad["quality"], .string("bad"))
    XCTAssertEqual(
      bad["reason"], .string("no thermal zone of type \"cpu-thermal\" in \(tree.root)"))
    XCTAssertEqual(provider.problems.map { $0.sensor }, ["cpu"])

    advance(provider, .seconds(10))
    try tree.add(0, type: "cpu-thermal", temp: "50000")
    advance(provider, .seconds(10))
    XCTAssertEqual(events.events.last?.body["value"], .double(50))
    XCTAssertEqual(events.events.last?.body["seq"], .integer(3))
    XCTAssertEqual(provider.problems.count, 0)

    try tree.set(0, temp: "garbage")
    advance(provider, .seconds(10))
    XCTAssertEqual(events.events.last?.body["quality"], .string("bad"))
    try tree.remove(0)
    advance(provider, .seconds(10))
    XCTAssertEqual(events.events.last?.body["quality"], .string("bad"))
    XCTAssertEqual(told.count, 4, "the same reason is told once: \(told)")
  }

  func testSimulatedValuesComeInTurn() {
    let provider = started([simulated("humidity", [40, 41.5, 43])])
    provider.handleDeadline(at: time.now)
    for _ in 0..<4 { advance(provider, .seconds(10)) }
    XCTAssertEqual(
      events.events.map { $0.body["value"] },
      [.double(40), .double(41.5), .double(43), .double(40), .double(41.5)])
    XCTAssertEqual(events.events.map { $0.body["kind"] }.first, .string("simulated"))
    XCTAssertEqual(events.events.map { $0.delivery }.first, .latest)
  }

  func testASimulatedSensorWithoutAValueIsBad() {
    let provider = started([simulated("none", []), simulated("nan", [.nan, .infinity, 1])])
    for _ in 0..<3 { advance(provider, .seconds(10)) }
    let none = events.events.filter { $0.resource == "none" }
    let nan = events.events.filter { $0.resource == "nan" }
    XCTAssertEqual(none.map { $0.body["quality"] }, Array(repeating: .string("bad"), count: 3))
    XCTAssertEqual(nan.map { $0.body["value"] }, [.null, .null, .double(1)])
    XCTAssertEqual(provider.call("get", "none", at: time.now)["quality"], .string("bad"))
  }

  // MARK: get

  func testGetMeasuresAThermalZoneAnewAtMostOnceASecond() throws {
    try tree.add(0, type: "cpu-thermal", temp: "40000")
    let provider = started([thermal("cpu", every: .seconds(60))])
    provider.handleDeadline(at: time.now)
    try tree.set(0, temp: "41000")
    time.advance(.milliseconds(999))
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["value"], .double(40))
    time.advance(.milliseconds(1))
    let fresh = provider.call("get", "cpu", at: time.now)
    XCTAssertEqual(fresh["value"], .double(41))
    XCTAssertEqual(fresh["time"], .string("2026-11-03T07:54:44.000000000Z"))
    XCTAssertEqual(fresh["seq"], .integer(1), "the last that was told")
    XCTAssertEqual(events.events.count, 1, "an answer is not an event")
    try tree.remove(0)
    time.advance(.seconds(1))
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["quality"], .string("bad"))
  }

  func testGetBeforeTheFirstReading() throws {
    try tree.add(0, type: "cpu-thermal", temp: "40000")
    let provider = started([simulated("humidity", [40, 41]), thermal("cpu")])
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["value"], .double(40))
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["seq"], .integer(0))
    XCTAssertEqual(provider.call("get", "humidity", at: time.now)["value"], .double(40))
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(events.events.first?.body["value"], .double(40), "asking takes no value away")
  }

  func testGetOfASimulatedSensorIsStaleAfterThreePeriods() {
    let provider = started([simulated("humidity", [40, 41])])
    provider.handleDeadline(at: time.now)
    time.advance(.seconds(30))
    XCTAssertEqual(provider.call("get", "humidity", at: time.now)["quality"], .string("good"))
    time.advance(.nanoseconds(1))
    let stale = provider.call("get", "humidity", at: time.now)
    XCTAssertEqual(stale["quality"], .string("stale"))
    XCTAssertEqual(stale["value"], .double(40))
    XCTAssertEqual(stale["time"], .string("2026-11-03T07:54:43.000000000Z"))
  }

  func testRefusals() {
    let provider = started([simulated("humidity", [40])])
    XCTAssertEqual(
      provider.call("get", "x", at: time.now).error,
      InvocationError(.notFound, "no sensor is named 'x'; there is: humidity"))
    XCTAssertEqual(
      provider.call("set", "humidity", at: time.now).error,
      InvocationError(.notFound, "sensors has no operation 'set'; there are: get"))
    XCTAssertEqual(
      provider.call("get", "humidity", deadline: time.now - .seconds(2), at: time.now).error,
      InvocationError(.late, "get of 'humidity' came 2000 ms too late"))
    XCTAssertThrowsError(try provider.bind(Binding(actor: "", name: "", values: [])))
    XCTAssertNoThrow(try provider.bind(Binding(actor: "MA", name: "", values: [])))
    provider.unbind(actor: "MA")
  }

  // MARK: Time

  func testReadingsAreSpreadAndKeepTheirDistance() {
    let provider = started((0..<4).map { simulated("s\($0)", [1], every: .seconds(8)) })
    let begin = time.now
    var told: [(String, Int64)] = []
    while let deadline = provider.deadline, deadline < begin + .seconds(16) {
      time.advance(deadline - time.now)
      let before = events.events.count
      provider.handleDeadline(at: time.now)
      XCTAssertEqual(events.events.count, before + 1, "one at a time")
      told.append((events.events.last!.resource, (time.now - begin).seconds))
    }
    XCTAssertEqual(told.map { $0.0 }, ["s0", "s1", "s2", "s3", "s0", "s1", "s2", "s3"])
    XCTAssertEqual(told.map { $0.1 }, [0, 2, 4, 6, 8, 10, 12, 14])
  }

  func testALongPeriodDoesNotMakeTheFirstReadingLate() {
    let provider = started((0..<2).map { simulated("s\($0)", [1], every: .seconds(3_600)) })
    provider.handleDeadline(at: time.now)
    advance(provider, .seconds(5))
    XCTAssertEqual(events.events.map { $0.resource }, ["s0", "s1"])
  }

  func testPeriodsThatWereSleptThroughAreLeftOut() {
    let provider = started([simulated("a", [1, 2, 3], every: .seconds(10))])
    provider.handleDeadline(at: time.now)
    let begin = time.now
    advance(provider, .seconds(47))
    XCTAssertEqual(events.events.count, 2)
    XCTAssertEqual(provider.deadline, begin + .seconds(50), "in its old place")
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(events.events.count, 2, "a repeated call")
  }

  func testAPeriodOfNothingDoesNotSpin() {
    for every in [Transport.Duration.zero, .seconds(-1), .nanoseconds(1), .nanoseconds(.min)] {
      let provider = started([simulated("a", [1], every: every)])
      provider.handleDeadline(at: time.now)
      XCTAssertEqual(provider.deadline, time.now + .milliseconds(10))
    }
    let provider = started([simulated("a", [1], every: .nanoseconds(.max))])
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(provider.deadline, Instant(nanoseconds: .max))
  }

  func testStopEndsIt() {
    let provider = started([simulated("a", [1])])
    provider.stop(at: time.now)
    XCTAssertNil(provider.deadline)
    advance(provider, .seconds(100))
    XCTAssertEqual(events.events.count, 0)
    XCTAssertNil(started([]).deadline)
  }

  /// However the deadlines are handled, late or early, each sensor is told at most once a period,
  /// the numbers have no gap, and no deadline is left in the past.
  func testReadingsAreRegularWhateverTheLoopDoes() {
    for seed in UInt64(1)...100 {
      var random = SeededGenerator(seed: seed)
      events.events = []
      let sensors = (0..<3).map {
        simulated("s\($0)", [1], every: .milliseconds(.random(in: 20...400, using: &random)))
      }
      let provider = started(sensors)
      var last: [String: Instant] = [:]
      for _ in 0..<200 {
        time.advance(.milliseconds(.random(in: 0...100, using: &random)))
        let before = events.events.count
        provider.handleDeadline(at: time.now)
        XCTAssertGreaterThan(provider.deadline!, time.now, "seed \(seed)")
        for event in events.events[before...] {
          let every = sensors.first { $0.name == event.resource }!.every
          if let last = last[event.resource] {
            // Late by up to 100 ms, the next one is on time.
            XCTAssertGreaterThanOrEqual(
              time.now - last + .milliseconds(100), every, "seed \(seed)")
          }
          last[event.resource] = time.now
        }
      }
      XCTAssertEqual(
        events.events.map { $0.body["seq"] },
        (1...Int64(events.events.count)).map { .integer($0) }, "seed \(seed)")
    }
  }
}
