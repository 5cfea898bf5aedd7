import Lattice
import Transport

// The outputs: from what the bank decides to what the hardware has, and back to who listens.

extension GPIOProvider {
  static func key(_ line: OutputLine) -> String { "last." + line.configuration.name }

  /// An output was taken with this value.
  func begin(_ line: OutputLine, _ isActive: Bool, at now: Instant) {
    line.wasTaken = true
    bank.begin(line.output, isActive: isActive, at: now)
    line.rewriteAt = nil
  }

  /// Does what callers want, all of it or none.
  ///
  /// - Parameter caller: who is named in the events; nil: nobody.
  func execute(
    _ commands: [OutputBank.Command], by caller: String, at now: Instant
  ) throws(InvocationError) {
    var next = bank
    let changes: [OutputBank.Change]
    do throws(GuardRefusal) {
      changes = try next.command(commands, at: now)
    } catch {
      throw InvocationError(refusal: error, at: now)
    }
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
      wasWritten(outputs[change.output])
      tell(change, by: caller, at: now)
    }
  }

  /// Does what the bank has decided by itself. A failure is made good later: a pulse that does not end,
  /// or an output that does not become safe, must not be left at that.
  func apply(_ changes: [OutputBank.Change], at now: Instant) {
    if changes.isEmpty { return }
    for change in changes {
      if !change.isActive, let line = outputs[change.output] as? PWMLine { stop(line, at: now) }
    }
    write(changes.map { outputs[$0.output] }, at: now)
    for change in changes { tell(change, by: nil, at: now) }
  }

  /// Writes the states that the lines should have, together where that can be.
  func write(_ lines: [OutputLine], at now: Instant) {
    var values: [LineValue] = []
    for line in lines {
      guard let handle = line.handles.first else { continue }
      values.append(LineValue(handle, isActive: bank.isActive(line.output)))
    }
    if lines.count > 1 {
      do throws(BoardError) {
        try board.set(values)
        for line in lines { wasWritten(line) }
        return
      } catch {}  // Then one by one: a line that fails shall not keep others from their state.
    }
    for line in lines { write(line, at: now) }
  }

  private func write(_ line: OutputLine, at now: Instant) {
    guard let handle = line.handles.first else { return }
    do throws(BoardError) {
      try board.set([LineValue(handle, isActive: bank.isActive(line.output))])
      wasWritten(line)
    } catch {
      if error.isGone {
        lose(line, error, at: now)
        return
      }
      let isNews = line.rewriteAt == nil
      line.rewriteAt = now + GPIOProvider.rewritePeriod
      if isNews { onProblem?(line.configuration.name, error.description) }
    }
  }

  private func wasWritten(_ line: OutputLine) {
    if line.rewriteAt == nil { return }
    line.rewriteAt = nil
    onProblem?(line.configuration.name, nil)
  }

  private func tell(_ change: OutputBank.Change, by caller: String?, at now: Instant) {
    let line = outputs[change.output]
    // What the safe state at stop replaces is what a restart is to bring back.
    if line.configuration.output.start == .last && change.cause != .stop {
      memory?.remember(change.isActive ? 1 : 0, for: GPIOProvider.key(line), isUrgent: true)
    }
    if !change.hasChanged { return }
    var news = LineNews("change", at: now)
    news.fields = line.state([change.isActive])
    news.fields.append("cause", .string(change.cause.text))
    if let caller { news.fields.append("by", .string(caller)) }
    tell([news], of: line)
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
    let (oldDuty, oldFrequency) = (line.duty, line.frequency)
    do throws(BoardError) {
      try line.set(duty: duty, frequency: frequency, at: now)
    } catch {
      throw InvocationError(.failed, "\(error)")
    }
    do throws(InvocationError) {
      let set = OutputBank.Action.set(duty > 0, pulse: nil, lease: lease)
      try execute([OutputBank.Command(output: line.output, action: set)], by: caller, at: now)
    } catch {
      try? line.set(duty: oldDuty, frequency: oldFrequency, at: now)
      throw error
    }
  }

  private func stop(_ line: PWMLine, at now: Instant) {
    do throws(BoardError) {
      try line.set(duty: 0, frequency: line.frequency, at: now)
    } catch {
      onProblem?(line.configuration.name, error.description)
    }
  }
}
