@testable import Transport

/// A connection and the servers it may choose from, in one thread and in virtual time: a minute of
/// silence costs nothing, and the same seed gives the same run.
///
///     let pair = try Pair.connected(seed: 7)
///     _ = pair.subscribe("dock.*")
///     pair.endpoint.lose()                                   // half-open: nobody is told
///     try pair.drive(until: { !pair.isConnected })           // bounded; throws with the seed
///
/// Time moves only in `step` and `drive`. Commands act at `now`, and their bytes leave at once.
final class Pair {
  /// A condition that did not come true, with what is needed to run it again.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let seed: UInt64
  let servers: [ModelServer]
  let endpoint: Endpoint
  private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
  /// Steps that happened; a run that takes many at one instant is going in circles.
  private(set) var stepCount = 0

  init(
    seed: UInt64 = 1, servers serverCount: Int = 1, limits: ConnectionLimits = .init(),
    link: LinkConditions = .init(), server options: ModelServer.Options = .init(),
    connectsEarly: Bool = true, ignoresDiscoveredServers: Bool = false,
    simulated simulatedCount: Int? = nil
  ) {
    var connection = ConnectionOptions(
      servers: (0..<serverCount).map(Pair.url), name: "dock-7", version: "1.0")
    connection.connectsEarly = connectsEarly
    connection.ignoresDiscoveredServers = ignoresDiscoveredServers
    self.seed = seed
    servers = (0..<(simulatedCount ?? serverCount)).map {
      ModelServer(options: options, seed: seed &+ UInt64($0) &* 7919)
    }
    endpoint = Endpoint(
      servers: servers,
      options: connection,
      limits: limits, link: link, seed: seed)
  }

  /// The address of a server, whose port says which it is.
  static func url(_ index: Int) -> ServerURL {
    guard let url = try? ServerURL(parsing: "model:\(Int(ServerURL.defaultPort) + index)") else {
      preconditionFailure("no URL")
    }
    return url
  }

  /// The first server.
  var server: ModelServer { servers[0] }
  var isConnected: Bool { endpoint.connection.isConnected }
  var journal: [Endpoint.Record] { endpoint.journal }
  /// What happened, without the times.
  var happenings: [Endpoint.Happening] { journal.map(\.happening) }
  /// The payloads of all messages received, as text.
  var payloads: [String] {
    happenings.compactMap {
      if case .message(let message) = $0 { return message.payload.string }
      return nil
    }
  }
  /// Why connections ended, in order.
  var disconnects: [DisconnectReason] {
    happenings.compactMap {
      if case .disconnected(let reason, _) = $0 { return reason }
      return nil
    }
  }

  // MARK: time

  /// Jumps to the nearest wakeup and handles what is due then; false when nothing will ever happen.
  @discardableResult
  func step() -> Bool {
    guard let wakeup = nextWakeup() else { return false }
    stepCount += 1
    run(at: wakeup)
    return true
  }

  /// Steps until the condition holds.
  func drive(
    within duration: Duration = .seconds(3600), stepsMax: Int = 100_000,
    until condition: () -> Bool
  ) throws(Failure) {
    let end = now + duration
    for _ in 0..<stepsMax {
      if condition() { return }
      guard let wakeup = nextWakeup(), wakeup <= end else {
        if now < end { run(at: end) }
        if condition() { return }
        throw failure("not reached within \(duration.seconds) s")
      }
      step()
    }
    throw failure("not reached in \(stepsMax) steps")
  }

  /// Lets a length of time pass.
  func drive(for duration: Duration, stepsMax: Int = 100_000) throws(Failure) {
    let end = now + duration
    for _ in 0..<stepsMax {
      guard let wakeup = nextWakeup(), wakeup <= end else { return run(at: end) }
      step()
    }
    throw failure("more than \(stepsMax) steps in \(duration.seconds) s")
  }

  /// Time passes and nobody handles anything before its end: the process was suspended.
  func sleep(for duration: Duration) {
    endpoint.collectFromServer(at: now)
    run(at: now + duration)
  }

  /// Takes what a test made the servers say since the last step, then looks ahead.
  private func nextWakeup() -> Instant? {
    endpoint.collectFromServer(at: now)
    return servers.reduce(endpoint.wakeup) { Instant.earlier($0, $1.deadline) }
  }

  private func run(at instant: Instant) {
    now = max(now, instant)
    for server in servers { server.handleDeadline(at: now) }
    endpoint.deliverToServer(at: now)
    endpoint.collectFromServer(at: now)
    endpoint.run(at: now)
  }

  private func failure(_ text: String) -> Failure {
    let last = journal.suffix(5).map { "\($0.happening)" }.joined(separator: "\n  ")
    return Failure(
      description: "seed \(seed): \(text), at \(now.nanoseconds) ns after \(stepCount) steps;"
        + " last happenings:\n  \(last)")
  }

  // MARK: commands

  func start() {
    endpoint.connection.start(at: now)
    endpoint.flush(at: now)
  }

  func drain() {
    endpoint.connection.drain(at: now)
    endpoint.flush(at: now)
  }

  /// - Parameter pattern: must be valid.
  func subscribe(_ pattern: String, queueGroup: String = "") -> UInt32? {
    guard let subject = Subject(bytes(pattern), allowsWildcards: true) else { return nil }
    defer { endpoint.flush(at: now) }
    return endpoint.connection.subscribe(subject, queueGroup: bytes(queueGroup))
  }

  func unsubscribe(_ sid: UInt32) {
    endpoint.connection.unsubscribe(sid)
    endpoint.flush(at: now)
  }

  func publish(
    _ subject: String, reply: String = "", headers: [UInt8] = [], _ payload: [UInt8],
    as trafficClass: TrafficClass = .bulk, expiresIn duration: Duration = .seconds(60)
  ) throws(PublishError) {
    let parts = (bytes(subject), bytes(reply))
    let message = OutgoingMessage(
      subject: parts.0.span, reply: parts.1.span, headers: headers.span, payload: payload.span)
    try endpoint.connection.publish(
      message, as: trafficClass, expires: now + duration, at: now)
    endpoint.flush(at: now)
  }

  func request(
    _ subject: String, _ payload: [UInt8] = [], timeout: Duration = .seconds(5)
  ) throws(PublishError) -> RequestID {
    let subject = bytes(subject)
    let headers: [UInt8] = []
    let id = try endpoint.connection.request(
      subject: subject.span, headers: headers.span, payload: payload.span, as: .commands,
      timeout: timeout, at: now)
    endpoint.flush(at: now)
    return id
  }
}
