import Transport

/// The times of pulse-width modulation: the line is active at the beginning of each period.
struct PWMTiming: Equatable {
  /// The part of the period that is active, from 0 to 1.
  let duty: Double
  /// At least a nanosecond.
  let period: Duration
  /// From zero to the period.
  let active: Duration

  /// - Parameters:
  ///   - frequency: in hertz, taken as at least 1 and at most 1,000,000,000.
  ///   - duty: the part of the period that is active, taken as at least 0 and at most 1; what is no
  ///     number is 0.
  init(frequency: UInt32, duty: Double) {
    let nanoseconds = 1_000_000_000 / Int64(max(1, min(frequency, 1_000_000_000)))
    self.duty = duty >= 0 ? min(duty, 1) : 0
    period = .nanoseconds(nanoseconds)
    active = .nanoseconds(min(nanoseconds, Int64(Double(nanoseconds) * self.duty + 0.5)))
  }
}

/// Pulse-width modulation by switching an output from the event loop.
///
/// It says which state to write and when the next is due. Every switch comes as late as the event
/// loop is: some tens of microseconds on an idle board, milliseconds on a busy one. That is good
/// enough for a heater, a fan or a lamp that may flicker, and for no servo; the kernel's PWM class
/// (`PWMChannel`) has no jitter. Each switch wakes the board, hence the low limit.
///
/// The state follows from the time alone. A call that comes late takes the state of its own moment, and
/// what was missed is skipped: switches never come in a burst, and never two at one instant.
struct SoftwarePWM: Equatable {
  /// In hertz. At 200 a board wakes 400 times a second.
  static let frequencyMax = PWMConfiguration.softwareFrequencyMax

  /// The state that the line should have now.
  private(set) var isActive = false
  private(set) var frequency: UInt32
  private var timing: PWMTiming
  /// A period began at this time, and so the others follow.
  private var origin: Instant
  private(set) var deadline: Instant?

  /// From 0 to 1, as it was last set.
  var duty: Double { timing.duty }

  /// Begins inactive, with duty 0.
  ///
  /// - Parameter frequency: in hertz, taken as at least 1 and at most 200.
  init(frequency: UInt32, at now: Instant) {
    self.frequency = SoftwarePWM.limited(frequency)
    timing = PWMTiming(frequency: self.frequency, duty: 0)
    origin = now
  }

  /// Changes the duty, from 0 to 1; the periods begin when they did. Returns the state to write, or
  /// nil when the line stays as it is.
  mutating func set(duty: Double, at now: Instant) -> Bool? {
    timing = PWMTiming(frequency: frequency, duty: duty)
    return update(at: now)
  }

  /// Changes the frequency, taken as at least 1 and at most 200; a period begins now. Returns the
  /// state to write, or nil when the line stays as it is.
  mutating func set(frequency: UInt32, at now: Instant) -> Bool? {
    let frequency = SoftwarePWM.limited(frequency)
    if frequency == self.frequency { return update(at: now) }
    self.frequency = frequency
    timing = PWMTiming(frequency: frequency, duty: duty)
    origin = now
    return update(at: now)
  }

  /// Switches when that is due. Returns the state to write, or nil when the line stays as it is. Early
  /// or repeated calls have no effect.
  mutating func handleDeadline(at now: Instant) -> Bool? {
    update(at: now)
  }

  private mutating func update(at now: Instant) -> Bool? {
    let before = isActive
    if timing.active == .zero || timing.active == timing.period {
      isActive = timing.active != .zero
      deadline = nil
    } else {
      let phase = Duration.nanoseconds(
        (now - origin).nanoseconds % timing.period.nanoseconds)
      isActive = phase < timing.active
      deadline = now + ((isActive ? timing.active : timing.period) - phase)
    }
    return isActive == before ? nil : isActive
  }

  private static func limited(_ frequency: UInt32) -> UInt32 {
    max(1, min(frequency, frequencyMax))
  }
}
