@testable import Lattice
@testable import Transport

/// One life of a host's process, as it is on a board but for the hardware: a connection, the bus over it,
/// the journal, the services dialect and one provider, which emits facts and readings and executes commands.
final class HostProcess: Diagnostics {
  let endpoint: Endpoint
  let bus: HostBus
  let lattice: LatticeHost
  let pump = Pump()
  let journal: Journal
  private var dialect: ServicesDialect?
  private let disk: HostDisk?
  /// Told what it reports.
  var reported: (StaticString, Text) -> Void = { _, _ in }

  init(
    _ name: String, number: Int, scenario: Scenario, servers: [ModelServer], time: SimulatedTime,
    boot: BootID, disk: HostDisk?, tail: HostDisk?, link: LinkConditions, canary: Canary?,
    random: inout RandomGenerator
  ) {
    let known = scenario.discoversServers ? 1 : servers.count
    let options = ConnectionOptions(
      servers: (0..<known).map(HostProcess.url), name: name, version: "1.0")
    let limits = scenario.limits.broken(by: canary)
    endpoint = Endpoint(
      servers: servers, options: options, limits: limits, link: link, seed: random.next(),
      number: number)
    endpoint.closesSockets = canary != .keepsLinks
    bus = HostBus(over: endpoint, time: time, requestsMax: limits.requestsMax, canary: canary)
    let identity = HostIdentity(
      name: name, lattice: "sim", id: HostIdentity.makeID(seed: random.next()), version: "1.0",
      labels: [], started: time.now)
    lattice = LatticeHost(identity: identity, time: time, boot: boot)
    pump.resources = (0..<scenario.resourceCount).map {
      Resource(name: "r\($0)", operations: ["set"], properties: Record())
    }
    lattice.add(pump)
    self.disk = disk
    journal = Journal(
      scenario.journal, run: JournalRun(id: bytes(identity.id), boot: boot.bytes), disk: disk,
      tail: tail)
    let dialect = ServicesDialect(
      presenceInterval: scenario.limits.link.presence, requestTimeout: scenario.requestTimeout,
      journal: journal, diagnostics: self, seed: random.next())
    if canary == .tellsNoGap { journal.onGap = nil }
    journal.open(at: time.now)
    lattice.start([dialect], on: bus)
    self.dialect = dialect
  }

  /// Its parts refer to each other, as in a program that never ends; here thousands end.
  func release() {
    endpoint.observer = nil
    (journal.onDropped, journal.onProblem, journal.onGap) = (nil, nil, nil)
    bus.release()
    lattice.start([], on: bus)
    dialect = nil
    disk?.close()
  }

  func start(at now: Instant) {
    endpoint.connection.start(at: now)
    endpoint.flush(at: now)
  }

  /// Kinds of facts that nobody seems to keep.
  var parkedKinds: [ParkedFacts.Kind] { dialect?.facts?.parked.kinds ?? [] }

  /// When there is something to do.
  var deadline: Instant? {
    let deadline = Instant.earlier(endpoint.wakeup, lattice.deadline)
    return Instant.earlier(deadline, disk?.deadline)
  }

  func run(at now: Instant) {
    disk?.handleDeadline(at: now)
    endpoint.run(at: now)
    if lattice.deadline.isDue(at: now) { lattice.handleDeadline(at: now) }
  }

  func finishTurn(at now: Instant) {
    bus.replay()
    endpoint.flush(at: now)
  }

  func report(_ kind: StaticString, _ text: @autoclosure () -> Text) { reported(kind, text()) }

  /// The address of a server, whose port says which it is.
  private static func url(_ index: Int) -> ServerURL {
    guard let url = try? ServerURL(parsing: "model:\(Int(ServerURL.defaultPort) + index)") else {
      preconditionFailure("no URL")
    }
    return url
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
