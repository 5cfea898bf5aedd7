import Lattice
import Transport

// The outputs: from what the bank decides to what the hardware has, and back to who listens.

extension GPIOProvider {
  /// What outlives the process: of an output that starts as it was commanded `last`, that state; of one that
  /// starts as it is, how what was commanded for a time only would have ended.
  static func key(_ line: OutputLine) -> String {
    (line.configuration.output.start == .keep ? "timed." : "last.") + line.configuration.name
  }

  private static let nothingTimed: Int64 = -1

  /// Nil: nothing.
  func recall(_ line: OutputLine) -> Bool? {
    guard let value = memory?.recall(GPIOProvider.key(line)) else { return nil }
    return value == GPIOProvider.nothingTimed ? nil : value != 0
  }

  /// The safe state has ended what was commanded for a time.
  func forgetTimed() {
    for line in outputs where line.configuration.output.start == .keep && recall(line) != nil {
      memory?.remember(
        GPIOProvider.nothingTimed, for: GPIOProvider.key(line), isUrgent: true)
    }
  }

  /// An output was taken with this value.
  func begin(_ line: OutputLine, _ isActive: Bool, at now: Instant) {
    let hasChanged = line.wasTaken && bank.isActive(line.output) != isActive
    line.wasTaken = true
    line.isUnwritten = false
    line.rewriteAt = nil
    bank.begin(line.output, isActive: isActive, at: now)
    if !hasChanged { return }
    line.isStateUntold = false
    tell(
      OutputBank.Change(output: line.output, isActive: isActive, cause: .start), by: nil, at: now)
  }

  /// Does what callers want, all of it or none.
  ///
  /// - Parameter caller: who is named in the events.
  func execute(
    _ commands: [OutputBank.Command], by caller: String, at now: Instant
  ) throws(InvocationError) {
    var next = bank
    let changes = try changes(of: commands, &next, at: now)
    var values: [LineValue] = []
    for change in changes {
      let line = outputs[change.output]
      if let handle = line.handles.first {
        values.append(LineValue(handle, isActive: change.isActive))
      }
    }
    do throws(BoardError) {
      try board.set(values)
    } catch {
      for change in changes where error.isGone { lose(outputs[change.output], error, at: now) }
      throw InvocationError(error.isConflict ? .conflict : .failed, "\(error)")
    }
    bank = next
    for change in changes {
      wasWritten(outputs[change.output], at: now)
      tell(change, by: caller, at: now)
    }
    for command in commands { remember(command) }
  }

  /// What commands would change, in a bank that is to be kept when the hardware has followed.
  private func changes(
    of commands: [OutputBank.Command], _ next: inout OutputBank, at now: Instant
  ) throws(InvocationError) -> [OutputBank.Change] {
    let changes: [OutputBank.Change]
    do throws(GuardRefusal) {
      changes = try next.command(commands, at: now)
    } catch {
      throw InvocationError(refusal: error, at: now)
    }
    for change in changes where change.isActive {
      if let other = unwritten(against: outputs[change.output], at: now) {
        throw InvocationError(
          .failed,
          """
          \(outputs[change.output].configuration.name): interlock: \(other.configuration.name) \
          may still be active, as its hardware did not follow
          """)
      }
    }
    return changes
  }

  /// An output of the same interlock that may be active although it should not be, or was until just now.
  private func unwritten(against line: OutputLine, at now: Instant) -> OutputLine? {
    for other in outputs where other !== line {
      let isLate = other.lateUntil.map { now < $0 } ?? false
      if !other.isUnwritten && !isLate { continue }
      for group in bank.interlocks
      where group.outputs.contains(line.output) && group.outputs.contains(other.output) {
        return other
      }
    }
    return nil
  }

  /// Does what the bank has decided by itself. A failure is made good later: a pulse that does not end,
  /// or an output that does not become safe, must not be left at that.
  func apply(_ changes: [OutputBank.Change], at now: Instant) {
    if changes.isEmpty { return }
    for change in changes { outputs[change.output].isUnwritten = true }
    write(changes.map { outputs[$0.output] }, at: now)
    for change in changes { tell(change, by: nil, at: now) }
  }

  /// Writes the states that the lines should have, together where that can be.
  func write(_ lines: [OutputLine], at now: Instant) {
    let isPlain = lines.allSatisfy {
      !($0 is PWMLine) && (!bank.isActive($0.output) || unwritten(against: $0, at: now) == nil)
    }
    if lines.count > 1 && isPlain {
      var values: [LineValue] = []
      for line in lines {
        guard let handle = line.handles.first else { continue }
        values.append(LineValue(handle, isActive: bank.isActive(line.output)))
      }
      do throws(BoardError) {
        try board.set(values)
        for line in lines { wasWritten(line, at: now) }
        return
      } catch {}  // Then one by one: a line that fails shall not keep others from their state.
    }
    for line in lines { write(line, at: now) }
  }

  private func write(_ line: OutputLine, at now: Instant) {
    if !line.isTaken { return }
    let isActive = bank.isActive(line.output)
    if isActive && unwritten(against: line, at: now) != nil {
      line.rewriteAt = now + GPIOProvider.rewritePeriod
      return
    }
    do throws(BoardError) {
      if let line = line as? PWMLine {
        try modulate(line, duty: isActive ? line.duty : 0, frequency: line.frequency, at: now)
      } else if let handle = line.handles.first {
        try board.set([LineValue(handle, isActive: isActive)])
      }
      wasWritten(line, at: now)
    } catch {
      if error.isGone {
        lose(line, error, at: now)
        return
      }
      line.rewriteAt = now + GPIOProvider.rewritePeriod
      if !line.isRefusing { onProblem?(line.configuration.name, error.description) }
      line.isRefusing = true
    }
  }

  private func wasWritten(_ line: OutputLine, at now: Instant) {
    line.rewriteAt = nil
    line.isUnwritten = false
    if !line.isRefusing { return }
    line.isRefusing = false
    for group in bank.interlocks where group.outputs.contains(line.output) {
      line.lateUntil = max(line.lateUntil ?? now, now + group.deadTime)
    }
    onProblem?(line.configuration.name, nil)
  }

  private func tell(_ change: OutputBank.Change, by caller: String?, at now: Instant) {
    let line = outputs[change.output]
    switch change.cause {
    // What the safe state at stop replaces is what a restart is to bring back. How a command goes on
    // was remembered with it.
    case .stop, .command, .pulse, .blink: break
    default: remember(change.isActive, of: line)
    }
    if !change.hasChanged { return }
    var news = LineNews("change", at: now)
    news.fields = line.state([change.isActive])
    news.fields.append("cause", .string(change.cause.text))
    if let caller { news.fields.append("by", .string(caller)) }
    tell([news], of: line)
  }

  // MARK: After a restart

  /// Remembers what is commanded for good: after a restart nobody is there who would renew a lease, or
  /// end a pulse. When they would have ended is not remembered, for a lease that is renewed every few
  /// seconds would then write to the disk as often.
  private func remember(_ command: OutputBank.Command) {
    let line = outputs[command.output]
    let lease: Duration?
    var isActive: Bool
    var isTimed = true
    switch command.action {
    case .set(let active, let pulse, let span):
      isActive = pulse == nil ? active : !active
      isTimed = pulse != nil
      lease = span
    case .toggle(let span):
      isActive = bank.isActive(command.output)
      isTimed = false
      lease = span
    case .blink(_, _, _, let span):
      isActive = false
      lease = span
    }
    if lease != nil, let safe = line.safeValue {
      isActive = safe
      isTimed = true
    }
    if line.configuration.output.start != .keep {
      remember(isActive, of: line)
    } else if isTimed {
      memory?.remember(isActive ? 1 : 0, for: GPIOProvider.key(line), isUrgent: true)
    } else if recall(line) != nil {
      memory?.remember(GPIOProvider.nothingTimed, for: GPIOProvider.key(line), isUrgent: true)
    }
  }

  private func remember(_ isActive: Bool, of line: OutputLine) {
    if line.configuration.output.start != .last { return }
    memory?.remember(isActive ? 1 : 0, for: GPIOProvider.key(line), isUrgent: true)
  }
}

// MARK: - Pulse-width modulation

extension GPIOProvider {
  /// When a line is to be switched next by software.
  var switchDeadline: Instant? {
    var next: Instant?
    for line in outputs { next = Instant.earlier(next, (line as? PWMLine)?.switchAt) }
    return next
  }

  func switchLines(at now: Instant) {
    for line in outputs {
      guard let line = line as? PWMLine, line.switchAt.isDue(at: now),
        let isActive = line.switchLine(at: now), let handle = line.handles.first
      else { continue }
      do throws(BoardError) {
        try board.set([LineValue(handle, isActive: isActive)])
      } catch {
        if error.isGone { lose(line, error, at: now) }
      }
    }
  }

  /// Sets duty and frequency; guards and leases see an output that is active while its duty is not zero.
  func modulate(
    _ line: PWMLine, duty: Double, frequency: UInt32, lease: Duration?, by caller: String,
    at now: Instant
  ) throws(InvocationError) {
    let set = OutputBank.Action.set(duty > 0, pulse: nil, lease: lease)
    var next = bank
    let changes = try changes(
      of: [OutputBank.Command(output: line.output, action: set)], &next, at: now)
    let before = (duty: line.duty, frequency: line.frequency)
    let isNew = duty != before.duty || frequency != before.frequency
    do throws(BoardError) {
      try modulate(line, duty: duty, frequency: frequency, at: now)
    } catch {
      if line.isSoftware { try? line.set(duty: before.duty, frequency: before.frequency, at: now) }
      if error.isGone { lose(line, error, at: now) }
      throw InvocationError(.failed, "\(error)")
    }
    bank = next
    wasWritten(line, at: now)
    for var change in changes {
      change.hasChanged = isNew
      tell(change, by: caller, at: now)
    }
  }

  /// Gives the hardware a duty and a frequency: the kernel's channel, or the level of this moment.
  private func modulate(
    _ line: PWMLine, duty: Double, frequency: UInt32, at now: Instant
  ) throws(BoardError) {
    try line.set(duty: duty, frequency: frequency, at: now)
    guard let handle = line.handles.first else { return }
    try board.set([LineValue(handle, isActive: line.level)])
  }
}
