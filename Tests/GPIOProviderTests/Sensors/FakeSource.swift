import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// A source that answers what a test has given it, at once or when the test says so.
final class FakeSource: SensorSource {
  var outcome: Result<Measured, ReadingError> = .success(Measured(20))
  /// Whether measurements wait for `finish`.
  var isSlow = false
  private(set) var measurements = 0
  private var waiting: [(Result<Measured, ReadingError>) -> Void] = []

  var isMeasuring: Bool { !waiting.isEmpty }

  func set(_ value: Double) { outcome = .success(Measured(value)) }
  func fail(_ reason: String) { outcome = .failure(ReadingError("\(reason)")) }

  func measure(
    at now: Instant, completion: @escaping (Result<Measured, ReadingError>) -> Void
  ) {
    measurements += 1
    XCTAssertTrue(waiting.isEmpty, "measured twice at once")
    if isSlow { waiting.append(completion) } else { completion(outcome) }
  }

  func finish() {
    let completions = waiting
    waiting = []
    for completion in completions { completion(outcome) }
  }
}

/// A provider with sources that the test holds in its hand.
class SensorsTestCase: XCTestCase {
  let time = FakeTime()
  let events = EventRecorder()
  var sources: [FakeSource] = []
  /// What `onProblem` was told.
  var told: [String] = []

  var source: FakeSource { sources[0] }

  /// A kind that callers may have measured.
  func sensor(
    _ name: String = "cpu", every seconds: Int64 = 10,
    _ change: (inout SensorConfiguration) -> Void = { _ in }
  ) -> SensorConfiguration {
    var sensor = SensorConfiguration(
      name: name, kind: .thermal(zone: "z"), unit: "Cel", every: .seconds(seconds))
    change(&sensor)
    return sensor
  }

  func started(_ sensors: SensorConfiguration...) -> SensorsProvider { started(sensors) }

  func started(_ sensors: [SensorConfiguration]) -> SensorsProvider {
    sources = sensors.map { _ in FakeSource() }
    return started(sensors, sources)
  }

  func started(
    _ sensors: [SensorConfiguration], _ sources: [any SensorSource]
  ) -> SensorsProvider {
    let provider = SensorsProvider(
      zip(sensors, sources).map { ProvidedSensor($0, source: $1) }, time: time,
      isDriven: sensors.contains { $0.isSimulated })
    provider.eventSink = events
    provider.onProblem = { [unowned self] sensor, reason in
      told.append("\(sensor): \(reason ?? "good")")
    }
    provider.start(at: time.now)
    return provider
  }

  func advance(_ provider: SensorsProvider, _ seconds: Int64) {
    time.advance(.seconds(seconds))
    provider.handleDeadline(at: time.now)
  }

  /// Time passes, and each deadline is kept.
  func run(_ provider: SensorsProvider, for seconds: Int64) {
    let end = time.now + .seconds(seconds)
    while let deadline = provider.deadline, deadline <= end {
      time.advance(deadline - time.now)
      provider.handleDeadline(at: time.now)
    }
    time.advance(end - time.now)
  }

  /// The events of a kind so far, which are then forgotten.
  func take(_ kind: String = "reading") -> [Record] {
    defer { events.events = [] }
    return events.events.filter { $0.kind == kind }.map { $0.body }
  }
}

extension SensorsProvider {
  /// Calls without the host; the answer may come later.
  func ask(
    _ name: String, at now: Instant, deadline: Instant? = nil,
    _ reply: @escaping (InvocationResult) -> Void
  ) {
    invoke(
      Invocation(
        capability: "sensors", resource: name, operation: "get", arguments: Record(),
        deadline: deadline), at: now, reply: reply)
  }
}
