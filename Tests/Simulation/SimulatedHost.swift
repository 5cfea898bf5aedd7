@testable import Lattice
@testable import Transport

/// The clocks of a host: the monotonic one, which never jumps, and the time of day, which may be off.
final class SimulatedTime: TimeSource {
  /// The right time of day at the instant zero: 2026-11-03T07:54:43Z.
  static let epoch: Int64 = 1_793_692_483_000_000_000

  var now: Instant
  /// By how much the time of day is off.
  var skew = Duration.zero
  var isSynchronised = true

  init(now: Instant) { self.now = now }

  var wallClock: Timestamp {
    Timestamp(nanoseconds: SimulatedTime.epoch + now.nanoseconds + skew.nanoseconds)
  }
}

/// A host as it is on a board, but for the hardware: a connection, the bus over it, the services dialect
/// and one provider, which emits facts and readings and executes commands.
final class SimulatedHost: Diagnostics {
  let number: Int
  let endpoint: Endpoint
  let time: SimulatedTime
  let bus: HostBus
  private let lattice: LatticeHost
  private let scenario: Scenario
  private let canary: Canary?
  private let pump = Pump()
  private var random: RandomGenerator

  /// The process does not run before this.
  var suspendedUntil: Instant?
  /// Faults that the host is under at present, and until when their effects last.
  private(set) var disturbances = 0
  private var disturbedUntil = Scenario.start

  // What it has done.
  private(set) var factCount = 0
  private(set) var droppedFacts = 0
  private var readingCount = 0
  private let readingText: String
  private(set) var breach: Breach?
  var emits = true
  private var nextFact: Instant
  private var nextReading: Instant
  private var nextRequest: Instant
  /// Urgent messages on their way: their subject, and when they are to be at the server.
  private var urgent: [(subject: [UInt8], queued: Instant, due: Instant)] = []

  /// Where happenings are told, for people.
  var trace: ((() -> String) -> Void)?
  /// Told of every attempt to connect.
  var attempted: (Instant) -> Void = { _ in }

  init(
    _ number: Int, scenario: Scenario, servers: [ModelServer], canary: Canary?,
    executed: @escaping (Int64, SimulatedHost) -> Void
  ) {
    self.number = number
    self.scenario = scenario
    self.canary = canary
    readingText = String(
      decoding: [UInt8](repeating: 0x78, count: scenario.readingBytes), as: UTF8.self)
    var random = RandomGenerator(seed: scenario.seed &* 1_000_003 &+ UInt64(number))
    time = SimulatedTime(now: Scenario.start)
    time.skew = scenario.bootSkew
    time.isSynchronised = scenario.bootSkew == .zero
    let known = scenario.discoversServers ? 1 : servers.count
    let options = ConnectionOptions(
      servers: (0..<known).map(SimulatedHost.url), name: "h\(number)", version: "1.0")
    let limits = scenario.limits.broken(by: canary)
    endpoint = Endpoint(
      servers: servers, options: options, limits: limits, link: scenario.link, seed: random.next(),
      number: number)
    endpoint.closesSockets = canary != .keepsLinks
    bus = HostBus(over: endpoint, time: time, requestsMax: limits.requestsMax, canary: canary)
    let identity = HostIdentity(
      name: "h\(number)", lattice: "sim", id: HostIdentity.makeID(seed: random.next()),
      version: "1.0", labels: [], started: time.wallClock)
    lattice = LatticeHost(identity: identity, time: time, boot: BootID(seed: random.next()))
    pump.resources = (0..<scenario.resourceCount).map {
      Resource(name: "r\($0)", operations: ["set"], properties: Record())
    }
    nextFact = Scenario.start + random.duration(through: scenario.factEvery)
    nextReading = Scenario.start + random.duration(through: scenario.readingEvery)
    nextRequest = Scenario.start + random.duration(through: scenario.requestEvery)
    self.random = random
    pump.execute = { [unowned self] in executed($0, self) }
    lattice.add(pump)
    let dialect = ServicesDialect(
      presenceInterval: scenario.limits.link.presence, requestTimeout: scenario.requestTimeout,
      factCapacity: scenario.factCapacity, diagnostics: self, seed: random.next())
    lattice.start([dialect], on: bus)
    bus.linkAction = { [unowned self] in take($0) }
    bus.queuedUrgent = { [unowned self] in queuedUrgent($0) }
    bus.read = { [unowned self] in checkRead($0) }
    endpoint.connection.start(at: time.now)
    endpoint.flush(at: time.now)
  }

  /// The address of a server, whose port says which it is.
  private static func url(_ index: Int) -> ServerURL {
    guard let url = try? ServerURL(parsing: "model:\(Int(ServerURL.defaultPort) + index)") else {
      preconditionFailure("no URL")
    }
    return url
  }

  // MARK: time

  var wakeup: Instant? {
    if let suspendedUntil { return Instant.earlier(suspendedUntil, endpoint.arrivalAtServer) }
    let earliest = Instant.earlier(endpoint.wakeup, lattice.deadline)
    return emits ? Instant.earlier(earliest, min(nextFact, nextReading, nextRequest)) : earliest
  }

  /// What is due is done.
  func run(at now: Instant) {
    endpoint.deliverToServer(at: now)
    endpoint.collectFromServer(at: now)
    if let until = suspendedUntil {
      if until > now { return }
      suspendedUntil = nil
    }
    time.now = now
    endpoint.run(at: now)
    if lattice.deadline.isDue(at: now) { lattice.handleDeadline(at: now) }
    if emits { emit(at: now) }
    bus.replay()
    endpoint.flush(at: now)
    check(at: now)
  }

  private func emit(at now: Instant) {
    if nextFact <= now {
      nextFact = now + after(scenario.factEvery)
      factCount += 1
      emit("edge", .durable, factCount, text: "")
    }
    if nextReading <= now {
      nextReading = now + after(scenario.readingEvery)
      readingCount += 1
      emit("reading", .latest, readingCount, text: readingText)
    }
    if nextRequest <= now {
      nextRequest = now + after(scenario.requestEvery)
      for _ in 0...random.index(below: random.oneIn(4) ? 12 : 2) { request() }
    }
  }

  /// A random time of about this length.
  private func after(_ mean: Duration) -> Duration {
    Duration(nanoseconds: mean.nanoseconds / 2) + random.duration(through: mean)
  }

  private func emit(
    _ kind: String, _ delivery: CapabilityEvent.Delivery, _ count: Int, text: String
  ) {
    var body = Record()
    body.append("n", .integer(Int64(count)))
    if !text.isEmpty { body.append("text", .string(text)) }
    let resource = pump.resources[count % pump.resources.count].name
    lattice.emit(
      CapabilityEvent(
        capability: Pump.name, resource: resource, kind: kind, delivery: delivery,
        at: time.now, body: body))
  }

  private func request() {
    let subject = random.element(of: SimulatedHost.services)
    let timeout = Duration.milliseconds(Int64(500 + random.index(below: 8000)))
    try? bus.request(
      subject: subject.span, headers: [UInt8]().span, payload: subject.span, as: .commands,
      timeout: timeout
    ) { _ in }
  }

  private static let services = [bytes("echo"), bytes("silent"), bytes("nobody")]

  // MARK: what happens to it

  private func take(_ action: ConnectionAction) {
    switch action {
    case .open:
      attempted(time.now)
    case .connected:
      disturb()
      lattice.linkChanged(isConnected: true)
    case .disconnected:
      disturb()
      lattice.linkChanged(isConnected: false)
    case .moved, .lameDuck:
      disturb()
    default: break
    }
    trace? { "h\(self.number) \(SimulatedHost.text(of: action))" }
  }

  /// An action, for people.
  private static func text(of action: ConnectionAction) -> String {
    switch action {
    case .open(let link): "opens link \(link.id.number) to \(link.server)"
    case .close(let id): "closes link \(id.number)"
    case .connected(let link): "is connected by link \(link.id.number)"
    case .moved(let link): "has moved to \(link.server)"
    case .disconnected(_, let reason, let retryIn):
      "is disconnected: \(reason.text.string); tries again in \(retryIn.milliseconds) ms"
    default: "\(action)"
    }
  }

  func report(_ kind: StaticString, _ text: @autoclosure () -> Text) {
    if ascii(kind).equals("facts dropped") {
      let digits = text().bytes.filter { $0 >= 0x30 && $0 <= 0x39 }
      droppedFacts = Int(digits.span.unsignedNumber ?? 0)
    }
    trace? { "h\(self.number) \(kind): \(text().string)" }
  }

  /// A fault begins.
  func beginDisturbance() {
    disturbances += 1
    disturb()
  }

  /// A fault ends, and its effects last some time longer.
  func endDisturbance(at now: Instant, effects: Duration) {
    disturbances -= 1
    disturbedUntil = max(disturbedUntil, now + effects)
    disturb()
  }

  private func disturb() { urgent.removeAll(keepingCapacity: true) }

  private func queuedUrgent(_ subject: [UInt8]) {
    let now = time.now
    if disturbances > 0 || disturbedUntil > now || !subject.span.starts(with: "_R.") { return }
    let queue = endpoint.connection.queueStatus(of: .replies)
    let due = now + scenario.urgentTime(queuedBefore: queue.bytes)
    urgent.append((subject, now, due))
  }

  /// An urgent message has come to a server.
  func urgentArrived(_ subject: String, at now: Instant) {
    guard let index = urgent.firstIndex(where: { $0.subject.elementsEqual(subject.utf8) }) else {
      return
    }
    let message = urgent.remove(at: index)
    if message.due < now { late(message.queued, message.due, at: now) }
  }

  // MARK: what must hold

  func fail(_ invariant: Invariant, _ text: String, at now: Instant) {
    if breach == nil {
      breach = Breach(invariant: invariant, text: "host \(number): \(text)", at: now)
    }
  }

  private func late(_ queued: Instant, _ due: Instant, at now: Instant) {
    let took = (now - queued).milliseconds
    fail(
      .urgency,
      "an answer took \(took) ms or more, where \((due - queued).milliseconds) ms are enough",
      at: now)
  }

  private func checkRead(_ count: Int) {
    let limit = scenario.limits.readBufferBytes
    if count > limit { fail(.bounds, "\(count) bytes read where \(limit) may be", at: time.now) }
  }

  private func check(at now: Instant) {
    for value in 0..<UInt8(5) {
      guard let trafficClass = TrafficClass(rawValue: value) else { continue }
      let status = endpoint.connection.queueStatus(of: trafficClass)
      let limits = scenario.limits[trafficClass]
      if status.bytes > limits.bytes || status.messages > limits.messagesMax {
        fail(
          .bounds, "\(status.bytes) bytes and \(status.messages) messages wait in \(trafficClass)",
          at: now)
      }
    }
    if endpoint.wires.count > 2 { fail(.bounds, "\(endpoint.wires.count) links", at: now) }
    if bus.waitingRequests > scenario.limits.requestsMax {
      fail(.bounds, "\(bus.waitingRequests) requests wait", at: now)
    }
    if let first = urgent.first, first.due < now { late(first.queued, first.due, at: now) }
  }
}

/// A provider whose one command is counted, and takes no time.
final class Pump: CapabilityProvider {
  static let name = "pump"

  let contract = Contract(
    id: "edge:pump", name: Pump.name,
    operations: [
      Operation(
        name: "set",
        parameters: [
          Parameter("n", .integer(0...Int64.max), isRequired: true), Parameter("text", .string),
        ], isCommand: true)
    ], events: [EventKind(name: "edge"), EventKind(name: "reading")])
  var resources: [Resource] = []
  var execute: (Int64) -> Void = { _ in }

  func bind(_ binding: Binding) throws(InvocationError) {}
  func unbind(actor: String) {}

  var resourceCount: Int { resources.count }
  func forEachResource(_ body: (Resource) -> Void) { resources.forEach(body) }
  var problemCount: Int { resources.filter { $0.properties["error"] != nil }.count }

  func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    execute(invocation.arguments["n"]?.integer ?? 0)
    reply(.success(Record()))
  }

  let deadline: Instant? = nil
  func handleDeadline(at now: Instant) {}
  func start(at now: Instant) {}
  func linkChanged(isConnected: Bool, at now: Instant) {}
  func stop(at now: Instant) {}
}

extension ConnectionLimits {
  /// What a broken host keeps to instead.
  func broken(by canary: Canary?) -> ConnectionLimits {
    var limits = self
    switch canary {
    case .queuesMore: limits.readings.bytes *= 4
    case .readsMore: limits.readBufferBytes *= 4
    case .requestsMore: limits.requestsMax *= 4
    case .waitsWithoutCap:
      limits.backoffFirst = .seconds(20)
      limits.link.backoffCap = .seconds(3600)
    case .noticesLate:
      limits.link.ping = .seconds(120)
      limits.link.detect = .seconds(360)
    case .triesAtOnce:
      limits.backoffFirst = .zero
      limits.link.backoffCap = .zero
      limits.link.herd = 0
    case .ignoresHerd: limits.link.herd = 0
    case .usesOneQueue: limits.bulk.whenFull = .dropOldest
    default: break
    }
    return limits
  }
}
