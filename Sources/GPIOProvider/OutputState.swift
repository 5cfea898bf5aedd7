import Transport

/// What one output is, since when, and what becomes of it by itself. It only remembers and reckons;
/// `OutputBank` decides what is allowed.
///
/// - A *pulse* is the commanded state for a while and then its opposite, whatever the line was
///   before: a door opener that is pressed twice must still let go.
/// - A *blink* is active and inactive by turns, and ends inactive. Its phases are counted from when
///   the line was really switched: served late, it is slower, and no phase is too short.
/// - A *lease* is how long a command holds without being renewed; it ends in the safe state. With
///   `keep` it has no end.
struct OutputState {
  /// What comes after the present state.
  enum Course {
    case none
    case pulse(end: Instant, isActive: Bool)
    case blink(Blink)

    /// When the line is switched next.
    var end: Instant? {
      switch self {
      case .none: nil
      case .pulse(let end, _): end
      case .blink(let blink): blink.phaseEnd
      }
    }
  }

  struct Blink {
    var on: Duration
    var off: Duration
    /// Activations still to come.
    var remaining: Int
    var phaseEnd: Instant
    /// The state of the next phase.
    var isActiveNext: Bool
  }

  /// What is due, one at a time.
  enum Event {
    /// It was found active together with another line of its interlock.
    case conflict
    /// The lease is over, or the link has been gone for too long.
    case safe(OutputBank.Cause)
    case course
    case maxOn
  }

  private(set) var isActive = false
  private(set) var isTaken = false
  /// Since when it is as it is; of a line that was taken so, since then.
  private(set) var changedAt = Instant(nanoseconds: .min)
  /// Whether it is inactive because it was switched off, not because it was found so.
  private(set) var wasSwitchedOff = false
  /// The latest activations, oldest first, at most as many as `maxRate` allows.
  private(set) var activations: [Instant] = []
  private(set) var course = Course.none
  private(set) var leaseEnd: Instant?
  var isConflicting = false
  /// Since when it is active; unlike `changedAt` it is not moved by a line's loss and return.
  private var activeSince = Instant(nanoseconds: .min)
  private var begunAt = Instant(nanoseconds: .min)
  /// Whether the present loss of the link has already had its effect.
  private var isLinkLossHandled = false

  // MARK: What happens to it

  mutating func begin(isActive: Bool, _ configuration: OutputConfiguration, at now: Instant) {
    change(to: isActive, maxRate: configuration.maxRate, at: now)
    changedAt = now
    isTaken = true
    begunAt = now
    isLinkLossHandled = false
    leaseEnd = nil
    // A pulse that was under way when a line to be kept was lost still ends, but not before the
    // guards, which count from now, allow it.
    let isKept = configuration.safe == .keep
    let earliest = now + (isActive ? configuration.minOn : configuration.minOff)
    switch course {
    case .pulse(let end, let isActive) where isKept:
      course = .pulse(end: max(end, earliest), isActive: isActive)
    case .blink(var blink) where isKept:
      blink.phaseEnd = max(blink.phaseEnd, earliest)
      course = .blink(blink)
    default: course = .none
    }
  }

  /// The line is lost: it stays as it was, as far as is known.
  mutating func end() {
    isTaken = false
    isConflicting = false
  }

  /// Takes the place of everything that was commanded before.
  mutating func follow(_ plan: OutputPlan, _ configuration: OutputConfiguration, at now: Instant) {
    change(to: plan.isActive, maxRate: configuration.maxRate, at: now)
    leaseEnd = configuration.safe == .keep ? nil : plan.lease.map { now + $0 }
    switch plan.sequel {
    case .nothing: course = .none
    case .pulse(let length): course = .pulse(end: now + length, isActive: !plan.isActive)
    case .blink(let on, let off, let count):
      course = .blink(
        Blink(on: on, off: off, remaining: count - 1, phaseEnd: now + on, isActiveNext: false))
    }
  }

  /// The next phase of the pulse or blink.
  mutating func advance(maxRate: OutputConfiguration.Rate?, at now: Instant) {
    switch course {
    case .none: break
    case .pulse(_, let isActive):
      course = .none
      change(to: isActive, maxRate: maxRate, at: now)
    case .blink(var blink):
      change(to: blink.isActiveNext, maxRate: maxRate, at: now)
      if !blink.isActiveNext && blink.remaining < 1 {
        course = .none
        return
      }
      if blink.isActiveNext { blink.remaining -= 1 }
      blink.phaseEnd = now + (blink.isActiveNext ? blink.on : blink.off)
      blink.isActiveNext = !blink.isActiveNext
      course = .blink(blink)
    }
  }

  /// Ends pulse and blink, and leaves the line as it is.
  mutating func endCourse() { course = .none }

  mutating func switchOff(at now: Instant) {
    course = .none
    change(to: false, maxRate: nil, at: now)
  }

  mutating func takeSafeState(
    _ configuration: OutputConfiguration, link: LinkState, at now: Instant
  ) {
    if linkLossEnd(configuration, link).isDue(at: now) { isLinkLossHandled = true }
    leaseEnd = nil
    course = .none
    if configuration.safe == .keep { return }
    change(to: configuration.safe == .active, maxRate: configuration.maxRate, at: now)
  }

  mutating func linkWasLost() { isLinkLossHandled = false }

  private mutating func change(
    to isActive: Bool, maxRate: OutputConfiguration.Rate?, at now: Instant
  ) {
    if self.isActive == isActive { return }
    self.isActive = isActive
    changedAt = now
    wasSwitchedOff = !isActive
    isConflicting = false
    if !isActive { return }
    activeSince = now
    guard let maxRate else { return }
    if let first = activations.first,
      activations.count >= maxRate.count || first + maxRate.period <= now
    {
      activations.removeFirst()
    }
    activations.append(now)
  }

  // MARK: What is due

  func deadline(_ configuration: OutputConfiguration, _ link: LinkState) -> Instant? {
    if !isTaken { return nil }
    if isConflicting { return begunAt }
    return Instant.earlier(
      Instant.earlier(course.end, maxOnEnd(configuration)),
      Instant.earlier(leaseEnd, linkLossEnd(configuration, link)))
  }

  func dueEvent(
    _ configuration: OutputConfiguration, _ link: LinkState, at now: Instant
  ) -> Event? {
    if !isTaken { return nil }
    if isConflicting { return .conflict }
    let maxOnEnd = maxOnEnd(configuration)
    let linkLossEnd = linkLossEnd(configuration, link)
    if let safeAt = Instant.earlier(leaseEnd, linkLossEnd), safeAt <= now {
      // An active safe state that comes after the longest time on does not prolong it.
      if configuration.safe == .active, maxOnEnd.isDue(at: safeAt) { return .maxOn }
      return .safe(leaseEnd == safeAt ? .lease : .linkLoss)
    }
    if let end = course.end, end <= now {
      guard let maxOnEnd, maxOnEnd < end else { return .course }
      return .maxOn
    }
    return maxOnEnd.isDue(at: now) ? .maxOn : nil
  }

  private func maxOnEnd(_ configuration: OutputConfiguration) -> Instant? {
    guard isActive, let maxOn = configuration.maxOn else { return nil }
    return activeSince + maxOn
  }

  private func linkLossEnd(_ configuration: OutputConfiguration, _ link: LinkState) -> Instant? {
    guard configuration.safe != .keep, let linkLoss = configuration.linkLoss, !isLinkLossHandled,
      case .lost(let since) = link
    else { return nil }
    return max(since, begunAt) + linkLoss
  }
}

/// Whether the host can be heard, as outputs see it.
enum LinkState {
  case connected
  case lost(since: Instant)
}

/// What a command makes of an output: its state now, and what follows by itself. Times are not
/// negative.
struct OutputPlan {
  enum Sequel {
    case nothing
    /// The opposite state, after this time.
    case pulse(Duration)
    /// Active and inactive by turns, active first; `count` is at least 1.
    case blink(on: Duration, off: Duration, count: Int)
  }

  var isActive: Bool
  var sequel = Sequel.nothing
  var lease: Duration?

  init(isActive: Bool) { self.isActive = isActive }

  init(
    _ action: OutputBank.Action, isActive: Bool, safe: OutputConfiguration.SafeState
  ) {
    switch action {
    case .set(let active, let pulse, let lease):
      self.isActive = active
      self.lease = lease.map { max($0, .zero) }
      guard let pulse else { break }
      let length = max(pulse, .zero)
      // The safe state is final: a pulse that would outlast the lease ends with it.
      if safe != .keep, let lease = self.lease, lease <= length { break }
      sequel = .pulse(length)
    case .toggle(let lease):
      self.isActive = !isActive
      self.lease = lease.map { max($0, .zero) }
    case .blink(let on, let off, let count, let lease):
      self.isActive = count > 0
      self.lease = lease.map { max($0, .zero) }
      if count > 0 { sequel = .blink(on: max(on, .zero), off: max(off, .zero), count: count) }
    }
  }
}
