import Transport

// A fact as it is told: its id, and its body with its time.

extension JournalRecord {
  /// `RUN-NUMBER`, by which copies are known.
  var messageID: [UInt8] {
    var id = run.id
    id.append(UInt8(ascii: "-"))
    id.append(decimal: sequence)
    return id
  }

  /// Its time as far as it is known now.
  func eventTime(by host: LatticeHost) -> EventTime {
    var time = host.time(of: self.time, in: BootID(run.boot) ?? host.clock.boot)
    if subject.span.starts(with: "host.") { time.tellsBoot = true }
    return time
  }

  /// How long ago it happened, by the monotonic clock, or after a restart of the board by the time of day.
  func age(by host: LatticeHost, at now: Instant) -> Duration {
    if run.boot == host.clock.boot.bytes { return max(now - time.instant, .zero) }
    let told = Instant(nanoseconds: eventTime(by: host).timestamp.nanoseconds)
    let present = Instant(nanoseconds: host.time(of: now).timestamp.nanoseconds)
    return max(present - told, .zero)
  }

  /// - Parameter age: how late it is told, where that is to be said.
  func body(by host: LatticeHost, age: Duration?) -> [UInt8] {
    var time = eventTime(by: host)
    time.age = age
    return time.appended(to: payload.span)
  }
}
