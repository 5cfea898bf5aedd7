/// Names one link of a connection, from the attempt to open it until it has ended.
public struct LinkID: Equatable, Hashable, Sendable {
  let number: UInt32
}

/// One TCP connection to one server: its handshake, its liveness and what the protocol owes on it. What
/// outlives it (subscriptions, requests, queues) belongs to `Connection`.
///
///     opening -> awaitingInfo -> awaitingPong -> established -> draining
///            \    ^          \    ^
///             securing        securing      with TLS: before INFO, or behind it
public final class Link: Equatable {
  enum State: Equatable {
    case opening(deadline: Instant)
    /// TLS is being agreed upon.
    case securing(deadline: Instant)
    case awaitingInfo(deadline: Instant)
    case awaitingPong(deadline: Instant)
    case established(since: Instant)
    /// No new messages; the last ones are being written, then a PING is answered.
    case draining(deadline: Instant)
  }

  public let id: LinkID
  public let server: ServerURL
  private let limits: ConnectionLimits
  var state: State
  var parser = Parser()
  var info = ServerInfo()
  /// INFO has come.
  var isInformed = false
  /// What is written and read goes through TLS.
  private(set) var isSecured = false
  /// CONNECT, SUB, UNSUB, PING and PONG lines that wait to be written.
  var control: WriteBuffer

  private(set) var liveness: Liveness
  private(set) var fence: CommandFence
  /// PINGs written whose PONG has not come.
  private var pingsUnanswered: UInt32 = 0
  /// Since when a PING is owed.
  private var pingOwed: Instant?
  private var pongsOwed: UInt32 = 0
  /// The CONNECT line's argument, until it is written; wiped then.
  var connectArgument: Secret?
  /// The server was told of us: SUB and messages may follow.
  private(set) var isGreeted = false
  /// The message larger than the read buffer whose parts are arriving, if they are wanted.
  var largeMessage: (subscription: UInt32, size: UInt64)?
  private var lastError: (kind: ServerError, text: String, at: Instant)?

  /// How long an -ERR that may not end the connection explains its end.
  private static let errorExplains = Duration.seconds(2)

  init(_ id: LinkID, to server: ServerURL, limits: ConnectionLimits, at now: Instant) {
    self.id = id
    self.server = server
    self.limits = limits
    state = .opening(deadline: now + limits.link.timeouts.open)
    control = WriteBuffer(capacity: limits.controlBytes)
    liveness = Liveness(limits.link, connected: now)
    fence = CommandFence(opened: now)
  }

  var isEstablished: Bool {
    if case .established = state { return true }
    return false
  }

  var isDraining: Bool {
    if case .draining = state { return true }
    return false
  }

  public static func == (left: Link, right: Link) -> Bool { left === right }

  // MARK: time

  var deadline: Instant {
    switch state {
    case .opening(let deadline), .securing(let deadline), .awaitingInfo(let deadline),
      .awaitingPong(let deadline), .draining(let deadline):
      deadline
    case .established: liveness.deadline
    }
  }

  /// How far the server has acknowledged decides what `handleDeadline` finds.
  func needsProgress(at now: Instant) -> Bool { isEstablished && liveness.needsProgress(at: now) }

  /// Why the link is over, if it is. Early or repeated calls have no effect.
  func handleDeadline(at now: Instant) -> DisconnectReason? {
    if deadline > now { return nil }
    switch state {
    case .opening: return .openTimedOut
    case .securing, .awaitingInfo, .awaitingPong: return refusal(at: now) ?? .handshakeTimedOut
    case .draining: return .closedByServer
    case .established:
      switch liveness.step(at: now) {
      case .nothing: return nil
      case .silent(let duration): return .silent(duration)
      case .unanswered(let duration): return .unanswered(duration)
      case .ping:
        ping(at: now)
        return nil
      }
    }
  }

  // MARK: events

  func handleOpened(at now: Instant) {
    liveness = Liveness(limits.link, connected: now)
    fence = CommandFence(opened: now)
    state = .awaitingInfo(deadline: now + limits.link.timeouts.info)
  }

  func beginSecuring(at now: Instant) {
    state = .securing(deadline: now + limits.link.timeouts.tls)
  }

  func handleSecured(at now: Instant) {
    liveness.received(at: now)
    isSecured = true
    let timeouts = limits.link.timeouts
    state =
      isInformed
      ? .awaitingPong(deadline: now + timeouts.pong) : .awaitingInfo(deadline: now + timeouts.info)
  }

  func handleReceived(at now: Instant) { liveness.received(at: now) }

  func handleProgressed(_ bytesAcknowledged: UInt64, at instant: Instant) {
    liveness.progressed(bytesAcknowledged: bytesAcknowledged, at: instant)
  }

  /// Asks the server for a sign of life, behind what is written before.
  func ping(at now: Instant) {
    // One that is not written yet is as good, and the earlier time is the safe one.
    pingOwed = pingOwed ?? now
    liveness.pingSent(at: now)
  }

  func owePong() { pongsOwed += pongsOwed < .max ? 1 : 0 }

  /// A PONG that answers nothing of ours changes nothing, nor does one that answers an earlier PING.
  ///
  /// - Returns: whether the last PING is answered.
  func takePong() -> Bool {
    if pingsUnanswered == 0 { return false }
    pingsUnanswered -= 1
    fence.pongReceived()
    if pingsUnanswered > 0 || pingOwed != nil { return false }
    liveness.pongReceived()
    return true
  }

  func take(_ error: ServerError, _ text: String, at now: Instant) {
    // The first says why; what follows is its echo.
    if error.closesConnection != false, lastError?.kind.closesConnection != true {
      lastError = (error, text, now)
    }
  }

  /// Why the server ends the connection, if it has said so.
  func refusal(at now: Instant) -> DisconnectReason? {
    guard let lastError else { return nil }
    if lastError.kind == .unknown, now - lastError.at > Link.errorExplains { return nil }
    return .refused(lastError.kind, lastError.text)
  }

  /// The server has accepted us: what it said before is over.
  func handleAccepted(at now: Instant) {
    state = .established(since: now)
    lastError = nil
  }

  // MARK: what the protocol owes

  /// False when not all of it fits: nothing else may be written before it.
  func writeGreeting() -> Bool {
    guard let argument = connectArgument else { return true }
    if !Encoder.line("CONNECT", argument.bytes, into: &control) { return false }
    control.holdsSecret = true
    connectArgument = nil
    isGreeted = true
    return true
  }

  func writePongs() -> Bool {
    while pongsOwed > 0 {
      if !Encoder.line("PONG", [UInt8]().span, into: &control) { return false }
      pongsOwed -= 1
    }
    return true
  }

  func writePing() -> Bool {
    guard let owed = pingOwed else { return true }
    if !Encoder.line("PING", [UInt8]().span, into: &control) { return false }
    pingOwed = nil
    fence.pingSent(at: owed)
    pingsUnanswered += 1
    return true
  }
}
