// What the owner of a connection asks of it.
extension Connection {
  /// Adds a subscription, which is restored after every reconnect. Nil when
  /// `ConnectionLimits.subscriptionsMax` is reached, and for what no server takes: a queue group with
  /// blanks, or a line longer than the protocol or the control buffer allows.
  public mutating func subscribe(
    _ subject: Subject, queueGroup: [UInt8] = [], options: SubscriptionOptions = .init()
  ) -> UInt32? {
    let length = Encoder.subscribeLength(subject.bytes.span, queueGroup: queueGroup.span, sid: .max)
    if length > min(Encoder.controlLineBytesMax, limits.controlBytes) { return nil }
    if queueGroup.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return nil }
    return subscriptions.add(subject, queueGroup: queueGroup, options)
  }

  public mutating func unsubscribe(_ sid: UInt32) {
    if sid != inboxSID { subscriptions.remove(sid) }
  }

  /// Queues a message, with or without a connection; it is dropped unsent when `expires` comes first.
  /// Accepted does not mean delivered: only an answer does. While draining nothing is accepted.
  public mutating func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant,
    at now: Instant
  ) throws(PublishError) {
    try enqueue(message, as: trafficClass, expires: expires, isRequest: false, at: now)
  }

  private mutating func enqueue(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant,
    isRequest: Bool, at now: Instant
  ) throws(PublishError) {
    if isDraining { throw .notConnected }
    if !Subject.isValid(message.subject) { throw .invalidSubject }
    if !message.reply.isEmpty, !Subject.isValid(message.reply) { throw .invalidSubject }
    let size = message.headers.count + message.payload.count
    let controlLineLength = message.controlLineLength
    // A peer chooses the subject of our answers: one that is too long must not cost the connection.
    if controlLineLength > Encoder.controlLineBytesMax {
      throw .tooLarge(size: controlLineLength, limit: Encoder.controlLineBytesMax)
    }
    let length = controlLineLength + size + 2
    let queue = outbox[trafficClass]
    if length > queue.capacity { throw .tooLarge(size: length, limit: queue.capacity) }
    if Int64(size) > serverInfo.maxPayload {
      throw .tooLarge(size: size, limit: Int(clamping: serverInfo.maxPayload))
    }
    if !queue.append(message, length: length, expires: expires, isRequest: isRequest, at: now) {
      throw .outboxFull
    }
    counts.messagesOut += 1
  }

  /// Publishes with a reply subject of our inbox; its end comes as `.response` or `.requestFailed`.
  public mutating func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Duration, at now: Instant
  ) throws(PublishError) -> RequestID {
    guard isConnected else { throw .notConnected }
    guard let id = requests.begin(deadline: now + timeout) else { throw .tooManyRequests }
    let reply = ReplySubject(inboxPrefix: inboxPrefix.span, token: id.token)
    let message = OutgoingMessage(
      subject: subject, reply: reply.span, headers: headers, payload: payload)
    do {
      try enqueue(message, as: trafficClass, expires: now + timeout, isRequest: true, at: now)
    } catch {
      _ = requests.end(id)
      throw error
    }
    return id
  }

  /// Writes what is queued, waits for the server's PONG, and closes for good.
  public mutating func drain(at now: Instant) {
    switch state {
    case .stopped: return
    case .waiting:
      state = .stopped
      pending.append(.stopped)
    case .linked: drainLinks(at: now)
    }
  }

  private mutating func drainLinks(at now: Instant) {
    if let other {
      pending.append(.close(other.id))
      endMove()
    }
    guard let link = current, !link.isDraining else { return }
    let wasEstablished = link.isEstablished
    link.state = .draining(deadline: now + limits.drainTimeout)
    if wasEstablished {
      link.ping(at: now)
    } else {
      end(link, .closedByServer, closesSocket: true, at: now)
    }
  }
}
