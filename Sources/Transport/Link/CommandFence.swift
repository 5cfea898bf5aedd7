/// How old a message that arrives now may be, without any clock but our own.
///
/// A server answers our PING in the order of all that it sends us. So what arrives behind the PONG was
/// taken by the server after we sent that PING; and what arrives before it may have waited, in the
/// server or on the link, since the PING before. The bound is the age since our own server took the
/// message: what it waited for before, such as between two servers, nobody but the sender's clock
/// tells.
public struct CommandFence {
  /// Unanswered PINGs whose time is kept. More are not sent by anybody sane; their PONGs then prove
  /// nothing, which only makes the bound larger.
  private static let pingsMax = 4

  /// What arrives now was taken by the server after this instant.
  public private(set) var takenAfter: Instant
  private var sent: [Instant] = []
  private var untracked: UInt32 = 0

  /// - Parameter now: when the connection was opened: its subscriptions are new, and nothing older
  ///   than them can arrive.
  public init(opened now: Instant) {
    takenAfter = now
    sent.reserveCapacity(CommandFence.pingsMax)
  }

  /// A PING is handed over now, at the latest.
  public mutating func pingSent(at now: Instant) {
    if sent.count < CommandFence.pingsMax && untracked == 0 {
      sent.append(now)
    } else {
      untracked += untracked < .max ? 1 : 0
    }
  }

  /// The PONG to the oldest unanswered PING.
  public mutating func pongReceived() {
    if !sent.isEmpty {
      takenAfter = max(takenAfter, sent.removeFirst())
    } else if untracked > 0 {
      untracked -= 1
    }
  }
}
