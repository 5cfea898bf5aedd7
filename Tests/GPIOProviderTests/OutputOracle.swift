import Transport

@testable import GPIOProvider

/// Judges a bank of outputs by what was asked of it and what came out: commands that were accepted,
/// states with their times and causes. It has the rules in its own, slow form over whole histories,
/// and collects what breaks them.
struct OutputOracle {
  struct Switch {
    var time: Instant
    var isActive: Bool
    var cause: OutputBank.Cause
  }

  enum Course {
    case none
    case pulse(end: Instant, isActive: Bool)
    case blink(on: Duration, off: Duration, remaining: Int, phaseStart: Instant)
  }

  struct Line {
    var configuration: OutputConfiguration
    var isTaken = false
    var begunAt: Instant?
    var isActive = false
    var switches: [Switch] = []
    var course = Course.none
    /// The course was interrupted by a loss: its times are no longer the commanded ones.
    var isDelayed = false
    var leaseEnd: Instant?
    var isLinkLossDone = false

    /// Since when it counts as it is, for `min_on`, `min_off` and dead times.
    var since: Instant? {
      guard let begunAt else { return nil }
      return max(begunAt, switches.last?.time ?? begunAt)
    }
    var minOn: Duration {
      guard let maxOn = configuration.maxOn, maxOn > .zero else { return configuration.minOn }
      return min(configuration.minOn, maxOn)
    }
    var maxOnEnd: Instant? {
      guard let maxOn = configuration.maxOn, let last = switches.last, last.isActive else {
        return nil
      }
      return last.time + maxOn
    }
  }

  var lines: [Line]
  let groups: [(lines: [Int], deadTime: Duration)]
  var lostAt: Instant? = Instant(nanoseconds: .min)
  private(set) var violations: [String] = []

  init(_ configurations: [OutputConfiguration], groups: [(lines: [Int], deadTime: Duration)]) {
    lines = configurations.map { Line(configuration: $0) }
    self.groups = groups
    for index in lines.indices where isInterlocked(index) {
      if lines[index].configuration.safe == .active { lines[index].configuration.safe = .inactive }
    }
  }

  mutating func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { violations.append(message()) }
  }

  func isInterlocked(_ index: Int) -> Bool { groups.contains { $0.lines.contains(index) } }

  // MARK: What was asked

  mutating func begin(_ index: Int, isActive: Bool, at now: Instant) {
    if lines[index].configuration.safe != .keep { lines[index].course = .none }
    if lines[index].isActive != isActive {
      lines[index].switches.append(Switch(time: now, isActive: isActive, cause: .start))
    }
    lines[index].isActive = isActive
    lines[index].isTaken = true
    lines[index].isDelayed = true
    lines[index].begunAt = now
    lines[index].leaseEnd = nil
    lines[index].isLinkLossDone = false
  }

  mutating func end(_ index: Int) { lines[index].isTaken = false }

  mutating func linkChanged(isConnected: Bool, at now: Instant) {
    if isConnected {
      lostAt = nil
    } else if lostAt == nil {
      lostAt = now
      for index in lines.indices { lines[index].isLinkLossDone = false }
    }
  }

  /// Only what was accepted, before its changes.
  mutating func accepted(_ command: OutputBank.Command, at now: Instant) {
    let index = command.output
    lines[index].course = .none
    lines[index].isDelayed = false
    var lease: Duration?
    switch command.action {
    case .set(let isActive, let pulse, let asked):
      lease = asked
      if let pulse { lines[index].course = .pulse(end: now + pulse, isActive: !isActive) }
    case .toggle(let asked): lease = asked
    case .blink(let on, let off, let count, let asked):
      lease = asked
      // The command's own change is the first activation.
      lines[index].course = .blink(on: on, off: off, remaining: count - 1, phaseStart: now)
    }
    lines[index].leaseEnd = lines[index].configuration.safe == .keep ? nil : lease.map { now + $0 }
  }

  // MARK: What came out

  /// A state of the bank's, after its command if it has that cause.
  mutating func changed(_ change: OutputBank.Change, at now: Instant) {
    let index = change.output
    let line = lines[index]
    let what = "\(index) to \(change.isActive) by \(change.cause) at \(now.nanoseconds)"
    require(line.isTaken, "not taken: \(what)")
    require(change.hasChanged == (line.isActive != change.isActive), "hasChanged: \(what)")
    if change.cause != .command && change.cause != .stop {
      require(change.hasChanged, "no change: \(what)")
      checkCause(change, at: now, what)
    }
    if line.isActive == change.isActive { return }
    if let broken = brokenGuard(index, isActive: change.isActive, at: now) {
      switch change.cause {
      case .command, .pulse, .blink: require(false, "\(broken): \(what)")
      default: break
      }
    }
    if change.isActive {
      require(isFree(index, at: now), "interlock: \(what)")
    }
    lines[index].isActive = change.isActive
    lines[index].switches.append(
      Switch(time: now, isActive: change.isActive, cause: change.cause))
    advanceCourse(index, change, at: now)
  }

  /// Whether a plain switch is against a guard of the line, and which.
  func brokenGuard(_ index: Int, isActive: Bool, at now: Instant) -> String? {
    let line = lines[index]
    if line.isActive == isActive { return nil }
    if let since = line.since {
      if isActive && now - since < line.configuration.minOff { return "min_off" }
      if !isActive && now - since < line.minOn { return "min_on" }
    }
    if isActive, let rate = line.configuration.maxRate {
      let recent = line.switches.filter { $0.isActive && now - $0.time < rate.period }
      if recent.count >= rate.count { return "max_rate" }
    }
    return nil
  }

  func isFree(_ index: Int, at now: Instant) -> Bool {
    groups.allSatisfy { group in
      !group.lines.contains(index)
        || group.lines.allSatisfy { other in
          if other == index { return true }
          if lines[other].isActive { return false }
          guard let since = lines[other].since else { return true }
          return now - since >= group.deadTime
        }
    }
  }

  private mutating func checkCause(
    _ change: OutputBank.Change, at now: Instant, _ what: String
  ) {
    let line = lines[change.output]
    switch change.cause {
    case .lease: require(line.leaseEnd.isDue(at: now), "no lease is over: \(what)")
    case .linkLoss: require(linkLossEnd(change.output).isDue(at: now), "the link is there: \(what)")
    case .maxOn: require(line.maxOnEnd.isDue(at: now) && !change.isActive, "not for long: \(what)")
    case .pulse:
      guard case .pulse(let end, let isActive) = line.course else {
        require(false, "no pulse: \(what)")
        return
      }
      require(end <= now && isActive == change.isActive, "not the pulse's end: \(what)")
    case .blink:
      guard case .blink(let on, let off, let remaining, let phaseStart) = line.course else {
        require(false, "no blink: \(what)")
        return
      }
      require(now - phaseStart >= (change.isActive ? off : on), "short phase: \(what)")
      require(!change.isActive || remaining > 0, "one blink too many: \(what)")
    case .interlock: require(!change.isActive && isInterlocked(change.output), "free: \(what)")
    case .command, .start, .stop: break
    }
    if change.cause == .lease || change.cause == .linkLoss {
      require(change.isActive == (line.configuration.safe == .active), "not safe: \(what)")
      require(line.configuration.safe != .keep, "to be kept: \(what)")
    }
  }

  private mutating func advanceCourse(
    _ index: Int, _ change: OutputBank.Change, at now: Instant
  ) {
    switch (change.cause, lines[index].course) {
    case (.blink, .blink(let on, let off, let remaining, _)):
      lines[index].course = .blink(
        on: on, off: off, remaining: remaining - (change.isActive ? 1 : 0), phaseStart: now)
    case (.command, _): break
    default: lines[index].course = .none
    }
  }

  func linkLossEnd(_ index: Int) -> Instant? {
    let line = lines[index]
    guard let lostAt, let begunAt = line.begunAt, let linkLoss = line.configuration.linkLoss,
      line.isTaken, !line.isLinkLossDone, line.configuration.safe != .keep
    else { return nil }
    return max(lostAt, begunAt) + linkLoss
  }

  // MARK: When everything that is due has been handled

  mutating func settled(_ bank: OutputBank, at now: Instant) {
    for index in lines.indices {
      let line = lines[index]
      let what = "\(index) at \(now.nanoseconds)"
      require(bank.isActive(index) == line.isActive, "told wrong: \(what)")
      if !line.isTaken { continue }
      let isOver = line.isActive && line.maxOnEnd.isDue(at: now)
      require(!isOver, "max_on: \(what)")
      let isLeaseOver = line.leaseEnd.isDue(at: now)
      let isLinkGone = linkLossEnd(index).isDue(at: now)
      if isLeaseOver || isLinkGone {
        // An active safe state may have had its longest time by now.
        let isCut = line.switches.last?.cause == .maxOn && line.switches.last?.time == now
        require(
          line.isActive == (line.configuration.safe == .active) || isCut, "not safe: \(what)")
        lines[index].leaseEnd = nil
        lines[index].course = .none
      }
      if isLinkGone { lines[index].isLinkLossDone = true }
      checkCourse(index, at: now)
    }
    for group in groups {
      let active = group.lines.filter { lines[$0].isTaken && lines[$0].isActive }
      require(active.count <= 1, "interlock: \(active) are active at \(now.nanoseconds)")
    }
  }

  /// What was accepted comes true: only an interlock may forbid a later activation.
  private mutating func checkCourse(_ index: Int, at now: Instant) {
    let line = lines[index]
    if line.isDelayed { return }
    let isFree = !isInterlocked(index)
    switch line.course {
    case .none: break
    case .pulse(let end, let isActive):
      if end > now { return }
      require(line.isActive == isActive || (isActive && !isFree), "\(index): no end of a pulse")
      lines[index].course = .none
    case .blink(let on, let off, let remaining, let phaseStart):
      if line.isActive {
        require(phaseStart + on > now, "\(index): no end of a blink's phase")
      } else if remaining > 0 && isFree {
        require(phaseStart + off > now, "\(index): a blink has stopped")
      }
    }
  }

  /// When nothing is due any more at all.
  mutating func finished(_ bank: OutputBank) {
    // A line that came back may have been found active after its blink was over.
    for index in lines.indices where lines[index].isTaken && !lines[index].isDelayed {
      if case .blink = lines[index].course {
        require(!lines[index].isActive, "\(index) blinks for ever")
      }
    }
  }

  mutating func stopped(_ bank: OutputBank) {
    for index in lines.indices where lines[index].isTaken {
      let safe = lines[index].configuration.safe
      require(safe == .keep || bank.isActive(index) == (safe == .active), "\(index) at stop")
    }
  }
}
