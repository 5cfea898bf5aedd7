import Transport

/// When a sensor is measured: each period, at its own place among the others. It never measures twice
/// at once, and one that cannot be measured is tried less and less often.
struct SensorSchedule {
  /// A shorter period would keep the loop busy with nothing else. Arbitrary.
  private static let periodMin = Duration.milliseconds(10)
  /// What the pause of a sensor that cannot be measured grows to. A repaired one is back within it,
  /// without waiting for a device to appear.
  static let pauseMax = Duration.seconds(300)
  /// Between tries when devices appear: a driver that is loaded makes a burst of them.
  static let retryAfter = Duration.seconds(1)

  let period: Duration
  private(set) var due: Instant?
  private(set) var isMeasuring = false
  /// Measurements that were due while the one before them had not ended.
  private(set) var skipped: Int64 = 0
  private var failures = 0
  private var lastTry: Instant?

  init(every: Duration) { period = max(every, SensorSchedule.periodMin) }

  mutating func start(at first: Instant) { due = first }

  /// A measurement that has not ended yet is forgotten.
  mutating func stop() {
    due = nil
    isMeasuring = false
  }

  /// Begins the measurement that is due, and returns when that was; nil when there is none to begin.
  ///
  /// `due` moves on by whole periods until it is in the future, so that the sensor keeps its place
  /// among the others; periods that were slept through are left out.
  mutating func begin(at now: Instant) -> Instant? {
    guard let due, due <= now else { return nil }
    let periods = (now - due).nanoseconds / period.nanoseconds
    let nominal = due + period * periods
    self.due = nominal + period
    if isMeasuring {
      skipped += 1
      return nil
    }
    isMeasuring = true
    lastTry = now
    return nominal
  }

  /// Begins a measurement beside the periodic ones.
  mutating func beginExtra(at now: Instant) {
    isMeasuring = true
    lastTry = now
  }

  /// - Parameter isPeriodic: only a failure of these counts.
  mutating func end(isGood: Bool, isPeriodic: Bool, at now: Instant) {
    isMeasuring = false
    if isGood {
      // It is back: its readings are not to wait for what is left of the pause.
      if failures > 0, !isPeriodic { due = due.map { min($0, now) } }
      failures = 0
    } else if isPeriodic {
      let pausesMax = max(1, SensorSchedule.pauseMax.nanoseconds / period.nanoseconds)
      let pauses = min(pausesMax, Int64(1) << Int64(min(failures, 32)))
      due = due.map { $0 + period * (pauses - 1) }
      failures += 1
    }
  }

  /// A device has appeared: it may be what a failing sensor waits for.
  mutating func retry(at now: Instant) {
    guard failures > 0, !isMeasuring, let due else { return }
    let soonest = max(now, (lastTry ?? now) + SensorSchedule.retryAfter)
    self.due = min(due, soonest)
  }
}
