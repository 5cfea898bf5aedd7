/// Where a consumer that is made begins.
public enum DeliverPolicy: Equatable {
  case all
  /// What comes from now on.
  case new
  /// The last message of every subject, then what comes from now on.
  case lastPerSubject
  case from(sequence: UInt64)
}

/// What a consumer is to be when it has to be made. One that is there already stays as it is.
public struct ConsumerConfiguration {
  public enum Kind: Equatable {
    /// Kept by the server under this name, with each message to be acknowledged: what is not comes
    /// again.
    case durable(String)
    /// Without acknowledgements: what is lost on the way is noticed and fetched anew, so that messages
    /// come in order, each once. The server forgets it when it is not used.
    case ordered
  }

  public var kind: Kind
  public var deliverPolicy = DeliverPolicy.all
  /// Only messages of these subjects; nil for all of the stream.
  public var filter: Subject?
  /// Durable only; 1 s to 1 h. What is not acknowledged within it comes again. Longer than the link is
  /// usually away, or its return brings everything twice.
  public var acknowledgeWait = Duration.seconds(60)
  /// Durable only; 1 to 1 000. So many unacknowledged messages are out at most.
  public var unacknowledgedMax = 64
  /// Durable only; how often a message is delivered at most, nil for no limit.
  public var deliveriesMax: Int?
  /// Unused for this long, it goes; nil for the kind's own: never, or ten minutes for ordered ones.
  public var inactiveThreshold: Duration?

  static let orderedInactiveThreshold = Duration.seconds(600)

  public init(_ kind: Kind) { self.kind = kind }

  var durableName: String? {
    if case .durable(let name) = kind { return name }
    return nil
  }

  /// The argument of CONSUMER.CREATE.
  ///
  /// - Parameter sequence: the last message that an ordered one had before; it goes on behind it.
  func createArgument(stream: String, name: String, after sequence: UInt64?) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("stream_name")
    json.string(stream)
    json.key("config")
    json.beginObject()
    json.key(durableName == nil ? "name" : "durable_name")
    json.string(name)
    writeStart(after: sequence, into: &json)
    if let filter {
      json.key("filter_subject")
      json.string(filter.string)
    }
    json.key("replay_policy")
    json.string("instant")
    if durableName == nil {
      writeOrdered(into: &json)
    } else {
      writeDurable(into: &json)
    }
    if let inactiveThreshold = inactiveThreshold
      ?? (durableName == nil ? ConsumerConfiguration.orderedInactiveThreshold : nil)
    {
      json.key("inactive_threshold")
      json.integer(inactiveThreshold.nanoseconds)
    }
    json.endObject()
    json.endObject()
    return json.bytes
  }

  private func writeStart(after sequence: UInt64?, into json: inout JSONWriter) {
    var policy = deliverPolicy
    if let sequence { policy = .from(sequence: sequence &+ 1) }
    json.key("deliver_policy")
    switch policy {
    case .all: json.string("all")
    case .new: json.string("new")
    case .lastPerSubject: json.string("last_per_subject")
    case .from(let sequence):
      json.string("by_start_sequence")
      json.key("opt_start_seq")
      json.integer(Int64(clamping: sequence))
    }
  }

  private func writeDurable(into json: inout JSONWriter) {
    json.key("ack_policy")
    json.string("explicit")
    json.key("ack_wait")
    json.integer(min(max(acknowledgeWait, .seconds(1)), .seconds(3600)).nanoseconds)
    json.key("max_ack_pending")
    json.integer(Int64(min(max(unacknowledgedMax, 1), 1000)))
    if let deliveriesMax {
      json.key("max_deliver")
      json.integer(Int64(max(deliveriesMax, 1)))
    }
  }

  /// Nothing of it is worth a disk or a replica: when it is lost it is made anew.
  private func writeOrdered(into json: inout JSONWriter) {
    json.key("ack_policy")
    json.string("none")
    json.key("mem_storage")
    json.bool(true)
    json.key("num_replicas")
    json.integer(1)
  }
}

/// What the server says of a consumer, as far as we act on it.
struct ConsumerInfo: Equatable {
  /// The stream's last sequence that the consumer has passed.
  var streamSequence: UInt64 = 0
  /// Messages that wait to be delivered.
  var pendingCount: UInt64 = 0

  init(streamSequence: UInt64 = 0, pendingCount: UInt64 = 0) {
    self.streamSequence = streamSequence
    self.pendingCount = pendingCount
  }

  static func read(_ json: Span<UInt8>) -> Result<ConsumerInfo, JetStreamFailure> {
    var info = ConsumerInfo()
    var isNamed = false
    let failure = JetStreamError.failure(in: json, isWhole: { isNamed }) {
      (reader, key) throws(JSONError) in
      if reader.matches(key, "name") {
        isNamed = !(try reader.nextString()).utf8.isEmpty
      } else if reader.matches(key, "num_pending") {
        info.pendingCount = try reader.nextSequence()
      } else if reader.matches(key, "delivered") {
        try info.readDelivered(&reader)
      } else {
        try reader.skipValue()
      }
    }
    return failure.map { .failure($0) } ?? .success(info)
  }

  private mutating func readDelivered(_ reader: inout JSONReader) throws(JSONError) {
    guard try reader.next() == .beginObject else { throw reader.unexpectedType }
    while case .key(let key) = try reader.next() {
      if reader.matches(key, "stream_seq") {
        streamSequence = try reader.nextSequence()
      } else {
        try reader.skipValue()
      }
    }
  }
}
