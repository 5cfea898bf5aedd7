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

/// A machine and what runs on it: a process, which may be killed or lose its power and begins anew.
final class SimulatedHost {
  let number: Int
  let time: SimulatedTime
  private(set) var process: HostProcess
  /// Processes that ended, as long as the kernel has something of theirs to send.
  private var ended: [HostProcess] = []
  private let servers: [ModelServer]
  private let executed: (Int64, SimulatedHost) -> Void
  private let scenario: Scenario
  private let canary: Canary?
  private var random: RandomGenerator
  private var boot: BootID
  /// Nil: facts are kept in memory only.
  let disk: HostDisk?
  let tail: HostDisk

  /// Faults under way without which the process would run.
  private var offs = 0
  var isOff: Bool { offs > 0 }
  /// The process does not run before this.
  private(set) var suspendedUntil: Instant?
  /// When the process last stood still.
  private var suspension: Range<Instant>?
  /// Faults that the host is under at present, and until when their effects last.
  private(set) var disturbances = 0
  private var disturbedUntil = Scenario.start

  // What it has done.
  private(set) var factCount = 0
  private var readingCount = 0
  private let readingText: String
  private let factText: String
  private(set) var breach: Breach?
  var emits = true
  private var nextFact: Instant
  private var nextReading: Instant
  private var nextRequest: Instant
  /// Urgent messages on their way: their subject, and when they are to be at the server.
  private var urgent: [(subject: [UInt8], queued: Instant, due: Instant)] = []

  /// Where happenings are told, for people.
  var trace: ((() -> String) -> Void)?
  /// Told of every fact, with its sequence number, before it is emitted.
  var emitted: (UInt64, FactClass, Instant) -> Void = { _, _, _ in }
  /// Told of every fact that is sent, by its id, and whether as a live one.
  var sent: (String, Bool) -> Void = { _, _ in }
  /// Told of kinds that are parked, and the number of the next fact.
  var parked: ([ParkedFacts.Kind], UInt64) -> Void = { _, _ in }
  /// Told when power is lost, and when that was because of its disk: it has to be begun again.
  /// When, and how long the process had just stood still, in which it could save nothing.
  var lostPower: (Instant, _ stoodStill: Duration) -> Void = { _, _ in }
  var failed: (Instant) -> Void = { _ in }
  /// Told of every attempt to connect.
  var attempted: (Instant) -> Void = { _ in }

  init(
    _ number: Int, scenario: Scenario, servers: [ModelServer], canary: Canary?,
    lastWrite: Int? = nil, executed: @escaping (Int64, SimulatedHost) -> Void
  ) {
    self.number = number
    self.scenario = scenario
    self.servers = servers
    self.canary = canary
    self.executed = executed
    readingText = String(
      decoding: [UInt8](repeating: 0x78, count: scenario.readingBytes), as: UTF8.self)
    factText = String(
      decoding: [UInt8](repeating: 0x79, count: scenario.factBytes), as: UTF8.self)
    var random = RandomGenerator(seed: scenario.seed &* 1_000_003 &+ UInt64(number))
    time = SimulatedTime(now: Scenario.start)
    time.skew = scenario.bootSkew
    time.isSynchronised = scenario.bootSkew == .zero
    nextFact = Scenario.start + random.duration(through: scenario.factEvery)
    nextReading = Scenario.start + random.duration(through: scenario.readingEvery)
    nextRequest = Scenario.start + random.duration(through: scenario.requestEvery)
    boot = BootID(seed: random.next())
    let latency = scenario.syncLatency
    disk =
      scenario.journal.size == 0
      ? nil
      : HostDisk(
        "disk", of: .disk, time: time, syncLatency: latency, canary: canary, seed: random.next())
    disk?.lastWrite = lastWrite
    tail = HostDisk(
      "tail", of: .memory, time: time, syncLatency: .zero, canary: canary, seed: 0)
    process = HostProcess(
      "h\(number)", number: number, scenario: scenario, servers: servers, time: time, boot: boot,
      disk: disk, tail: canary == .forgetsTail ? nil : tail, link: scenario.link, canary: canary,
      random: &random)
    self.random = random
    disk?.died = { [unowned self] in
      tail.die()
      endpoint.lose()
    }
    begin(process)
  }

  /// Begins a first time what its disk did not survive.
  func failAtOnce() { failWithDisk(at: time.now) }

  private func begin(_ process: HostProcess) {
    process.reported = { [unowned self] kind, text in
      trace? { "h\(self.number) \(kind): \(text.string)" }
    }
    process.pump.execute = { [unowned self] in executed($0, self) }
    process.bus.linkAction = { [unowned self] in take($0) }
    process.bus.queuedUrgent = { [unowned self] in queuedUrgent($0) }
    process.bus.sentFact = { [unowned self] in sent($0, $1) }
    process.bus.read = { [unowned self] in checkRead($0) }
    process.start(at: time.now)
  }

  var endpoint: Endpoint { process.endpoint }
  var isConnected: Bool { !isOff && process.bus.isConnected }

  // MARK: time

  var wakeup: Instant? {
    var kernel: Instant?
    for process in ended { kernel = Instant.earlier(kernel, process.endpoint.arrivalAtServer) }
    if isOff { return kernel }
    if let suspendedUntil {
      return Instant.earlier(
        kernel, Instant.earlier(suspendedUntil, endpoint.arrivalAtServer))
    }
    let earliest = Instant.earlier(kernel, process.deadline)
    return emits ? Instant.earlier(earliest, min(nextFact, nextReading, nextRequest)) : earliest
  }

  /// What is due is done.
  func run(at now: Instant) {
    for process in ended { process.endpoint.deliverToServer(at: now) }
    ended.removeAll { $0.endpoint.isGone }
    time.now = now
    if isOff { return }
    endpoint.deliverToServer(at: now)
    endpoint.collectFromServer(at: now)
    if let until = suspendedUntil {
      if until > now { return }
      suspendedUntil = nil
    }
    process.run(at: now)
    if emits { emit(at: now) }
    process.finishTurn(at: now)
    check(at: now)
    failWithDisk(at: now)
  }

  /// The run is over.
  func release() {
    for process in ended + [process] { process.release() }
    tail.close()
  }

  // MARK: lives

  /// The process does not run for a while.
  func suspend(until end: Instant, at now: Instant) {
    let until = max(suspendedUntil ?? end, end)
    suspension = (suspendedUntil == nil ? now : suspension?.lowerBound ?? now)..<until
    suspendedUntil = until
  }

  /// How long it stood still, if it was within the time that is lost with the power.
  private func stoodStill(before now: Instant) -> Duration {
    guard let suspension, now - suspension.upperBound <= scenario.lossTime else { return .zero }
    return min(now, suspension.upperBound) - suspension.lowerBound
  }

  /// The process ends without a word; or, with the machine, nobody closes its connections, and what was not
  /// synced is lost.
  func end(withMachine: Bool, at now: Instant) {
    offs += 1
    if withMachine {
      boot = BootID(seed: random.next())
      lostPower(now, stoodStill(before: now))
    }
    if offs == 1 {
      suspendedUntil = nil
      disturb()
      endpoint.exit(withMachine: withMachine, at: now)
      ended.append(process)
      trace? { "h\(self.number) \(withMachine ? "loses its power" : "is killed")" }
    }
    for storage in [disk, tail] { withMachine ? storage?.cutPower() : storage?.close() }
  }

  /// One of what keeps it from running is over.
  func beginAgain(at now: Instant) {
    offs -= 1
    if offs > 0 { return }
    time.now = now
    nextFact = max(nextFact, now)
    nextReading = max(nextReading, now)
    nextRequest = max(nextRequest, now)
    process = HostProcess(
      "h\(number)", number: number, scenario: scenario, servers: servers, time: time, boot: boot,
      disk: disk, tail: canary == .forgetsTail ? nil : tail, link: endpoint.link, canary: canary,
      random: &random)
    begin(process)
    trace? { "h\(self.number) begins" }
    failWithDisk(at: now)
  }

  /// Has the power fail behind this many further writes to the disk; nil: not at all.
  func cutPower(afterWrites count: Int?) {
    guard let disk else { return }
    disk.lastWrite = count.map { disk.writeCount + $0 }
  }

  /// What the process did after its disk died it has not done.
  private func failWithDisk(at now: Instant) {
    guard let disk, disk.isDead, offs == 0 else { return }
    disk.lastWrite = nil
    trace? { "h\(self.number): write \(disk.writeCount) was the last" }
    end(withMachine: true, at: now)
    failed(now)
  }

  private func emit(at now: Instant) {
    if nextFact <= now {
      nextFact = now + after(scenario.factEvery)
      factCount += 1
      let factClass: FactClass =
        factCount % 5 == 0 ? .alarm : factCount % 3 == 0 ? .reading : .event
      emitted(process.journal.nextSequence, factClass, now)
      emit("edge", .durable, factClass, factCount, text: factText)
    }
    if nextReading <= now {
      nextReading = now + after(scenario.readingEvery)
      readingCount += 1
      emit("reading", .latest, .reading, readingCount, text: readingText)
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
    _ kind: String, _ delivery: CapabilityEvent.Delivery, _ factClass: FactClass, _ count: Int,
    text: String
  ) {
    var body = Record()
    body.append("n", .integer(Int64(count)))
    if !text.isEmpty { body.append("text", .string(text)) }
    let resource = process.pump.resources[count % process.pump.resources.count].name
    process.lattice.emit(
      CapabilityEvent(
        capability: Pump.name, resource: resource, kind: kind, delivery: delivery,
        factClass: factClass, at: time.now, body: body))
  }

  private func request() {
    let subject = random.element(of: SimulatedHost.services)
    let timeout = Duration.milliseconds(Int64(500 + random.index(below: 8000)))
    try? process.bus.request(
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
      process.lattice.linkChanged(isConnected: true)
    case .disconnected:
      disturb()
      process.lattice.linkChanged(isConnected: false)
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
    let kinds = process.parkedKinds
    if !kinds.isEmpty { parked(kinds, process.journal.nextSequence) }
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
    if process.bus.waitingRequests > scenario.limits.requestsMax {
      fail(.bounds, "\(process.bus.waitingRequests) requests wait", at: now)
    }
    if let first = urgent.first, first.due < now { late(first.queued, first.due, at: now) }
  }
}
