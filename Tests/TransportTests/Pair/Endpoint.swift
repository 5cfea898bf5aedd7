@testable import Transport

/// A `Connection` with its owner's duties done as the event loop does them: buffers, a simulated socket
/// over a simulated link, and a journal of what the connection told.
final class Endpoint {
  /// A message's parts, copied out of the read buffer.
  struct Message: Equatable {
    var subscription: UInt32
    var subject: String
    var reply: String
    var headers: [UInt8]
    var payload: [UInt8]
  }

  enum Happening: Equatable {
    case opening(server: Int)
    case connected
    case disconnected(DisconnectReason, retryIn: Duration?)
    case message(Message)
    case oversized(subject: String, reply: String, size: UInt64)
    case response(RequestID, Message)
    case requestFailed(RequestID, RequestFailure)
    case serverError(String)
  }

  struct Record: Equatable {
    var happening: Happening
    var at: Instant
  }

  /// What the way to a server does with an attempt to open a socket.
  enum Reachability { case open, refusing, vanishing }

  var connection: Connection
  let servers: [ModelServer]
  /// One per server.
  var reachability: [Reachability]
  var link: LinkConditions
  /// Nothing moves in either direction until it is false again; nothing is lost.
  var isStalled = false

  private(set) var journal: [Record] = []
  private(set) var socket: SimulatedSocket?
  /// Bytes that went into sockets; "nothing is sent" is told by this.
  private(set) var bytesSent = 0
  private(set) var bytesDelivered = 0

  private var opening: (server: Int, completes: Instant?)?
  /// Closed here; the server has not learned it yet.
  private var lingering: [SimulatedSocket] = []
  private var input: ReadBuffer
  private var output: WriteBuffer
  private var random: RandomGenerator
  private var hasFailed = false

  init(
    servers: [ModelServer], options: ConnectionOptions, limits: ConnectionLimits,
    link: LinkConditions, seed: UInt64
  ) {
    var random = RandomGenerator(seed: seed)
    connection = Connection(options: options, limits: limits, seed: random.next())
    input = ReadBuffer(capacity: limits.readBufferBytes)
    output = WriteBuffer(capacity: limits.writeBufferBytes)
    reachability = servers.map { _ in .open }
    self.servers = servers
    self.link = link
    self.random = random
  }

  // MARK: time

  /// When there is something to do.
  var wakeup: Instant? {
    if hasFailed { return Instant(nanoseconds: .min) }
    var wakeup = Instant.earlier(connection.deadline, opening?.completes)
    if !isStalled {
      if let socket, !socket.isDead {
        wakeup = Instant.earlier(wakeup, Instant.earlier(socket.up.arrival, socket.down.arrival))
      }
      for socket in lingering { wakeup = Instant.earlier(wakeup, socket.up.arrival) }
    }
    return wakeup
  }

  /// What has reached a server is given to it.
  func deliverToServer(at now: Instant) {
    if isStalled { return }
    for socket in lingering + (socket.map { [$0] } ?? []) where !socket.isDead {
      let bytes = socket.up.receive(.max, at: now)
      if !bytes.isEmpty { socket.server.receive(bytes, from: socket.client, at: now) }
      if socket.up.hasEnded(at: now) {
        socket.server.disconnect(socket.client)
        lingering.removeAll { $0 === socket }
      }
    }
  }

  /// What the servers have for us goes on its way.
  func collectFromServer(at now: Instant) {
    guard let socket else { return }
    let bytes = socket.server.takeOutput(of: socket.client)
    if socket.isDead { return }
    socket.down.send(bytes, over: link, at: now, &random)
    if socket.server.isClosed(socket.client) { socket.down.finish(over: link, at: now) }
  }

  /// Events, bytes and deadlines that are due are handled, and the answers sent.
  func run(at now: Instant) {
    if hasFailed {
      hasFailed = false
      connection.handle(.closed(SystemError("recv", -104)), at: now)
      flush(at: now)
    }
    completeOpening(at: now)
    connection.handleDeadline(at: now)
    flush(at: now)
    read(at: now)
  }

  /// After a command: actions are taken and output written.
  func flush(at now: Instant) {
    var hasMoved = true
    while hasMoved {
      hasMoved = false
      while let action = connection.nextAction(reading: &input, at: now) {
        take(action, at: now)
        hasMoved = true
      }
      connection.writeOutput(into: &output, at: now)
      if write(at: now) > 0 { hasMoved = true }
    }
  }

  // MARK: faults

  /// Both ends learn at once that the connection is gone; what is under way is lost.
  func cut() {
    guard let socket else { return }
    socket.server.disconnect(socket.client)
    self.socket = nil
    hasFailed = true
  }

  /// The way is lost without anybody being told; with `forGood` new connections find none either.
  func lose(forGood: Bool = false) {
    socket?.isDead = true
    if forGood { reachability = reachability.map { _ in .vanishing } }
  }

  /// Puts bytes into the read buffer, whatever the state, as if a socket had had them.
  func inject(_ bytes: [UInt8], at now: Instant) {
    input.withFreeSpace { free in
      let count = min(free.count, bytes.count)
      free.copyBytes(from: bytes[..<count])
      return count
    }
    connection.handle(.received, at: now)
    flush(at: now)
  }

  /// New connections find a way again.
  func heal() { reachability = reachability.map { _ in .open } }

  // MARK: the socket

  private func completeOpening(at now: Instant) {
    guard let opening, let completes = opening.completes, completes <= now else { return }
    self.opening = nil
    switch reachability[opening.server] {
    case .open:
      let server = servers[opening.server]
      let socket = SimulatedSocket(server: server, client: server.accept(at: now))
      self.socket = socket
      connection.handle(.opened, at: now)
    case .refusing:
      connection.handle(.closed(SystemError("connect", -111)), at: now)
    case .vanishing:
      self.opening = (opening.server, nil)
    }
  }

  private func read(at now: Instant) {
    while !isStalled, let socket, !socket.isDead {
      var count = 0
      input.withFreeSpace { free in
        let bytes = socket.down.receive(free.count, at: now)
        free.copyBytes(from: bytes)
        count = bytes.count
        return count
      }
      if count > 0 {
        bytesDelivered += count
        connection.handle(.received, at: now)
      } else if socket.down.hasEnded(at: now) {
        self.socket = nil
        socket.server.disconnect(socket.client)
        connection.handle(.closed(nil), at: now)
      } else {
        return
      }
      flush(at: now)
    }
  }

  private func write(at now: Instant) -> Int {
    guard let socket else { return 0 }
    var count = 0
    output.drain { waiting in
      count = min(waiting.count, max(link.sendBufferBytes - socket.up.count, 0))
      if !socket.isDead {
        socket.up.send(Array(waiting.prefix(count)), over: link, at: now, &random)
      }
      return count
    }
    bytesSent += count
    return count
  }

  private func take(_ action: ConnectionAction, at now: Instant) {
    switch action {
    case .open(let server):
      opening = (server, now + link.latency + link.latency)
      record(.opening(server: server), at: now)
    case .close:
      opening = nil
      if let socket, !socket.isDead {
        socket.up.finish(over: link, at: now)
        lingering.append(socket)
      }
      socket = nil
    case .connected: record(.connected, at: now)
    case .disconnected(let reason, let retryIn):
      record(.disconnected(reason, retryIn: retryIn), at: now)
    case .message(let frame): record(.message(copy(frame)), at: now)
    case .oversizedMessage(let frame, let size):
      let message = copy(frame)
      record(.oversized(subject: message.subject, reply: message.reply, size: size), at: now)
    case .response(let id, let frame): record(.response(id, copy(frame)), at: now)
    case .requestFailed(let id, let failure): record(.requestFailed(id, failure), at: now)
    case .serverError(let range):
      record(.serverError(Endpoint.copy(range, of: input).string), at: now)
    }
  }

  private func copy(_ frame: MessageFrame) -> Message {
    Message(
      subscription: frame.subscription, subject: Endpoint.copy(frame.subject, of: input).string,
      reply: Endpoint.copy(frame.reply, of: input).string,
      headers: Endpoint.copy(frame.headers, of: input),
      payload: Endpoint.copy(frame.payload, of: input))
  }

  private static func copy(_ range: Range<Int>, of input: borrowing ReadBuffer) -> [UInt8] {
    input.bytes.extracting(range).array
  }

  private func record(_ happening: Happening, at now: Instant) {
    journal.append(Record(happening: happening, at: now))
  }
}
