/// How much a consumer asks for at once, and how long it waits.
///
/// One batch is under way at a time and the next is asked for when it has come: what is not asked for
/// does not stand in front of commands on a slow link.
public struct PullLimits: Equatable {
  /// 1 to 256; arbitrary.
  public var batchMessages = 32
  /// Bytes with subjects and headers, at least 512. It must be less than the read buffer, so that
  /// every message fits, and less than what the link carries within the server's write deadline: a
  /// server that cannot write for that long closes the connection.
  public var batchBytes = 8 * 1024
  /// How long an unfilled request stays with the server; at least twice `heartbeat`.
  public var expires = Duration.seconds(300)
  /// How often the server says that the request is still there, when it has no messages.
  public var heartbeat = Duration.seconds(60)
  /// What the link may need on top of these times.
  public var grace = Duration.seconds(10)
  /// For looking a consumer up and making it.
  public var openTimeout = Duration.seconds(10)
  /// Bound of the first pause after a failure, and what pauses grow to.
  public var backoffFirst = Duration.milliseconds(250)
  public var backoffCap = Duration.seconds(60)

  /// `write_deadline` of nats-server, its default.
  public static let serverWriteDeadline = Duration.seconds(10)
  /// What a message costs in the read buffer beside its own bytes: its control line.
  static let controlLineBytes = 512

  public init() {}

  /// Batches for a link of this rate: half of what it carries within the server's write deadline, the
  /// rest being other traffic's, and what fits the read buffer.
  ///
  /// - Parameter bytesPerSecond: nil for a link that is no bottleneck.
  public init(readBufferBytes: Int, bytesPerSecond: Int?) {
    batchBytes = readBufferBytes - PullLimits.controlLineBytes
    if let bytesPerSecond {
      let (bytes, overflow) = max(bytesPerSecond, 0).multipliedReportingOverflow(
        by: Int(PullLimits.serverWriteDeadline.seconds) / 2)
      if !overflow { batchBytes = min(batchBytes, bytes) }
    }
    batchBytes = max(batchBytes, 512)
  }

  /// The argument of CONSUMER.MSG.NEXT.
  var pullArgument: [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("batch")
    json.integer(Int64(batch))
    json.key("max_bytes")
    json.integer(Int64(max(batchBytes, 512)))
    json.key("expires")
    json.integer(expires.nanoseconds)
    json.key("idle_heartbeat")
    json.integer(min(heartbeat.nanoseconds, expires.nanoseconds / 2))
    json.endObject()
    return json.bytes
  }

  var batch: UInt32 { UInt32(min(max(batchMessages, 1), 256)) }
}
