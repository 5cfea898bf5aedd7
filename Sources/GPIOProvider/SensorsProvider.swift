import Lattice
import Transport

/// The board's sensors as a capability: reads each one every so often, tells the reading, and
/// answers for the latest one in between. See `Contract.sensors` for what goes in and out.
///
/// The sensors' readings are spread over the first period, or its first ten seconds, and keep
/// their distance: they neither come in bursts nor make anybody wait long after start. A sensor
/// that cannot be read tells readings without a value, and is read again in its next period.
///
/// `get` measures anew where that is cheap (a thermal zone), but answers with a reading younger
/// than a second as it is, so that callers do not decide how often the hardware is read. Such a
/// reading is not told to others, and the period does not move. A simulated sensor answers with
/// its latest reading, or before the first with the value that it begins with.
public final class SensorsProvider: CapabilityProvider {
  /// Over which readings are spread at most.
  static let spreadMax = Duration.seconds(10)
  /// Until then a reading is as good as a new one.
  static let freshFor = Duration.seconds(1)

  public let contract = Contract.sensors

  /// Who takes the events. Set before `start`.
  public var eventSink: (any EventSink)?
  /// Called when a sensor becomes bad, with the reason, and when it is good again, with nil.
  /// Repeated failures for the same reason are told once.
  public var onProblem: ((_ sensor: String, _ reason: String?) -> Void)?

  private let time: any TimeSource
  private var sensors: [ProvidedSensor]
  private var bindings = Bindings()
  /// The number of the last reading that was told.
  private var lastSequence: Int64 = 0

  /// - Parameters:
  ///   - sensors: in the manifest's order; their names differ.
  ///   - thermalRoot: the folder of the thermal zones.
  public init(
    sensors: [SensorConfiguration], time: any TimeSource,
    thermalRoot: String = "/sys/class/thermal"
  ) {
    self.time = time
    self.sensors = sensors.map { ProvidedSensor($0, thermalRoot: thermalRoot) }
  }

  public var resourceCount: Int { sensors.count }

  public func forEachResource(_ body: (Resource) -> Void) {
    for sensor in sensors { body(sensor.configuration.resource(problem: sensor.problem?.reason)) }
  }

  public var problemCount: Int {
    sensors.reduce(0) { $1.problem == nil ? $0 : $0 + 1 }
  }

  /// The sensors that could not be read when they were last tried, and why.
  public var problems: [(sensor: String, reason: String)] {
    var problems: [(sensor: String, reason: String)] = []
    for sensor in sensors {
      guard let problem = sensor.problem else { continue }
      problems.append((sensor.configuration.name, problem.reason))
    }
    return problems
  }

  public func bind(_ binding: Binding) throws(InvocationError) { try bindings.bind(binding) }
  public func unbind(actor: String) { bindings.unbind(actor: actor) }

  // MARK: Start, time, stop

  public func start(at now: Instant) {
    for index in sensors.indices {
      let spread = min(sensors[index].period, SensorsProvider.spreadMax)
      let part = spread.nanoseconds / Int64(sensors.count)
      sensors[index].due = now + Duration(nanoseconds: part) * Int64(index)
    }
  }

  public func stop(at now: Instant) {
    for index in sensors.indices { sensors[index].due = nil }
  }

  public func linkChanged(isConnected: Bool, at now: Instant) {}

  public var deadline: Instant? {
    var next: Instant?
    for sensor in sensors { next = Instant.earlier(next, sensor.due) }
    return next
  }

  public func handleDeadline(at now: Instant) {
    for index in sensors.indices where sensors[index].due.isDue(at: now) {
      sensors[index].advance(past: now)
      read(index, at: now, isPeriodic: true)
      tell(index, at: now)
    }
  }

  // MARK: Invocations

  public func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    reply(InvocationResult { () throws(InvocationError) in try answer(invocation, at: now) })
  }

  private func answer(_ invocation: Invocation, at now: Instant) throws(InvocationError) -> Record {
    let name = invocation.resource
    guard let index = sensors.firstIndex(where: { $0.configuration.name == name }) else {
      throw .unknown("sensor", name, known: sensors.map { $0.configuration.name })
    }
    if isMeasuredForCaller(index, at: now) { read(index, at: now, isPeriodic: false) }
    guard var body = sensors[index].body(at: now), let latest = sensors[index].latest else {
      throw InvocationError(.unavailable, "sensor \"\(name)\" has no reading yet")
    }
    body.append(timeOf: latest.instant, by: time)
    return body
  }

  private func isMeasuredForCaller(_ index: Int, at now: Instant) -> Bool {
    guard let latest = sensors[index].latest else { return true }
    return sensors[index].canBeReadAtAnyTime && now - latest.instant >= SensorsProvider.freshFor
  }

  // MARK: Readings

  private func read(_ index: Int, at now: Instant, isPeriodic: Bool) {
    let before = sensors[index].problem
    sensors[index].read(at: now, isPeriodic: isPeriodic)
    let problem = sensors[index].problem
    if problem != before { onProblem?(sensors[index].configuration.name, problem?.reason) }
  }

  private func tell(_ index: Int, at now: Instant) {
    lastSequence += 1
    sensors[index].lastSequence = lastSequence
    let configuration = sensors[index].configuration
    guard let body = sensors[index].body(at: now), let latest = sensors[index].latest else {
      return
    }
    eventSink?.emit(
      CapabilityEvent(
        capability: contract.name, resource: configuration.name, kind: "reading",
        delivery: configuration.report == .durable ? .durable : .latest, factClass: .reading,
        at: latest.instant, body: body))
  }
}
