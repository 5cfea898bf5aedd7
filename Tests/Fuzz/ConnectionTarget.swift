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
    default:
      let length = min(Int(script.popFirst() ?? 0), script.count)
      run.receive(Array(script.prefix(length)))
      script = script.dropFirst(length)
    }
  }
  run.finish()
  return 0
}

private struct Run: ~Copyable {
  private var connection: Connection
  private var input = ReadBuffer(capacity: 256)
  private var output = WriteBuffer(capacity: 512)
  private var now = Instant(nanoseconds: 1)
  private var waiting: Set<RequestID> = []
  private var hasSocket = false
  private var opensSocket = false

  init() {
    var limits = ConnectionLimits()
    limits.readBufferBytes = 256
    limits.writeBufferBytes = 512
    limits.outboxBytes = 1024
    limits.requestsMax = 3
    limits.subscriptionsMax = 3
    connection = Connection(
      options: ConnectionOptions(serverCount: 1, name: "fuzz", version: "1"), limits: limits,
      seed: 1)
    connection.start(at: now)
    settle()
    let info = #"INFO {"headers":true}"# + "\r\nPONG\r\n"
    receive(Array(info.utf8))
  }

  mutating func sleep(_ duration: Duration) {
    now = now + duration
    connection.handleDeadline(at: now)
    settle()
  }

  mutating func close() {
    hasSocket = false
    connection.handle(.closed(nil), at: now)
    settle()
  }

  mutating func receive(_ bytes: [UInt8]) {
    if !hasSocket { return }
    input.withFreeSpace { free in
      let count = min(free.count, bytes.count)
      free.copyBytes(from: bytes[..<count])
      return count
    }
    connection.handle(.received, at: now)
    settle()
  }

  mutating func request() {
    let subject: [UInt8] = [0x61]
    let none: [UInt8] = []
    if let id = try? connection.request(
      subject: subject.span, headers: none.span, payload: none.span, timeout: .seconds(5), at: now)
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
    try? connection.publish(message, expires: now + .seconds(9), at: now)
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
    close()
    sleep(.seconds(3600))
    require(waiting.isEmpty)
    require(hasSocket || opensSocket || connection.isStopped)
  }

  private mutating func settle() {
    flush()
    if opensSocket {
      opensSocket = false
      hasSocket = true
      connection.handle(.opened, at: now)
      flush()
    }
    var calls = 0
    while let deadline = connection.deadline, deadline <= now {
      connection.handleDeadline(at: now)
      flush()
      calls += 1
      require(calls < 4)
    }
  }

  private mutating func flush() {
    while let action = connection.nextAction(reading: &input, at: now) {
      switch action {
      case .open: opensSocket = true
      case .close:
        hasSocket = false
        opensSocket = false
      case .response(let id, let frame):
        require(waiting.remove(id) != nil)
        check(frame)
      case .requestFailed(let id, _): require(waiting.remove(id) != nil)
      case .message(let frame): check(frame)
      case .oversizedMessage(let frame, let size):
        require(size > 0)
        check(frame)
      case .serverError(let range): _ = input.bytes.extracting(range).string
      case .connected, .disconnected: break
      }
    }
    connection.writeOutput(into: &output, at: now)
    let count = output.count
    if count > 0 { require(output.bytes[count - 1] == 0x0A) }
    if hasSocket { output.drain { $0.count } } else { require(count == 0) }
  }

  private func check(_ frame: MessageFrame) {
    for range in [frame.subject, frame.reply, frame.headers, frame.payload] {
      _ = input.bytes.extracting(range).count
    }
  }
}
