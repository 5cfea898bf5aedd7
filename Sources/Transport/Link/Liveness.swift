/// Whether the other end of a connection is alive, judged by progress.
///
/// A sign of life is a byte received, or a byte of ours that the peer acknowledged: a PONG may wait
/// behind a minute of data on a slow link, and says no more than they do. What we send says nothing.
///
/// - After `pingInterval` without a byte received a PING is due: also while acknowledgements come, for
///   those are the kernel's word, and the server may hang.
/// - Without a sign of life for `detect` the connection is dead, but not before a PING had
///   `detect - pingInterval` to be answered.
/// - A peer that acknowledges and never sends is dead `answerTimeout` (`detect` and a minute) after
///   the PING or the last byte received, whichever is later.
///
/// How far the peer has acknowledged is only asked for when that would change the verdict
/// (`needsProgress`), so watching costs no wakeup of its own.
public struct Liveness {
  public enum Step: Equatable, Sendable {
    case nothing
    /// Send a PING; it is counted as sent.
    case ping
    /// No sign of life for so long.
    case silent(Duration)
    /// Our bytes are acknowledged, but nothing was received for so long.
    case unanswered(Duration)
  }

  /// What a slow link may hold in front of a PONG.
  private static let queueAllowance = Duration.seconds(60)

  public let pingInterval: Duration
  public let detect: Duration
  public var answerTimeout: Duration { detect + Liveness.queueAllowance }

  private var received: Instant
  /// When the peer last acknowledged something new.
  private var progressed: Instant
  private var acknowledged: UInt64 = 0
  /// Since when a PING is owed or unanswered.
  private var pingSent: Instant?

  public init(_ settings: LinkSettings, connected now: Instant) {
    self.init(pingInterval: settings.ping, detect: settings.detect, connected: now)
  }

  /// - Parameter pingInterval: below `detect`; else half of that is taken.
  public init(pingInterval: Duration, detect: Duration, connected now: Instant) {
    self.detect = detect
    self.pingInterval =
      pingInterval < detect ? pingInterval : Duration(nanoseconds: detect.nanoseconds / 2)
    received = now
    progressed = now
  }

  public var lastSignOfLife: Instant { max(received, progressed) }
  public var isPingUnanswered: Bool { pingSent != nil }

  // MARK: events

  /// Bytes were received.
  public mutating func received(at now: Instant) { received = max(received, now) }

  /// The peer has acknowledged this many bytes in all.
  /// - Parameter instant: when it did so last (the kernel knows); the present time when not known.
  public mutating func progressed(bytesAcknowledged: UInt64, at instant: Instant) {
    if bytesAcknowledged <= acknowledged { return }
    acknowledged = bytesAcknowledged
    progressed = max(progressed, instant)
  }

  /// A PING is sent for another reason than this one's word. The oldest unanswered counts.
  public mutating func pingSent(at now: Instant) { pingSent = pingSent ?? now }

  /// Every PING of ours is answered.
  public mutating func pongReceived() { pingSent = nil }

  // MARK: verdict

  /// When `step` has something to do.
  public var deadline: Instant {
    guard let pingSent else { return received + pingInterval }
    return min(silentAt(pingSent), unansweredAt(pingSent))
  }

  /// The next `step` would find the peer silent: ask how far it has acknowledged, and say so by
  /// `progressed`, before.
  public func needsProgress(at now: Instant) -> Bool {
    guard let pingSent else { return false }
    return silentAt(pingSent) <= now
  }

  /// Early or repeated calls have no effect.
  public mutating func step(at now: Instant) -> Step {
    guard let pingSent else {
      if received + pingInterval > now { return .nothing }
      pingSent = now
      return .ping
    }
    if silentAt(pingSent) <= now { return .silent(now - lastSignOfLife) }
    return unansweredAt(pingSent) <= now ? .unanswered(now - received) : .nothing
  }

  private func silentAt(_ pingSent: Instant) -> Instant {
    max(lastSignOfLife + detect, pingSent + (detect - pingInterval))
  }

  private func unansweredAt(_ pingSent: Instant) -> Instant {
    max(pingSent, received) + answerTimeout
  }
}
