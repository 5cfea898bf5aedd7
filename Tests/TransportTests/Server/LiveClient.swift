import XCTest

@testable import Transport

struct WaitedInVain: Error {
  let what: String
}

/// A client of a real server on an event loop, and waiting for what must happen.
final class LiveClient: ClientDelegate {
  let loop: EventLoop
  let client: Client
  /// Told of the link and of their deadlines.
  var consumers: [PullConsumer] = []
  private(set) var connects = 0
  /// Connections that ended.
  private(set) var disconnects = 0
  private var timer: Transport.Timer?
  private var guardTimer: Transport.Timer?
  private var isOverdue = false

  init(_ server: NATSServer, limits: ConnectionLimits = LiveClient.limits) throws {
    loop = try EventLoop()
    let url = try ServerURL(parsing: "nats://127.0.0.1:\(server.port)")
    let options = ConnectionOptions(servers: [url], name: "test", version: "0")
    client = Client(on: loop, options: options, limits: limits)
    client.delegate = self
    let timer = Transport.Timer(on: loop) { [self] now in
      for consumer in consumers { consumer.handleDeadline(at: now) }
    }
    self.timer = timer
    guardTimer = Transport.Timer(on: loop) { [self] _ in isOverdue = true }
    let endClientTurn = loop.endOfTurn
    loop.endOfTurn = { [self] now in
      endClientTurn?(now)
      timer.set(consumers.reduce(nil) { Instant.earlier($0, $1.deadline) })
    }
    client.start()
    try wait("a connection") { client.isConnected }
  }

  /// Notices a dead link, and comes back, sooner than a board would.
  static var limits: ConnectionLimits {
    var limits = ConnectionLimits()
    limits.link.ping = .milliseconds(300)
    limits.link.detect = .seconds(1)
    limits.link.timeouts.info = .seconds(2)
    limits.link.timeouts.pong = .seconds(2)
    limits.link.backoffCap = .milliseconds(200)
    return limits
  }

  /// Turns the loop until the condition holds. A minute is for a loaded machine; nothing waits for it.
  func wait(_ what: String, until condition: () -> Bool) throws {
    isOverdue = false
    guardTimer?.set(EventLoop.now + .seconds(60))
    // What was queued outside a turn of the loop is written at the end of one.
    timer?.set(EventLoop.now)
    while !condition() {
      if isOverdue {
        throw WaitedInVain(what: what)
      }
      try loop.turn()
    }
    guardTimer?.set(nil)
  }

  /// What a completion is called with.
  func result<Value>(
    _ what: String = "an answer", _ start: (@escaping (Value) -> Void) -> Void
  ) throws -> Value {
    var values: [Value] = []
    start { values.append($0) }
    try wait(what) { !values.isEmpty }
    XCTAssertEqual(values.count, 1)
    return values[0]
  }

  /// Breaks the references between the loop, the client and this.
  func end() throws {
    for consumer in consumers { consumer.stop() }
    consumers = []
    client.drain()
    try wait("the end") { !client.isConnected }
    timer?.set(nil)
    guardTimer?.set(nil)
    loop.endOfTurn = nil
    client.delegate = nil
  }

  // MARK: ClientDelegate

  func clientConnected(to server: ServerURL) {
    connects += 1
    for consumer in consumers { consumer.linkChanged(isConnected: true, at: EventLoop.now) }
  }

  func clientDisconnected(
    from server: ServerURL, _ reason: DisconnectReason, retryIn: Transport.Duration
  ) { lost() }

  func clientStopped() { lost() }
  func clientFoundLameDuck(_ server: ServerURL) {}

  func clientMoved(to server: ServerURL) {
    lost()
    clientConnected(to: server)
  }

  func clientReceivedError(_ error: ServerError, _ text: String) {
    XCTFail("the server says: \(text)")
  }

  private func lost() {
    // Tries that failed are not counted.
    if disconnects < connects { disconnects = connects }
    for consumer in consumers { consumer.linkChanged(isConnected: false, at: EventLoop.now) }
  }
}

extension JetStream {
  /// Makes a stream or does another thing of the API, and returns what is wrong with the answer.
  func callForTest(_ live: LiveClient, _ operation: Text, _ json: String) throws
    -> JetStreamFailure?
  {
    try live.result { done in
      call(operation, Array(json.utf8), timeout: .seconds(20)) { answer in
        switch answer {
        case .failed(let failure): done(failure)
        case .body(let json): done(JetStreamError.failure(in: json))
        }
      }
    }
  }
}
