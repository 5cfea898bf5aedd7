/// What a consumer has to say: a message, valid during the call, or how it fares.
public enum PullEvent: ~Escapable {
  case message(IncomingMessage, Delivery)
  /// All that was there has been delivered; what follows is new. Once per start.
  case current
  /// The stream is another than before: what came before is to be forgotten, all comes again.
  case restarted
  /// Nothing comes for now; it is tried again by itself.
  case problem(JetStreamFailure)
}

/// Messages of a stream, pulled in bounded batches for as long as it is started: over reconnects, and
/// over consumers that the server has lost.
///
/// Its owner tells it when the link changes and when its deadline has come.
public final class PullConsumer {
  /// A request that has not left by then is dropped; its silence is noticed in any case.
  private static let requestLife = Duration.seconds(5)
  private static let nameLength = 8

  private let jetStream: JetStream
  private let stream: String
  private let configuration: ConsumerConfiguration
  private let limits: PullLimits
  private let time: any TimeSource
  private let handler: (borrowing PullEvent) -> Void
  private var state: PullState
  /// `_INBOX.<random>.`; a request's number follows.
  private let inbox: [UInt8]
  /// Start of an ordered consumer's names; the number of its opening follows.
  private let orderedName: String
  private var sid: UInt32?
  private var isActing = false

  /// - Parameter handler: called for every event, also from within the calls below; it may make any of
  ///   them itself.
  /// - Throws: `.invalidName` for a stream or consumer whose name cannot be.
  public init(
    of stream: String, on jetStream: JetStream, _ configuration: ConsumerConfiguration,
    limits: PullLimits = PullLimits(), time: any TimeSource, seed: UInt64,
    handler: @escaping (borrowing PullEvent) -> Void
  ) throws(JetStreamFailure) {
    try JetStream.checkName(stream)
    if let name = configuration.durableName { try JetStream.checkName(name) }
    self.jetStream = jetStream
    self.stream = stream
    self.configuration = configuration
    self.limits = limits
    self.time = time
    self.handler = handler
    var random = RandomGenerator(seed: seed)
    let token = random.token(length: PullConsumer.nameLength)
    orderedName = ("edge-\(token.span)-" as Text).string
    inbox = ("_INBOX.\(token.span)." as Text).bytes
    state = PullState(
      isOrdered: configuration.durableName == nil, limits: limits, seed: random.next())
  }

  // MARK: life

  /// - Returns: false when the bus keeps no more subscriptions.
  public func start() -> Bool {
    if sid != nil { return true }
    guard let subject = Subject(inbox + [0x2A], allowsWildcards: true),
      let sid = jetStream.bus.subscribe(
        subject, queueGroup: [], handler: { [self] message in receive(message) })
    else { return false }
    self.sid = sid
    state.start(isConnected: jetStream.bus.isConnected, at: time.now)
    act()
    return true
  }

  /// Ends it; the handler is not called again. What was delivered may still be acknowledged.
  public func stop() {
    guard let sid else { return }
    jetStream.bus.unsubscribe(sid)
    self.sid = nil
    state.stop()
    act()
  }

  /// Asks for no more after the batch that is under way, until `resume`.
  public func pause() { state.pause() }

  public func resume() {
    state.resume(at: time.now)
    act()
  }

  /// A move to another server is a loss and a return: what was asked for went to the one that is left.
  public func linkChanged(isConnected: Bool, at now: Instant) {
    state.handleLink(isConnected: isConnected, at: now)
    act()
  }

  public var deadline: Instant? { state.deadline }

  /// Early or repeated calls have no effect.
  public func handleDeadline(at now: Instant) {
    state.handleDeadline(at: now)
    act()
  }

  /// Queues the word for a durable consumer's message. Lost on the way it does no harm but that the
  /// message comes again.
  public func acknowledge(
    _ delivery: Delivery, _ acknowledgement: Acknowledgement
  ) throws(PublishError) {
    // Later the message is on its way again.
    try jetStream.send(
      delivery.replySubject.span, reply: PullConsumer.none.span, acknowledgement.payload.span,
      expires: time.now + configuration.acknowledgeWait)
  }

  // MARK: messages

  private func receive(_ message: borrowing IncomingMessage) {
    let now = time.now
    isActing = true
    if let delivery = Delivery(replySubject: message.reply) {
      let isOurs = state.consumerNumber.map { delivery.isOf(consumer: Array(name($0).utf8)) }
      if state.handleMessage(delivery, isOfConsumer: isOurs ?? false, at: now) {
        handler(.message(copy message, delivery))
      }
    } else if let status = PullStatus(message.headers), let number = number(of: message.subject) {
      if case .heartbeat = status { answer(message.reply, at: now) }
      state.handleStatus(status, of: number, at: now)
    }
    isActing = false
    act()
  }

  /// The number of the request that a message came for, from the last token of its subject.
  private func number(of subject: Span<UInt8>) -> UInt64? {
    if subject.count <= inbox.count { return nil }
    return subject.extracting(inbox.count..<subject.count).unsignedNumber
  }

  /// Flow control: the server waits for an answer before it sends more.
  private func answer(_ reply: Span<UInt8>, at now: Instant) {
    if reply.isEmpty { return }
    // Lost, the server's next one asks again.
    try? jetStream.send(
      reply, reply: PullConsumer.none.span, PullConsumer.none.span,
      expires: now + PullConsumer.requestLife)
  }

  // MARK: actions

  /// Does what the state asks for. What the handler and completions bring on the way is done by the
  /// outermost call, so that events keep their order.
  private func act() {
    if isActing { return }
    isActing = true
    while let action = state.nextAction(at: time.now) {
      switch action {
      case .open(let number, let sequence): open(number, after: sequence)
      case .pull(let number): pull(number)
      case .discard(let number): discard(number)
      case .report(.current): handler(.current)
      case .report(.restarted): handler(.restarted)
      case .report(.problem(let failure)): handler(.problem(failure))
      }
    }
    isActing = false
  }

  private func name(_ number: UInt64) -> String {
    configuration.durableName ?? orderedName + JetStream.decimal(number)
  }

  private func open(_ number: UInt64, after sequence: UInt64?) {
    if configuration.durableName == nil { return create(number, after: sequence) }
    jetStream.call(
      "CONSUMER.INFO.\(stream).\(name(number))", [], timeout: limits.openTimeout
    ) { [self] answer in
      let result = ConsumerInfo.read(answer)
      if case .failure(let failure) = result, failure.refusal?.isConsumerNotFound ?? false {
        create(number, after: nil)
      } else {
        opened(number, result)
      }
    }
  }

  private func create(_ number: UInt64, after sequence: UInt64?) {
    let name = name(number)
    jetStream.call(
      "CONSUMER.CREATE.\(stream).\(name)",
      configuration.createArgument(stream: stream, name: name, after: sequence),
      timeout: limits.openTimeout
    ) { [self] answer in opened(number, ConsumerInfo.read(answer)) }
  }

  private func opened(_ number: UInt64, _ result: Result<ConsumerInfo, JetStreamFailure>) {
    state.handleOpened(number, result, at: time.now)
    act()
  }

  private func pull(_ number: UInt64) {
    guard let consumer = state.consumerNumber else { return }
    let now = time.now
    var reply = inbox
    reply.append(decimal: number)
    let subject = jetStream.prefix + ("CONSUMER.MSG.NEXT.\(stream).\(name(consumer))" as Text).bytes
    do throws(PublishError) {
      try jetStream.send(
        subject.span, reply: reply.span, limits.pullArgument.span,
        expires: now + PullConsumer.requestLife)
    } catch {
      state.handleNotSent(number, error, at: now)
    }
  }

  private func discard(_ number: UInt64) {
    let subject =
      jetStream.prefix + ("CONSUMER.DELETE.\(stream).\(name(number))" as Text).bytes
    // Without it, the server forgets the consumer when it has been unused for long enough.
    try? jetStream.send(
      subject.span, reply: PullConsumer.none.span, PullConsumer.none.span,
      expires: time.now + PullConsumer.requestLife)
  }

  private static let none: [UInt8] = []
}

extension ConsumerInfo {
  static func read(_ answer: borrowing JetStreamAnswer) -> Result<ConsumerInfo, JetStreamFailure> {
    switch answer {
    case .failed(let failure): .failure(failure)
    case .body(let json): read(json)
    }
  }
}
