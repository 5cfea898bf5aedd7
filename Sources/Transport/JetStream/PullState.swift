/// Pulling from one consumer as a state machine without I/O: it takes events and the time, and gives
/// actions and its next deadline.
///
/// After every event the owner calls `nextAction` until nil and reads `deadline`. One request is under
/// way at a time; those of a connection die with it.
///
///     stopped -> offline -> opening -> pulling <-> resting
///                   ^_________|___________|___________|
///                    link lost       pausing, after a failure
struct PullState {
  enum Action: Equatable {
    /// Look the consumer up or make it, and call `handleOpened` with this number. An ordered one goes
    /// on behind the sequence.
    case open(number: UInt64, after: UInt64?)
    /// Ask for a batch, with this number in the reply subject.
    case pull(number: UInt64)
    /// The consumer of this opening is of no more use to anybody.
    case discard(number: UInt64)
    case report(Event)
  }

  enum Event: Equatable {
    /// All that was there has been delivered; what follows is new. Once per start.
    case current
    /// The stream is another than before: what came before is to be forgotten, all comes again.
    case restarted
    /// It is tried again after a pause.
    case problem(JetStreamFailure)
  }

  private enum State: Equatable {
    case stopped
    case offline
    case opening(number: UInt64)
    case pulling(Pull)
    /// Open, and told to pause.
    case resting
    case pausing(until: Instant, opensAgain: Bool)
  }

  private struct Pull: Equatable {
    let number: UInt64
    let issued: Instant
    var remaining: UInt32
    /// When a message or a heartbeat is overdue.
    var silentAt: Instant
  }

  /// A request that ended sooner than this, and brought nothing, is no reason for the next at once.
  private static let usefulAfter = Duration.seconds(1)

  private let limits: PullLimits
  private let isOrdered: Bool
  private var state = State.stopped
  private var backoff: Backoff
  private var actions: [Action] = []
  private var nextNumber: UInt64 = 1
  /// The opening whose consumer is used; for an ordered one it is part of its name.
  private(set) var consumerNumber: UInt64?
  private var isPaused = false
  private var isCurrent = false
  /// Of the last message of an ordered consumer: in its stream, and among the consumer's deliveries.
  private var streamSequence: UInt64?
  private var consumerSequence: UInt64 = 0

  init(isOrdered: Bool, limits: PullLimits, seed: UInt64) {
    self.isOrdered = isOrdered
    self.limits = limits
    backoff = Backoff(first: limits.backoffFirst, cap: limits.backoffCap, seed: seed)
  }

  /// When `handleDeadline` has something to do.
  var deadline: Instant? {
    switch state {
    case .stopped, .offline, .opening, .resting: nil
    case .pausing(let until, _): until
    case .pulling(let pull): min(pull.silentAt, overdue(pull))
    }
  }

  var isStopped: Bool { state == .stopped }

  private func overdue(_ pull: Pull) -> Instant { pull.issued + limits.expires + limits.grace }

  mutating func nextAction(at now: Instant) -> Action? {
    // Not at once with its last message: whoever took that may have called `pause`.
    if case .pulling(let pull) = state, pull.remaining == 0 { self.pull(at: now) }
    return actions.isEmpty ? nil : actions.removeFirst()
  }

  // MARK: commands

  mutating func start(isConnected: Bool, at now: Instant) {
    guard case .stopped = state else { return }
    isCurrent = false
    streamSequence = nil
    state = .offline
    handleLink(isConnected: isConnected, at: now)
  }

  /// Ends it; nothing more is reported.
  mutating func stop() {
    actions.removeAll()
    discardConsumer()
    consumerNumber = nil
    state = .stopped
  }

  /// After what is under way, no more is asked for until `resume`.
  mutating func pause() { isPaused = true }

  mutating func resume(at now: Instant) {
    isPaused = false
    if case .resting = state { pull(at: now) }
  }

  // MARK: events

  mutating func handleLink(isConnected: Bool, at now: Instant) {
    switch state {
    case .stopped: return
    case .offline:
      guard isConnected else { return }
      backoff.reset()
      // A durable consumer brings again what got lost. An ordered one has counted it as delivered.
      if consumerNumber != nil && !isOrdered { pull(at: now) } else { open() }
    case .opening, .pulling, .resting, .pausing:
      if !isConnected { state = .offline }
    }
  }

  /// The answer to the action `open` of this number.
  mutating func handleOpened(
    _ number: UInt64, _ result: Result<ConsumerInfo, JetStreamFailure>, at now: Instant
  ) {
    guard state == .opening(number: number) else { return }
    switch result {
    case .failure(.disconnected): state = .offline
    case .failure(let failure): fail(failure, opensAgain: true, at: now)
    case .success(let info):
      consumerNumber = number
      consumerSequence = 0
      if isOrdered, let streamSequence, info.streamSequence < streamSequence {
        // The server begins at the stream's end when that lies before where it was told to.
        restart()
        return
      }
      if info.pendingCount == 0 { becomeCurrent() }
      pull(at: now)
    }
  }

  /// A request could not be published.
  mutating func handleNotSent(_ number: UInt64, _ error: PublishError, at now: Instant) {
    guard case .pulling(let pull) = state, pull.number == number else { return }
    fail(.notSent(error), opensAgain: false, at: now)
  }

  /// Takes note of a message. False when it must not be used: of a consumer that was given up, or
  /// behind a gap that is fetched first.
  mutating func handleMessage(_ delivery: Delivery, isOfConsumer: Bool, at now: Instant) -> Bool {
    switch state {
    case .stopped: return false
    case .offline, .opening, .pausing, .resting:
      // Late, and none the worse for it, when the consumer waits for its acknowledgement.
      return !isOrdered
    case .pulling: break
    }
    if isOrdered {
      guard isOfConsumer else { return false }
      if delivery.consumerSequence != consumerSequence &+ 1 {
        open()
        return false
      }
      consumerSequence = delivery.consumerSequence
      streamSequence = delivery.streamSequence
    }
    backoff.reset()
    if delivery.pendingCount == 0 { becomeCurrent() }
    if case .pulling(var pull) = state {
      pull.remaining -= pull.remaining > 0 ? 1 : 0
      pull.silentAt = now + silence
      state = .pulling(pull)
    }
    return true
  }

  /// - Parameter number: of the request that the status is about; of one that is over it has no effect.
  mutating func handleStatus(_ status: PullStatus, of number: UInt64, at now: Instant) {
    guard case .pulling(var pull) = state, pull.number == number else { return }
    switch status {
    case .heartbeat(let sequence):
      if isOrdered, let sequence, sequence > consumerSequence { return open() }
      pull.silentAt = now + silence
      state = .pulling(pull)
    case .ended: end(pull, at: now)
    case .tooLarge:
      if pull.remaining < limits.batch { return end(pull, at: now) }
      fail(.messageTooLarge(limit: limits.batchBytes), opensAgain: false, at: now)
    case .interrupted: pause(opensAgain: false, at: now)
    case .gone: pause(opensAgain: true, at: now)
    case .refused(let error): fail(.refused(error), opensAgain: true, at: now)
    }
  }

  /// Early or repeated calls have no effect.
  mutating func handleDeadline(at now: Instant) {
    guard deadline.isDue(at: now) else { return }
    switch state {
    case .stopped, .offline, .opening, .resting: break
    case .pausing(_, let opensAgain): if opensAgain { open() } else { pull(at: now) }
    case .pulling(let pull):
      // Without its end, but with its heartbeats, only the word of the end is missing.
      if pull.silentAt > now { return self.pull(at: now) }
      fail(.timedOut, opensAgain: true, at: now)
    }
  }

  // MARK: steps

  private var silence: Duration { limits.heartbeat * 2 + limits.grace }

  private mutating func makeNumber() -> UInt64 {
    nextNumber += 1
    return nextNumber - 1
  }

  private mutating func open() {
    discardConsumer()
    let number = makeNumber()
    state = .opening(number: number)
    actions.append(.open(number: number, after: streamSequence))
  }

  private mutating func discardConsumer() {
    if isOrdered, let consumerNumber { actions.append(.discard(number: consumerNumber)) }
    consumerNumber = nil
  }

  private mutating func restart() {
    streamSequence = nil
    isCurrent = false
    actions.append(.report(.restarted))
    open()
  }

  private mutating func pull(at now: Instant) {
    if isPaused {
      state = .resting
      return
    }
    let number = makeNumber()
    state = .pulling(
      Pull(number: number, issued: now, remaining: limits.batch, silentAt: now + silence))
    actions.append(.pull(number: number))
  }

  private mutating func end(_ pull: Pull, at now: Instant) {
    let wasUseful =
      pull.remaining < limits.batch || now - pull.issued >= PullState.usefulAfter
    if !wasUseful { return pause(opensAgain: false, at: now) }
    backoff.reset()
    self.pull(at: now)
  }

  private mutating func becomeCurrent() {
    if isCurrent { return }
    isCurrent = true
    actions.append(.report(.current))
  }

  private mutating func fail(_ failure: JetStreamFailure, opensAgain: Bool, at now: Instant) {
    actions.append(.report(.problem(failure)))
    pause(opensAgain: opensAgain, at: now)
  }

  private mutating func pause(opensAgain: Bool, at now: Instant) {
    state = .pausing(until: now + backoff.next(), opensAgain: opensAgain)
  }
}
