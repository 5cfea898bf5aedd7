import CLinux

/// Hears from the kernel when the time of day is set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET); it wakes
/// the loop only for that. What is slewed, or is said to be right without being set, is not heard of.
public final class ClockWatch {
  private let descriptor: Int32
  private var watch: Watch?

  /// - Parameter handler: called for each time that the clock was set, as long as the loop runs.
  public init(on loop: EventLoop, handler: @escaping () -> Void) throws(SystemError) {
    descriptor = try check("timerfd_create", linux_clock_watch())
    watch = try loop.watch(descriptor, for: .readable) { [descriptor] _ in
      if linux_clock_was_set(descriptor) != 0 { handler() }
    }
  }

  /// Ends the watch, which else lives as long as the loop.
  public func cancel() {
    guard let watch else { return }
    watch.cancel()
    self.watch = nil
    _ = linux_close(descriptor)
  }
}
