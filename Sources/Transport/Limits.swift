/// Every bound and period of one NATS connection, in one place.
///
/// Sizes are allocated once and never grow; their sum is what the connection holds at most.
public struct ConnectionLimits: Equatable {
  /// Bytes; 4 096 to 1 MiB. The largest control line and message that can be received: the server's
  /// own control lines stay below 4 096 bytes, its INFO in a large cluster may take several kB.
  public var readBufferBytes = 16 * 1024
  /// Bytes; 4 096 to 1 MiB. The largest frame that can be sent, and what one write carries at most.
  public var writeBufferBytes = 16 * 1024
  /// Bytes; 4 096 to 16 MiB. Messages that wait for the link, whole frames.
  public var outboxBytes = 32 * 1024
  /// Messages in the outbox; arbitrary.
  public var outboxMessagesMax = 256
  /// Subscriptions kept and restored after a reconnect; arbitrary.
  public var subscriptionsMax = 64
  /// Requests that wait for an answer at the same time; at most 65 535 (their slot is a UInt16).
  public var requestsMax = 32

  /// Name resolution and TCP connect together.
  public var openTimeout = Duration.seconds(15)
  /// From the open socket to INFO, and from CONNECT to the first PONG, each.
  public var handshakeTimeout = Duration.seconds(10)
  /// Silence from the server after which it is asked for a sign of life.
  public var pingInterval = Duration.seconds(20)
  /// Silence after our PING that means the link is dead. Any byte counts as life, not only the PONG:
  /// on a slow link it may wait behind data.
  public var pingTimeout = Duration.seconds(10)
  /// Bound of the first retry's jitter, and what retries grow to.
  public var backoffFirst = Duration.milliseconds(250)
  public var backoffCap = Duration.seconds(30)
  /// A connection that lasted this long was useful: the next retry is a first one again.
  public var usefulAfter = Duration.seconds(10)
  /// What closing waits for: the last messages written and answered by PONG.
  public var drainTimeout = Duration.seconds(3)

  public init() {}
}
