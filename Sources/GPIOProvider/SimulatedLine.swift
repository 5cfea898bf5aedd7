import Transport

/// One line of a simulated board: its script, its debounce, its level.
struct SimulatedLine {
  struct Edge {
    var isRising: Bool
    var time: Instant
    var sequence: UInt32
  }

  let configuration: LineConfiguration
  var isTaken = true
  /// What can be read: the level after debounce.
  private(set) var isActive: Bool
  /// The level on the wire.
  private(set) var isActiveRaw: Bool

  /// When a changed level will have been stable for the debounce period.
  private var settlesAt: Instant?
  private var nextStep = 0
  private var stepAt: Instant?
  private var sequence: UInt32 = 0

  init(_ configuration: LineConfiguration, isActive: Bool, at now: Instant) {
    self.configuration = configuration
    self.isActive = isActive
    isActiveRaw = isActive
    if configuration.direction == .input, let first = configuration.script?.steps.first {
      stepAt = now + max(first.after, .zero)
    }
  }

  /// When something changes by itself.
  var deadline: Instant? { Instant.earlier(settlesAt, stepAt) }

  /// Takes what is due at `deadline`, one thing at a time. What settles at an instant has been
  /// stable for its whole period, and goes before a step at the same instant.
  mutating func step() -> Edge? {
    if let settlesAt, settlesAt <= stepAt ?? settlesAt {
      self.settlesAt = nil
      return settle(at: settlesAt)
    }
    guard let time = stepAt, let script = configuration.script,
      script.steps.indices.contains(nextStep)
    else {
      stepAt = nil
      return nil
    }
    let isActive = script.steps[nextStep].isActive
    advance(script, from: time)
    return change(to: isActive, at: time)
  }

  /// The level on the wire changes, or not.
  mutating func change(to isActive: Bool, at time: Instant) -> Edge? {
    if isActive == isActiveRaw { return nil }
    isActiveRaw = isActive
    if configuration.debounce > .zero {
      // Each change begins the period anew.
      settlesAt = time + configuration.debounce
      return nil
    }
    return settle(at: time)
  }

  /// Sets an output, which has no edges.
  mutating func set(_ isActive: Bool) {
    isActiveRaw = isActive
    self.isActive = isActive
  }

  private mutating func advance(_ script: LineScript, from time: Instant) {
    nextStep += 1
    if nextStep == script.steps.count {
      nextStep = 0
      // A script that takes no time would repeat for ever within one instant.
      guard script.repeats, script.steps.contains(where: { $0.after > .zero }) else {
        stepAt = nil
        return
      }
    }
    stepAt = time + max(script.steps[nextStep].after, .zero)
  }

  private mutating func settle(at time: Instant) -> Edge? {
    if isActive == isActiveRaw { return nil }
    isActive = isActiveRaw
    switch configuration.edges {
    case .none: return nil
    case .rising: if !isActive { return nil }
    case .falling: if isActive { return nil }
    case .both: break
    }
    // The kernel numbers the events it makes, not those it was not asked for.
    sequence &+= 1
    return Edge(isRising: isActive, time: time, sequence: sequence)
  }
}
