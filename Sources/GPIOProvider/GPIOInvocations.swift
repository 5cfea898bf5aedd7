import Lattice
import Transport

// What callers ask of lines.

extension GPIOProvider {
  public func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    reply(InvocationResult { () throws(InvocationError) in try answer(invocation, at: now) })
  }

  private func answer(_ invocation: Invocation, at now: Instant) throws(InvocationError) -> Record {
    switch invocation.operation {
    case "get-many": return try getMany(invocation.arguments, at: now)
    case "set-many": return try setMany(invocation, at: now)
    default: break
    }
    let line = try line(named: invocation.resource)
    let arguments = invocation.arguments
    switch invocation.operation {
    case "get": return try get(line, at: now)
    case "reset": return try reset(line)
    case "drive": return try drive(line, arguments["active"]?.bool ?? false, at: now)
    case "pwm": return try setDuty(line, invocation, at: now)
    default: break
    }
    let command = OutputBank.Command(
      output: try output(line, for: invocation).output, action: action(invocation))
    try execute([command], by: invocation.caller.name, at: now)
    return try get(line, at: now)
  }

  /// What an operation does to an output.
  private func action(_ invocation: Invocation) -> OutputBank.Action {
    let arguments = invocation.arguments
    let lease = arguments.duration("lease_ms")
    switch invocation.operation {
    case "toggle": return .toggle(lease: lease)
    case "pulse": return .set(true, pulse: arguments.duration("duration_ms"), lease: lease)
    case "blink":
      return .blink(
        on: arguments.duration("on_ms") ?? .zero, off: arguments.duration("off_ms") ?? .zero,
        count: Int(clamping: arguments["count"]?.integer ?? 1), lease: lease)
    default:
      return .set(
        arguments["active"]?.bool ?? false, pulse: arguments.duration("pulse_ms"), lease: lease)
    }
  }

  // MARK: One line

  private func get(_ line: ProvidedLine, at now: Instant) throws(InvocationError) -> Record {
    try checkTaken(line)
    do throws(BoardError) {
      return describe(line, try board.values(of: line.handles))
    } catch {
      throw failure(line, error, at: now)
    }
  }

  private func describe(_ line: ProvidedLine, _ values: [Bool]) -> Record {
    var record = Record()
    record.append("name", .string(line.configuration.name))
    record.append(contentsOf: line.state(values))
    record.append("direction", .string(line.configuration.direction.text))
    record.append(timeOf: time.now, by: time)
    record.append("seq", .integer(line.lastSequence))
    return record
  }

  private func reset(_ line: ProvidedLine) throws(InvocationError) -> Record {
    let before: Int64
    if let counter = line as? CounterLine {
      before = counter.reset()
    } else if let encoder = line as? EncoderLine {
      before = encoder.reset()
    } else {
      throw InvocationError(
        .conflict, "line \"\(line.configuration.name)\" counts nothing that could be reset")
    }
    var record = Record()
    record.append("name", .string(line.configuration.name))
    record.append("before", .integer(before))
    record.append(contentsOf: line.state([]))
    return record
  }

  private func drive(
    _ line: ProvidedLine, _ isActive: Bool, at now: Instant
  ) throws(InvocationError) -> Record {
    let name = line.configuration.name
    guard let board = board as? SimulatedBoard, board.drive(name, active: isActive, at: now) else {
      throw InvocationError(.conflict, "line \"\(name)\" is no input of a simulated board")
    }
    return try get(line, at: now)
  }

  private func setDuty(
    _ line: ProvidedLine, _ invocation: Invocation, at now: Instant
  ) throws(InvocationError) -> Record {
    let output = try output(line, for: invocation)
    guard let pwm = output as? PWMLine else { throw cannot(invocation.operation, line) }
    let arguments = invocation.arguments
    let frequency =
      arguments["frequency_hz"]?.integer.map { UInt32(clamping: $0) } ?? pwm.frequency
    if pwm.isSoftware && frequency > PWMConfiguration.softwareFrequencyMax {
      throw InvocationError(
        .badRequest,
        """
        "frequency_hz" is \(Int64(frequency)), but line "\(line.configuration.name)" is switched by \
        software: at most \(Int64(PWMConfiguration.softwareFrequencyMax))
        """)
    }
    try modulate(
      pwm, duty: arguments["duty"]?.double ?? 0, frequency: frequency,
      lease: arguments.duration("lease_ms"), by: invocation.caller.name, at: now)
    return try get(line, at: now)
  }

  // MARK: Several lines

  private func getMany(_ arguments: Record, at now: Instant) throws(InvocationError) -> Record {
    var lines: [ProvidedLine] = []
    for name in arguments["names"]?.list ?? [] {
      let line = try line(named: name.string ?? "")
      try checkTaken(line)
      lines.append(line)
    }
    return try answer(lines, at: now)
  }

  private func setMany(_ invocation: Invocation, at now: Instant) throws(InvocationError) -> Record
  {
    var lines: [ProvidedLine] = []
    var commands: [OutputBank.Command] = []
    let arguments = invocation.arguments
    for state in arguments["active"]?.record?.fields ?? [] {
      let line = try line(named: state.name)
      lines.append(line)
      commands.append(
        OutputBank.Command(
          output: try output(line, for: invocation).output,
          action: .set(
            state.value.bool ?? false, pulse: arguments.duration("pulse_ms"),
            lease: arguments.duration("lease_ms"))))
    }
    try execute(commands, by: invocation.caller.name, at: now)
    return try answer(lines, at: now)
  }

  /// The lines' states, those of one chip read in one step.
  private func answer(_ lines: [ProvidedLine], at now: Instant) throws(InvocationError) -> Record {
    var handles: [LineHandle] = []
    for line in lines { handles += line.handles }
    let values: [Bool]
    do throws(BoardError) {
      values = try board.values(of: handles)
    } catch {
      // Which line failed shows only when each is read by itself.
      for line in lines { _ = try get(line, at: now) }
      throw InvocationError(.failed, "\(error)")
    }
    var records: [Value] = []
    var next = 0
    for line in lines {
      let part = values[min(next, values.count)..<min(next + line.handles.count, values.count)]
      next += line.handles.count
      records.append(.record(describe(line, Array(part))))
    }
    var record = Record()
    record.append("lines", .list(records))
    return record
  }

  // MARK: Checks

  private func line(named name: String) throws(InvocationError) -> ProvidedLine {
    for line in lines where line.configuration.name == name { return line }
    throw .unknown("line", name, known: lines.map { $0.configuration.name })
  }

  /// The line as an output that this caller may command now.
  private func output(
    _ line: ProvidedLine, for invocation: Invocation
  ) throws(InvocationError) -> OutputLine {
    let name = line.configuration.name
    guard let output = line as? OutputLine else {
      throw InvocationError(.conflict, "line \"\(name)\" is an input: it can be read, not set")
    }
    let isOffered =
      line.operations.includes(
        invocation.operation == "set-many" ? "set" : invocation.operation)
    if !isOffered { throw cannot(invocation.operation, line) }
    let allowed = line.configuration.allow
    let keys = invocation.caller.keys
    if !allowed.isEmpty && !keys.isEmpty && !keys.contains(where: { allowed.includes($0) }) {
      throw InvocationError(
        .forbidden, "line \"\(name)\" may not be commanded by \(invocation.caller.name)")
    }
    try checkTaken(line)
    return output
  }

  private func cannot(_ operation: String, _ line: ProvidedLine) -> InvocationError {
    InvocationError(
      .conflict,
      """
      line "\(line.configuration.name)" does not take \(operation); it takes \
      \(line.operations.joined(by: ", "))
      """)
  }

  private func checkTaken(_ line: ProvidedLine) throws(InvocationError) {
    if line.isTaken { return }
    let reason =
      line.problem.map { $0.description } ?? "it is not taken: the host is starting or stopping"
    throw InvocationError(.unavailable, "line \"\(line.configuration.name)\": \(reason)")
  }

  /// What a caller is told of a failure; a line whose chip is gone is given up.
  private func failure(
    _ line: ProvidedLine, _ error: BoardError, at now: Instant
  ) -> InvocationError {
    if error.isGone { lose(line, error, at: now) }
    return InvocationError(.failed, "\(error)")
  }
}

extension InvocationError {
  /// Which guard refuses a command, and when it would be allowed.
  init(refusal: GuardRefusal, at now: Instant) {
    var details = Record()
    details.append("guard", .string(refusal.guardName.text))
    if let allowedAt = refusal.allowedAt {
      details.append("allowed_in_ms", .integer(max((allowedAt - now).millisecondsRoundedUp, 0)))
    }
    self.init(.conflict, refusal.text, details: details)
  }
}

extension Record {
  /// A whole number of milliseconds; nil when there is none.
  func duration(_ name: String) -> Duration? { self[name]?.integer.map { .milliseconds($0) } }
}
