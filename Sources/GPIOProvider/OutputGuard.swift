import Transport

/// The guards of one output at one time: `max_on`, `min_on`, `min_off`, `max_rate`. It looks at
/// everything that a plan would do, also later, and says what stands against it. Interlocks, which
/// depend on other outputs, are not among it.
struct OutputGuard {
  let name: String
  let configuration: OutputConfiguration
  let state: OutputState
  let now: Instant
  /// What stands against the plans that were checked, the longest; nil: nothing.
  private(set) var refusal: GuardRefusal?

  init(
    _ name: String, _ configuration: OutputConfiguration, _ state: OutputState, at now: Instant
  ) {
    self.name = name
    self.configuration = configuration
    self.state = state
    self.now = now
  }

  mutating func check(_ plan: OutputPlan) {
    let isSwitched = plan.isActive != state.isActive
    if isSwitched { checkSwitch(to: plan.isActive) }
    switch plan.sequel {
    case .nothing:
      checkRate(from: isSwitched && plan.isActive ? 0 : 1, to: 1, cycle: .zero)
    case .pulse(let length):
      checkPhase(plan.isActive, length, what: "a pulse of ", isSwitched: isSwitched)
      if plan.isActive {
        checkRate(from: isSwitched ? 0 : 1, to: 1, cycle: .zero)
      } else {
        checkRate(from: 1, to: 2, cycle: length)
      }
    case .blink(let on, let off, let count):
      checkPhase(true, on, what: "active for ", isSwitched: isSwitched)
      if count > 1 {
        // Those after the first begin with a switch.
        checkPhase(true, on, what: "active for ", isSwitched: true)
        checkPhase(false, off, what: "inactive for ", isSwitched: true)
      }
      checkRate(from: isSwitched ? 0 : 1, to: count, cycle: on + off)
    }
  }

  private mutating func checkSwitch(to isActive: Bool) {
    let allowedAt = state.changedAt + minimum(of: state.isActive)
    if now >= allowedAt { return }
    let done: StaticString = isActive ? "off " : "on "
    let asked: StaticString = isActive ? "on" : "off"
    let ago = (now - state.changedAt).milliseconds
    refuse(
      isActive ? .minOff : .minOn, until: allowedAt,
      "switched \(done)\(ago) ms ago, may be switched \(asked) again in \(wait(allowedAt)) ms")
  }

  /// A time in one state that ends by itself. It is too short when it begins with a switch, or when
  /// the line is in that state already and has not been for long enough at the end.
  private mutating func checkPhase(
    _ isActive: Bool, _ length: Duration, what: StaticString, isSwitched: Bool
  ) {
    if isActive, let maxOn = configuration.maxOn, length > maxOn {
      refuse(
        .maxOn, "\(what)\(length.milliseconds) ms is longer than \(maxOn.milliseconds) ms")
    }
    let minimum = minimum(of: isActive)
    if length >= minimum { return }
    let allowedAt = (state.changedAt + minimum) - length
    if !isSwitched && now >= allowedAt { return }
    var reason: Text =
      "\(what)\(length.milliseconds) ms is shorter than \(minimum.milliseconds) ms"
    if !isSwitched { reason += ", allowed in \(wait(allowedAt)) ms" }
    refuse(isActive ? .minOn : .minOff, until: isSwitched ? nil : allowedAt, reason)
  }

  /// Activations numbered `first` up to but without `end`, each as many cycles from now.
  private mutating func checkRate(from first: Int, to end: Int, cycle: Duration) {
    guard let rate = configuration.maxRate, first < end else { return }
    let count = Int64(rate.count)
    if end - first > rate.count && cycle * count < rate.period {
      refuse(.maxRate, "more than \(count) times in \(rate.period.milliseconds) ms")
    }
    // An activation must not come before the end of the period that the one `count` places before
    // it began; those further ahead have only planned ones before them.
    let free = rate.count - state.activations.count
    for (place, activation) in state.activations.enumerated() {
      let number = first + free + place
      if number >= end { return }
      let allowedAt = (activation + rate.period) - cycle * Int64(number)
      if now >= allowedAt { continue }
      refuse(
        .maxRate, until: allowedAt,
        """
        at most \(count) times in \(rate.period.milliseconds) ms, may be switched on again in \
        \(wait(allowedAt)) ms
        """)
    }
  }

  /// How long the line must be in a state once it has it.
  private func minimum(of isActive: Bool) -> Duration {
    isActive ? configuration.minOn : configuration.minOff
  }

  private func wait(_ allowedAt: Instant) -> Int64 { (allowedAt - now).millisecondsRoundedUp }

  private mutating func refuse(
    _ guardName: GuardRefusal.Guard, until allowedAt: Instant? = nil, _ reason: Text
  ) {
    refusal = GuardRefusal.later(
      refusal, GuardRefusal(guardName, output: name, allowedAt: allowedAt, reason))
  }
}

extension OutputConfiguration {
  /// The same without what guards nothing or contradicts itself: of `max_on` and a longer `min_on`
  /// the first wins, and among interlocked outputs none is active to be safe.
  func effective(isInterlocked: Bool) -> OutputConfiguration {
    var effective = self
    if isInterlocked && safe == .active { effective.safe = .inactive }
    if let maxOn, maxOn <= .zero { effective.maxOn = nil }
    if let maxRate, maxRate.count < 1 || maxRate.period <= .zero { effective.maxRate = nil }
    effective.minOn = max(minOn, .zero)
    effective.minOff = max(minOff, .zero)
    if let maxOn = effective.maxOn { effective.minOn = min(effective.minOn, maxOn) }
    return effective
  }
}
