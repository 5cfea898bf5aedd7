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

  /// Why a measurement is made.
  enum Purpose: Equatable {
    /// To be told to everybody, and to judge alarms by: one that was due at this time.
    case report(due: Instant)
    /// For callers who wait.
    case answer
  }

  let period: Duration
  private(set) var due: Instant?
  /// What the measurement is for that is under way.
  private(set) var measuring: Purpose?
  /// Measurements that were due while the one before them had not ended.
  private(set) var skipped: Int64 = 0
  private var failures = 0
  private var lastTry: Instant?

  init(every: Duration) { period = max(every, SensorSchedule.periodMin) }

  mutating func start(at first: Instant) { due = first }

  /// A measurement that has not ended yet is forgotten.
  mutating func stop() {
    due = nil
    measuring = nil
  }

  /// Whether the measurement that is due begins now.
  ///
  /// `due` moves on by whole periods until it is in the future, so that the sensor keeps its place
  /// among the others; periods that were slept through are left out.
  mutating func begin(at now: Instant) -> Bool {
    guard let due, due <= now else { return false }
    let periods = (now - due).nanoseconds / period.nanoseconds
    let nominal = due + period * periods
    self.due = nominal + period
    switch measuring {
    case .report:
      skipped += 1
      return false
    // Callers who ask again and again take nothing from those who only listen.
    case .answer:
      measuring = .report(due: nominal)
      return false
    case nil:
      begin(for: .report(due: nominal), at: now)
      return true
    }
  }

  /// Begins a measurement beside the periodic ones, when none is under way.
  mutating func begin(for purpose: Purpose, at now: Instant) {
    measuring = purpose
    lastTry = now
  }

  /// - Returns: what the measurement was for; nil when it was forgotten.
  mutating func end(isGood: Bool, at now: Instant) -> Purpose? {
    guard let purpose = measuring else { return nil }
    measuring = nil
    if isGood {
      // It is back: its readings are not to wait for what is left of the pause.
      if failures > 0, purpose == .answer { due = due.map { min($0, now) } }
      failures = 0
    } else if purpose != .answer {
      let pausesMax = max(1, SensorSchedule.pauseMax.nanoseconds / period.nanoseconds)
      let pauses = min(pausesMax, Int64(1) << Int64(min(failures, 32)))
      due = due.map { $0 + period * (pauses - 1) }
      failures += 1
    }
    return purpose
  }

  /// A device has appeared: it may be what a failing sensor waits for.
  mutating func retry(at now: Instant) {
    guard failures > 0, measuring == nil, let due else { return }
    let soonest = max(now, (lastTry ?? now) + SensorSchedule.retryAfter)
    self.due = min(due, soonest)
  }
}
