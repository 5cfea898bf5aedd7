import Transport

/// When something happened, as it is told: what the dialects write at the end of an event's body when
/// they send it. An event may wait, and more may be known of its time then.
public struct EventTime {
  public let timestamp: Timestamp
  public let instant: Instant
  public let quality: TimeQuality
  /// The boot that the instant is of.
  public let boot: BootID
  /// Whether the boot is told: where the time is not known, for whoever learns the time of another instant
  /// of that boot can work it out; and in the host's own events, from which that can be learned.
  public var tellsBoot: Bool
  /// How late it is told, where that is to be said.
  public var age: Duration?

  public init(
    _ timestamp: Timestamp, _ quality: TimeQuality, at instant: Instant, of boot: BootID,
    age: Duration? = nil
  ) {
    self.timestamp = timestamp
    self.instant = instant
    self.quality = quality
    self.boot = boot
    tellsBoot = quality == .unknown
    self.age = age
  }

  /// That of an event which is told at once.
  init(of event: CapabilityEvent, by host: LatticeHost) {
    self = host.time(of: event.instant)
    if event.isOfHost { tellsBoot = true }
  }

  /// An event's body, which has no time of its own, with this one at its end.
  /// - Parameter body: a JSON object as it was written.
  public func appended(to body: Span<UInt8>) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.fields(of: self)
    json.endObject()
    // `{}` has no field that a comma would have to follow.
    if body.count <= 2 { return json.bytes }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count + json.bytes.count)
    bytes.append(body.extracting(0..<body.count - 1))
    bytes.append(UInt8(ascii: ","))
    bytes.append(json.bytes.span.extracting(1..<json.bytes.count))
    return bytes
  }
}

extension JSONWriter {
  /// An event's body with its time.
  @inline(never)
  mutating func record(_ body: Record, at time: EventTime) {
    beginObject()
    fields(of: body)
    fields(of: time)
    endObject()
  }

  /// The time of an event, within its body, which is open.
  @inline(never)
  mutating func fields(of time: EventTime) {
    field("time", time.timestamp.rfc3339)
    field("monotonic_ns", time.instant.nanoseconds)
    field("time_quality", time.quality.text)
    if time.tellsBoot { field("boot", time.boot.text) }
    if let age = time.age { field("age_ms", age.milliseconds) }
  }
}

extension Record {
  /// The time of an answer, or of what it tells.
  public mutating func append(timeOf instant: Instant, by time: any TimeSource) {
    let quality: TimeQuality = time.isSynchronised ? .synced : .unknown
    append("time", .string(Timestamp(of: instant, by: time).rfc3339))
    append("time_quality", .string(quality.text))
  }
}
