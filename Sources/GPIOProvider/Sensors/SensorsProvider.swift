import Lattice
import Transport

/// The board's sensors as a capability: measures each one every so often, tells the readings that are
/// news and the alarms that change, and answers for the latest reading in between. See
/// `Contract.sensors` for what goes in and out.
///
/// The measurements are spread over the first period, or its first ten seconds, and keep their
/// distance: they neither come in bursts nor make anybody wait long after start. A sensor that cannot
/// be measured is tried less and less often, and at once when a device appears.
///
/// `get` has a sensor measured anew where that is cheap, but answers with a reading younger than a
/// second as it is, so that callers do not decide how often the hardware is read. Such a reading is not
/// told to others. Before the first reading a caller waits for it.
public final class SensorsProvider: CapabilityProvider {
  /// Over which measurements are spread at most.
  static let spreadMax = Duration.seconds(10)
  /// Until then a reading is as good as a new one.
  static let freshFor = Duration.seconds(1)
  /// How long a caller waits for a measurement.
  static let waitMax = Duration.seconds(5)
  /// Callers that wait at once, for all sensors. Others get the latest reading.
  static let waitingMax = 64

  public let contract: Contract

  /// Who takes the events. Set before `start`.
  public var eventSink: (any EventSink)?
  /// Called when a sensor becomes bad or stale, with the reason, and when it is good again, with nil.
  /// Repeated failures for the same reason are told once.
  public var onProblem: ((_ sensor: String, _ reason: String?) -> Void)?

  private struct Waiting {
    var sensor: ProvidedSensor
    var until: Instant
    var reply: (InvocationResult) -> Void
  }

  private let time: any TimeSource
  private let isDriven: Bool
  private let sensors: [ProvidedSensor]
  private var waiting: [Waiting] = []
  private var bindings = Bindings()
  /// The number of the last reading or alarm that was told.
  private var lastSequence: Int64 = 0
  /// Measurements that end after a stop are not listened to.
  private var isRunning = false
  private var watch: DeviceWatch?

  /// - Parameters:
  ///   - sensors: in the manifest's order; their names differ.
  ///   - isDriven: simulated sensors can be driven by whoever calls.
  public convenience init(
    sensors: [SensorConfiguration], environment: SensorEnvironment, isDriven: Bool = false
  ) {
    self.init(
      sensors.map { ProvidedSensor($0, source: environment.source(of: $0.kind)) },
      time: environment.time, isDriven: isDriven)
  }

  init(_ sensors: [ProvidedSensor], time: any TimeSource, isDriven: Bool) {
    self.time = time
    self.isDriven = isDriven
    self.sensors = sensors
    contract = .sensors(isDriven: isDriven)
  }

  /// Tries sensors that fail when the kernel says that a device has appeared.
  public func watchDevices(on loop: EventLoop) throws(SystemError) {
    if sensors.allSatisfy({ $0.configuration.isSimulated }) { return }
    watch = try DeviceWatch(on: loop, news: .arrivals) { [self] in
      deviceAppeared(at: time.now)
    }
  }

  public var resourceCount: Int { sensors.count }

  public func forEachResource(_ body: (Resource) -> Void) {
    let now = time.now
    for sensor in sensors {
      body(sensor.resource(at: now, isDriven: isDriven && sensor.configuration.isSimulated))
    }
  }

  public var problemCount: Int {
    let now = time.now
    return sensors.reduce(0) { $1.problem(at: now) == nil ? $0 : $0 + 1 }
  }

  public func bind(_ binding: Binding) throws(InvocationError) { try bindings.bind(binding) }
  public func unbind(actor: String) { bindings.unbind(actor: actor) }

  // MARK: Start, time, stop

  public func start(at now: Instant) {
    isRunning = true
    for (index, sensor) in sensors.enumerated() {
      let spread = min(sensor.schedule.period, SensorsProvider.spreadMax)
      let part = spread.nanoseconds / Int64(sensors.count)
      sensor.schedule.start(at: now + Duration(nanoseconds: part) * Int64(index))
    }
  }

  public func stop(at now: Instant) {
    isRunning = false
    for sensor in sensors { sensor.schedule.stop() }
    answerWaiting(at: now) { _ in true }
  }

  public func linkChanged(isConnected: Bool, at now: Instant) {
    if !isConnected { return }
    for sensor in sensors { sensor.tellNext() }
  }

  public var deadline: Instant? {
    if !isRunning { return nil }
    var next: Instant?
    for sensor in sensors {
      next = Instant.earlier(next, sensor.schedule.due)
      next = Instant.earlier(next, sensor.ageDeadline)
    }
    for caller in waiting { next = Instant.earlier(next, caller.until) }
    return next
  }

  public func handleDeadline(at now: Instant) {
    if !isRunning { return }
    for sensor in sensors {
      if sensor.schedule.begin(at: now) { measure(sensor, at: now) }
      // Behind the measurement, which may have made the reading young again.
      if sensor.isToldForItsAge(at: now) { tell(sensor, at: now) }
      tellProblem(sensor, at: now)
    }
    answerWaiting(at: now) { $0.until <= now }
  }

  /// A device has appeared: it may be what a failing sensor waits for.
  func deviceAppeared(at now: Instant) {
    for sensor in sensors { sensor.schedule.retry(at: now) }
  }
}

// MARK: - Measurements

extension SensorsProvider {
  private func measure(_ sensor: ProvidedSensor, at now: Instant) {
    sensor.source.measure(at: now) { [self] outcome in
      if isRunning { end(sensor, outcome) }
    }
  }

  private func end(_ sensor: ProvidedSensor, _ outcome: Result<Measured, ReadingError>) {
    let now = time.now
    let news = sensor.take(outcome, at: now)
    if news.isTold { tell(sensor, at: now) }
    for alarm in news.alarms { tell(sensor, alarm: alarm) }
    tellProblem(sensor, at: now)
    answerWaiting(at: now) { $0.sensor === sensor }
  }

  private func tell(_ sensor: ProvidedSensor, at now: Instant) {
    lastSequence += 1
    sensor.lastSequence = lastSequence
    guard let body = sensor.body(at: now) else { return }
    emit("reading", sensor, isFact: sensor.configuration.report == .durable, .reading, body)
  }

  private func tell(_ sensor: ProvidedSensor, alarm: Int) {
    lastSequence += 1
    let body = sensor.body(ofAlarm: alarm, sequence: lastSequence)
    emit("alarm", sensor, isFact: true, .alarm, body)
  }

  private func emit(
    _ kind: String, _ sensor: ProvidedSensor, isFact: Bool, _ factClass: FactClass, _ body: Record
  ) {
    guard let latest = sensor.latest else { return }
    eventSink?.emit(
      CapabilityEvent(
        capability: contract.name, resource: sensor.configuration.name, kind: kind,
        delivery: isFact ? .durable : .latest, factClass: factClass, at: latest.instant, body: body
      ))
  }

  private func tellProblem(_ sensor: ProvidedSensor, at now: Instant) {
    let problem = sensor.problem(at: now)
    switch (problem, sensor.toldProblem) {
    case (nil, nil): return
    // Not `==` of optionals, which would bring Unicode's tables.
    case (let new?, let old?) where new == old: return
    default:
      sensor.toldProblem = problem
      onProblem?(sensor.configuration.name, problem)
    }
  }
}

// MARK: - Invocations

extension SensorsProvider {
  public func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    let name = invocation.resource
    guard let sensor = sensors.first(where: { $0.configuration.name == name }) else {
      return reply(
        .failure(.unknown("sensor", name, known: sensors.map { $0.configuration.name })))
    }
    if invocation.operation == "drive" { return reply(drive(sensor, invocation.arguments)) }
    if waits(sensor, at: now) {
      let until = min(now + SensorsProvider.waitMax, invocation.deadline ?? now + .seconds(3_600))
      waiting.append(Waiting(sensor: sensor, until: until, reply: reply))
      measureForCaller(sensor, at: now)
    } else {
      reply(answer(sensor, at: now))
    }
  }

  /// Whether a caller waits for a measurement.
  private func waits(_ sensor: ProvidedSensor, at now: Instant) -> Bool {
    if !isRunning || waiting.count >= SensorsProvider.waitingMax { return false }
    guard let latest = sensor.latest else { return true }
    return sensor.isMeasuredForCallers && now - latest.instant >= SensorsProvider.freshFor
  }

  private func measureForCaller(_ sensor: ProvidedSensor, at now: Instant) {
    // The one that is under way will answer.
    if sensor.schedule.measuring != nil { return }
    let isFirst = sensor.latest == nil
    sensor.schedule.begin(for: isFirst ? .report(due: now) : .answer, at: now)
    measure(sensor, at: now)
  }

  private func answerWaiting(at now: Instant, _ isAnswered: (Waiting) -> Bool) {
    if waiting.isEmpty { return }
    let answered = waiting.filter(isAnswered)
    waiting.removeAll(where: isAnswered)
    for caller in answered { caller.reply(answer(caller.sensor, at: now)) }
  }

  private func answer(_ sensor: ProvidedSensor, at now: Instant) -> InvocationResult {
    guard var body = sensor.body(at: now), let latest = sensor.latest else {
      let name = sensor.configuration.name
      return .failure(InvocationError(.unavailable, "sensor \"\(name)\" has no reading yet"))
    }
    body.append(timeOf: latest.instant, by: time)
    return .success(body)
  }

  private func drive(_ sensor: ProvidedSensor, _ arguments: Record) -> InvocationResult {
    let name = sensor.configuration.name
    guard let source = sensor.source as? SimulatedSource else {
      return .failure(InvocationError(.conflict, "sensor \"\(name)\" is not simulated"))
    }
    let value = arguments["value"]?.double
    let reason = arguments["reason"]?.string
    source.drive(value, reason: reason)
    var body = Record()
    body.append("name", .string(name))
    body.append("value", value.map { .double($0) } ?? .null)
    if let reason { body.append("reason", .string(reason)) }
    return .success(body)
  }
}
