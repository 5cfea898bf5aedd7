/// Every bound and period of one NATS connection, in one place.
///
/// Sizes are allocated once and never grow; their sum is what the connection holds at most.
public struct ConnectionLimits: Equatable {
  /// Bytes; 4 096 to 1 MiB. The largest control line and message that can be received: the server's
  /// own control lines stay below 4 096 bytes, its INFO in a large cluster may take several kB.
  public var readBufferBytes = 16 * 1024
  /// Bytes; 4 096 to 64 KiB. CONNECT, SUB, PING and PONG lines that wait to be written.
  public var controlBytes = 4096
  /// Bytes; 1 024 to 1 MiB. What one system call writes on a slow link, but for the last frame; and what
  /// the kernel may hold unsent. An urgent message waits behind both: at 16 kbit/s each takes two
  /// seconds. A faster link gets more in one call, as much as it carries in 5 ms.
  public var writeBytes = 4096

  /// The queues of messages that wait for the link, strictest first. A queue's size is also that of the
  /// largest frame it can carry.
  public var replies = QueueLimits(bytes: 16 * 1024, whenFull: .refuse)
  public var commands = QueueLimits(bytes: 8 * 1024, whenFull: .refuse)
  public var facts = QueueLimits(bytes: 32 * 1024, whenFull: .refuse)
  public var readings = QueueLimits(bytes: 16 * 1024, whenFull: .newest)
  public var bulk = QueueLimits(bytes: 8 * 1024, whenFull: .refuse)

  /// Subscriptions kept and restored after a reconnect; arbitrary.
  public var subscriptionsMax = 64
  /// Requests that wait for an answer at the same time; at most 65 535 (their slot is a UInt16).
  public var requestsMax = 32

  /// How the link is watched, retried and filled.
  public var link = LinkSettings()
  /// Bound of the first retry's jitter.
  public var backoffFirst = Duration.milliseconds(250)
  /// A connection that lasted this long was useful: the next retry is a first one again.
  public var usefulAfter = Duration.seconds(10)
  /// What closing waits for: the last messages written and answered by PONG.
  public var drainTimeout = Duration.seconds(3)

  /// Bytes; what the subjects and queue groups of all subscriptions may take together.
  var subscriptionBytes: Int { subscriptionsMax * 128 }

  public init() {}

  /// The queue of a class.
  public subscript(trafficClass: TrafficClass) -> QueueLimits {
    get {
      switch trafficClass {
      case .replies: replies
      case .commands: commands
      case .facts: facts
      case .readings: readings
      case .bulk: bulk
      }
    }
    set {
      switch trafficClass {
      case .replies: replies = newValue
      case .commands: commands = newValue
      case .facts: facts = newValue
      case .readings: readings = newValue
      case .bulk: bulk = newValue
      }
    }
  }
}
