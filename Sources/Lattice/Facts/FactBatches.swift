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
  /// Doubles with each that is kept, and begins anew when one is not: a link that is too slow for a large
  /// batch within the time that is waited gets smaller ones.
  private(set) var size = 1
  private var failures = 0
  private var tries: UInt64 = 0
  /// Those behind the lane's own fact in the batch that is under way.
  private(set) var followers: [JournalRecord] = []
  /// Of the last batch whose outcome nobody has told: copies of facts up to this number can be in the stream
  /// behind `doubtFloor`.
  private(set) var doubtEnd: UInt64 = 0
  private(set) var doubtFloor: UInt64 = 0

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
    size > 1 && failures < FactBatches.failuresMax && permission == .given(stream: stream)
  }

  /// An id that no other batch of this run has.
  mutating func nextID(of run: JournalRun) -> String {
    tries += 1
    var id = run.id
    id.append(ascii: "-b")
    id.append(decimal: tries)
    return id.span.string
  }

  func isDoubted(_ sequence: UInt64) -> Bool { sequence <= doubtEnd }

  /// Whether a fact of this subject is among those under way.
  func contains(_ subject: [UInt8]) -> Bool { followers.contains { $0.subject == subject } }

  mutating func begin(_ followers: [JournalRecord]) { self.followers = followers }

  /// A fact of the backlog is kept, and all that went with it.
  mutating func handleKept() {
    if !followers.isEmpty { failures = 0 }
    followers = []
    size = min(size * 2, MessageBatch.messagesMax)
  }

  /// - Parameter floor: where copies may be, when nobody said what became of it.
  mutating func handleFailed(copiesBehind floor: UInt64?) {
    if let floor, let last = followers.last {
      // What was doubted before is in front of this one, and its copies are not further behind.
      doubtFloor = doubtEnd >= followers[0].sequence ? min(doubtFloor, floor) : floor
      doubtEnd = max(doubtEnd, last.sequence)
    }
    followers = []
    failures += 1
    size = 1
  }

  mutating func refuse() { permission = .refused }

  /// Those below this number are kept, or parked.
  mutating func handlePassed(below sequence: UInt64) {
    if sequence > doubtEnd { doubtEnd = 0 }
  }
}

// MARK: - Sending

extension FactDelivery {
  /// Sends a fact of the backlog together with those behind it; false when it has to go by itself.
  func sendBatch(_ attempt: FactAttempt, expecting last: UInt64, at now: Instant) -> Bool {
    guard case .stream(let stream) = attempt.keeper, let jetStream else { return false }
    askForBatches(of: stream, jetStream)
    if !batches.isAllowed(in: stream) || batches.isDoubted(attempt.fact.sequence) { return false }
    var batch = MessageBatch(id: batches.nextID(of: journal.run))
    guard add(attempt.fact, expecting: last, to: &batch, at: now) else { return false }
    let followers = addFollowers(of: attempt.fact, in: stream, to: &batch, at: now)
    if followers.isEmpty { return false }
    batches.begin(followers)
    let connection = connection
    jetStream.publish(batch, timeout: attempt.timeout, at: now) { [self] result in
      if connection != self.connection {
        // The link went; so did what was known of it.
        batchEnded(.failure(.disconnected), attempt, expecting: last, connection)
      } else {
        batchEnded(result, attempt, expecting: last, connection)
      }
    }
    return true
  }

  private func askForBatches(of stream: [UInt8], _ jetStream: JetStream) {
    if !batches.isWorthAsking || journal.status.waiting < FactBatches.worthwhile { return }
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
    _ fact: JournalRecord, expecting last: UInt64?, to batch: inout MessageBatch, at now: Instant
  ) -> Bool {
    host.readClock()
    return batch.append(
      subject: subjectPrefix + fact.subject, headers: headers(of: fact, expecting: last),
      payload: fact.body(by: host, age: fact.age(by: host, at: now)))
  }

  /// Adds the facts behind, as far as it is known where in the stream their subjects are.
  private func addFollowers(
    of first: JournalRecord, in stream: [UInt8], to batch: inout MessageBatch, at now: Instant
  ) -> [JournalRecord] {
    var followers: [JournalRecord] = []
    var next = first.sequence + 1
    while followers.count + 1 < batches.size, let fact = journal.nextWaiting(from: next),
      fact.sequence < backlogEnd, mayFollow(fact, in: stream)
    {
      let isAgain =
        fact.subject == first.subject || followers.contains { $0.subject == fact.subject }
      let last = isAgain ? nil : positions[fact.subject]?.last
      if !add(fact, expecting: last, to: &batch, at: now) { break }
      followers.append(fact)
      next = fact.sequence + 1
    }
    return followers
  }

  private func mayFollow(_ fact: JournalRecord, in stream: [UInt8]) -> Bool {
    guard let position = positions[fact.subject], position.stream == stream else { return false }
    if fact.isRecovered && !position.isSeen || batches.isDoubted(fact.sequence) { return false }
    if parked.contains(fact.subject) { return false }
    for lane in [Lane.live, .parked] where self[lane].attempt?.fact.subject == fact.subject {
      return false
    }
    return true
  }

  // MARK: outcomes

  private func batchEnded(
    _ result: Result<PubAck, JetStreamFailure>, _ attempt: FactAttempt, expecting last: UInt64,
    _ connection: UInt32
  ) {
    switch result {
    case .success(let ack):
      batchKept(ack, attempt, expecting: last)
      finish(.kept, in: .backlog, connection)
    case .failure(let failure):
      batches.handleFailed(copiesBehind: failure.isSurelyNotDone ? nil : last)
      if case .notSent = failure {
        // The queue for what may wait is smaller than a batch.
        batches.refuse()
        return send(attempt, expecting: last, in: .backlog, at: host.time.now)
      }
      if let error = failure.refusal {
        diagnostics.report("batch refused", "facts go one by one: a batch was refused: \(error)")
        if error.isBatchDisabled { batches.refuse() }
      }
      finish(FactDelivery.outcome(ofBatch: failure), in: .backlog, connection)
    }
  }

  private func batchKept(_ ack: PubAck, _ attempt: FactAttempt, expecting last: UInt64) {
    let facts = [attempt.fact] + batches.followers
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
    for fact in batches.followers { journal.acknowledge(fact.sequence, at: now) }
    remember(.stream(stream), of: attempt)
    moveStreamPosition(to: ack, from: .backlog)
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
