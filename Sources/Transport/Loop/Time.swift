/// A length of time in nanoseconds, from about -292 to 292 years. Unlike the standard library's
/// 128-bit `Duration` it is cheap on 32-bit ARM; arithmetic saturates instead of trapping.
public struct Duration: Equatable, Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = Duration(nanoseconds: 0)
  public static func nanoseconds(_ count: Int64) -> Duration { Duration(nanoseconds: count) }
  public static func microseconds(_ count: Int64) -> Duration {
    Duration(nanoseconds: saturatingProduct(count, 1_000))
  }
  public static func milliseconds(_ count: Int64) -> Duration {
    Duration(nanoseconds: saturatingProduct(count, 1_000_000))
  }
  public static func seconds(_ count: Int64) -> Duration {
    Duration(nanoseconds: saturatingProduct(count, 1_000_000_000))
  }

  /// Whole milliseconds, rounded toward zero.
  public var milliseconds: Int64 { nanoseconds / 1_000_000 }
  /// Whole seconds, rounded toward zero.
  public var seconds: Int64 { nanoseconds / 1_000_000_000 }

  public static func < (left: Duration, right: Duration) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  public static func + (left: Duration, right: Duration) -> Duration {
    Duration(nanoseconds: saturatingSum(left.nanoseconds, right.nanoseconds))
  }
  public static func - (left: Duration, right: Duration) -> Duration {
    Duration(nanoseconds: saturatingDifference(left.nanoseconds, right.nanoseconds))
  }
  public static func * (left: Duration, factor: Int64) -> Duration {
    Duration(nanoseconds: saturatingProduct(left.nanoseconds, factor))
  }
}

/// A point on the monotonic clock (CLOCK_MONOTONIC, which also stamps kernel GPIO events), in
/// nanoseconds since boot. It never jumps, and says nothing about the time of day.
public struct Instant: Equatable, Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  public static func + (left: Instant, right: Duration) -> Instant {
    Instant(nanoseconds: saturatingSum(left.nanoseconds, right.nanoseconds))
  }
  public static func - (left: Instant, right: Duration) -> Instant {
    Instant(nanoseconds: saturatingDifference(left.nanoseconds, right.nanoseconds))
  }
  public static func - (left: Instant, right: Instant) -> Duration {
    Duration(nanoseconds: saturatingDifference(left.nanoseconds, right.nanoseconds))
  }
}

extension Instant {
  /// The earlier of two deadlines, where nil means never.
  public static func earlier(_ left: Instant?, _ right: Instant?) -> Instant? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
  }
}

extension Optional where Wrapped == Instant {
  /// Whether there is an instant and it has come.
  public func isDue(at now: Instant) -> Bool {
    guard let instant = self else { return false }
    return instant <= now
  }
}

/// A point in wall-clock time, in nanoseconds since 1970-01-01T00:00:00Z. It jumps when the clock
/// is set; order and deadlines are kept in `Instant`.
public struct Timestamp: Equatable, Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  public static func + (left: Timestamp, right: Duration) -> Timestamp {
    Timestamp(nanoseconds: saturatingSum(left.nanoseconds, right.nanoseconds))
  }
}

func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
  let (sum, overflow) = left.addingReportingOverflow(right)
  return overflow ? (left < 0 ? .min : .max) : sum
}

func saturatingDifference(_ left: Int64, _ right: Int64) -> Int64 {
  let (difference, overflow) = left.subtractingReportingOverflow(right)
  return overflow ? (left < 0 ? .min : .max) : difference
}

func saturatingProduct(_ left: Int64, _ right: Int64) -> Int64 {
  let (product, overflow) = left.multipliedReportingOverflow(by: right)
  return overflow ? ((left < 0) == (right < 0) ? .max : .min) : product
}
