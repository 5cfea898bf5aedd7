/// Which time of day belongs to an instant of the monotonic clock, where the clock may be set late, set
/// again, or never: most boards have none that runs on without power.
///
/// The time of day is the monotonic clock and an offset, which changes only when the clock is set: what
/// keeps it right otherwise (NTP) makes both run faster or slower. So an offset that is known once gives
/// the time of everything that happened in that boot before. What happened in a boot whose clock was never
/// known to be right has no known time, and gets none by guessing.
public struct FactClock {
  /// A change of the offset that is news. NTP's daemons step over 128 ms (ntpd), 400 ms (timesyncd) or as
  /// chrony is told, mostly a second, and slew what is less. A reading of the clocks is right to 10 ms.
  public static let stepMin = Duration.milliseconds(100)
  /// Boots whose offset is kept, with this one. Facts of more are not to be expected: a journal that is not
  /// emptied for that many boots is a rarity, and costs nothing but a quality.
  static let boots = 4

  public let boot: BootID
  /// The boots whose offset is known, the oldest first.
  public private(set) var known: [KnownClock]
  private var offset: Duration
  /// The offset that was told last.
  private var toldOffset: Duration
  public private(set) var isSynchronised: Bool
  /// When the clocks were read last.
  public private(set) var readAt: Instant
  /// Whether somebody knows already that this boot's clock is right.
  private var isTold: Bool

  /// - Parameter known: what an earlier run has kept.
  public init(boot: BootID, _ reading: ClockReading, known: [KnownClock] = []) {
    self.boot = boot
    self.known = Array(known.suffix(FactClock.boots))
    offset = reading.offset
    toldOffset = reading.offset
    isSynchronised = reading.isSynchronised
    readAt = reading.instant
    isTold = reading.isSynchronised
    keep(reading)
  }

  /// Takes a reading of both clocks, before times are asked for, and when the clock was set.
  /// - Returns: what is news.
  public mutating func read(_ reading: ClockReading) -> ClockChange? {
    offset = reading.offset
    isSynchronised = reading.isSynchronised
    readAt = reading.instant
    keep(reading)
    let step = offset - toldOffset
    let isNews = isSynchronised && !isTold
    if !isNews && step.magnitude < FactClock.stepMin { return nil }
    toldOffset = offset
    isTold = isTold || isSynchronised
    return ClockChange(instant: reading.instant, step: step, isSynchronised: isSynchronised)
  }

  /// The time to be kept with a fact that is recorded now.
  public func time(of instant: Instant) -> FactTime {
    FactTime(
      instant: instant, wallClock: Timestamp(of: instant, offset), isSynchronised: isSynchronised)
  }

  /// The time of a fact as far as it is known now.
  /// - Parameter boot: that in which it was recorded.
  public func resolve(
    _ time: FactTime, of boot: BootID
  ) -> (timestamp: Timestamp, quality: TimeQuality) {
    if time.isSynchronised { return (time.wallClock, .synced) }
    // A clock that nobody has kept right for long is right no more: what was later is not known from it.
    if let clock = known.first(where: { $0.boot == boot }), time.instant <= clock.until {
      return (Timestamp(of: time.instant, clock.offset), .corrected)
    }
    // Somebody may have set the clock by hand since, which is better than nothing.
    if boot == self.boot { return (Timestamp(of: time.instant, offset), .unknown) }
    return (time.wallClock, .unknown)
  }

  private mutating func keep(_ reading: ClockReading) {
    if !reading.isSynchronised { return }
    let clock = KnownClock(boot: boot, offset: reading.offset, until: reading.instant)
    if let index = known.firstIndex(where: { $0.boot == boot }) {
      known[index] = clock
      return
    }
    if known.count == FactClock.boots { known.removeFirst() }
    known.append(clock)
  }
}

/// Both clocks at one moment.
public struct ClockReading {
  /// Between the two, another process may run: such a reading is taken again, and after some tries taken as
  /// it is.
  private static let lengthMax = Duration.milliseconds(10)
  private static let triesMax = 3

  public let instant: Instant
  /// From the monotonic clock to the time of day.
  public let offset: Duration
  public let isSynchronised: Bool

  public init(instant: Instant, wallClock: Timestamp, isSynchronised: Bool) {
    self.instant = instant
    offset =
      Instant(nanoseconds: wallClock.nanoseconds) - Instant(nanoseconds: instant.nanoseconds)
    self.isSynchronised = isSynchronised
  }

  public init(_ time: any TimeSource) {
    var instant = time.now
    var wallClock = time.wallClock
    for _ in 1..<ClockReading.triesMax {
      let end = time.now
      if end - instant <= ClockReading.lengthMax { break }
      instant = end
      wallClock = time.wallClock
    }
    self.init(instant: instant, wallClock: wallClock, isSynchronised: time.isSynchronised)
  }
}

/// The clock was set, or is known to be right for the first time.
public struct ClockChange: Equatable {
  public let instant: Instant
  /// By how much, since it was told last; negative: back.
  public let step: Duration
  public let isSynchronised: Bool

  public init(instant: Instant, step: Duration, isSynchronised: Bool) {
    self.instant = instant
    self.step = step
    self.isSynchronised = isSynchronised
  }
}

extension Timestamp {
  fileprivate init(of instant: Instant, _ offset: Duration) {
    self = Timestamp(nanoseconds: instant.nanoseconds) + offset
  }
}

extension Duration {
  fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}
