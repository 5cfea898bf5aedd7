/// The two clocks a provider needs beside the times it is handed: an edge happened before it is
/// handled, and its time of day is worked out from both. Tests set their own.
public protocol TimeSource: AnyObject {
  /// The monotonic clock.
  var now: Instant { get }
  /// The time of day.
  var wallClock: Timestamp { get }
  /// Whether something keeps the time of day right, as the kernel was told: else it may be off by any
  /// amount, and only times of the same clock may be compared with it.
  var isSynchronised: Bool { get }
}

/// The kernel's clocks.
public final class SystemTime: TimeSource {
  public init() {}

  public var now: Instant { EventLoop.now }
  public var wallClock: Timestamp { EventLoop.wallClock }
  public var isSynchronised: Bool { EventLoop.isWallClockSynchronised }
}

extension Timestamp {
  /// The time of day at an instant of the monotonic clock, by the time of day that it is now.
  ///
  /// Not a method of `TimeSource`: Embedded Swift compiles an extension's method, called on an
  /// existential of another module, to a trap.
  public init(of instant: Instant, by time: any TimeSource) {
    self = time.wallClock + (instant - time.now)
  }
}
