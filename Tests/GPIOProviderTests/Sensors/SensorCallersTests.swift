import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// What `get` and `drive` answer.
final class SensorCallersTests: SensorsTestCase {
  private var answers: [InvocationResult] = []

  private func ask(
    _ provider: SensorsProvider, _ name: String = "cpu", within seconds: Int64? = nil
  ) {
    provider.ask(
      name, at: time.now, deadline: seconds.map { time.now + .seconds($0) }
    ) { self.answers.append($0) }
  }

  func testACheapSensorIsMeasuredAnewAtMostOnceASecond() {
    let provider = started(sensor(every: 60))
    source.set(40)
    provider.handleDeadline(at: time.now)
    source.set(41)
    time.advance(.milliseconds(999))
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["value"], .double(40))
    time.advance(.milliseconds(1))
    let fresh = provider.call("get", "cpu", at: time.now)
    XCTAssertEqual(fresh["value"], .double(41))
    XCTAssertEqual(fresh["time"], .string("2026-11-03T07:54:44.000000000Z"))
    XCTAssertEqual(fresh["seq"], .integer(1), "the last that was told")
    XCTAssertEqual(events.events.count, 1, "an answer is not an event")
    source.fail("gone")
    time.advance(.seconds(1))
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["quality"], .string("bad"))
  }

  func testASlowMeasurementAnswersAllWhoWait() {
    let provider = started(sensor(every: 60))
    provider.handleDeadline(at: time.now)
    source.isSlow = true
    source.set(33)
    time.advance(.seconds(2))
    for _ in 0..<3 { ask(provider) }
    XCTAssertEqual(answers.count, 0)
    XCTAssertEqual(source.measurements, 2, "one for all of them")
    time.advance(.milliseconds(750))
    source.finish()
    XCTAssertEqual(answers.map { $0["value"] }, Array(repeating: .double(33), count: 3))
  }

  func testAMeasurementThatDoesNotEndAnswersWithTheLatest() {
    let provider = started(sensor(every: 60))
    provider.handleDeadline(at: time.now)
    source.isSlow = true
    time.advance(.seconds(2))
    ask(provider)
    ask(provider, within: 1)
    XCTAssertEqual(provider.deadline, time.now + .seconds(1))
    advance(provider, 1)
    XCTAssertEqual(answers.count, 1, "whose deadline has come")
    advance(provider, 4)
    XCTAssertEqual(answers.map { $0["value"] }, [.double(20), .double(20)])
    source.finish()
    XCTAssertEqual(answers.count, 2)
  }

  func testCallersWhoAskAllTheTimeTakeNothingFromListeners() {
    let provider = started(
      sensor { $0.alarms = [AlarmConfiguration(name: "a", limit: .above(50))] })
    provider.handleDeadline(at: time.now)
    _ = take()
    source.isSlow = true
    source.set(99)
    for _ in 0..<200 {
      time.advance(.milliseconds(250))
      ask(provider)
      time.advance(.milliseconds(250))
      provider.handleDeadline(at: time.now)
      if Int(time.now.nanoseconds / 500_000_000) % 3 == 0 { source.finish() }
    }
    let readings = events.events.filter { $0.kind == "reading" }
    XCTAssertGreaterThanOrEqual(readings.count, 9, "one for each period but the last")
    XCTAssertEqual(take("alarm").map { $0["active"] }, [.bool(true)])
  }

  func testCallersThatWaitHaveABound() {
    let provider = started(sensor(every: 60))
    provider.handleDeadline(at: time.now)
    source.isSlow = true
    time.advance(.seconds(2))
    for _ in 0..<70 { ask(provider) }
    XCTAssertEqual(answers.count, 6, "the others have the latest reading")
    provider.stop(at: time.now)
    XCTAssertEqual(answers.count, 70)
  }

  func testBeforeTheFirstReadingACallerWaitsForIt() {
    let provider = started(sensor(every: 60))
    source.isSlow = true
    ask(provider)
    XCTAssertEqual(answers.count, 0)
    source.finish()
    XCTAssertEqual(answers.map { $0["value"] }, [.double(20)])
    XCTAssertEqual(answers.map { $0["seq"] }, [.integer(1)], "which everybody hears")
    XCTAssertEqual(take().count, 1)
  }

  func testWithoutAnyReadingThereIsNone() {
    let provider = started(sensor(every: 60))
    source.isSlow = true
    provider.handleDeadline(at: time.now)
    ask(provider)
    advance(provider, 5)
    XCTAssertEqual(
      answers.map { $0.error },
      [InvocationError(.unavailable, "sensor \"cpu\" has no reading yet")])
  }

  func testASensorWithAFilterAnswersWhatIsFiltered() {
    let provider = started(sensor { $0.filter = .median(3) })
    provider.handleDeadline(at: time.now)
    source.set(90)
    time.advance(.seconds(5))
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["value"], .double(20))
    XCTAssertEqual(source.measurements, 1)
  }

  func testACallerFindsARepairedSensorForAll() {
    let provider = started(sensor())
    source.fail("gone")
    run(provider, for: 200)
    _ = take()
    source.set(22)
    XCTAssertEqual(provider.call("get", "cpu", at: time.now)["value"], .double(22))
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(take().map { $0["value"] }, [.double(22)])
  }

  func testRefusals() {
    let provider = started(sensor())
    XCTAssertEqual(
      provider.call("get", "x", at: time.now).error,
      InvocationError(.notFound, "no sensor is named 'x'; there is: cpu"))
    XCTAssertEqual(
      provider.call("set", "cpu", at: time.now).error,
      InvocationError(.notFound, "sensors has no operation 'set'; there are: get"))
    XCTAssertEqual(
      provider.call("get", "cpu", deadline: time.now - .seconds(2), at: time.now).error,
      InvocationError(.late, "get of 'cpu' came 2000 ms too late"))
    XCTAssertThrowsError(try provider.bind(Binding(actor: "", name: "", values: [])))
    XCTAssertNoThrow(try provider.bind(Binding(actor: "MA", name: "", values: [])))
    provider.unbind(actor: "MA")
  }

  // MARK: Simulated sensors

  private func simulated(_ values: [Double]) -> SensorsProvider {
    started(
      [
        SensorConfiguration(
          name: "room", kind: .simulated(values: values), unit: "Cel", every: .seconds(10))
      ], [SimulatedSource(values)])
  }

  func testSimulatedValuesComeInTurnAndAskingTakesNoneAway() {
    let provider = simulated([40, .nan, 43])
    XCTAssertEqual(provider.call("get", "room", at: time.now)["value"], .double(40))
    for _ in 0..<4 {
      advance(provider, 10)
      time.advance(.seconds(5))
      _ = provider.call("get", "room", at: time.now)
      time.advance(.seconds(-5))
    }
    XCTAssertEqual(
      take().map { $0["value"] }, [.double(40), .null, .double(43), .double(40), .null])
    let answer = provider.call("get", "room", at: time.now)
    XCTAssertEqual(answer["reason"], .string("the simulated sensor is bad"))
  }

  func testASimulatedSensorIsDriven() {
    let provider = simulated([40])
    provider.handleDeadline(at: time.now)
    func drive(_ arguments: [(String, Value)]) -> Record? {
      events.events = []
      XCTAssertNil(provider.call("drive", "room", arguments, at: time.now).error)
      advance(provider, 10)
      return take().first
    }
    XCTAssertEqual(drive([("value", .double(99))])?["value"], .double(99))
    let uncertain = drive([("value", .double(98)), ("reason", .string("dusty"))])
    XCTAssertEqual(uncertain?["quality"], .string("uncertain"))
    XCTAssertEqual(uncertain?["reason"], .string("dusty"))
    let bad = drive([("reason", .string("unplugged"))])
    XCTAssertEqual(bad?["quality"], .string("bad"))
    XCTAssertEqual(bad?["value"], .null)
    XCTAssertEqual(drive([])?["value"], .double(40), "its own values go on")
    XCTAssertEqual(provider.resources.map { $0.operations }, [["get", "drive"]])
  }
}
