import Transport

/// Decodes how much memory a link may take: its buffers, its tables, and the queue of each traffic class.
enum LimitsDecoder {
  private static var keys: Words {
    "read control write subscriptions requests replies commands facts readings bulk"
  }

  static func decode(_ field: Field, into limits: inout ConnectionLimits) {
    guard let reader = field.mapping("the limits", keys: keys) else { return }
    func size(_ key: StaticString, _ range: ClosedRange<Int64>, _ value: inout Int) {
      if let bytes = reader.field(key)?.size(in: range) { value = Int(clamping: bytes) }
    }
    func count(_ key: StaticString, _ range: ClosedRange<UInt32>, _ value: inout Int) {
      if let number = reader.field(key)?.integer(in: range) { value = Int(clamping: number) }
    }
    size("read", ManifestLimits.readBytes, &limits.readBufferBytes)
    size("control", ManifestLimits.controlBytes, &limits.controlBytes)
    size("write", ManifestLimits.writeBytes, &limits.writeBytes)
    count("subscriptions", ManifestLimits.subscriptions, &limits.subscriptionsMax)
    count("requests", ManifestLimits.requests, &limits.requestsMax)
    for trafficClass in TrafficClass.allCases {
      if let field = reader.field(trafficClass.name) { decode(field, into: &limits[trafficClass]) }
    }
  }

  private static func decode(_ field: Field, into queue: inout QueueLimits) {
    guard let reader = field.mapping("a queue", keys: "memory full") else { return }
    if let bytes = reader.field("memory")?.size(in: ManifestLimits.queueBytes) {
      queue.bytes = Int(clamping: bytes)
    }
    if let policy = reader.field("full")?.choice(
      "refuse drop-oldest newest", [FullPolicy.refuse, .dropOldest, .newest])
    {
      queue.whenFull = policy
    }
  }
}
