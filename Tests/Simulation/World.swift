@testable import Transport

/// Everything that a seed decides, in one thread and in virtual time: hosts, their links, servers, faults.
final class World {
  private enum Event {
    /// A host whose power failed has it again.
    case powerReturns(host: Int)
    case begin(Scenario.Fault)
    /// A server in lame duck mode ends.
    case leave(Int)
    case end(Scenario.Fault)
    case command(host: Int)
    case hub(HubEvent)
  }

  let scenario: Scenario
  private let hub: Hub
  private var hosts: [SimulatedHost] = []
  /// By host, when it has something to do; far away when never.
  private var wakeups: [Int64] = []
  private var agenda = Agenda<Event>()
  private(set) var now = Scenario.start
  private(set) var stepCount = 0
  private var stepsAtInstant = 0
  private var random: RandomGenerator
  /// By host: faults under way that stall its link, take its way or refuse it.
  private var stalls: [Int]
  private var blackouts: [Int]
  private var refusals: [Int]
  private var outages: [Int]
  /// All hosts have shown that their links work; no new load comes.
  private var isEbbing = false
  /// When the last fault is over.
  private var healed: Instant
  /// When everything is to be delivered.
  private var limit: Instant
  private var toldBy: Instant?
  private static let tellingTime = Duration.seconds(65)
  /// When the last host was drained.
  private(set) var ebbed: Instant?
  /// How long a machine is without power whose disk was the last that it heard of.
  private static let powerReturns = Duration.seconds(3)
  private let keepsTrace: Bool
  private var traceLines: [String] = []

  /// - Parameter lastWrite: the write of the first host's disk behind which its power is cut.
  init(
    _ scenario: Scenario, canary: Canary? = nil, lastWrite: Int? = nil, keepsTrace: Bool = false
  ) {
    let seed = scenario.seed
    self.scenario = scenario
    self.keepsTrace = keepsTrace
    hub = Hub(scenario)
    random = RandomGenerator(seed: seed &+ 77)
    let none = Array(repeating: 0, count: scenario.hostCount)
    (stalls, blackouts, refusals) = (none, none, none)
    outages = hub.servers.map { _ in 0 }
    healed = scenario.healed
    limit = scenario.healed + scenario.resumeTime + scenario.drainTime
    hub.schedule = { [unowned self] event, at in agenda.add(.hub(event), at: at) }
    if keepsTrace { hub.streams.trace = { [unowned self] in trace($0()) } }
    hub.answered = { [unowned self] subject, now in
      for host in hosts { host.urgentArrived(subject, at: now) }
    }
    for number in 0..<scenario.hostCount {
      let host = SimulatedHost(
        number, scenario: scenario, servers: hub.servers, canary: canary,
        lastWrite: number == 0 ? lastWrite : nil,
        executed: { [unowned self] in hub.executed($0, by: $1) })
      host.attempted = { [unowned self] in hub.attempted(at: $0) }
      host.emitted = { [unowned self] sequence, factClass, at in
        hub.streams.changeLedger(of: number) { $0.emitted(sequence, factClass, at: at) }
      }
      host.sent = { [unowned self] id, isLive in
        hub.streams.changeLedger(of: number) { $0.sent(id, isLive: isLive) }
      }
      host.parked = { [unowned self] kinds, sequence in
        hub.streams.changeLedger(of: number) { $0.parked(kinds, below: sequence) }
      }
      host.lostPower = { [unowned self] at, stoodStill in
        let interval = scenario.lossTime + stoodStill
        hub.streams.changeLedger(of: number) { $0.powerCut(losing: interval, at: at) }
      }
      host.failed = { [unowned self] at in
        let back = at + World.powerReturns
        agenda.add(.powerReturns(host: number), at: back)
        healed = max(healed, back)
        limit = max(limit, healed + scenario.resumeTime)
      }
      if keepsTrace { host.trace = { [unowned self] in trace($0()) } }
      hosts.append(host)
      agenda.add(.command(host: number), at: now + random.duration(through: scenario.commandEvery))
    }
    for host in hosts { host.failAtOnce() }
    wakeups = hosts.map { World.nanoseconds($0.wakeup) }
    for fault in scenario.faults {
      agenda.add(.begin(fault), at: fault.begin)
      agenda.add(.end(fault), at: fault.begin + fault.duration)
    }
  }

  var ledgers: [FactLedger] { hub.streams.ledgers }
  /// Bytes that the first host has sent in this life.
  var bytesSent: Int { hosts[0].endpoint.bytesSent }
  /// Writes to the first host's disk, and their bytes.
  var writes: (count: Int, bytes: Int) {
    (hosts[0].disk?.writeCount ?? 0, hosts[0].disk?.writtenBytes ?? 0)
  }

  /// The last happenings, when they are kept.
  var lastHappenings: [String] { traceLines.suffix(60) }

  private func trace(_ text: String) {
    traceLines.append("\((now - Scenario.start).milliseconds) ms: \(text)")
    if traceLines.count > 400 { traceLines.removeFirst(200) }
  }

  // MARK: time

  /// Lets all happen; what was broken, or nil.
  func run() -> Breach? {
    defer { for host in hosts { host.release() } }
    while true {
      if let breach = step() { return breach }
      if isEbbing, hosts.allSatisfy({ isDelivered($0) }), isTold { return checkEnd() }
      if now >= limit { return checkEnd() }
    }
  }

  private func step() -> Breach? {
    var next = limit.nanoseconds
    var chosen = -1
    for (index, wakeup) in wakeups.enumerated() where wakeup < next {
      next = wakeup
      chosen = index
    }
    var isServer = false
    for server in hub.servers {
      if let deadline = server.deadline, deadline.nanoseconds < next {
        next = deadline.nanoseconds
        isServer = true
      }
    }
    let isEvent = (agenda.first?.nanoseconds ?? .max) < next
    if isEvent, let first = agenda.first { next = first.nanoseconds }
    stepCount += 1
    stepsAtInstant = next <= now.nanoseconds ? stepsAtInstant + 1 : 0
    if stepsAtInstant > 2000 {
      return Breach(invariant: .progress, text: "2000 steps in one instant", at: now)
    }
    now = max(now, Instant(nanoseconds: next))
    if isEvent {
      if let event = agenda.removeFirst() { take(event) }
    } else if isServer {
      for server in hub.servers { server.handleDeadline(at: now) }
    } else if chosen >= 0 {
      hosts[chosen].run(at: now)
      refresh(chosen)
    }
    carry()
    if now >= healed, !isEbbing { ebb() }
    return breach(of: chosen)
  }

  private func refresh(_ host: Int) { wakeups[host] = World.nanoseconds(hosts[host].wakeup) }

  private static func nanoseconds(_ instant: Instant?) -> Int64 { instant?.nanoseconds ?? .max }

  /// What the servers have for hosts goes on its way.
  private func carry() {
    for server in hub.servers {
      for host in server.takeOwnersWithOutput() {
        hosts[host].endpoint.collectFromServer(at: now)
        refresh(host)
      }
    }
  }

  // MARK: events

  private func take(_ event: Event) {
    switch event {
    case .command(let host):
      if isEbbing { return }
      hub.command(host, at: now)
      let half = Duration(nanoseconds: scenario.commandEvery.nanoseconds / 2)
      agenda.add(
        .command(host: host), at: now + half + random.duration(through: scenario.commandEvery))
    case .hub(let event): hub.arrive(event, at: now)
    case .leave(let server): setDown(server, by: 1)
    case .powerReturns(let host):
      hosts[host].beginAgain(at: now)
      setWay(host)
    case .begin(let fault):
      if keepsTrace { trace("begins: \(fault.summary)") }
      begin(fault)
    case .end(let fault):
      if keepsTrace { trace("ends: \(fault.kind)") }
      end(fault)
    }
  }

  /// The hosts that a fault is about.
  private func hosts(of fault: Scenario.Fault) -> Range<Int> {
    switch fault.kind {
    case .restart, .lameDuck: hosts.indices
    case .uplinkDown, .uplinkDead, .uplinkStalled, .streamRestart: 0..<0
    default: fault.host.map { $0..<($0 + 1) } ?? hosts.indices
    }
  }

  private func begin(_ fault: Scenario.Fault) {
    if fault.kind == .restart { setDown(fault.server, by: 1) }
    hub.streams.change(fault, by: 1, at: now)
    if fault.kind == .lameDuck {
      hub.servers[fault.server].options.isLameDuck = true
      hub.servers[fault.server].announce()
      let stays = Duration(nanoseconds: fault.duration.nanoseconds / 4 * 3)
      agenda.add(.leave(fault.server), at: now + stays)
    }
    for index in hosts(of: fault) {
      let endpoint = hosts[index].endpoint
      hosts[index].beginDisturbance()
      switch fault.kind {
      case .stall: stalls[index] += 1
      case .lossBurst:
        endpoint.link.isLossyUntil = max(endpoint.link.isLossyUntil, now + fault.duration)
      case .forgotten: endpoint.lose()
      case .blackout:
        blackouts[index] += 1
        endpoint.lose()
      case .pathLost:
        blackouts[index] += 1
        endpoint.losePath(at: now)
      case .cut: endpoint.cut()
      case .refused:
        refusals[index] += 1
        endpoint.cut()
      case .clockJump:
        hosts[index].time.skew = fault.skew
        hosts[index].time.isSynchronised = !fault.isKnown
      case .suspended:
        hosts[index].suspend(until: now + fault.duration, at: now)
      case .killed: hosts[index].end(withMachine: false, at: now)
      case .powerCut: hosts[index].end(withMachine: true, at: now)
      case .powerCutAtWrite: hosts[index].cutPower(afterWrites: fault.writes)
      case .restart, .lameDuck, .uplinkDown, .uplinkDead, .uplinkStalled, .streamRestart: break
      }
      setWay(index)
    }
  }

  private func end(_ fault: Scenario.Fault) {
    // Once the link is there again, what happens is live.
    let live = now + scenario.reconnectTime
    for host in hosts.indices { hub.streams.changeLedger(of: host) { $0.measuredFrom = live } }
    if fault.kind == .restart || fault.kind == .lameDuck {
      if fault.kind == .lameDuck { hub.servers[fault.server].options.isLameDuck = false }
      setDown(fault.server, by: -1)
    }
    hub.streams.change(fault, by: -1, at: now)
    for index in hosts(of: fault) {
      switch fault.kind {
      case .stall: stalls[index] -= 1
      case .blackout, .pathLost: blackouts[index] -= 1
      case .refused: refusals[index] -= 1
      case .clockJump:
        hosts[index].time.skew = .zero
        hosts[index].time.isSynchronised = true
      case .killed, .powerCut: hosts[index].beginAgain(at: now)
      case .powerCutAtWrite: hosts[index].cutPower(afterWrites: nil)
      default: break
      }
      // What was lost is sent again after up to as long as it took.
      hosts[index].endDisturbance(at: now, effects: fault.duration + .seconds(2))
      setWay(index)
      if fault.kind == .pathLost, blackouts[index] == 0, hosts[index].suspendedUntil == nil {
        hosts[index].endpoint.returnPath(at: now)
        refresh(index)
      }
    }
  }

  private func setDown(_ server: Int, by change: Int) {
    outages[server] += change
    hub.isDown[server] = outages[server] > 0
    if change > 0 {
      for host in hosts { host.endpoint.cut(server: server) }
      for client in hub.servers[server].connected { hub.servers[server].disconnect(client) }
    }
    for index in hosts.indices { setWay(index) }
  }

  /// What the way of a host to each server is like, by the faults under way.
  private func setWay(_ index: Int) {
    let endpoint = hosts[index].endpoint
    endpoint.isStalled = stalls[index] > 0
    for server in hub.servers.indices {
      endpoint.reachability[server] =
        blackouts[index] > 0
        ? .vanishing : refusals[index] > 0 || outages[server] > 0 ? .refusing : .open
    }
    refresh(index)
  }

  // MARK: what must hold

  /// Once each host has shown that its link works again no new load comes, and what waits is to be
  /// delivered.
  private func ebb() {
    for host in hosts {
      if scenario.drainTime > .zero, host.process.journal.status.waiting > 2 { return }
      guard host.isConnected, let stored = hub.streams.ledgers[host.number].lastStored,
        stored > healed
      else { return }
    }
    isEbbing = true
    ebbed = now
    for index in hosts.indices {
      hosts[index].emits = false
      refresh(index)
    }
    let waiting = hub.streams.ledgers.reduce(0) { $0 + $1.waitingCount }
    let each = (scenario.link.latency + scenario.link.jitter) * 4 + scenario.transmission(of: 8192)
    limit = now + scenario.resumeTime + each * Int64(waiting)
  }

  /// What made room is told together, so up to a minute later.
  private var isTold: Bool {
    if hosts.allSatisfy({ $0.process.journal.status.droppedTotal == 0 }) { return true }
    if toldBy == nil { toldBy = now + World.tellingTime }
    limit = max(limit, now + World.tellingTime)
    return toldBy.isDue(at: now)
  }

  private func isDelivered(_ host: SimulatedHost) -> Bool {
    !host.isOff && host.process.journal.status.waiting == 0
  }

  private func breach(of host: Int) -> Breach? {
    if let breach = hub.breach ?? hub.streams.breach { return breach }
    if host >= 0, let breach = hosts[host].breach { return breach }
    if let violation = hub.violation {
      return Breach(invariant: .protocolRules, text: violation, at: now)
    }
    return nil
  }

  private func checkEnd() -> Breach? {
    for host in hosts {
      if let breach = host.breach { return breach }
      let ledger = hub.streams.ledgers[host.number]
      if !isEbbing {
        guard host.isConnected, let last = ledger.lastStored, last > healed
        else {
          return Breach(
            invariant: .recovery,
            text: "host \(host.number): \(scenario.resumeTime.milliseconds) ms after the last fault"
              + " \(host.isConnected ? "no fact has come" : "there is no connection")", at: now)
        }
      } else if !isDelivered(host) {
        return Breach(
          invariant: .factLost,
          text:
            "host \(host.number): of \(ledger.facts.count) facts \(ledger.storedCount) are stored,"
            + " and \(host.isOff ? "it is off" : "\(host.process.journal.status.waiting) wait")",
          at: now)
      } else if let breach = ledger.verdict(at: now) {
        return breach
      }
    }
    return nil
  }
}

/// What is to happen, the earliest first; what is to happen at one instant, in the order it was added.
struct Agenda<Event> {
  private struct Entry {
    let at: Instant
    let order: Int
    let event: Event

    func isEarlier(than other: Entry) -> Bool {
      at == other.at ? order < other.order : at < other.at
    }
  }

  /// A binary heap.
  private var entries: [Entry] = []
  private var count = 0

  var first: Instant? { entries.first?.at }

  mutating func add(_ event: Event, at instant: Instant) {
    count += 1
    entries.append(Entry(at: instant, order: count, event: event))
    var child = entries.count - 1
    while child > 0, entries[child].isEarlier(than: entries[(child - 1) / 2]) {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() -> Event? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    if entries.isEmpty { return first.event }
    entries[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in (2 * parent + 1)...(2 * parent + 2)
      where child < entries.count && entries[child].isEarlier(than: entries[least]) {
        least = child
      }
      if least == parent { return first.event }
      entries.swapAt(parent, least)
      parent = least
    }
  }
}
