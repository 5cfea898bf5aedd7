import Transport

/// How many facts of the backlog go together, and which of them may have got there unsaid.
struct FactBatches {
  private enum Permission: Equatable {
    case unknown
    case asked
    case given(stream: [UInt8])
    case refused
  }

  /// Facts that have to wait before it is asked whether the stream takes batches.
  static let worthwhile: UInt64 = 8
  /// After so many that failed in a row there are none until the next connection.
  private static let failuresMax = 3

  private var permission = Permission.unknown
  /// Of the backlog. Doubles with each that is kept soon, and begins anew when one is not.
  private(set) var size = 1
  /// A live fact of a subject that is in a batch of the backlog waits for its end; so one that takes
  /// longer than this is followed by smaller ones.
  private static let durationMax = Duration.seconds(1)
  private var begun = Instant(nanoseconds: 0)
  private var failures = 0
  private var tries: UInt64 = 0
  /// By lane: those behind the lane's own fact in the batch that is under way.
  private var followers: [[JournalRecord]]
  /// By lane: batches whose outcome nobody has told.
  private var doubts: [Doubt?]

  /// Copies of the facts with these numbers can be in the stream behind `floor`.
  private struct Doubt {
    var sequences: ClosedRange<UInt64>
    var floor: UInt64
  }

  init() {
    followers = FactDelivery.Lane.allCases.map { _ in [] }
    doubts = FactDelivery.Lane.allCases.map { _ in nil }
  }

  mutating func handleConnected() {
    permission = .unknown
    failures = 0
    size = 1
  }

  var isWorthAsking: Bool { permission == .unknown }
  mutating func handleAsked() { permission = .asked }
  mutating func handleAnswer(_ allows: Bool, of stream: [UInt8]) {
    permission = allows ? .given(stream: stream) : .refused
  }

  func isAllowed(in stream: [UInt8]) -> Bool {
    failures < FactBatches.failuresMax && permission == .given(stream: stream)
  }

  /// Facts of a batch at most. Live ones go together as they are.
  func sizeMax(of lane: FactDelivery.Lane) -> Int {
    lane == .live ? MessageBatch.messagesMax : size
  }

  /// An id that no other batch of this run has.
  mutating func nextID(of run: JournalRun) -> String {
    tries += 1
    var id = run.id
    id.append(ascii: "-b")
    id.append(decimal: tries)
    return id.span.string
  }

  func isDoubted(_ sequence: UInt64) -> Bool {
    doubts.contains { $0?.sequences.contains(sequence) ?? false }
  }

  /// Behind this there may be copies of facts that are in doubt.
  var doubtFloor: UInt64? { doubts.lazy.compactMap { $0?.floor }.min() }

  func followers(in lane: FactDelivery.Lane) -> [JournalRecord] { followers[lane.rawValue] }

  /// Whether a fact of this subject follows in the batch of a lane.
  func contains(_ subject: [UInt8], in lane: FactDelivery.Lane) -> Bool {
    followers[lane.rawValue].contains { $0.subject == subject }
  }

  mutating func begin(_ followers: [JournalRecord], in lane: FactDelivery.Lane, at now: Instant) {
    self.followers[lane.rawValue] = followers
    if lane == .backlog { begun = now }
  }

  /// A lane's fact is kept, and all that went with it.
  mutating func handleKept(in lane: FactDelivery.Lane, at now: Instant) {
    let isBatch = !followers[lane.rawValue].isEmpty
    if isBatch { failures = 0 }
    followers[lane.rawValue] = []
    if lane != .backlog { return }
    if isBatch, now - begun > FactBatches.durationMax {
      size = max(size * 3 / 4, 2)
    } else if !isBatch || (now - begun) * 2 < FactBatches.durationMax {
      size = min(size * 2, MessageBatch.messagesMax)
    }
  }

  /// - Parameter floor: where copies may be, when nobody said what became of it.
  mutating func handleFailed(in lane: FactDelivery.Lane, copiesBehind floor: UInt64?) {
    let followers = followers[lane.rawValue]
    if let floor, let first = followers.first, let last = followers.last {
      // What was doubted before and still waits is doubted on.
      let before =
        doubts[lane.rawValue] ?? Doubt(sequences: first.sequence...last.sequence, floor: floor)
      let lower = min(before.sequences.lowerBound, first.sequence)
      doubts[lane.rawValue] = Doubt(
        sequences: lower...max(before.sequences.upperBound, last.sequence),
        floor: min(before.floor, floor))
    }
    self.followers[lane.rawValue] = []
    failures += 1
    if lane == .backlog { size = 1 }
  }

  mutating func refuse() { permission = .refused }

  /// Forgets doubts about facts none of which waits any more.
  mutating func forgetDoubts(in journal: Journal) {
    for index in doubts.indices {
      guard let sequences = doubts[index]?.sequences else { continue }
      let next = journal.nextWaiting(from: sequences.lowerBound)?.sequence ?? .max
      if next > sequences.upperBound { doubts[index] = nil }
    }
  }
}

// MARK: - Sending

extension FactDelivery {
  /// Sends a fact together with those that wait behind it in its lane; false when it has to go by itself.
  func sendBatch(
    _ attempt: FactAttempt, expecting last: UInt64, in lane: Lane, at now: Instant
  ) -> Bool {
    guard case .stream(let stream) = attempt.keeper, let jetStream else { return false }
    askForBatches(of: stream, jetStream)
    if !batches.isAllowed(in: stream) || batches.isDoubted(attempt.fact.sequence) { return false }
    if lane == .live, attempt.sendings > 1 { return false }
    var batch = MessageBatch(id: batches.nextID(of: journal.run))
    guard add(attempt.fact, expecting: last, in: lane, to: &batch, at: now) else { return false }
    let followers = addFollowers(of: attempt.fact, of: lane, in: stream, to: &batch, at: now)
    if followers.isEmpty { return false }
    batches.begin(followers, in: lane, at: now)
    let connection = connection
    jetStream.publish(batch, as: lane.trafficClass, timeout: attempt.timeout, at: now) {
      [self] result in
      // When the link went, so did what was known of it.
      let known = connection == self.connection ? result : .failure(.disconnected)
      batchEnded(known, attempt, expecting: last, in: lane, connection)
    }
    return true
  }

  private func askForBatches(of stream: [UInt8], _ jetStream: JetStream) {
    if !batches.isWorthAsking || journal.waitingCount < FactBatches.worthwhile { return }
    batches.handleAsked()
    let connection = connection
    jetStream.info(of: stream.span.string, timeout: FactLane.questionTimeout) { [self] result in
      if connection != self.connection { return }
      if case .success(let info) = result {
        batches.handleAnswer(info.allowsBatches, of: stream)
      }
    }
  }

  private func add(
    _ fact: JournalRecord, expecting last: UInt64?, in lane: Lane, to batch: inout MessageBatch,
    at now: Instant
  ) -> Bool {
    host.readClock()
    let age = lane == .live ? nil : fact.age(by: host, at: now)
    return batch.append(
      subject: subjectPrefix + fact.subject, headers: headers(of: fact, expecting: last),
      payload: fact.body(by: host, age: age))
  }

  /// Adds the facts behind, as far as it is known where in the stream their subjects are.
  private func addFollowers(
    of first: JournalRecord, of lane: Lane, in stream: [UInt8], to batch: inout MessageBatch,
    at now: Instant
  ) -> [JournalRecord] {
    var followers: [JournalRecord] = []
    var next = first.sequence + 1
    let end = lane == .live ? .max : backlogEnd
    while followers.count + 1 < batches.sizeMax(of: lane),
      let fact = journal.nextWaiting(from: next), fact.sequence < end,
      mayFollow(fact, of: lane, in: stream)
    {
      let isAgain =
        fact.subject == first.subject || followers.contains { $0.subject == fact.subject }
      let last = isAgain ? nil : positions[fact.subject]?.last
      if !add(fact, expecting: last, in: lane, to: &batch, at: now) { break }
      followers.append(fact)
      next = fact.sequence + 1
    }
    return followers
  }

  private func mayFollow(_ fact: JournalRecord, of lane: Lane, in stream: [UInt8]) -> Bool {
    guard let position = positions[fact.subject], position.stream == stream else { return false }
    if fact.isRecovered && !position.isSeen || batches.isDoubted(fact.sequence) { return false }
    if parked.contains(fact.subject) { return false }
    for other in Lane.allCases where other != lane {
      if batches.contains(fact.subject, in: other) { return false }
      // Of the backlog only what is under way is in the way of a live fact.
      let first = lane == .live ? self[other].sending : self[other].attempt?.fact
      if first?.subject == fact.subject { return false }
    }
    return true
  }

  // MARK: outcomes

  private func batchEnded(
    _ result: Result<PubAck, JetStreamFailure>, _ attempt: FactAttempt, expecting last: UInt64,
    in lane: Lane, _ connection: UInt32
  ) {
    switch result {
    case .success(let ack):
      batchKept(ack, attempt, expecting: last, in: lane)
      finish(.kept, in: lane, connection)
    case .failure(let failure):
      batches.handleFailed(in: lane, copiesBehind: failure.isSurelyNotDone ? nil : last)
      if case .notSent = failure {
        // The queue for what may wait is smaller than a batch.
        if lane == .backlog { batches.refuse() }
        return send(attempt, expecting: last, in: lane, at: host.time.now)
      }
      if let error = failure.refusal {
        diagnostics.report("batch refused", "facts go one by one: a batch was refused: \(error)")
        if error.isBatchDisabled { batches.refuse() }
      }
      finish(FactDelivery.outcome(ofBatch: failure), in: lane, connection)
    }
  }

  private func batchKept(
    _ ack: PubAck, _ attempt: FactAttempt, expecting last: UInt64, in lane: Lane
  ) {
    let followers = batches.followers(in: lane)
    let facts = [attempt.fact] + followers
    let stream = ack.stream.bytes
    let count = UInt64(facts.count)
    for (index, fact) in facts.enumerated() {
      if ack.sequence >= last + count, attempt.keeper == .stream(stream) {
        positions.advance(fact.subject, in: stream, to: ack.sequence - count + 1 + UInt64(index))
      } else {
        positions.remove(fact.subject)
      }
    }
    let now = host.time.now
    for fact in followers { journal.acknowledge(fact.sequence, at: now) }
    remember(.stream(stream), of: attempt)
    moveStreamPosition(to: ack, from: lane)
  }

  /// What it says of the first fact of the batch.
  private static func outcome(ofBatch failure: JetStreamFailure) -> FactOutcome {
    switch failure {
    case .noResponders: .noResponders
    case .disconnected: .disconnected
    // One of the subjects has had another message, or the batch had not what the server wants: the
    // look-up that follows tells.
    case .refused: .outOfPlace
    default: .timedOut
    }
  }
}
