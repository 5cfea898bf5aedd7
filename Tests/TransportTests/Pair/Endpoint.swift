@testable import Transport

/// Takes what a connection tells, in place of an endpoint's journal. The sockets are the endpoint's.
protocol EndpointObserver: AnyObject {
  func take(
    _ action: ConnectionAction, reading input: borrowing ReadBuffer, at now: Instant)
  /// Actions that refer to no bytes.
  func take(_ action: ConnectionAction, at now: Instant)
}

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
    case disconnected(DisconnectReason, retryIn: Duration)
    case stopped
    case lameDuck
    case moved(server: Int)
    case message(Message)
    case oversized(subject: String, reply: String, size: UInt64)
    case part([UInt8], offset: UInt64, size: UInt64)
    case response(RequestID, Message)
    case requestFailed(RequestID, RequestFailure)
    case serverError(ServerError, String)
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
  /// Who gets what the connection tells, in place of the journal.
  var observer: (any EndpointObserver)?
  /// Among all that share the servers.
  private let number: Int
  /// Whether sockets are closed when the connection says so.
  var closesSockets = true

  private(set) var journal: [Record] = []
  /// One link's socket; without one while it is being opened.
  final class Wire {
    let id: LinkID
    let server: Int
    /// When the socket is open; nil: never.
    var opensAt: Instant?
    var socket: SimulatedSocket?
    var input: ReadBuffer
    var hasFailed = false

    init(_ id: LinkID, server: Int, opensAt: Instant?, capacity: Int) {
      self.id = id
      self.server = server
      self.opensAt = opensAt
      input = ReadBuffer(capacity: capacity)
    }
  }

  private(set) var wires: [Wire] = []
  /// The newest that is open.
  var socket: SimulatedSocket? { wires.last { $0.socket != nil }?.socket }
  /// Bytes that went into sockets; "nothing is sent" is told by this.
  private(set) var bytesSent = 0
  private(set) var bytesDelivered = 0

  /// Closed here; the server has not learned it yet.
  private var lingering: [SimulatedSocket] = []
  private let readBufferBytes: Int
  private var random: RandomGenerator

  init(
    servers: [ModelServer], options: ConnectionOptions, limits: ConnectionLimits,
    link: LinkConditions, seed: UInt64, number: Int = 0
  ) {
    self.number = number
    var random = RandomGenerator(seed: seed)
    connection = Connection(options: options, limits: limits, seed: random.next())
    readBufferBytes = limits.readBufferBytes
    reachability = servers.map { _ in .open }
    self.servers = servers
    self.link = link
    self.random = random
  }

  // MARK: time

  /// When there is something to do.
  var wakeup: Instant? {
    var wakeup = connection.deadline
    for wire in wires {
      if wire.hasFailed { return Instant(nanoseconds: .min) }
      wakeup = Instant.earlier(wakeup, wire.opensAt)
      guard !isStalled, let socket = wire.socket, !socket.isDead else { continue }
      wakeup = Instant.earlier(wakeup, Instant.earlier(socket.up.arrival, socket.down.arrival))
    }
    if !isStalled {
      for socket in lingering { wakeup = Instant.earlier(wakeup, socket.up.arrival) }
    }
    return wakeup
  }

  /// When something of ours reaches a server.
  var arrivalAtServer: Instant? {
    if isStalled { return nil }
    var arrival: Instant?
    for socket in lingering { arrival = Instant.earlier(arrival, socket.up.arrival) }
    for wire in wires {
      guard let socket = wire.socket, !socket.isDead else { continue }
      arrival = Instant.earlier(arrival, socket.up.arrival)
    }
    return arrival
  }

  /// What has reached a server is given to it.
  func deliverToServer(at now: Instant) {
    if isStalled { return }
    for socket in lingering where !socket.isDead {
      deliver(from: socket, at: now)
      if socket.up.hasEnded(at: now) {
        socket.server.disconnect(socket.client)
        lingering.removeAll { $0 === socket }
      }
    }
    for wire in wires {
      if let socket = wire.socket, !socket.isDead { deliver(from: socket, at: now) }
    }
  }

  private func deliver(from socket: SimulatedSocket, at now: Instant) {
    let bytes = socket.up.receive(.max, at: now)
    if bytes.isEmpty { return }
    socket.acknowledged += UInt64(bytes.count)
    socket.acknowledgedAt = now
    socket.server.receive(bytes, from: socket.client, at: now)
  }

  /// What the servers have for us goes on its way.
  func collectFromServer(at now: Instant) {
    for wire in wires {
      guard let socket = wire.socket else { continue }
      let bytes = socket.server.takeOutput(of: socket.client)
      if socket.isDead { continue }
      socket.down.send(bytes, over: link, at: now, &random)
      if socket.server.isClosed(socket.client) { socket.down.finish(over: link, at: now) }
    }
  }

  /// Events, bytes and deadlines that are due are handled, and the answers sent.
  func run(at now: Instant) {
    for wire in wires where wire.hasFailed {
      remove(wire)
      connection.handle(.closed(SystemError("recv", -104)), of: wire.id, at: now)
      flush(at: now)
    }
    for wire in wires { completeOpening(of: wire, at: now) }
    for wire in wires where connection.needsProgress(of: wire.id, at: now) {
      guard let socket = wire.socket, let instant = socket.acknowledgedAt else { continue }
      connection.handle(.progressed(socket.acknowledged, at: instant), of: wire.id, at: now)
    }
    connection.handleDeadline(at: now)
    flush(at: now)
    for wire in wires { read(wire, at: now) }
  }

  /// After a command: actions are taken and output written.
  func flush(at now: Instant) {
    var hasMoved = true
    while hasMoved {
      hasMoved = false
      while let action = connection.nextAction() {
        take(action, at: now)
        hasMoved = true
      }
      for wire in wires {
        while let action = connection.nextAction(reading: &wire.input, of: wire.id, at: now) {
          take(action, reading: wire.input, at: now)
          hasMoved = true
        }
        if write(wire, at: now) > 0 { hasMoved = true }
      }
    }
  }

  // MARK: faults

  /// Both ends learn at once that the connections are gone; what is under way is lost.
  ///
  /// - Parameter index: the server whose connections go; nil: all.
  func cut(server index: Int? = nil) {
    for wire in wires where index == nil || wire.server == index {
      guard let socket = wire.socket else { continue }
      socket.server.disconnect(socket.client)
      // Over a way that is lost nobody is told.
      if socket.isDead { continue }
      wire.socket = nil
      wire.hasFailed = true
    }
  }

  /// The way is lost without anybody being told; with `forGood` new connections find none either.
  func lose(forGood: Bool = false) {
    for wire in wires { wire.socket?.isDead = true }
    if forGood { reachability = reachability.map { _ in .vanishing } }
  }

  /// The process is gone: its sockets are closed by the kernel, which still sends what it has; or, when
  /// the machine is, nobody closes them.
  func exit(withMachine: Bool, at now: Instant) {
    for wire in wires {
      guard !withMachine, let socket = wire.socket, !socket.isDead else { continue }
      socket.up.finish(over: link, at: now)
      lingering.append(socket)
    }
    wires = []
  }

  /// Nothing of it is under way to a server any more.
  var isGone: Bool { wires.isEmpty && lingering.isEmpty }

  /// Puts bytes into the read buffer of the oldest link, whatever its state, as if a socket had had
  /// them.
  func inject(_ bytes: [UInt8], at now: Instant) {
    guard let wire = wires.first else { return }
    wire.input.withFreeSpace { free in
      let count = min(free.count, bytes.count)
      free.copyBytes(from: bytes[..<count])
      return count
    }
    connection.handle(.received(bytes.count), of: wire.id, at: now)
    flush(at: now)
  }

  /// The kernel says that our address is gone.
  func losePath(at now: Instant) {
    lose()
    for wire in wires { connection.handle(.pathLost(.addressGone), of: wire.id, at: now) }
    flush(at: now)
  }

  /// The kernel says that there is an address again.
  func returnPath(at now: Instant) {
    connection.handleNetworkReturned(at: now)
    flush(at: now)
  }

  /// New connections find a way again.
  func heal() { reachability = reachability.map { _ in .open } }

  // MARK: the sockets

  private func completeOpening(of wire: Wire, at now: Instant) {
    guard let opensAt = wire.opensAt, opensAt <= now else { return }
    wire.opensAt = nil
    switch reachability[wire.server] {
    case .open:
      let server = servers[wire.server]
      wire.socket = SimulatedSocket(server: server, client: server.accept(at: now, from: number))
      connection.handle(.opened, of: wire.id, at: now)
    case .refusing:
      remove(wire)
      connection.handle(.closed(SystemError("connect", -111)), of: wire.id, at: now)
    case .vanishing: break
    }
  }

  private func read(_ wire: Wire, at now: Instant) {
    while !isStalled, let socket = wire.socket, !socket.isDead {
      var count = 0
      wire.input.withFreeSpace { free in
        let bytes = socket.down.receive(free.count, at: now)
        free.copyBytes(from: bytes)
        count = bytes.count
        return count
      }
      if count > 0 {
        bytesDelivered += count
        connection.handle(.received(count), of: wire.id, at: now)
      } else if socket.down.hasEnded(at: now) {
        remove(wire)
        socket.server.disconnect(socket.client)
        connection.handle(.closed(nil), of: wire.id, at: now)
      } else {
        return
      }
      flush(at: now)
    }
  }

  private func write(_ wire: Wire, at now: Instant) -> Int {
    var total = 0
    guard let socket = wire.socket else { return 0 }
    var isOpen = true
    while isOpen {
      isOpen = connection.send(over: wire.id, at: now) { pieces in
        var bytes: [UInt8] = []
        pieces.forEach { $0.withUnsafeBufferPointer { bytes.append(contentsOf: $0) } }
        let held = socket.up.count + socket.heldBytes
        let count = min(bytes.count, max(link.sendBufferBytes - held, 0))
        if socket.isDead {
          socket.heldBytes += count
        } else {
          if count < bytes.count { bytes.removeLast(bytes.count - count) }
          socket.up.send(bytes, over: link, at: now, &random)
        }
        total += count
        return count
      }
    }
    bytesSent += total
    return total
  }

  private func remove(_ wire: Wire) {
    wire.socket = nil
    wires.removeAll { $0 === wire }
  }

  private func index(of server: ServerURL) -> Int {
    Int(server.port) - Int(ServerURL.defaultPort)
  }

  private func open(_ link: Link, at now: Instant) {
    let index = index(of: link.server)
    wires.append(
      Wire(
        link.id, server: index, opensAt: self.link.departure(of: now) + self.link.latency * 2,
        capacity: readBufferBytes))
    if observer == nil { record(.opening(server: index), at: now) }
  }

  private func close(_ id: LinkID, at now: Instant) {
    guard closesSockets, let wire = wires.first(where: { $0.id == id }) else { return }
    if let socket = wire.socket, !socket.isDead {
      socket.up.finish(over: link, at: now)
      lingering.append(socket)
    }
    remove(wire)
  }

  /// Actions that refer to no bytes.
  private func take(_ action: ConnectionAction, at now: Instant) {
    if let observer { observer.take(action, at: now) }
    switch action {
    case .open(let link): open(link, at: now)
    case .secure(let id):
      // Nobody here speaks TLS.
      close(id, at: now)
      connection.handle(.tlsFailed(.notTLS), of: id, at: now)
    case .authenticate(let id): connection.authenticate(id, .none, at: now)
    case .close(let id): close(id, at: now)
    default: if observer == nil { note(action, at: now) }
    }
  }

  private func note(_ action: ConnectionAction, at now: Instant) {
    switch action {
    case .connected: record(.connected, at: now)
    case .disconnected(_, let reason, let retryIn):
      record(.disconnected(reason, retryIn: retryIn), at: now)
    case .stopped: record(.stopped, at: now)
    case .lameDuck: record(.lameDuck, at: now)
    case .moved(let link): record(.moved(server: index(of: link.server)), at: now)
    case .requestFailed(let id, let failure): record(.requestFailed(id, failure), at: now)
    case .open, .secure, .authenticate, .close, .message, .oversizedMessage, .messagePart,
      .response, .serverError:
      preconditionFailure("taken elsewhere")
    }
  }

  private func take(
    _ action: ConnectionAction, reading input: borrowing ReadBuffer, at now: Instant
  ) {
    if let observer, Endpoint.needsBytes(action) {
      return observer.take(action, reading: input, at: now)
    }
    switch action {
    case .message(let frame): record(.message(Endpoint.copy(frame, of: input)), at: now)
    case .oversizedMessage(let frame, let size):
      let message = Endpoint.copy(frame, of: input)
      record(.oversized(subject: message.subject, reply: message.reply, size: size), at: now)
    case .messagePart(_, let range, let offset, let size):
      record(.part(Endpoint.copy(range, of: input), offset: offset, size: size), at: now)
    case .response(let id, let frame):
      record(.response(id, Endpoint.copy(frame, of: input)), at: now)
    case .serverError(let error, let range):
      record(.serverError(error, Endpoint.copy(range, of: input).string), at: now)
    default: take(action, at: now)
    }
  }

  private static func needsBytes(_ action: ConnectionAction) -> Bool {
    switch action {
    case .message, .oversizedMessage, .messagePart, .response, .serverError: true
    default: false
    }
  }

  private static func copy(_ frame: MessageFrame, of input: borrowing ReadBuffer) -> Message {
    Message(
      subscription: frame.subscription, subject: copy(frame.subject, of: input).string,
      reply: copy(frame.reply, of: input).string, headers: copy(frame.headers, of: input),
      payload: copy(frame.payload, of: input))
  }

  private static func copy(_ range: Range<Int>, of input: borrowing ReadBuffer) -> [UInt8] {
    input.bytes.extracting(range).array
  }

  private func record(_ happening: Happening, at now: Instant) {
    journal.append(Record(happening: happening, at: now))
  }
}
