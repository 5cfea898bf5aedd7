// Invariant: whatever a server sends, and whenever, a connection does not trap, its deadline is in the
// future once it was handled, it writes whole lines, every request ends once, and when the server has
// gone it asks for a new socket.
//
// The input is a script: a byte that chooses what happens, then, for bytes of the server, their count and
// the bytes.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var script = UnsafeBufferPointer(start: data, count: count)[...]
  var run = Run()
  while let step = script.popFirst() {
    switch step % 12 {
    case 0: run.sleep(Duration.milliseconds(Int64(script.popFirst() ?? 0) * 50))
    case 1: run.sleep(Duration.seconds(Int64(script.popFirst() ?? 0)))
    case 2: run.close()
    case 3: run.request()
    case 4: run.publish(size: Int(script.popFirst() ?? 0) * 4)
    case 5: run.subscribe()
    case 6: run.drain()
    case 7: run.announceLameDuck()
    case 8: run.prefersOther.toggle()
    default:
      let length = min(Int(script.popFirst() ?? 0), script.count)
      run.receive(Array(script.prefix(length)))
      script = script.dropFirst(length)
    }
  }
  run.finish()
  return 0
}

/// A link as its owner has it.
private final class Wire {
  let id: LinkID
  var isOpen = false
  var input = ReadBuffer(capacity: 256)

  init(_ id: LinkID) { self.id = id }
}

private struct Run: ~Copyable {
  private var connection: Connection
  private var wires: [Wire] = []
  /// Whether bytes and ends meet the newer of two links.
  var prefersOther = false
  private var now = Instant(nanoseconds: 1)
  private var waiting: Set<RequestID> = []

  init() {
    var limits = ConnectionLimits()
    limits.readBufferBytes = 256
    limits.controlBytes = 512
    limits.writeBytes = 512
    limits.replies.bytes = 1024
    limits.commands.bytes = 1024
    limits.requestsMax = 3
    limits.subscriptionsMax = 3
    let servers = [4222, 4223].compactMap { try? ServerURL(parsing: "fuzz:\($0)") }
    connection = Connection(
      options: ConnectionOptions(servers: servers, name: "fuzz", version: "1"), limits: limits,
      seed: 1)
    connection.start(at: now)
    settle()
    receive(Array((Run.info + "PONG\r\n").utf8))
  }

  private static let info = #"INFO {"headers":true}"# + "\r\n"

  private var wire: Wire? { prefersOther ? wires.last : wires.first }

  mutating func sleep(_ duration: Duration) {
    now = now + duration
    connection.handleDeadline(at: now)
    settle()
  }

  mutating func close() {
    guard let wire else { return }
    wires.removeAll { $0 === wire }
    connection.handle(.closed(nil), of: wire.id, at: now)
    settle()
  }

  mutating func receive(_ bytes: [UInt8]) {
    guard let wire, wire.isOpen else { return }
    wire.input.withFreeSpace { free in
      let count = min(free.count, bytes.count)
      free.copyBytes(from: bytes[..<count])
      return count
    }
    connection.handle(.received(bytes.count), of: wire.id, at: now)
    settle()
  }

  /// The first server shuts down, and the second accepts us.
  mutating func announceLameDuck() {
    receive(Array(#"INFO {"headers":true,"ldm":true}"#.utf8) + [0x0D, 0x0A])
    sleep(.seconds(1))
    prefersOther = true
    receive(Array((Run.info + "PONG\r\n").utf8))
  }

  mutating func request() {
    let subject: [UInt8] = [0x61]
    let none: [UInt8] = []
    if let id = try? connection.request(
      subject: subject.span, headers: none.span, payload: none.span, as: .commands,
      timeout: .seconds(5), at: now)
    {
      require(waiting.insert(id).inserted)
    }
    settle()
  }

  mutating func publish(size: Int) {
    let subject: [UInt8] = [0x61]
    let none: [UInt8] = []
    let payload = [UInt8](repeating: 0x78, count: size)
    let message = OutgoingMessage(
      subject: subject.span, reply: none.span, headers: none.span, payload: payload.span)
    let trafficClass = TrafficClass(rawValue: UInt8(size % 5)) ?? .bulk
    try? connection.publish(message, as: trafficClass, expires: now + .seconds(9), at: now)
    settle()
  }

  mutating func subscribe() {
    guard let subject = Subject([0x61]) else { return }
    if let sid = connection.subscribe(subject), sid % 2 == 0 { connection.unsubscribe(sid) }
    settle()
  }

  mutating func drain() {
    connection.drain(at: now)
    settle()
    connection.start(at: now)
    settle()
  }

  mutating func finish() {
    while !wires.isEmpty, waiting.count > 0 || wires.contains(where: \.isOpen) {
      let count = wires.count
      close()
      if wires.count >= count { break }
    }
    sleep(.seconds(3600))
    require(waiting.isEmpty)
    require(!wires.isEmpty || connection.isStopped)
  }

  private mutating func settle() {
    flush()
    for wire in wires where !wire.isOpen {
      wire.isOpen = true
      connection.handle(.opened, of: wire.id, at: now)
      flush()
    }
    var calls = 0
    while let deadline = connection.deadline, deadline <= now {
      connection.handleDeadline(at: now)
      flush()
      calls += 1
      require(calls < 6)
    }
  }

  private mutating func flush() {
    while let action = connection.nextAction() { take(action) }
    for wire in wires {
      while let action = connection.nextAction(reading: &wire.input, of: wire.id, at: now) {
        take(action, wire.input)
      }
      if wire.isOpen { write(wire) }
    }
    while let action = connection.nextAction() { take(action) }
  }

  private mutating func write(_ wire: Wire) {
    _ = connection.send(over: wire.id, at: now) { pieces in
      var last: UInt8 = 0
      pieces.forEach { piece in
        require(!piece.isEmpty)
        last = piece[piece.count - 1]
      }
      require(last == 0x0A)
      // The socket leaves something now and then.
      return pieces.byteCount - pieces.byteCount % 3
    }
  }

  private mutating func take(_ action: ConnectionAction) {
    switch action {
    case .open(let link):
      wires.append(Wire(link.id))
      require(wires.count <= 2)
    // A build without TLS, a host with nothing to prove.
    case .secure, .authenticate: require(false)
    case .close(let id): wires.removeAll { $0.id == id }
    case .requestFailed(let id, _): require(waiting.remove(id) != nil)
    case .connected, .disconnected, .stopped, .lameDuck, .moved: break
    case .message, .oversizedMessage, .messagePart, .response, .serverError: require(false)
    }
  }

  private mutating func take(_ action: ConnectionAction, _ input: borrowing ReadBuffer) {
    switch action {
    case .response(let id, let frame):
      require(waiting.remove(id) != nil)
      check(frame, input)
    case .message(let frame): check(frame, input)
    case .oversizedMessage(let frame, let size):
      require(size > 0)
      check(frame, input)
    case .messagePart(_, let range, let offset, let size):
      require(offset + UInt64(input.bytes.extracting(range).count) <= size)
    case .serverError(_, let range): _ = input.bytes.extracting(range).string
    default: take(action)
    }
  }

  private func check(_ frame: MessageFrame, _ input: borrowing ReadBuffer) {
    for range in [frame.subject, frame.reply, frame.headers, frame.payload] {
      _ = input.bytes.extracting(range).count
    }
  }
}
