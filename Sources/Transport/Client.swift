/// Who hears of a client's connection.
public protocol ClientDelegate: AnyObject {
  func clientConnected(to server: ServerURL)
  func clientDisconnected(from server: ServerURL, _ reason: DisconnectReason, retryIn: Duration)
  /// The client was drained: it stays closed.
  func clientStopped()
  /// The server will shut down; the client looks for another, and says so when it is there.
  func clientFoundLameDuck(_ server: ServerURL)
  func clientMoved(to server: ServerURL)
  func clientReceivedError(_ error: ServerError, _ text: String)
}

/// A NATS client: a `Connection` with its sockets and its timer on an event loop. It connects, and
/// connects again, until it is stopped.
public final class Client: MessageBus {
  private struct Subscriber {
    let sid: UInt32
    let handler: (borrowing IncomingMessage) -> Void
    let parts: ((borrowing MessagePart) -> Void)?
  }

  private struct Requester {
    let id: RequestID
    let completion: (borrowing RequestOutcome) -> Void
  }

  private let loop: EventLoop
  private let limits: ConnectionLimits
  private var connection: Connection
  /// One, or two while moving to another server.
  private var wires: [Wire] = []
  private var timer: Timer?
  private let ticket = TLSTicket()
  private var network: NetworkWatch?
  private var subscribers: [Subscriber] = []
  private var requesters: [Requester] = []

  public var delegate: (any ClientDelegate)?

  public init(
    on loop: EventLoop, options: ConnectionOptions,
    limits: ConnectionLimits = ConnectionLimits(), seed: UInt64 = RandomGenerator.systemSeed
  ) {
    self.loop = loop
    self.limits = limits
    connection = Connection(options: options, limits: limits, seed: seed)
    timer = Timer(on: loop) { [self] now in handleDeadline(at: now) }
    loop.endOfTurn = { [self] now in endTurn(at: now) }
  }

  // MARK: life

  public func start() {
    // Where the kernel reports nothing, timeouts notice the same later.
    network = try? NetworkWatch(on: loop) { [self] event in handle(event) }
    connection.start(at: EventLoop.now)
    // Wakes the loop, so that the first turn ends and acts.
    timer?.set(EventLoop.now)
  }

  /// Sends what is queued, waits until the server has it or a few seconds have passed, and ends;
  /// the delegate hears of it.
  public func drain() { connection.drain(at: EventLoop.now) }

  public var isConnected: Bool { connection.isConnected }

  /// The time of day was set: see `Connection`.
  public func handleClockSet() { connection.handleClockSet(at: EventLoop.now) }

  // MARK: MessageBus

  public func subscribe(
    _ subject: Subject, queueGroup: [UInt8],
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32? {
    subscribe(subject, queueGroup: queueGroup, options: .init(), handler: handler, parts: nil)
  }

  /// Calls `parts` for the bytes of messages larger than the read buffer, behind `handler`, which gets
  /// their subject and size.
  public func subscribe(
    _ subject: Subject, queueGroup: [UInt8], options: SubscriptionOptions,
    handler: @escaping (borrowing IncomingMessage) -> Void,
    parts: ((borrowing MessagePart) -> Void)?
  ) -> UInt32? {
    guard let sid = connection.subscribe(subject, queueGroup: queueGroup, options: options) else {
      return nil
    }
    subscribers.append(Subscriber(sid: sid, handler: handler, parts: parts))
    return sid
  }

  public func unsubscribe(_ sid: UInt32) {
    connection.unsubscribe(sid)
    subscribers.removeAll { $0.sid == sid }
  }

  public func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError) {
    // The time only says what has expired in a full queue; what is written is looked at again.
    try connection.publish(message, as: trafficClass, expires: expires, at: loop.turnTime)
  }

  public func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError) {
    let id = try connection.request(
      subject: subject, headers: headers, payload: payload, as: trafficClass, timeout: timeout,
      at: EventLoop.now)
    requesters.append(Requester(id: id, completion: completion))
  }

  public var linkStatus: LinkStatus { connection.linkStatus(at: EventLoop.now) }
  public var takenAfter: Instant? { connection.takenAfter }
  public func renewTakenAfter() { connection.renewTakenAfter(at: EventLoop.now) }

  // MARK: the network

  private func handle(_ event: NetworkEvent) {
    for wire in wires { wire.networkChanged(event) }
    if NetworkAdvice(for: event, local: nil) == .tryNow {
      connection.handleNetworkReturned(at: EventLoop.now)
    }
  }

  /// The kernel is asked how far the server has acknowledged only when that decides whether a link is
  /// dead.
  private func handleDeadline(at now: Instant) {
    for wire in wires where connection.needsProgress(of: wire.id, at: now) {
      if let progress = wire.progress(at: now) {
        connection.handle(progress, of: wire.id, at: now)
      }
    }
    connection.handleDeadline(at: now)
  }

  // MARK: turns of the loop

  private func endTurn(at now: Instant) {
    repeat {
      for wire in wires { takeFrames(of: wire, at: now) }
      write(at: now)
      // Again when there was something that needed no bytes: a failed write may end a link.
    } while performPending()
    timer?.set(connection.deadline)
  }

  private func performPending() -> Bool {
    var performed = false
    while let action = connection.nextAction() {
      perform(action)
      performed = true
    }
    return performed
  }

  /// Takes messages only while there is room for their answers: a burst waits in the kernel, and then
  /// at the server, instead of having answers dropped.
  private func takeFrames(of wire: Wire, at now: Instant) {
    while true {
      if connection.isCrowded {
        write(at: now)
        if connection.isCrowded { return }
      }
      guard let action = connection.nextAction(reading: &wire.input, of: wire.id, at: now) else {
        if wire.readBuffered() { continue }
        return
      }
      perform(action, reading: wire.input)
    }
  }

  private func perform(_ action: ConnectionAction, reading input: borrowing ReadBuffer) {
    switch action {
    case .message(let frame):
      deliver(IncomingMessage(frame, in: input.bytes), to: frame.subscription)
    case .oversizedMessage(let frame, let size):
      deliver(
        IncomingMessage(frame, in: input.bytes, oversizedBytes: size), to: frame.subscription)
    case .messagePart(let sid, let range, let offset, let size):
      guard let subscriber = subscribers.first(where: { $0.sid == sid }) else { return }
      subscriber.parts?(
        MessagePart(input.bytes.extracting(range), offset: offset, size: size))
    case .response(let id, let frame):
      complete(id, .response(IncomingMessage(frame, in: input.bytes)))
    case .serverError(let error, let text):
      delegate?.clientReceivedError(error, input.bytes.extracting(text).string)
    case .open, .secure, .authenticate, .close, .connected, .disconnected, .stopped, .lameDuck,
      .moved, .requestFailed:
      perform(action)
    }
  }

  /// Actions that refer to no bytes.
  private func perform(_ action: ConnectionAction) {
    switch action {
    case .open(let link): open(link)
    case .secure(let id):
      for wire in wires where wire.id == id {
        wire.secure(connection.options.tls ?? TLSConfiguration(), ticket)
      }
    case .authenticate(let id): authenticate(id)
    case .close(let id): close(id)
    case .connected(let link): delegate?.clientConnected(to: link.server)
    case .disconnected(let link, let reason, let delay):
      delegate?.clientDisconnected(from: link.server, reason, retryIn: delay)
    case .stopped:
      network?.cancel()
      network = nil
      delegate?.clientStopped()
    case .lameDuck(let link): delegate?.clientFoundLameDuck(link.server)
    case .moved(let link): delegate?.clientMoved(to: link.server)
    case .requestFailed(let id, let failure): complete(id, .failed(failure))
    case .message, .oversizedMessage, .messagePart, .response, .serverError: break
    }
  }

  private func deliver(_ message: borrowing IncomingMessage, to sid: UInt32) {
    guard let subscriber = subscribers.first(where: { $0.sid == sid }) else { return }
    subscriber.handler(message)
  }

  private func complete(_ id: RequestID, _ outcome: borrowing RequestOutcome) {
    guard let index = requesters.firstIndex(where: { $0.id == id }) else { return }
    requesters.remove(at: index).completion(outcome)
  }

  // MARK: sockets

  private func open(_ link: Link) {
    let id = link.id
    let wire = Wire(id, to: link.server, on: loop, limits: limits) { [self] event in
      connection.handle(event, of: id, at: EventLoop.now)
    }
    wires.append(wire)
  }

  /// Files are small and local: reading them does not hold up the loop.
  private func authenticate(_ id: LinkID) {
    do throws(AuthenticationError) {
      let proof = try connection.options.authentication.read()
      connection.authenticate(id, proof, at: EventLoop.now)
    } catch {
      connection.failAuthentication(id, error, at: EventLoop.now)
    }
  }

  /// How the present link is secured: "TLSv1.3"; nil without TLS.
  public var security: Text? {
    connection.current.flatMap { link in wires.first { $0.id == link.id }?.security }
  }

  private func close(_ id: LinkID) {
    for wire in wires where wire.id == id { wire.close() }
    wires.removeAll { $0.id == id }
  }

  /// Writes until the sockets take no more. What the kernel holds unsent is bounded by
  /// TCP_NOTSENT_LOWAT, so what is still here can still expire or be overtaken.
  private func write(at now: Instant) {
    for wire in wires {
      var written = 0
      while connection.send(
        over: wire.id, upTo: wire.writeBytes, at: now,
        { pieces in
          written = wire.send(pieces)
          return written
        })
      {}
      // While nothing is read, what the kernel takes is the server's sign of life.
      if written > 0, connection.isCrowded { connection.handle(.received(0), of: wire.id, at: now) }
      wire.isReading = !connection.isCrowded
      wire.settle()
    }
  }
}
