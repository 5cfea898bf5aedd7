import Transport

/// Whether facts wait for somebody who says that they are kept.
public enum FactGuarantee: Equatable, Sendable {
  case acknowledged
  /// They go once, to whoever listens: for lattices where nobody answers.
  case atMostOnce
}

/// Carries facts from the journal over the bus to whoever keeps them, in three lanes:
///
/// - **live**: what was recorded since the link is up. It goes first.
/// - **backlog**: what waited when the link came, and what waited behind a live fact that was not
///   acknowledged in time. It fills the rest of the link, and says how old it is.
/// - **parked**: the first of each kind that nobody keeps, tried again from time to time, so that it holds
///   up nothing else.
///
/// Each lane is strictly in order; readers put the lanes together by the number in the message id.
final class FactDelivery {
  enum Lane: Int, CaseIterable {
    case live, backlog, parked

    /// Only what is new may hold up other messages.
    var trafficClass: TrafficClass { self == .live ? .facts : .bulk }
  }

  /// Facts passed over in one turn because their kind is parked.
  private static let passedMax = 256
  /// Facts that go in one turn when nobody has to answer.
  private static let atOnceMax = 64

  let bus: any MessageBus
  let host: LatticeHost
  let journal: Journal
  let diagnostics: any Diagnostics
  /// What all of the host's subjects begin with.
  let subjectPrefix: [UInt8]
  let guarantee: FactGuarantee

  private(set) var lanes: [FactLane] = []
  private(set) var parked: ParkedFacts
  /// Whom facts were given to that no stream keeps, by kind.
  private var repliers: [(kind: [UInt8], keeper: FactAttempt.Keeper)] = []
  var positions = SubjectPositions()
  var batches = FactBatches()
  /// Numbers from here on are live.
  private var liveStart: UInt64
  /// The live head was not acknowledged in time: what is recorded meanwhile is backlog.
  private var isLiveStalled = false
  /// All that waits in front of these is parked, or in a lane.
  private var liveNext: UInt64
  private var backlogNext: UInt64 = 0
  /// What waits below was recorded by earlier runs.
  private let recoveredEnd: UInt64
  /// Where a copy of what earlier runs have left can be.
  private(set) var hasRecovered: Bool
  private var isConnected = false
  private var isAdvancing = false
  /// Goes up with the links: an answer of an earlier one is none.
  var connection: UInt32 = 0
  /// Whether the last question to a JetStream was refused by the server.
  private(set) var isAskingDenied = false
  /// No JetStream has ever answered this run, however often it was asked: each question more would hold up
  /// facts for nothing. Should there be a stream after all, its first word says so.
  private var asksInVain = false
  /// Whether this run could look into the stream that keeps facts.
  private var hasLookedUp = false
  private(set) var keeper = FactKeeper.waiting
  /// Whether the stream that keeps facts cannot be asked, so that one that is in doubt may come twice.
  var isUnconditional = false
  /// Facts that no message can carry.
  private(set) var unsendableCount: UInt64 = 0
  private var retryAt: Instant?

  init(
    over bus: any MessageBus, of host: LatticeHost, from journal: Journal,
    subjectPrefix: [UInt8], guarantee: FactGuarantee, diagnostics: any Diagnostics, seed: UInt64
  ) {
    self.bus = bus
    self.host = host
    self.journal = journal
    self.subjectPrefix = subjectPrefix
    self.guarantee = guarantee
    self.diagnostics = diagnostics
    var random = RandomGenerator(seed: seed)
    parked = ParkedFacts(seed: random.next())
    liveStart = journal.nextSequence
    liveNext = liveStart
    recoveredEnd = journal.nextSequence
    hasRecovered = journal.nextWaiting(from: 0) != nil
    for _ in Lane.allCases { lanes.append(FactLane(seed: random.next())) }
  }

  // MARK: inputs

  /// Keeps a fact until somebody else does.
  /// - Parameter subject: without the host's prefix.
  func append(
    _ factClass: FactClass, _ time: FactTime, subject: [UInt8], payload: [UInt8], at now: Instant
  ) {
    _ = journal.append(factClass, time, subject: subject.span, payload: payload.span, at: now)
    advance(at: now)
  }

  func linkChanged(isConnected: Bool, at now: Instant) {
    self.isConnected = isConnected
    connection &+= 1
    liveStart = journal.nextSequence
    liveNext = liveStart
    if isConnected {
      isAskingDenied = false
      repliers = []
      backlogNext = 0
      batches.handleConnected()
      parked.handleConnected(at: now)
      for index in lanes.indices { lanes[index].handleConnected() }
      // What was never sent is not in doubt, and is no news any more.
      if self[.live].isIdle, self[.live].attempt?.sendings == 0 {
        lanes[Lane.live.rawValue].clear()
        isLiveStalled = false
      }
      retryAt = nil
    }
    advance(at: now)
  }

  /// The server does not let us ask a JetStream.
  func handleAskingDenied() { isAskingDenied = true }

  var deadline: Instant? {
    var deadline = journal.deadline
    guard isConnected else { return deadline }
    for lane in Lane.allCases where !mustWait(lane) {
      deadline = Instant.earlier(deadline, self[lane].deadline)
    }
    if self[.parked].isEmpty { deadline = Instant.earlier(deadline, parked.deadline) }
    return Instant.earlier(deadline, retryAt)
  }

  func handleDeadline(at now: Instant) {
    if journal.deadline.isDue(at: now) { journal.handleDeadline(at: now) }
    advance(at: now)
  }

  // MARK: lanes

  subscript(lane: Lane) -> FactLane { lanes[lane.rawValue] }

  /// Does whatever can be done now.
  func advance(at now: Instant) {
    if !isConnected || isAdvancing { return }
    isAdvancing = true
    retryAt = nil
    defer { isAdvancing = false }
    if guarantee == .atMostOnce { return sendOnce(at: now) }
    var hasProgress = true
    while hasProgress {
      hasProgress = false
      fill(at: now)
      for lane in Lane.allCases {
        if mustWait(lane) { continue }
        guard let step = lanes[lane.rawValue].next(knowledge(lane), at: now),
          let attempt = self[lane].attempt
        else { continue }
        perform(step, attempt, in: lane, at: now)
        hasProgress = true
      }
    }
  }

  /// Of two facts of one subject that are under way the second is refused, so only what is live goes beside
  /// another. But it does not go beside a batch, all of which would be refused.
  private func mustWait(_ lane: Lane) -> Bool {
    guard let subject = self[lane].attempt?.fact.subject else { return false }
    for other in Lane.allCases where other != lane {
      if batches.contains(subject, in: other) { return true }
      let isAlone = batches.followers(in: other).isEmpty
      if lane == .live, isAlone { continue }
      if let sending = self[other].sending, sending.subject == subject { return true }
    }
    return false
  }

  func knowledge(_ lane: Lane) -> FactKnowledge {
    FactKnowledge(
      subject: self[lane].attempt.flatMap { positions[$0.fact.subject] },
      knowsStream: journal.streamPosition != nil,
      hasLookedUp: hasLookedUp || journal.streamPosition?.sequence ?? 0 > 0,
      mayAsk: !isAskingDenied && (!asksInVain || journal.streamPosition != nil))
  }

  // MARK: taking facts

  private func fill(at now: Instant) {
    batches.forgetDoubts(in: journal)
    if self[.live].isEmpty, let fact = nextFact(from: &liveNext, below: .max, at: now) {
      take(FactAttempt(fact, position: journal.streamPosition), in: .live)
    }
    if self[.backlog].isEmpty, let fact = nextFact(from: &backlogNext, below: backlogEnd, at: now) {
      // A disk may be read late.
      if fact.isRecovered { hasRecovered = true }
      take(FactAttempt(fact, position: journal.streamPosition), in: .backlog)
    }
    if self[.parked].isEmpty, let attempt = parked.next(at: now) { take(attempt, in: .parked) }
    if hasRecovered { lookForRecovered() }
  }

  /// What is live goes first, but what is in doubt there goes before all that is newer.
  var backlogEnd: UInt64 { min(self[.live].attempt?.fact.sequence ?? liveStart, liveStart) }

  private func take(_ attempt: FactAttempt, in lane: Lane) {
    var attempt = attempt
    if batches.isDoubted(attempt.fact.sequence) { attempt.isInDoubt = true }
    let kind = ParkedFacts.kind(of: attempt.fact.subject)
    if let known = repliers.first(where: { $0.kind == kind }), attempt.keeper == .unknown {
      attempt.keeper = known.keeper
    }
    lanes[lane.rawValue].take(attempt)
  }

  /// The next fact that waits, whose kind is not parked. Those that are passed over are not looked at again.
  private func nextFact(
    from sequence: inout UInt64, below end: UInt64, at now: Instant
  ) -> JournalRecord? {
    for _ in 0..<FactDelivery.passedMax {
      guard let fact = journal.nextWaiting(from: sequence), fact.sequence < end else { return nil }
      sequence = fact.sequence + 1
      if !parked.contains(fact.subject) { return fact }
    }
    retryAt = now
    return nil
  }

  /// Once all facts of earlier runs are kept, nothing of them can be found in a stream any more.
  private func lookForRecovered() {
    if backlogNext < recoveredEnd { return }
    for lane in lanes where lane.attempt?.fact.isRecovered ?? false { return }
    hasRecovered = parked.kinds.contains { $0.attempt.fact.isRecovered }
  }

  // MARK: outcomes

  func handle(_ outcome: FactOutcome, in lane: Lane, at now: Instant) {
    guard let attempt = self[lane].attempt else { return }
    if lane == .live, outcome.isSilence { isLiveStalled = true }
    note(outcome, of: attempt)
    let verdict = lanes[lane.rawValue].handle(outcome, knowledge(lane), at: now)
    if self[lane].attempt?.keeper == .denied { asksInVain = true }
    switch verdict {
    case .goesOn: if outcome.isSilence, self[lane].deadline != nil { keeper = .waiting }
    case .kept: settle(attempt, in: lane, at: now)
    case .unwanted(let attempt): park(attempt, in: lane, at: now)
    }
  }

  /// Remembers what an outcome says of the stream.
  private func note(_ outcome: FactOutcome, of attempt: FactAttempt) {
    switch outcome {
    case .stream(let name):
      // From now on it is waited for, also by later runs.
      if journal.streamPosition == nil {
        journal.streamPosition = StreamPosition(stream: name, domain: [], sequence: 0)
      }
    case .absent: hasLookedUp = true
    case .streamGone: positions.remove(attempt.fact.subject)
    case .outOfPlace:
      // Another fact of ours was first, whose position is known by now; or somebody else's.
      if attempt.isOnlyCopy, positions[attempt.fact.subject]?.last ?? 0 <= attempt.floor {
        positions.remove(attempt.fact.subject)
      }
    default: break
    }
  }

  /// Somebody keeps the fact, or nobody ever can.
  func settle(_ attempt: FactAttempt, in lane: Lane, at now: Instant) {
    journal.acknowledge(attempt.fact.sequence, at: now)
    if lane == .live { endStall() }
    batches.handleKept(in: lane, at: now)
    if parked.unpark(attempt.fact.subject) { returnToBacklog() }
  }

  private func park(_ attempt: FactAttempt, in lane: Lane, at now: Instant) {
    repliers.removeAll { $0.kind == ParkedFacts.kind(of: attempt.fact.subject) }
    if parked.isFull(for: attempt.fact.subject) {
      // Too many kinds that nobody keeps: this one holds up its lane.
      lanes[lane.rawValue].take(attempt)
      lanes[lane.rawValue].pause(at: now)
      return
    }
    parked.park(attempt, at: now)
    if lane == .live { endStall() }
  }

  /// What was recorded while the live head was not acknowledged is not news any more.
  private func endStall() {
    if !isLiveStalled { return }
    isLiveStalled = false
    returnToBacklog()
  }

  /// What waits is looked through again from the oldest.
  private func returnToBacklog() {
    liveStart = journal.nextSequence
    liveNext = liveStart
    backlogNext = 0
  }

  /// Remembers who keeps facts of this kind, so that no JetStream is asked for each.
  func remember(_ keeper: FactKeeper, of attempt: FactAttempt) {
    self.keeper = keeper
    let kind = ParkedFacts.kind(of: attempt.fact.subject)
    switch attempt.keeper {
    case .unknown, .stream: return
    case .noStream, .silent:
      // A stream that is there now can be asked.
      if case .stream = keeper { return repliers.removeAll { $0.kind == kind } }
    case .denied: break
    }
    if repliers.count == ParkedFacts.kindsMax || repliers.contains(where: { $0.kind == kind }) {
      return
    }
    repliers.append((kind, attempt.keeper))
  }

  /// A fact that waits was found in a stream.
  func found(_ sequence: UInt64, of run: Span<UInt8>, by lane: Lane, at now: Instant) {
    guard let fact = journal.nextWaiting(from: sequence), fact.sequence == sequence,
      fact.run.id.span.equals(run)
    else { return }
    for other in Lane.allCases where other != lane {
      guard let attempt = self[other].attempt, attempt.fact.sequence == sequence else { continue }
      // What is under way is refused, and then found by the lane itself.
      if !self[other].isIdle { return }
      lanes[other.rawValue].clear()
      return settle(attempt, in: other, at: now)
    }
    if parked.remove(sequence) { returnToBacklog() }
    journal.acknowledge(sequence, at: now)
  }

  // MARK: without an answer

  private func sendOnce(at now: Instant) {
    keeper = .atMostOnce
    for _ in 0..<FactDelivery.atOnceMax {
      guard let fact = journal.nextWaiting(from: backlogNext) else { return }
      let lane = fact.sequence < liveStart ? Lane.backlog : .live
      do throws(PublishError) {
        try publish(fact, in: lane, at: now)
      } catch {
        if !error.isFinal {
          retryAt = now + FactLane.pauseFirst
          return
        }
        reportUnsendable(fact, error)
      }
      backlogNext = fact.sequence + 1
      journal.acknowledge(fact.sequence, at: now)
    }
    retryAt = now
  }

  func reportUnsendable(_ fact: JournalRecord, _ error: PublishError) {
    unsendableCount += 1
    diagnostics.report(
      "fact dropped", "a fact of \(quoted: fact.subject) can never be sent: \(error)")
  }
}

extension FactOutcome {
  /// Whether nobody has answered.
  var isSilence: Bool {
    switch self {
    case .noResponders, .timedOut, .disconnected, .refused: true
    default: false
    }
  }
}

extension PublishError {
  /// Whether it will be the same whenever it is tried.
  var isFinal: Bool {
    switch self {
    case .tooLarge, .invalidSubject: true
    case .outboxFull, .notConnected, .tooManyRequests: false
    }
  }
}
