/// One NATS connection as a state machine without I/O: it takes events, bytes and the time, and gives
/// actions, bytes and its next deadline. It never gives up by itself.
///
/// After every event or command the owner calls `nextAction` until nil, then `writeOutput`, then reads
/// `deadline` and calls `handleDeadline` when it has come. When the socket took bytes of the output, it
/// calls `writeOutput` again. A frame's offsets hold until the next call that reads into the buffer.
///
/// What is left in the two buffers when a connection ends is removed by these calls: half a frame must
/// not meet the next connection.
///
///     stopped -> waiting -> opening -> awaitingInfo -> awaitingPong -> connected -> draining
///                   ^__________|____________|_______________|______________|           |
///                                    lost or refused                                stopped
public struct Connection: ~Copyable {
  private enum State: Equatable {
    case stopped
    case waiting(until: Instant)
    case opening(deadline: Instant)
    case awaitingInfo(deadline: Instant)
    case awaitingPong(deadline: Instant)
    case connected(since: Instant)
    /// No new messages; the last ones are being written, then a PING is answered.
    case draining(deadline: Instant)
  }

  private let options: ConnectionOptions
  private let limits: ConnectionLimits
  private var state = State.stopped
  private var parser = Parser()
  private var outbox: Outbox
  private var subscriptions: SubscriptionTable
  private var requests: RequestTable
  private var backoff: Backoff
  private var pending: [ConnectionAction] = []
  /// Index into the server list: of the present server, or of the next to try.
  private var server: Int

  private var lastReceived = Instant(nanoseconds: 0)
  /// Since when a PING is owed or unanswered.
  private var pingSent: Instant?
  /// PINGs written whose PONG has not come.
  private var pingsUnanswered: UInt32 = 0
  private var owesConnect = false
  private var owesPing = false
  private var pongsOwed: UInt32 = 0
  private var lastError: String?

  public private(set) var serverInfo = ServerInfo()
  private var counts = ConnectionStatistics()
  /// `_INBOX.<random>.`: replies to requests come to this prefix and a token.
  private let inboxPrefix: [UInt8]
  private let inboxSID: UInt32

  public init(options: ConnectionOptions, limits: ConnectionLimits, seed: UInt64) {
    self.options = options
    self.limits = limits
    var random = RandomGenerator(seed: seed)
    outbox = Outbox(bytes: limits.outboxBytes, messagesMax: limits.outboxMessagesMax)
    requests = RequestTable(capacity: limits.requestsMax)
    backoff = Backoff(first: limits.backoffFirst, cap: limits.backoffCap, seed: random.next())
    server =
      options.serverCount > 1
      ? Int(random.next(through: UInt64(options.serverCount - 1))) : 0
    var prefix: [UInt8] = []
    prefix.append(ascii: "_INBOX.")
    prefix += random.token(length: 12)
    prefix.append(0x2E)
    inboxPrefix = prefix
    // The inbox is one subscription more, made before any other, so that it always fits.
    var table = SubscriptionTable(capacity: limits.subscriptionsMax + 1)
    let inbox = Subject(prefix + [0x2A], allowsWildcards: true)
    inboxSID = inbox.flatMap { table.add($0, queueGroup: []) } ?? 0
    subscriptions = table
  }

  // MARK: getters

  public var statistics: ConnectionStatistics {
    var statistics = counts
    statistics.expiredOut = outbox.expiredCount
    return statistics
  }

  public var isConnected: Bool {
    if case .connected = state { return true }
    return false
  }

  private var isDraining: Bool {
    if case .draining = state { return true }
    return false
  }

  public var isStopped: Bool { state == .stopped && pending.isEmpty }

  /// Half the outbox waits: what is taken from the server now may find no room for its answer.
  public var isCrowded: Bool { isConnected && outbox.isHalfFull }

  /// When `handleDeadline` has something to do.
  public var deadline: Instant? {
    let own: Instant?
    switch state {
    case .stopped: own = nil
    case .waiting(let instant), .opening(let instant), .awaitingInfo(let instant),
      .awaitingPong(let instant), .draining(let instant):
      own = instant
    case .connected: own = livenessDeadline
    }
    return Instant.earlier(own, requests.deadline)
  }

  private var livenessDeadline: Instant {
    if let pingSent { return max(pingSent, lastReceived) + limits.pingTimeout }
    return lastReceived + limits.pingInterval
  }

  // MARK: events

  /// Begins to connect; again after it was drained.
  public mutating func start(at now: Instant) {
    guard case .stopped = state else { return }
    state = .waiting(until: now)
    handleDeadline(at: now)
  }

  public mutating func handle(_ event: ConnectionEvent, at now: Instant) {
    switch event {
    case .opened:
      guard case .opening = state else { return }
      parser = Parser()
      lastReceived = now
      state = .awaitingInfo(deadline: now + limits.handshakeTimeout)
    case .received:
      lastReceived = now
    case .closed(let error):
      handleClosed(error, at: now)
    }
  }

  /// Early or repeated calls have no effect.
  public mutating func handleDeadline(at now: Instant) {
    while let id = requests.endOne(dueAt: now) { pending.append(.requestFailed(id, .timedOut)) }
    switch state {
    case .stopped:
      break
    case .waiting(let until):
      if until > now { return }
      state = .opening(deadline: now + limits.openTimeout)
      pending.append(.open(server: server))
    case .opening(let deadline):
      if deadline <= now { disconnect(.openTimedOut, at: now) }
    case .awaitingInfo(let deadline), .awaitingPong(let deadline):
      if deadline <= now {
        disconnect(lastError.map { .refused($0) } ?? .handshakeTimedOut, at: now)
      }
    case .draining(let deadline):
      if deadline <= now { disconnect(.drained, at: now) }
    case .connected:
      if livenessDeadline > now { return }
      if pingSent != nil {
        disconnect(.silent(now - lastReceived), at: now)
      } else {
        owesPing = true
        pingSent = now
      }
    }
  }

  private mutating func handleClosed(_ error: SystemError?, at now: Instant) {
    switch state {
    case .stopped, .waiting: return
    case .draining: disconnect(.drained, closesSocket: false, at: now)
    case .opening:
      disconnect(error.map { .openFailed($0) } ?? .closedByServer, closesSocket: false, at: now)
    case .awaitingInfo, .awaitingPong, .connected:
      let reason: DisconnectReason
      if let lastError {
        reason = .refused(lastError)
      } else if let error {
        reason = .failed(error)
      } else {
        reason = .closedByServer
      }
      disconnect(reason, closesSocket: false, at: now)
    }
  }

  private mutating func disconnect(
    _ cause: DisconnectReason, closesSocket: Bool = true, at now: Instant
  ) {
    // Whatever ends a connection that was to be closed: it stays closed.
    let reason = isDraining ? .drained : cause
    if closesSocket { pending.append(.close) }
    if case .connected(let since) = state, now - since >= limits.usefulAfter { backoff.reset() }
    while let id = requests.endOne(dueAt: nil) { pending.append(.requestFailed(id, .disconnected)) }
    outbox.expireRequests()
    pingSent = nil
    pingsUnanswered = 0
    owesConnect = false
    owesPing = false
    pongsOwed = 0
    lastError = nil
    if reason == .drained {
      state = .stopped
      pending.append(.disconnected(reason, retryIn: nil))
    } else {
      let delay = backoff.next()
      if options.serverCount > 1 { server = (server + 1) % options.serverCount }
      state = .waiting(until: now + delay)
      pending.append(.disconnected(reason, retryIn: delay))
    }
  }

  // MARK: commands

  /// Adds a subscription, which is restored after every reconnect. Nil when
  /// `ConnectionLimits.subscriptionsMax` is reached, and for what no server takes: a queue group with
  /// blanks, or a line longer than the protocol or the write buffer allows.
  public mutating func subscribe(_ subject: Subject, queueGroup: [UInt8] = []) -> UInt32? {
    let length = Encoder.subscribeLength(subject.bytes.span, queueGroup: queueGroup.span, sid: .max)
    if length > min(Encoder.controlLineBytesMax, limits.writeBufferBytes) { return nil }
    if queueGroup.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return nil }
    return subscriptions.add(subject, queueGroup: queueGroup)
  }

  public mutating func unsubscribe(_ sid: UInt32) {
    if sid != inboxSID { subscriptions.remove(sid) }
  }

  /// Queues a message, with or without a connection; it is dropped unsent when `expires` comes first.
  /// Accepted does not mean delivered: only an answer does. While draining nothing is accepted.
  public mutating func publish(
    _ message: borrowing OutgoingMessage, expires: Instant, at now: Instant
  ) throws(PublishError) {
    try enqueue(message, expires: expires, isRequest: false, at: now)
  }

  private mutating func enqueue(
    _ message: borrowing OutgoingMessage, expires: Instant, isRequest: Bool, at now: Instant
  ) throws(PublishError) {
    if isDraining { throw .notConnected }
    if !Subject.isValid(message.subject) { throw .invalidSubject }
    if !message.reply.isEmpty, !Subject.isValid(message.reply) { throw .invalidSubject }
    // A peer chooses the subject of our answers: one that is too long must not cost the connection.
    if message.controlLineLength > Encoder.controlLineBytesMax {
      throw .tooLarge(size: message.controlLineLength, limit: Encoder.controlLineBytesMax)
    }
    let limit = min(limits.writeBufferBytes, limits.outboxBytes)
    if message.frameLength > limit { throw .tooLarge(size: message.frameLength, limit: limit) }
    let size = message.headers.count + message.payload.count
    if Int64(size) > serverInfo.maxPayload {
      throw .tooLarge(size: size, limit: Int(clamping: serverInfo.maxPayload))
    }
    outbox.dropExpired(at: now)
    if !outbox.append(message, expires: expires, isRequest: isRequest) { throw .outboxFull }
    counts.messagesOut += 1
  }

  /// Publishes with a reply subject of our inbox; its end comes as `.response` or `.requestFailed`.
  public mutating func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>, timeout: Duration,
    at now: Instant
  ) throws(PublishError) -> RequestID {
    guard isConnected else { throw .notConnected }
    guard let id = requests.begin(deadline: now + timeout) else { throw .tooManyRequests }
    var reply = inboxPrefix
    reply.append(decimal: id.token)
    let message = OutgoingMessage(
      subject: subject, reply: reply.span, headers: headers, payload: payload)
    do {
      try enqueue(message, expires: now + timeout, isRequest: true, at: now)
    } catch {
      _ = requests.end(id)
      throw error
    }
    return id
  }

  /// Writes what is queued, waits for the server's PONG, and closes for good.
  public mutating func drain(at now: Instant) {
    switch state {
    case .stopped, .draining: return
    case .connected:
      state = .draining(deadline: now + limits.drainTimeout)
      owesPing = true
      pingSent = now
    case .waiting: disconnect(.drained, closesSocket: false, at: now)
    case .opening, .awaitingInfo, .awaitingPong: disconnect(.drained, at: now)
    }
  }

  // MARK: outputs

  /// The next thing to do or to know; nil when more bytes or time are needed. At most one frame is
  /// taken from the buffer per call.
  public mutating func nextAction(
    reading input: inout ReadBuffer, at now: Instant
  ) -> ConnectionAction? {
    while true {
      if !pending.isEmpty { return pending.removeFirst() }
      switch state {
      case .stopped, .waiting, .opening:
        input.removeAll()
        return nil
      case .awaitingInfo, .awaitingPong, .connected, .draining: break
      }
      do {
        guard let frame = try parser.next(in: &input) else { return nil }
        if let action = take(frame, input.bytes, at: now) { return action }
      } catch {
        disconnect(.malformedFrame(error), at: now)
      }
    }
  }

  /// Appends what is to be sent: first what the protocol owes, then messages, as far as they fit.
  public mutating func writeOutput(into output: inout WriteBuffer, at now: Instant) {
    switch state {
    case .stopped, .waiting, .opening: return output.removeAll()
    case .awaitingInfo: return
    case .awaitingPong, .connected, .draining: break
    }
    if owesConnect {
      if !Encoder.line("CONNECT", options.connectArgument.span, into: &output) { return }
      owesConnect = false
    }
    if !subscriptions.write(into: &output) { return }
    while pongsOwed > 0 {
      if !Encoder.line("PONG", [UInt8]().span, into: &output) { return }
      pongsOwed -= 1
    }
    if !isDraining, !writePing(into: &output) { return }
    if isConnected || owesPing && isDraining { outbox.write(into: &output, at: now) }
    // While draining, the PING comes last: its PONG says that everything before it arrived.
    if isDraining, outbox.isEmpty { _ = writePing(into: &output) }
  }

  /// False when a PING is owed and does not fit.
  private mutating func writePing(into output: inout WriteBuffer) -> Bool {
    if !owesPing { return true }
    if !Encoder.line("PING", [UInt8]().span, into: &output) { return false }
    owesPing = false
    pingsUnanswered += 1
    return true
  }

  // MARK: frames

  private mutating func take(
    _ frame: Frame, _ bytes: Span<UInt8>, at now: Instant
  ) -> ConnectionAction? {
    switch frame {
    case .info(let json):
      takeInfo(bytes.extracting(json), at: now)
      return nil
    case .ping:
      pongsOwed += pongsOwed < .max ? 1 : 0
      return nil
    case .pong:
      return takePong(at: now)
    case .ok:
      return nil
    case .error(let text):
      if ServerErrorText.closesConnection(bytes.extracting(text)) {
        lastError = bytes.extracting(text).string
      }
      return .serverError(text)
    case .message(let message):
      return takeMessage(message, bytes)
    case .oversizedMessage(let message, let size):
      counts.oversizedIn += 1
      if message.subscription == inboxSID || !subscriptions.isActive(message.subscription) {
        return nil
      }
      return .oversizedMessage(message, size: size)
    }
  }

  /// INFO may come at any time; only the first of a connection is answered by CONNECT.
  private mutating func takeInfo(_ json: Span<UInt8>, at now: Instant) {
    do {
      serverInfo = try ServerInfo(json: json)
    } catch {
      disconnect(.malformedInfo(error), at: now)
      return
    }
    guard case .awaitingInfo = state else { return }
    if serverInfo.requiresTLS {
      disconnect(.requiresTLS, at: now)
    } else if !serverInfo.supportsHeaders {
      disconnect(.lacksHeaders(version: serverInfo.version), at: now)
    } else {
      state = .awaitingPong(deadline: now + limits.handshakeTimeout)
      subscriptions.forgetWritten()
      owesConnect = true
      owesPing = true
    }
  }

  /// A PONG that answers nothing of ours changes nothing; and one that answers an earlier PING does not
  /// end a drain.
  private mutating func takePong(at now: Instant) -> ConnectionAction? {
    if pingsUnanswered == 0 { return nil }
    pingsUnanswered -= 1
    if pingsUnanswered > 0 || owesPing { return nil }
    pingSent = nil
    switch state {
    case .awaitingPong:
      state = .connected(since: now)
      counts.connects += 1
      lastError = nil
      return .connected
    case .draining:
      disconnect(.drained, at: now)
      return nil
    case .stopped, .waiting, .opening, .awaitingInfo, .connected:
      return nil
    }
  }

  private mutating func takeMessage(
    _ message: MessageFrame, _ bytes: Span<UInt8>
  ) -> ConnectionAction? {
    if message.subscription == inboxSID { return takeResponse(message, bytes) }
    if !subscriptions.isActive(message.subscription) { return nil }
    counts.messagesIn += 1
    return .message(message)
  }

  private mutating func takeResponse(
    _ message: MessageFrame, _ bytes: Span<UInt8>
  ) -> ConnectionAction? {
    let subject = bytes.extracting(message.subject)
    let prefix = inboxPrefix.count
    guard subject.count > prefix,
      let id = requests.end(token: subject.extracting(prefix..<subject.count))
    else {
      counts.lateResponses += 1
      return nil
    }
    if message.payload.isEmpty, let headers = HeaderReader(bytes.extracting(message.headers)),
      headers.status == 503
    {
      return .requestFailed(id, .noResponders)
    }
    return .response(id, message)
  }
}
