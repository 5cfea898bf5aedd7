import Transport

// The steps of a lane, as messages.

extension FactDelivery {
  /// How far a stream's clock may be behind ours, when a message of its is taken to be older than a fact.
  private static let clockErrorMax = Duration.seconds(900)

  func perform(_ step: FactStep, _ attempt: FactAttempt, in lane: Lane, at now: Instant) {
    switch step {
    case .ask: ask(attempt, in: lane, at: now)
    case .lookUp(let floor): lookUp(attempt, behind: floor, in: lane)
    case .send(let expected):
      if lane != .parked, let expected,
        sendBatch(attempt, expecting: expected, in: lane, at: now)
      {
        return
      }
      send(attempt, expecting: expected, in: lane, at: now)
    }
  }

  // MARK: questions

  /// The JetStream that keeps facts: its domain is known from what it said last.
  var jetStream: JetStream? {
    let domain = journal.streamPosition?.domain ?? []
    return try? JetStream(over: bus, domain: domain.isEmpty ? nil : domain.span.string)
  }

  private func ask(_ attempt: FactAttempt, in lane: Lane, at now: Instant) {
    guard let jetStream else { return handle(.timedOut, in: lane, at: now) }
    let subject = subjectPrefix + attempt.fact.subject
    let connection = connection
    jetStream.streamName(keeping: subject.span, timeout: FactLane.questionTimeout) {
      [self] result in
      let outcome: FactOutcome =
        switch result {
        case .success(let name?): .stream(name.bytes)
        case .success(nil): .noStream
        case .failure(let failure): FactDelivery.outcome(ofQuestion: failure)
        }
      finish(outcome, in: lane, connection)
    }
  }

  private func lookUp(_ attempt: FactAttempt, behind floor: UInt64, in lane: Lane) {
    // The wall clock of a fact may be anything unless it was known to be right.
    let notBefore =
      attempt.fact.time.isSynchronised
      ? attempt.fact.time.wallClock + (.zero - FactDelivery.clockErrorMax) : nil
    let lookup = FactLookup(id: attempt.fact.messageID, floor: floor, notBefore: notBefore)
    lookOn(lookup, attempt, behind: floor, in: lane)
  }

  private func lookOn(
    _ lookup: FactLookup, _ attempt: FactAttempt, behind floor: UInt64, in lane: Lane
  ) {
    let connection = connection
    guard case .stream(let stream) = attempt.keeper, let jetStream else {
      return finish(.timedOut, in: lane, connection)
    }
    let subject = subjectPrefix + attempt.fact.subject
    jetStream.message(
      lookup.query, of: subject.span, in: stream.span.string, timeout: FactLane.questionTimeout
    ) { [self] answer in
      if connection != self.connection { return finish(.disconnected, in: lane, connection) }
      var lookup = lookup
      let result: FactLookup.Result?
      switch answer {
      case .success(let message): result = take(message, &lookup, in: lane)
      case .failure(let failure):
        guard failure.refusal?.isNoMessage ?? false else {
          return finish(FactDelivery.outcome(ofQuestion: failure), in: lane, connection)
        }
        result = lookup.handleNoMessage()
      }
      guard let result else { return lookOn(lookup, attempt, behind: floor, in: lane) }
      positions.set(
        SubjectPosition(
          subject: attempt.fact.subject, stream: stream, last: result.last,
          isSeen: isSeen(attempt, behind: floor)))
      if result.isThere { remember(.stream(stream), of: attempt) }
      finish(result.isThere ? .kept : .absent(last: result.last), in: lane, connection)
    }
  }

  /// Whether a look-up has passed everything of its subject that earlier runs can have sent.
  private func isSeen(_ attempt: FactAttempt, behind floor: UInt64) -> Bool {
    if !hasRecovered { return true }
    if floor == .max { return false }
    if let position = positions[attempt.fact.subject], position.isSeen { return true }
    return attempt.fact.isRecovered && attempt.sendings == 0
  }

  private func take(
    _ message: StoredMessage, _ lookup: inout FactLookup, in lane: Lane
  ) -> FactLookup.Result? {
    var id: [UInt8] = []
    if let headers = HeaderReader(message.headers.span),
      let value = headers.value(of: "Nats-Msg-Id")
    {
      id = message.headers.span.extracting(value).array
    }
    if let dash = id.lastIndex(of: UInt8(ascii: "-")),
      let sequence = id.span.extracting((dash + 1)..<id.count).unsignedNumber
    {
      found(sequence, of: id.span.extracting(0..<dash), by: lane, at: host.time.now)
    }
    return lookup.handle(
      FactLookup.Message(sequence: message.sequence, id: id, stored: message.stored))
  }

  private static func outcome(ofQuestion failure: JetStreamFailure) -> FactOutcome {
    switch failure {
    case .noResponders: .noResponders
    case .disconnected: .disconnected
    case .notSent: .notSent
    case .refused(let error): error.isStreamNotFound ? .streamGone : .timedOut
    default: .timedOut
    }
  }

  func finish(_ outcome: FactOutcome, in lane: Lane, _ connection: UInt32) {
    let now = host.time.now
    // A step that began while the link was going may be answered over the next one: what its lane knew is
    // of no use then, but the lane still waits for its end.
    handle(connection == self.connection ? outcome : .disconnected, in: lane, at: now)
    advance(at: now)
  }

  // MARK: facts

  func headers(of fact: JournalRecord, expecting last: UInt64?) -> HeaderWriter {
    var headers = HeaderWriter()
    let id = fact.messageID
    headers.append(messageID: id.span.string)
    if let last { headers.append(.lastSubjectSequence(last)) }
    return headers
  }

  /// Publishes a fact for whoever listens.
  func publish(_ fact: JournalRecord, in lane: Lane, at now: Instant) throws(PublishError) {
    let subject = subjectPrefix + fact.subject
    let headers = headers(of: fact, expecting: nil).finished()
    host.readClock()
    let body = fact.body(by: host, age: lane == .live ? nil : fact.age(by: host, at: now))
    let none: [UInt8] = []
    let message = OutgoingMessage(
      subject: subject.span, reply: none.span, headers: headers.span, payload: body.span)
    // Not sent late, but not lost by a short stall either.
    try bus.publish(message, as: .facts, expires: now + FactLane.timeoutCap)
  }

  func send(
    _ attempt: FactAttempt, expecting last: UInt64?, in lane: Lane, at now: Instant
  ) {
    let fact = attempt.fact
    let subject = subjectPrefix + fact.subject
    let headers = headers(of: fact, expecting: last).finished()
    host.readClock()
    let isLate = lane != .live || attempt.sendings > 1
    let body = fact.body(by: host, age: isLate ? fact.age(by: host, at: now) : nil)
    var trafficClass = lane.trafficClass
    while true {
      let connection = connection
      do throws(PublishError) {
        try bus.request(
          subject: subject.span, headers: headers.span, payload: body.span, as: trafficClass,
          timeout: attempt.timeout
        ) { [self] outcome in
          sent(FactAnswer(outcome), attempt, expecting: last, in: lane, connection)
        }
        return
      } catch {
        // The queue for what may wait can be smaller than a fact.
        if case .tooLarge = error, trafficClass == .bulk {
          trafficClass = .facts
          continue
        }
        return notSent(attempt, error, in: lane, at: now)
      }
    }
  }

  private func notSent(
    _ attempt: FactAttempt, _ error: PublishError, in lane: Lane, at now: Instant
  ) {
    if error.isFinal {
      reportUnsendable(attempt.fact, error)
      handle(.kept, in: lane, at: now)
    } else {
      diagnostics.report("fact not sent", "a fact could not be sent and waits: \(error)")
      handle(.notSent, in: lane, at: now)
    }
  }

  private func sent(
    _ answer: FactAnswer, _ attempt: FactAttempt, expecting last: UInt64?, in lane: Lane,
    _ connection: UInt32
  ) {
    let subject = attempt.fact.subject
    switch answer {
    case .stored(let ack):
      let stream = ack.stream.bytes
      if let last, attempt.keeper == .stream(stream), !ack.isDuplicate, ack.sequence > last {
        positions.advance(subject, in: stream, to: ack.sequence)
      } else {
        positions.remove(subject)
      }
      remember(.stream(stream), of: attempt)
      isUnconditional = attempt.keeper == .denied || isAskingDenied
      moveStreamPosition(to: ack, from: lane)
    case .kept: remember(.consumer, of: attempt)
    case .refused(let reason, let outcome):
      // Another was first, as happens.
      if outcome == .outOfPlace { break }
      diagnostics.report(
        "fact refused", "who should keep facts refuses one of \(quoted: subject): \(reason)")
    case .ended: break
    }
    finish(answer.outcome, in: lane, connection)
  }

  /// A later run looks for its facts behind the position. So it stays behind what is in doubt here.
  func moveStreamPosition(to ack: PubAck, from lane: Lane) {
    if !isPositionKnown(by: lane) { return }
    let stream = ack.stream.bytes
    var sequence = ack.sequence
    for other in Lane.allCases where other != lane {
      if let attempt = self[other].attempt { sequence = min(sequence, attempt.lowest(in: stream)) }
    }
    if let floor = batches.doubtFloor { sequence = min(sequence, floor) }
    for kind in parked.kinds { sequence = min(sequence, kind.attempt.lowest(in: stream)) }
    if let position = journal.streamPosition, position.stream == stream {
      if hasRecovered { return }
      sequence = max(sequence, position.sequence)
    } else if hasRecovered {
      sequence = 0
    }
    journal.streamPosition = StreamPosition(
      stream: stream, domain: Array((ack.domain ?? "").utf8), sequence: sequence)
  }

  /// Whether the stream can be asked, too: one that only takes facts is of no use to a later run.
  private func isPositionKnown(by lane: Lane) -> Bool {
    if case .stream = self[lane].attempt?.keeper { return true }
    return self[lane].attempt?.keeper == .noStream
  }
}
