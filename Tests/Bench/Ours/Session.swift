import CBench
import Transport

/// A client on an event loop of its own.
final class Session: ClientDelegate {
  let loop: EventLoop
  let client: Client
  let subject: [UInt8]
  private var isConnected = false
  private var isDrained = false
  /// Tell of lost and new connections; otherwise a lost one is a failure.
  var isWatched = false

  init(port: UInt16) throws(SystemError) {
    loop = try EventLoop()
    let url: ServerURL
    do throws(ServerURLError) {
      url = try ServerURL(parsing: "nats://\(String(cString: bench_host())):\(port)")
    } catch {
      bench_fail("URL")
    }
    client = Client(
      on: loop, options: ConnectionOptions(servers: [url], name: "bench", version: "0"))
    subject = Array("bench".utf8)
    client.delegate = self
  }

  /// Returns when the server has accepted us and knows our subscriptions.
  func connect() throws(SystemError) {
    client.start()
    while !isConnected { try loop.turn() }
  }

  /// Returns when the server has taken everything.
  func drain() throws(SystemError) {
    client.drain()
    write()
    while !isDrained { try loop.turn() }
  }

  /// Hands over what is queued, as at the end of a turn, without waiting for an event.
  func write() { loop.endOfTurn?(EventLoop.now) }

  func subscribe(_ handler: @escaping (borrowing IncomingMessage) -> Void) {
    guard let pattern = Subject(subject),
      client.subscribe(pattern, queueGroup: [], handler: handler) != nil
    else { bench_fail("subscribe") }
  }

  func clientConnected(to server: ServerURL) {
    if isWatched { bench_event("back") }
    isConnected = true
  }
  func clientDisconnected(from server: ServerURL, _ reason: DisconnectReason, retryIn: Duration) {
    if !isWatched { bench_fail("disconnected") }
    bench_event("lost")
  }
  func clientStopped() { isDrained = true }
  func clientFoundLameDuck(_ server: ServerURL) {}
  func clientMoved(to server: ServerURL) {}
  func clientReceivedError(_ error: ServerError, _ text: String) { bench_fail("server's error") }
}
