/// One revision of a key, as views that are valid during the call that hands it over.
public struct KeyValueEntry: ~Escapable {
  public enum Operation: Equatable {
    case put
    /// The key was deleted: the value is empty, earlier revisions may be there.
    case delete
    /// The key was deleted with its earlier revisions, by somebody or by its age.
    case purge
  }

  public let key: Span<UInt8>
  public let value: Span<UInt8>
  /// Counts all changes of the bucket; what `update` expects.
  public let revision: UInt64
  public let operation: Operation
  /// When the bucket took it.
  public let stored: Timestamp

  @_lifetime(copy key, copy value)
  init(
    key: Span<UInt8>, value: Span<UInt8>, headers: Span<UInt8>, revision: UInt64, stored: Timestamp
  ) {
    self.key = key
    self.value = value
    self.revision = revision
    self.stored = stored
    operation = KeyValueEntry.operation(headers)
  }

  /// Source: ADR-8; `Nats-Marker-Reason` is a server's own, of messages that aged (ADR-43).
  private static func operation(_ block: Span<UInt8>) -> Operation {
    guard let headers = HeaderReader(block) else { return .put }
    if let name = headers.value(of: "KV-Operation") {
      if block.extracting(name).equals("DEL") { return .delete }
      if block.extracting(name).equals("PURGE") { return .purge }
    }
    return headers.value(of: "Nats-Marker-Reason") == nil ? .put : .purge
  }
}

/// How a `get` ended.
public enum KeyValueAnswer: ~Escapable {
  case found(KeyValueEntry)
  /// There is no such key. The revision of its deletion, 0 when it never was there: what `update` takes
  /// to make it.
  case missing(revision: UInt64)
  case failed(JetStreamFailure)
}

/// What a new bucket is to be; one that is there stays as it is.
public struct KeyValueBucketOptions {
  /// Revisions kept of each key; 1 to 64.
  public var history = 1
  /// Bytes of all that is kept; nil for no limit.
  public var bytesMax: Int64?
  /// Bytes of one value; nil for the server's own limit.
  public var valueBytesMax: Int32?
  /// After this long an entry goes; nil for never.
  public var age: Duration?
  public var replicas = 1
  public var isInMemory = false

  public init() {}

  /// The argument of STREAM.CREATE.
  ///
  /// Source: ADR-8.
  func createArgument(bucket: String) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("name")
    json.string("KV_" + bucket)
    json.key("subjects")
    json.beginArray()
    json.string("$KV." + bucket + ".>")
    json.endArray()
    json.key("retention")
    json.string("limits")
    json.key("discard")
    json.string("new")
    json.key("storage")
    json.string(isInMemory ? "memory" : "file")
    json.key("num_replicas")
    json.integer(Int64(min(max(replicas, 1), 5)))
    json.key("max_msgs_per_subject")
    json.integer(Int64(min(max(history, 1), 64)))
    json.key("max_bytes")
    json.integer(bytesMax ?? -1)
    json.key("max_msg_size")
    json.integer(Int64(valueBytesMax ?? -1))
    json.key("max_age")
    json.integer(max(age ?? .zero, .zero).nanoseconds)
    for flag in ["allow_rollup_hdrs", "deny_delete", "allow_direct"] {
      json.key(flag)
      json.bool(true)
    }
    json.endObject()
    return json.bytes
  }
}
