import CLinux

/// Who hears of a client's connection.
public protocol ClientDelegate: AnyObject {
  func clientConnected(to server: ServerURL)
  /// - Parameter retryIn: nil when the client was stopped.
  func clientDisconnected(from server: ServerURL, _ reason: DisconnectReason, retryIn: Duration?)
  func clientReceivedError(_ text: String)
}

/// A NATS client: a `Connection` with its socket, its buffers and its timer on an event loop. It
/// connects, and connects again, until it is stopped.
public final class Client: MessageBus {
  private struct Subscriber {
    let sid: UInt32
    let handler: (borrowing IncomingMessage) -> Void
  }

  private struct Requester {
    let id: RequestID
    let completion: (borrowing RequestOutcome) -> Void
  }

  /// What the kernel may hold unsent. A PING of ours waits behind it: at 16 kbit/s this is two seconds,
  /// well within `ConnectionLimits.pingTimeout`.
  private static let unsentBytesMax: UInt32 = 4096

  private let loop: EventLoop
  private let servers: [ServerURL]
  private let limits: ConnectionLimits
  private var connection: Connection
  private var input: ReadBuffer
  private var output: WriteBuffer
  private var dialer: Dialer?
  private var socket: Int32 = -1
  private var watch: Watch?
  private var timer: Timer?
  private var server = 0
  private var subscribers: [Subscriber] = []
  private var requesters: [Requester] = []

  public var delegate: (any ClientDelegate)?

  /// - Parameter servers: at least one; tried in turn from a random one on.
  public init(
    on loop: EventLoop, servers: [ServerURL], name: String, version: String, echo: Bool = false,
    limits: ConnectionLimits = ConnectionLimits(), seed: UInt64 = RandomGenerator.systemSeed
  ) {
    self.loop = loop
    self.servers = servers
    self.limits = limits
    let options = ConnectionOptions(
      serverCount: servers.count, name: name, version: version, echo: echo)
    connection = Connection(options: options, limits: limits, seed: seed)
    input = ReadBuffer(capacity: limits.readBufferBytes)
    output = WriteBuffer(capacity: limits.writeBufferBytes)
    timer = Timer(on: loop) { [self] now in connection.handleDeadline(at: now) }
    loop.endOfTurn = { [self] now in endTurn(at: now) }
  }

  // MARK: life

  public func start() {
    connection.start(at: EventLoop.now)
    // Wakes the loop, so that the first turn ends and acts.
    timer?.set(EventLoop.now)
  }

  /// Sends what is queued, waits until the server has it or a few seconds have passed, and ends;
  /// the delegate hears of it as `.drained`.
  public func drain() { connection.drain(at: EventLoop.now) }

  public var isConnected: Bool { connection.isConnected }
  public var statistics: ConnectionStatistics { connection.statistics }
  public var serverInfo: ServerInfo { connection.serverInfo }

  // MARK: MessageBus

  public func subscribe(
    _ subject: Subject, queueGroup: [UInt8],
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32? {
    guard let sid = connection.subscribe(subject, queueGroup: queueGroup) else { return nil }
    subscribers.append(Subscriber(sid: sid, handler: handler))
    return sid
  }

  public func unsubscribe(_ sid: UInt32) {
    connection.unsubscribe(sid)
    subscribers.removeAll { $0.sid == sid }
  }

  public func publish(
    _ message: borrowing OutgoingMessage, expires: Instant
  ) throws(PublishError) {
    try connection.publish(message, expires: expires, at: EventLoop.now)
  }

  public func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>, timeout: Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError) {
    let id = try connection.request(
      subject: subject, headers: headers, payload: payload, timeout: timeout, at: EventLoop.now)
    requesters.append(Requester(id: id, completion: completion))
  }

  // MARK: turns of the loop

  private func endTurn(at now: Instant) {
    takeActions(at: now)
    writeSocket(at: now)
    timer?.set(connection.deadline)
  }

  /// Takes messages only while there is room for their answers: a burst waits in the kernel, and then
  /// at the server, instead of having answers dropped.
  private func takeActions(at now: Instant) {
    while true {
      if connection.isCrowded {
        writeSocket(at: now)
        if connection.isCrowded { return }
      }
      guard let action = connection.nextAction(reading: &input, at: now) else { return }
      perform(action, reading: input)
    }
  }

  private func perform(_ action: ConnectionAction, reading input: borrowing ReadBuffer) {
    switch action {
    case .open(let index): open(index)
    case .close: closeSocket()
    case .connected: delegate?.clientConnected(to: servers[server])
    case .disconnected(let reason, let delay):
      delegate?.clientDisconnected(from: servers[server], reason, retryIn: delay)
    case .message(let frame):
      deliver(IncomingMessage(frame, in: input.bytes), to: frame.subscription)
    case .oversizedMessage(let frame, let size):
      deliver(
        IncomingMessage(frame, in: input.bytes, oversizedBytes: size), to: frame.subscription)
    case .response(let id, let frame):
      complete(id, .response(IncomingMessage(frame, in: input.bytes)))
    case .requestFailed(let id, let failure): complete(id, .failed(failure))
    case .serverError(let text):
      delegate?.clientReceivedError(input.bytes.extracting(text).string)
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

  // MARK: socket

  private func open(_ index: Int) {
    closeSocket()
    guard index < servers.count else { return }
    server = index
    dialer = Dialer(servers[index], on: loop) { [self] result in
      dialer = nil
      switch result {
      case .success(let socket): opened(socket)
      case .failure(let error): connection.handle(.closed(error), at: EventLoop.now)
      }
    }
  }

  private func opened(_ socket: Int32) {
    var options = linux_tcp_options()
    options.unsent_bytes_max = Client.unsentBytesMax
    options.user_timeout_milliseconds = UInt32(
      clamping: (limits.pingInterval + limits.pingTimeout).milliseconds)
    // An option that a kernel does not know is no reason to stay away: our own timers do the same.
    _ = linux_tcp_configure(socket, &options)
    self.socket = socket
    input.removeAll()
    output.removeAll()
    do throws(SystemError) {
      watch = try loop.watch(socket, for: .readable) { [self] readiness in ready(readiness) }
      connection.handle(.opened, at: EventLoop.now)
    } catch {
      lost(error)
    }
  }

  private func ready(_ readiness: Readiness) {
    let now = EventLoop.now
    if !readiness.isDisjoint(with: [.readable, .failed]), !connection.isCrowded {
      readSocket(at: now)
    }
    takeActions(at: now)
  }

  private func readSocket(at now: Instant) {
    var result: Int64 = 0
    let socket = socket
    if socket < 0 { return }
    input.withFreeSpace { free in
      // A full buffer would read zero bytes, which means "closed"; the parser never leaves one full.
      if free.count == 0 {
        result = 1
        return 0
      }
      result = linux_receive(socket, free.baseAddress, free.count)
      return Int(max(result, 0))
    }
    if result > 0 {
      connection.handle(.received, at: now)
    } else if result == 0 {
      lost(nil)
    } else if !SystemError("recv", Int32(result)).isWouldBlock {
      lost(SystemError("recv", Int32(result)))
    }
  }

  /// Writes until the socket takes no more. What the kernel holds unsent is bounded by
  /// TCP_NOTSENT_LOWAT, so what is still here can still expire.
  private func writeSocket(at now: Instant) {
    var isBlocked = false
    while socket >= 0, !isBlocked {
      connection.writeOutput(into: &output, at: now)
      if output.isEmpty { break }
      var failure: SystemError?
      var taken = 0
      let socket = socket
      output.drain { bytes in
        let sent = linux_send(socket, bytes.baseAddress, bytes.count)
        isBlocked = sent < Int64(bytes.count)
        if sent < 0, !SystemError("send", Int32(sent)).isWouldBlock {
          failure = SystemError("send", Int32(sent))
        }
        taken = Int(max(sent, 0))
        return taken
      }
      // While nothing is read, what the kernel takes is the server's sign of life.
      if taken > 0, connection.isCrowded { connection.handle(.received, at: now) }
      if let failure {
        lost(failure)
        takeActions(at: now)
      }
    }
    var interests: Readiness = connection.isCrowded ? [] : .readable
    if isBlocked { interests.insert(.writable) }
    watch?.interests = interests
  }

  private func lost(_ error: SystemError?) {
    closeSocket()
    connection.handle(.closed(error), at: EventLoop.now)
  }

  private func closeSocket() {
    dialer?.cancel()
    dialer = nil
    watch?.cancel()
    watch = nil
    if socket >= 0 { _ = linux_close(socket) }
    socket = -1
    output.removeAll()
  }
}
