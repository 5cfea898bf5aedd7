import Transport

// The time of day on a board whose clock may be set late, again, or never.

extension LatticeHost {
  /// How long the clock may be right before somebody looks who was woken for something else: nobody is
  /// told when it becomes right without a step.
  private static let lookPeriod = Duration.seconds(5)

  /// Looks at the clocks before a time is told, and when the clock was set. What is new is told as a fact,
  /// so that readers can correct the times that were told before.
  public func readClock() {
    guard let change = takeClockReading() else { return }
    var body = Record()
    body.append("step_ms", .integer(change.step.milliseconds))
    tell(.clock, body, at: change.instant)
    onClockChange?(change)
  }

  /// To be called when the process is awake anyway: looks at the clocks every few seconds as long as they
  /// are not known to be right.
  public func lookAtClock(at now: Instant) {
    if clock.isSynchronised || now - clock.readAt < LatticeHost.lookPeriod { return }
    readClock()
  }

  /// The time of what has happened in this boot, as far as it is known now.
  public func time(of instant: Instant) -> EventTime {
    time(of: clock.time(of: instant), in: clock.boot)
  }

  /// The time of a fact that was recorded before, as far as it is known now.
  /// - Parameter boot: that in which it was recorded.
  public func time(of fact: FactTime, in boot: BootID) -> EventTime {
    let (timestamp, quality) = clock.resolve(fact, of: boot)
    return EventTime(timestamp, quality, at: fact.instant, of: boot)
  }
}
