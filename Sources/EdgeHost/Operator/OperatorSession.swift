import Transport

/// A short-lived connection for one operator command: connects, runs the command, and yields its exit
/// status. Errors go to standard error, results to standard output.
final class OperatorSession: ClientDelegate {
  private static let inboxTokenLength = 16

  let loop: EventLoop
  private(set) var client: Client
  private let server: ServerURL
  private var status: Int32 = 0
  private var started: (() -> Void)?
  private var hasConnected = false

  init(_ options: OperatorOptions) throws(SystemError) {
    loop = try EventLoop()
    server = options.server
    var connection = ConnectionOptions(
      servers: [server], name: "edge-host cli", version: Program.version)
    connection.authentication = options.authentication
    connection.tls = options.tls
    client = Client(on: loop, options: connection)
  }

  /// Connects, calls `started` once, and returns the status given to `end`.
  func run(_ started: @escaping () -> Void) -> Int32 {
    self.started = started
    client.delegate = self
    client.start()
    do throws(SystemError) {
      try loop.run()
    } catch {
      OperatorSession.complain("\(error)")
      return 1
    }
    return status
  }

  /// Sends what is queued and ends `run`.
  func end(_ status: Int32) {
    self.status = status
    client.drain()
  }

  func fail(_ text: Text) {
    OperatorSession.complain(text)
    end(1)
  }

  static func complain(_ text: Text) {
    StandardStream.error.write("edge-host: \(text.harmless)\n")
  }

  /// Subscribes to a fresh inbox; nil never happens with a session's few subscriptions.
  func makeInbox(_ handler: @escaping (borrowing IncomingMessage) -> Void) -> Subject? {
    var random = RandomGenerator(seed: RandomGenerator.systemSeed)
    var bytes = "_INBOX.".bytes
    bytes += random.token(length: OperatorSession.inboxTokenLength)
    guard let inbox = Subject(bytes),
      client.subscribe(inbox, queueGroup: [], handler: handler) != nil
    else { return nil }
    return inbox
  }

  /// Who the hosts' logs say has asked: `ops@laptop`.
  static var caller: String {
    let user = ManifestEnvironment.lookUp("USER") ?? ""
    return ("\(user.utf8.isEmpty ? "uid" : user)@\(Kernel.hostName.span)" as Text).string
  }

  func timer(_ action: @escaping () -> Void) -> Timer { Timer(on: loop) { _ in action() } }

  // MARK: ClientDelegate

  func clientConnected(to server: ServerURL) {
    if hasConnected {
      OperatorSession.complain("connected to \(server) again")
      return
    }
    hasConnected = true
    started?()
    started = nil
  }

  func clientDisconnected(from server: ServerURL, _ reason: DisconnectReason, retryIn: Duration) {
    if hasConnected {
      OperatorSession.complain("\(server): \(reason); trying again")
    } else if reason != .requiresTLS || !TLSConfiguration.isAvailable {
      fail("\(server): \(reason)")
    }
  }

  func clientStopped() { loop.stop() }
  func clientFoundLameDuck(_ server: ServerURL) {}
  func clientMoved(to server: ServerURL) {}

  func clientReceivedError(_ error: ServerError, _ text: String) {
    OperatorSession.complain("\(server): \(text)")
  }
}
