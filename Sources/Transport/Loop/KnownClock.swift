/// A boot whose clock was right: it makes the times known of what happened before.
public struct KnownClock: Equatable, Sendable {
  public let boot: BootID
  /// From the monotonic clock to the time of day.
  public let offset: Duration
  /// When the clock was seen to be right last.
  public let until: Instant

  public init(boot: BootID, offset: Duration, until: Instant) {
    self.boot = boot
    self.offset = offset
    self.until = until
  }
}

// As they are kept over a restart, one after the other: the boot's 16 bytes, offset and instant in
// nanoseconds, 8 bytes each, lowest byte first.

extension KnownClock {
  private static let byteCount = BootID.byteCount + 16

  public static func bytes(of clocks: [KnownClock]) -> [UInt8] {
    var bytes: [UInt8] = []
    for clock in clocks {
      bytes.append(clock.boot.bytes.span)
      bytes.append(littleEndian: UInt64(bitPattern: clock.offset.nanoseconds), width: 8)
      bytes.append(littleEndian: UInt64(bitPattern: clock.until.nanoseconds), width: 8)
    }
    return bytes
  }

  /// None of them when the bytes are anything else.
  public static func clocks(in bytes: Span<UInt8>) -> [KnownClock] {
    if bytes.count % byteCount != 0 { return [] }
    var clocks: [KnownClock] = []
    var start = 0
    while start < bytes.count {
      let numbers = start + BootID.byteCount
      guard let boot = BootID(bytes.extracting(start..<numbers).array),
        let offset = bytes.littleEndian(at: numbers, width: 8),
        let until = bytes.littleEndian(at: numbers + 8, width: 8)
      else { return [] }
      clocks.append(
        KnownClock(
          boot: boot, offset: Duration(nanoseconds: Int64(bitPattern: offset)),
          until: Instant(nanoseconds: Int64(bitPattern: until))))
      start += byteCount
    }
    return clocks
  }
}
