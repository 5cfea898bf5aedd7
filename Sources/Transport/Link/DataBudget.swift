/// How many bytes a link may carry in a period: `5MB/day`.
public struct DataAllowance: Equatable, Sendable {
  public var bytes: Int64
  public var period: Duration

  public init(bytes: Int64, period: Duration) {
    self.bytes = bytes
    self.period = period
  }
}

/// Keeps a link within its allowance: a token bucket whose tokens are time. Each byte costs the time
/// in which the allowance grows by one.
///
/// In any period as long as the allowance's, and not just in each day, at most the allowance is spent
/// as long as there is something that may wait. When it runs short, bulk waits first, then readings,
/// then facts; they come again as the bucket fills, and those who keep the newest reading of a sensor
/// then send fewer of them. Replies, commands and what the protocol needs always go: the bucket then
/// owes, and the others wait the longer.
///
/// It counts from the start of the process; what was spent before that is forgotten.
public struct DataBudget {
  public let allowance: DataAllowance
  /// One byte's cost; at least 1.
  private let nanosecondsPerByte: Int64
  /// What the bucket holds at most: an eighth of the period.
  private let capacity: Duration
  private var level: Duration
  private var updated: Instant

  public init(_ allowance: DataAllowance, at now: Instant) {
    self.allowance = allowance
    let capacity = Duration(nanoseconds: max(allowance.period.nanoseconds, 8) / 8)
    // A full bucket and a period's refill are together what a period may spend.
    let cost = (allowance.period + capacity).nanoseconds / max(allowance.bytes, 1)
    nanosecondsPerByte = max(cost, 1)
    self.capacity = capacity
    level = capacity
    updated = now
  }

  /// Bytes went over the link, in either direction.
  public mutating func spend(_ bytes: Int, at now: Instant) {
    refill(at: now)
    let cost = Duration(nanoseconds: nanosecondsPerByte) * Int64(max(bytes, 0))
    // Owing is bounded by a whole period, or a burst of commands would silence facts for ever.
    level = max(level - cost, .zero - allowance.period)
  }

  /// Whether a message of this class may leave now.
  public func allows(_ traffic: TrafficClass, at now: Instant) -> Bool {
    guard let reserve = reserve(for: traffic) else { return true }
    return level(at: now) > reserve
  }

  /// When a message of this class may leave; nil when it may always.
  public func deadline(of traffic: TrafficClass, at now: Instant) -> Instant? {
    guard let reserve = reserve(for: traffic) else { return nil }
    let missing = reserve - level(at: now)
    return missing < .zero ? now : now + missing + .nanoseconds(1)
  }

  /// The strictest class that has to wait now, and with it all behind it; nil when none has.
  public func waiting(at now: Instant) -> TrafficClass? {
    for traffic in TrafficClass.allCases where !allows(traffic, at: now) { return traffic }
    return nil
  }

  /// What may be spent now; negative while more was spent than there was.
  public func bytesAvailable(at now: Instant) -> Int64 {
    level(at: now).nanoseconds / nanosecondsPerByte
  }

  /// What the bucket must hold more than, for those stricter to find something; nil: goes always.
  private func reserve(for traffic: TrafficClass) -> Duration? {
    switch traffic {
    case .replies, .commands: nil
    case .facts: .zero
    case .readings: Duration(nanoseconds: capacity.nanoseconds / 4)
    case .bulk: Duration(nanoseconds: capacity.nanoseconds / 2)
    }
  }

  private func level(at now: Instant) -> Duration {
    min(level + max(now - updated, .zero), capacity)
  }

  private mutating func refill(at now: Instant) {
    level = level(at: now)
    updated = max(updated, now)
  }
}

/// Estimates what bytes handed to a socket cost on the link.
public struct WireCost: Equatable, Sendable {
  /// Of a segment: IPv4 or IPv6, and TCP with its timestamps.
  private let headerBytes: Int
  /// Of a TLS 1.3 record: header, content type and tag.
  private let recordBytes: Int
  /// What a segment carries at most: 1500 less tunnels and headers.
  private static let segmentBytes = 1360
  private static let recordBytesMax = 16_384

  public init(isIPv6: Bool, isTLS: Bool) {
    headerBytes = isIPv6 ? 72 : 52
    recordBytes = isTLS ? 22 : 0
  }

  /// Of one write, or one read, of so many bytes of payload: records, segments, and an acknowledgement
  /// for each two of them.
  public func bytes(for payload: Int) -> Int {
    if payload <= 0 { return 0 }
    // Far above any buffer, and far below what overflows 32 bits.
    let payload = min(payload, 1 << 28)
    let records = (payload + WireCost.recordBytesMax - 1) / WireCost.recordBytesMax
    let total = payload + records * recordBytes
    let segments = (total + WireCost.segmentBytes - 1) / WireCost.segmentBytes
    return total + (segments + (segments + 1) / 2) * headerBytes
  }

  /// Of opening and closing a connection, without what is carried then: SYN and FIN both ways, and
  /// their acknowledgements.
  public var connection: Int { 7 * (headerBytes + 8) }
}
