/// A NATS connection as a state machine without I/O: it takes events, bytes and the time, and gives
/// actions, bytes and its next deadline. It never gives up by itself. It outlives its links: usually
/// there is one; while a server shuts down there are two.
///
/// After every event or command the owner calls `nextAction` until nil, then `send`, then reads
/// `deadline` and calls `handleDeadline` when it has come. A frame's offsets hold until the next call
/// that reads into its buffer.
///
///     stopped -> waiting -> linked -> ... -> stopped
///                   ^_________|
///                lost or refused
public struct Connection: ~Copyable {
  enum State: Equatable {
    case stopped
    case waiting(until: Instant)
    /// There is a `current` link.
    case linked
  }

  let options: ConnectionOptions
  let limits: ConnectionLimits
  var state = State.stopped
  /// The link that messages go to.
  var current: Link?
  /// While moving to another server: the link that is to come, or the one that is to go.
  var other: Link?
  var move = Move.none
  var overlap = OverlapFilter()
  var servers: ServerPool
  /// A server wanted TLS when it had been greeted without: the next is not greeted before its INFO.
  var awaitsInfo = false
  var herd: Herd
  var gate: OutputGate
  private var nextLink: UInt32 = 1

  var outbox: Outbox
  var subscriptions: SubscriptionTable
  var requests: RequestTable
  var pending: [ConnectionAction] = []
  var counts = ConnectionStatistics()
  /// `_INBOX.<random>.`: replies to requests come to this prefix and a token.
  let inboxPrefix: [UInt8]
  let inboxSID: UInt32

  public init(options: ConnectionOptions, limits: ConnectionLimits, seed: UInt64) {
    self.options = options
    self.limits = limits
    var random = RandomGenerator(seed: seed)
    outbox = Outbox(limits)
    requests = RequestTable(capacity: limits.requestsMax)
    servers = ServerPool(options.servers, limits: limits, seed: random.next())
    herd = Herd(hosts: limits.link.herd, seed: random.next())
    gate = OutputGate(
      limits.link,
      isTLS: options.tls != nil || options.servers.contains { $0.requiresTLS })
    var prefix: [UInt8] = []
    prefix.append(ascii: "_INBOX.")
    prefix += random.token(length: 12)
    prefix.append(0x2E)
    inboxPrefix = prefix
    // The inbox is one subscription more, made before any other, so that it always fits.
    var table = SubscriptionTable(
      capacity: limits.subscriptionsMax + 1, bytesMax: limits.subscriptionBytes + prefix.count + 1)
    let inbox = Subject(prefix + [0x2A], allowsWildcards: true)
    inboxSID = inbox.flatMap { table.add($0, queueGroup: []) } ?? 0
    subscriptions = table
  }

  // MARK: getters

  public var statistics: ConnectionStatistics { counts }

  public func linkStatus(at now: Instant) -> LinkStatus {
    var status = LinkStatus()
    status.connects = counts.connects
    status.bytesOut = counts.bytesOut
    status.bytesIn = counts.bytesIn
    status.queues = TrafficClass.allCases.map { outbox[$0].statistics }
    status.budget = gate.budget.map {
      LinkStatus.Budget(
        allowance: $0.allowance, bytesLeft: $0.bytesAvailable(at: now), waiting: $0.waiting(at: now)
      )
    }
    return status
  }

  /// What became of a class's messages, and what waits now.
  public func queueStatus(of trafficClass: TrafficClass) -> QueueStatus {
    let queue = outbox[trafficClass]
    return QueueStatus(
      statistics: queue.statistics, messages: queue.count, bytes: queue.byteCount,
      capacity: queue.capacity)
  }

  public var isConnected: Bool { current?.isEstablished ?? false }
  var isDraining: Bool { current?.isDraining ?? false }
  public var isStopped: Bool { state == .stopped && pending.isEmpty }

  /// What the present server says of itself, or the last one did.
  public internal(set) var serverInfo = ServerInfo()

  /// The queue of replies is half full: what is taken from the server now may find no room for its
  /// answer.
  public var isCrowded: Bool { isConnected && outbox[.replies].isHalfFull }

  /// When `handleDeadline` has something to do.
  public var deadline: Instant? {
    var earliest = Instant.earlier(requests.deadline, current?.deadline)
    earliest = Instant.earlier(earliest, Instant.earlier(other?.deadline, move.deadline))
    if case .waiting(let until) = state { earliest = Instant.earlier(earliest, until) }
    if isConnected { earliest = Instant.earlier(earliest, gate.release) }
    return earliest
  }

  func link(_ id: LinkID) -> Link? {
    if let current, current.id == id { return current }
    if let other, other.id == id { return other }
    return nil
  }

  // MARK: events

  /// Begins to connect; again after it was drained.
  public mutating func start(at now: Instant) {
    guard case .stopped = state else { return }
    gate.start(at: now)
    state = .waiting(until: herd.nextAttempt(from: now))
    handleDeadline(at: now)
  }

  public mutating func handle(_ event: ConnectionEvent, of id: LinkID, at now: Instant) {
    guard let link = link(id) else { return }
    switch event {
    case .opened:
      guard case .opening = link.state else { return }
      gate.handleOpened(at: now)
      handleOpened(link, at: now)
    case .secured:
      guard case .securing = link.state else { return }
      link.handleSecured(at: now)
      if link.isInformed || options.connectsEarly && !options.authentication.needsNonce {
        greet(link, at: now)
      }
    case .tlsFailed(let error):
      end(link, .tls(error), closesSocket: false, at: now)
    case .received(let bytes):
      counts.bytesIn += UInt64(clamping: bytes)
      gate.handleReceived(bytes, at: now)
      link.handleReceived(at: now)
    case .progressed(let bytes, let instant):
      link.handleProgressed(bytes, at: instant)
    case .pathLost(let loss):
      end(link, .pathLost(loss), closesSocket: true, at: now)
    case .closed(let error):
      end(link, Connection.reason(error, link, at: now), closesSocket: false, at: now)
    }
  }

  private static func reason(
    _ error: SystemError?, _ link: Link, at now: Instant
  ) -> DisconnectReason {
    if case .opening = link.state { return error.map { .openFailed($0) } ?? .closedByServer }
    if let refusal = link.refusal(at: now) { return refusal }
    return error.map { .failed($0) } ?? .closedByServer
  }

  /// Early or repeated calls have no effect.
  public mutating func handleDeadline(at now: Instant) {
    while let id = requests.endOne(dueAt: now) { pending.append(.requestFailed(id, .timedOut)) }
    if case .waiting(let until) = state, until <= now { connect(at: now) }
    for link in [current, other] {
      if let link, let reason = link.handleDeadline(at: now) {
        end(link, reason, closesSocket: true, at: now)
      }
    }
    advanceMove(at: now)
    gate.handleDeadline(at: now)
  }

  private mutating func connect(at now: Instant) {
    guard let choice = servers.choose(at: now) else {
      return state = .waiting(until: now + .seconds(3600))
    }
    if choice.notBefore > now {
      return state = .waiting(until: herd.nextAttempt(from: choice.notBefore))
    }
    state = .linked
    current = open(choice.url, at: now)
  }

  /// A new link to a server, which the owner is asked to open.
  mutating func open(_ url: ServerURL, at now: Instant) -> Link {
    servers.handleTried(url)
    let link = Link(LinkID(number: nextLink), to: url, limits: limits, at: now)
    nextLink = nextLink == .max ? 1 : nextLink + 1
    pending.append(.open(link))
    return link
  }

  /// A link is over. When it was the current one, so is the connection.
  mutating func end(
    _ link: Link, _ reason: DisconnectReason, closesSocket: Bool, at now: Instant
  ) {
    if closesSocket { pending.append(.close(link.id)) }
    if endsInMove(link, reason, at: now) { return }
    let pause = failed(link, reason, at: now)
    current = nil
    if let other { pending.append(.close(other.id)) }
    endMove()
    endRequests()
    if link.isDraining {
      // Whatever ends a connection that was to be closed: it stays closed.
      state = .stopped
      pending.append(.stopped)
    } else {
      let earliest = max(now + pause, servers.choose(at: now)?.notBefore ?? now)
      let attempt = herd.nextAttempt(from: earliest)
      state = .waiting(until: attempt)
      pending.append(.disconnected(link, reason, retryIn: attempt - now))
    }
  }

  /// Answers come over the link that a request went over, which is gone.
  mutating func endRequests() {
    while let id = requests.endOne(dueAt: nil) { pending.append(.requestFailed(id, .disconnected)) }
    outbox.handleDisconnected()
  }

  /// Counts against a server that its link ended; gives the least pause before the next is opened.
  mutating func failed(
    _ link: Link, _ reason: DisconnectReason, at now: Instant
  ) -> Duration {
    var wasUseful = false
    if case .established(let since) = link.state { wasUseful = now - since >= limits.usefulAfter }
    return servers.handleFailed(
      link.server, wasUseful: wasUseful, refusedCredentials: reason.concernsCredentials, at: now)
  }

  /// An address, a route or a carrier came back: an attempt that waits is made now, and one that is
  /// under way, whose packets went nowhere, is made anew.
  public mutating func handleNetworkReturned(at now: Instant) {
    switch state {
    case .waiting(let until):
      let earliest = servers.hasten(evenRefused: false, at: now)
      state = .waiting(until: min(until, herd.hasten(until, to: earliest)))
    case .linked:
      // A herd's attempts are counted: what is under way there is left to TCP.
      guard let current, other == nil, herd.window == .zero, case .opening = current.state else {
        return
      }
      pending.append(.close(current.id))
      self.current = nil
      state = .waiting(until: servers.hasten(evenRefused: false, at: now))
    case .stopped: return
    }
  }

  /// The time of day was set: certificates that a wrong clock has refused may be good, so an attempt that
  /// waits is made now.
  public mutating func handleClockSet(at now: Instant) {
    guard case .waiting(let until) = state else { return }
    let earliest = servers.hasten(evenRefused: true, at: now)
    state = .waiting(until: min(until, herd.hasten(until, to: earliest)))
  }

  /// Whether to ask how far the server has acknowledged, and to tell it by `.progressed`, before
  /// `handleDeadline`.
  public func needsProgress(of id: LinkID, at now: Instant) -> Bool {
    link(id)?.needsProgress(at: now) ?? false
  }

  /// What arrives now was taken by the server after this instant.
  public var takenAfter: Instant? {
    guard let current else { return nil }
    // While moving, either link may bring it.
    guard let other else { return current.fence.takenAfter }
    return min(current.fence.takenAfter, other.fence.takenAfter)
  }

  /// Asks for a sign of life, unless it is asked for already.
  public mutating func renewTakenAfter(at now: Instant) {
    for link in [current, other] {
      if let link, link.isEstablished, !link.liveness.isPingUnanswered { link.ping(at: now) }
    }
  }
}
