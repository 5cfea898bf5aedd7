/// The two clocks a provider needs beside the times it is handed: an edge happened before it is
/// handled, and its time of day is worked out from both. Tests set their own.
public protocol TimeSource: AnyObject {
  /// The monotonic clock.
  var now: Instant { get }
  /// The time of day.
  var wallClock: Timestamp { get }
}

/// The kernel's clocks.
public final class SystemTime: TimeSource {
  public init() {}

  public var now: Instant { EventLoop.now }
  public var wallClock: Timestamp { EventLoop.wallClock }
}

extension TimeSource {
  /// The time of day at an instant of the monotonic clock, by the time of day that it is now.
  public func wallClock(at instant: Instant) -> Timestamp { wallClock + (instant - now) }
}
