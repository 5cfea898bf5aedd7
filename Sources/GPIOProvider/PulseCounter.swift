import Transport

/// Counts the pulses of a flow meter or a tachometer, and sums up each window of time in one report
/// instead of a message for each pulse.
///
/// Pulses go in, lost ones included, since they were pulses too; reports come out. The windows follow
/// each other without a gap, so that every moment and every pulse is in exactly one of them. A window
/// without pulses is reported once, with rate 0; then nothing is due until there is another pulse.
struct PulseCounter: Equatable {
  /// What a window brought.
  struct Report: Equatable {
    /// All pulses up to the window's end.
    var count: Int64
    /// Those in the window.
    var pulses: Int64
    /// Pulses a second, over the window's real length, which is longer than asked when the window's
    /// end was handled late.
    var rate: Double
  }

  /// Less would be a message for each pulse again.
  static let windowMin = Duration.milliseconds(1)

  /// All pulses. It wraps around after 2^63, which at a million pulses a second takes 292,000 years.
  private(set) var count: Int64
  private let every: Duration
  private var pulses: Int64 = 0
  private var windowStart: Instant?
  /// The last report had rate 0, and no pulse has come since.
  private var isIdle = false

  /// - Parameters:
  ///   - every: the windows' length.
  ///   - count: what was counted before, as restored after a restart.
  init(every: Duration, count: Int64 = 0) {
    self.every = max(every, PulseCounter.windowMin)
    self.count = count
  }

  /// The line was taken: the first window begins.
  mutating func begin(at now: Instant) {
    windowStart = now
    pulses = 0
    isIdle = false
  }

  /// An edge that counts, with the number of edges lost just before it; `time` is the edge's.
  mutating func pulse(lost: UInt32 = 0, at time: Instant) {
    let pulsesNow = Int64(lost) &+ 1
    count &+= pulsesNow
    pulses &+= pulsesNow
    if !isIdle { return }
    isIdle = false
    // The windows that passed in silence are skipped; this is the one that the pulse is in.
    guard let start = windowStart, time > start else { return }
    let windows = (time - start).nanoseconds / every.nanoseconds
    windowStart = start + every * windows
  }

  /// When the window ends, nil when there is nothing to report.
  var deadline: Instant? {
    guard let windowStart, !isIdle else { return nil }
    return windowStart + every
  }

  /// Ends the window that is due. Early or repeated calls have no effect.
  mutating func handleDeadline(at now: Instant) -> Report? {
    guard let start = windowStart, deadline.isDue(at: now) else { return nil }
    let seconds = Double((now - start).nanoseconds) / 1e9
    let report = Report(
      count: count, pulses: pulses, rate: seconds > 0 ? Double(pulses) / seconds : 0)
    isIdle = pulses == 0
    pulses = 0
    windowStart = now
    return report
  }

  /// Counts from 0 again and returns the count before. The window's pulses, and so the rate, stay.
  mutating func reset() -> Int64 {
    let before = count
    count = 0
    return before
  }
}
