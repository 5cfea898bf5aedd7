import Transport

/// Which state every output of a board has: what was commanded, what follows by itself, and what
/// guards and interlocks forbid. It takes commands and times, and says what to write when; it
/// writes nothing itself. It is a value: try a command on a copy, and keep the copy when the
/// hardware has followed.
///
/// - Every command supersedes the ones before it, with their pulses, blinks and leases.
/// - The safe state (at the end of a lease, without the link, at stop) and `max_on` are taken
///   whatever `min_on`, `min_off` and `max_rate` say; nothing is stronger than an interlock.
/// - A pulse or blink that would become active when a guard forbids it ends inactive.
struct OutputBank {
  enum Action {
    /// The state; for how long until it is reversed; and how long it holds unless renewed.
    case set(Bool, pulse: Duration? = nil, lease: Duration? = nil)
    case toggle(lease: Duration? = nil)
    /// Active and inactive by turns, `count` times; then inactive.
    case blink(on: Duration, off: Duration, count: Int, lease: Duration? = nil)
  }

  struct Command {
    /// The output's place in the bank.
    var output: Int
    var action: Action
  }

  /// Why an output has the state that it has, as events say it.
  enum Cause {
    case command, pulse, blink, lease, linkLoss, maxOn, start, stop
    /// It was found active when it was taken, and another one of its interlock was active.
    case interlock

    var text: String {
      switch self {
      case .command: "command"
      case .pulse: "pulse"
      case .blink: "blink"
      case .lease: "lease"
      case .linkLoss: "link_loss"
      case .maxOn: "max_on"
      case .start: "start"
      case .stop: "stop"
      case .interlock: "interlock"
      }
    }
  }

  /// A state to write.
  struct Change: Equatable {
    var output: Int
    var isActive: Bool
    var cause: Cause
    /// False when the output has had the state already.
    var hasChanged = true
  }

  private struct Output {
    var name: String
    var configuration: OutputConfiguration
  }

  private let outputs: [Output]
  let interlocks: [Interlock]
  private var states: [OutputState]
  private var link = LinkState.lost(since: Instant(nanoseconds: .min))

  /// - Parameter interlocks: names in them that no output has are left out.
  init(
    _ outputs: [(name: String, configuration: OutputConfiguration)],
    interlocks: [InterlockConfiguration] = []
  ) {
    var groups: [Interlock] = []
    for interlock in interlocks {
      let members = outputs.indices.filter { interlock.lines.includes(outputs[$0].name) }
      groups.append(
        Interlock(name: interlock.name, outputs: members, deadTime: interlock.deadTime))
    }
    self.interlocks = groups
    self.outputs = outputs.indices.map { index in
      let isInterlocked = groups.contains { $0.outputs.contains(index) }
      return Output(
        name: outputs[index].name,
        configuration: outputs[index].configuration.effective(isInterlocked: isInterlocked))
    }
    states = outputs.map { _ in OutputState() }
  }

  /// The state that an output is to have; of one that is lost, the last.
  func isActive(_ output: Int) -> Bool {
    states.indices.contains(output) && states[output].isActive
  }

  // MARK: Lines and link

  /// Whether an interlock lets an output be taken active. Ask before the line is requested so.
  func mayBegin(_ output: Int, isActive: Bool, at now: Instant) -> Bool {
    !isActive || !isBlocked(output, isStart: true, at: now)
  }

  /// The board has taken an output, which has this state. `min_on`, `min_off` and the time without
  /// a link count from now; `max_on` goes on when the output was active and lost. Pulse and blink
  /// of a lost output go on with `keep`, and are over otherwise. An output that is active against
  /// its interlock becomes inactive at the next deadline, which is now.
  mutating func begin(_ output: Int, isActive: Bool, at now: Instant) {
    if !states.indices.contains(output) { return }
    let isConflicting = !mayBegin(output, isActive: isActive, at: now)
    states[output].begin(isActive: isActive, outputs[output].configuration, at: now)
    states[output].isConflicting = isConflicting
  }

  /// The output is lost: nothing of it is due until it is taken again. For interlocks it stays as
  /// it was.
  mutating func end(_ output: Int) {
    if states.indices.contains(output) { states[output].end() }
  }

  /// Before the first call the link counts as lost from the time when each output was taken.
  mutating func linkChanged(isConnected: Bool, at now: Instant) {
    if isConnected {
      link = .connected
      return
    }
    guard case .connected = link else { return }
    link = .lost(since: now)
    for index in states.indices { states[index].linkWasLost() }
  }

  // MARK: Commands

  /// Commands several outputs, all or none; of several commands for one output the last counts.
  /// Returns what to write, first what becomes inactive.
  mutating func command(_ commands: [Command], at now: Instant) throws(GuardRefusal) -> [Change] {
    let before = states
    var changes: [Change] = []
    // Even what is refused is carried out here, so that the rest is judged as if it were not.
    let first = apply(commands, activating: false, before, &changes, at: now)
    let second = apply(commands, activating: true, before, &changes, at: now)
    if let refusal = GuardRefusal.later(first, second) {
      states = before
      throw refusal
    }
    return changes
  }

  private mutating func apply(
    _ commands: [Command], activating: Bool, _ before: [OutputState], _ changes: inout [Change],
    at now: Instant
  ) -> GuardRefusal? {
    var refusal: GuardRefusal?
    for (place, command) in commands.enumerated() {
      let index = command.output
      guard before.indices.contains(index), before[index].isTaken else {
        refusal = GuardRefusal.later(refusal, notTaken(index))
        continue
      }
      if commands[(place + 1)...].contains(where: { $0.output == index }) { continue }
      let configuration = outputs[index].configuration
      let wasActive = before[index].isActive
      let plan = OutputPlan(command.action, isActive: wasActive, safe: configuration.safe)
      if plan.isActive != activating { continue }
      var check = OutputGuard(outputs[index].name, configuration, before[index], at: now)
      check.check(plan)
      refusal = GuardRefusal.later(refusal, check.refusal)
      if plan.isActive && !wasActive {
        refusal = GuardRefusal.later(refusal, interlockRefusal(of: index, before, at: now))
      }
      states[index].follow(plan, configuration, at: now)
      changes.append(
        Change(
          output: index, isActive: plan.isActive, cause: .command,
          hasChanged: plan.isActive != wasActive))
    }
    return refusal
  }

  private func notTaken(_ index: Int) -> GuardRefusal {
    outputs.indices.contains(index)
      ? GuardRefusal(.notTaken, output: outputs[index].name, "the board does not have the line")
      : GuardRefusal(.notTaken, output: "output", "there is no number \(index)")
  }

  // MARK: Time

  /// When `handleDeadline` is next to be called.
  var deadline: Instant? {
    var next: Instant?
    for index in states.indices {
      next = Instant.earlier(next, states[index].deadline(outputs[index].configuration, link))
    }
    return next
  }

  /// Does what is due, one thing for each output; when there is more, `deadline` says so. Returns
  /// what has changed, first what has become inactive. Early or repeated calls have no effect.
  mutating func handleDeadline(at now: Instant) -> [Change] {
    var changes: [Change] = []
    guard deadline.isDue(at: now) else { return changes }
    var activations: [(output: Int, event: OutputState.Event)] = []
    for index in states.indices {
      guard let event = states[index].dueEvent(outputs[index].configuration, link, at: now) else {
        continue
      }
      if activates(index, event) {
        activations.append((output: index, event: event))
      } else {
        handle(event, of: index, &changes, at: now)
      }
    }
    for due in activations { handle(due.event, of: due.output, &changes, at: now) }
    return changes
  }

  /// Ends everything, as when the host stops. Returns what to write: every output that has a safe
  /// state, also when it is in it already, first what becomes inactive.
  mutating func enterSafeState(at now: Instant) -> [Change] {
    var changes: [Change] = []
    enterSafeState(isActive: false, &changes, at: now)
    enterSafeState(isActive: true, &changes, at: now)
    return changes
  }

  private mutating func enterSafeState(
    isActive: Bool, _ changes: inout [Change], at now: Instant
  ) {
    for index in states.indices where states[index].isTaken {
      let configuration = outputs[index].configuration
      if (configuration.safe == .active) != isActive { continue }
      let wasActive = states[index].isActive
      states[index].takeSafeState(configuration, link: link, at: now)
      if configuration.safe == .keep { continue }
      changes.append(
        Change(
          output: index, isActive: isActive, cause: .stop, hasChanged: isActive != wasActive))
    }
  }

  /// Whether an event makes its output active, if it may.
  private func activates(_ index: Int, _ event: OutputState.Event) -> Bool {
    switch event {
    case .conflict, .maxOn: return false
    case .safe: return outputs[index].configuration.safe == .active
    case .course:
      switch states[index].course {
      case .none: return false
      case .pulse(_, let isActive): return isActive
      case .blink(let blink): return blink.isActiveNext
      }
    }
  }

  private mutating func handle(
    _ event: OutputState.Event, of index: Int, _ changes: inout [Change], at now: Instant
  ) {
    let configuration = outputs[index].configuration
    let wasActive = states[index].isActive
    let cause: Cause
    switch event {
    case .conflict:
      cause = .interlock
      states[index].switchOff(at: now)
    case .maxOn:
      cause = .maxOn
      states[index].switchOff(at: now)
    case .safe(let safeCause):
      cause = safeCause
      states[index].takeSafeState(configuration, link: link, at: now)
    case .course:
      if case .blink = states[index].course { cause = .blink } else { cause = .pulse }
      if activates(index, event) && !mayActivate(index, at: now) {
        states[index].endCourse()
      } else {
        states[index].advance(maxRate: configuration.maxRate, at: now)
      }
    }
    let isActive = states[index].isActive
    if isActive != wasActive {
      changes.append(Change(output: index, isActive: isActive, cause: cause))
    }
  }

  private func mayActivate(_ index: Int, at now: Instant) -> Bool {
    if states[index].isActive { return true }
    var check = OutputGuard(
      outputs[index].name, outputs[index].configuration, states[index], at: now)
    check.check(OutputPlan(isActive: true))
    return check.refusal == nil && !isBlocked(index, isStart: false, at: now)
  }
}

// MARK: - Interlocks

extension OutputBank {
  private func isBlocked(_ index: Int, isStart: Bool, at now: Instant) -> Bool {
    interlocks.contains {
      $0.blocker(of: index, among: states, before: states, isStart: isStart, at: now) != nil
    }
  }

  private func interlockRefusal(
    of index: Int, _ before: [OutputState], at now: Instant
  ) -> GuardRefusal? {
    var refusal: GuardRefusal?
    for group in interlocks {
      guard
        let blocker = group.blocker(
          of: index, among: states, before: before, isStart: false, at: now)
      else { continue }
      var reason: Text = "\(outputs[blocker.output].name) of \(group.name) "
      if let until = blocker.until {
        let ago = (now - states[blocker.output].changedAt).milliseconds
        let wait = (until - now).millisecondsRoundedUp
        reason += "switched off \(ago) ms ago, may be switched on in \(wait) ms"
      } else if !states[blocker.output].isActive {
        reason += "is active, and \(group.deadTime.milliseconds) ms must pass after it"
      } else {
        reason += "is active"
      }
      refusal = GuardRefusal.later(
        refusal,
        GuardRefusal(.interlock, output: outputs[index].name, allowedAt: blocker.until, reason))
    }
    return refusal
  }
}
