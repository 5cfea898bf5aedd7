import Lattice
import Transport

/// The board's pins as a capability: reads and moves lines by name, reports edges, and sees to it
/// that outputs end in their safe state. See `Contract.gpio` for what goes in and out.
///
/// Outputs take their safe state at start, when a lease runs out, and at stop. A line that cannot
/// be taken, or is lost later, stops nothing: it is `bad`, calls of it are answered with the
/// reason, and it is tried again every five seconds. A lost output comes back in its safe state;
/// one that is to be kept comes back in the state it was last commanded to have.
public final class GPIOProvider: CapabilityProvider, EdgeHandler {
  /// Between tries to take a bad line. Arbitrary: a chip that returns is missed for that long.
  static let retryPeriod = Duration.seconds(5)
  /// Between tries to write a state that a pulse or a lease has asked for and the hardware refused.
  static let rewritePeriod = Duration.seconds(1)

  public let contract = Contract.gpio

  /// Who takes the events. Set before `start`.
  public var eventSink: (any EventSink)?
  /// Called when a line becomes bad, with the reason, and when it is good again, with nil. Repeated
  /// failures for the same reason are told once.
  public var onProblem: ((_ line: String, _ reason: String?) -> Void)?

  private let board: any Board
  private let time: any TimeSource
  private var lines: [ProvidedLine]
  private var bindings = Bindings()
  private var isRunning = false
  /// The number of the last event of any line.
  private var lastSequence: Int64 = 0

  /// - Parameter lines: in the manifest's order; their names differ.
  public init(lines: [LineConfiguration], board: any Board, time: any TimeSource) {
    self.board = board
    self.time = time
    self.lines = lines.map { ProvidedLine($0) }
  }

  public var resources: [Resource] {
    lines.map { $0.configuration.resource(problem: $0.problem?.description) }
  }

  /// The lines that are bad at present, and why.
  public var problems: [(line: String, reason: String)] {
    var problems: [(line: String, reason: String)] = []
    for line in lines {
      if let problem = line.problem {
        problems.append((line.configuration.name, problem.description))
      }
    }
    return problems
  }

  public func bind(_ binding: Binding) throws(InvocationError) { try bindings.bind(binding) }
  public func unbind(actor: String) { bindings.unbind(actor: actor) }

  // MARK: Start, time, stop

  public func start(at now: Instant) {
    isRunning = true
    board.edgeHandler = self
    for index in lines.indices { take(index, at: now) }
  }

  public func stop(at now: Instant) {
    // All outputs are made safe before anything is let go that they might depend on.
    for index in lines.indices { makeSafe(index) }
    for index in lines.indices {
      if let handle = lines[index].handle { board.release(handle) }
      lines[index].state = .released
      lines[index].control = nil
      lines[index].rewriteAt = nil
    }
    isRunning = false
  }

  public var deadline: Instant? {
    if !isRunning { return nil }
    var next = board.deadline
    for line in lines { next = Instant.earlier(next, line.deadline) }
    return next
  }

  public func handleDeadline(at now: Instant) {
    if !isRunning { return }
    board.handleDeadline(at: now)
    for index in lines.indices {
      let hasChanged = lines[index].control?.handleDeadline(at: now) != nil
      if hasChanged || lines[index].rewriteAt.isDue(at: now) { writeControl(index, at: now) }
      if lines[index].retryAt.isDue(at: now) { take(index, at: now) }
    }
  }

  // MARK: Edges

  public func handle(_ edge: EdgeEvent) {
    guard let index = lines.firstIndex(where: { $0.handle == edge.line }) else { return }
    lastSequence += 1
    lines[index].lastSequence = lastSequence
    let configuration = lines[index].configuration
    var body = Record()
    body.append("name", .string(configuration.name))
    body.append("edge", .string(edge.isRising ? "rising" : "falling"))
    body.append("active", .bool(edge.isRising))
    body.append("time", .string(Timestamp(of: edge.time, by: time).rfc3339))
    body.append("monotonic_ns", .integer(edge.time.nanoseconds))
    body.append("seq", .integer(lastSequence))
    body.append("line_seq", .integer(Int64(edge.lineSequence)))
    eventSink?.emit(
      CapabilityEvent(
        capability: contract.name, resource: configuration.name, kind: "edge",
        delivery: configuration.report == .durable ? .durable : .latest, body: body))
  }

  public func lineFailed(_ line: LineHandle, _ error: BoardError) {
    guard let index = lines.firstIndex(where: { $0.handle == line }) else { return }
    lose(index, error, at: time.now)
  }

  public func linkChanged(isConnected: Bool, at now: Instant) {}
}

// MARK: - Invocations

extension GPIOProvider {
  public func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    reply(InvocationResult { () throws(InvocationError) in try answer(invocation, at: now) })
  }

  private func answer(_ invocation: Invocation, at now: Instant) throws(InvocationError) -> Record {
    let name = invocation.resource
    guard let index = lines.firstIndex(where: { $0.configuration.name == name }) else {
      throw .unknown("line", name, known: lines.map { $0.configuration.name })
    }
    return invocation.operation == "set"
      ? try set(index, invocation.arguments, at: now) : try get(index, at: now)
  }

  private func get(_ index: Int, at now: Instant) throws(InvocationError) -> Record {
    let handle = try takenHandle(index)
    do throws(BoardError) {
      return describe(index, active: try board.isActive(handle))
    } catch {
      throw failure(index, error, at: now)
    }
  }

  private func set(
    _ index: Int, _ arguments: Record, at now: Instant
  ) throws(InvocationError) -> Record {
    let configuration = lines[index].configuration
    if configuration.direction == .input {
      throw InvocationError(
        .conflict, "line \"\(configuration.name)\" is an input: it can be read, not set")
    }
    let active = arguments["active"]?.bool ?? false
    let pulse = arguments["pulse_ms"]?.integer
    let lease = arguments["lease_ms"]?.integer
    let handle = try takenHandle(index)
    do throws(BoardError) {
      try board.setActive(handle, active)
    } catch {
      throw failure(index, error, at: now)
    }
    wasWritten(index)
    lines[index].control?.set(
      active, pulse: pulse.map { .milliseconds($0) }, lease: lease.map { .milliseconds($0) },
      at: now)
    return describe(index, active: active)
  }

  private func describe(_ index: Int, active: Bool) -> Record {
    let line = lines[index]
    var record = Record()
    record.append("name", .string(line.configuration.name))
    record.append("active", .bool(active))
    record.append("level", .integer(line.level(active: active)))
    record.append("direction", .string(line.configuration.direction.text))
    record.append("time", .string(time.wallClock.rfc3339))
    record.append("seq", .integer(line.lastSequence))
    return record
  }

  private func takenHandle(_ index: Int) throws(InvocationError) -> LineHandle {
    let line = lines[index]
    if let handle = line.handle { return handle }
    let reason =
      line.problem.map { $0.description } ?? "it is not taken: the host is starting or stopping"
    throw InvocationError(.unavailable, "line \"\(line.configuration.name)\": \(reason)")
  }

  /// What a caller is told of a failure; a line whose chip is gone is given up.
  private func failure(_ index: Int, _ error: BoardError, at now: Instant) -> InvocationError {
    if error.isGone { lose(index, error, at: now) }
    return InvocationError(.failed, "\(error)")
  }
}

// MARK: - Taking, writing and losing lines

extension GPIOProvider {
  private func take(_ index: Int, at now: Instant) {
    let configuration = lines[index].configuration
    do throws(BoardError) {
      let handle = try board.request(configuration, active: configuration.output.safe == .active)
      let wasBad = lines[index].problem != nil
      lines[index].state = .taken(handle)
      if configuration.direction == .output { beginControl(index, handle, at: now) }
      if wasBad { onProblem?(configuration.name, nil) }
    } catch {
      setBad(index, error, at: now)
    }
  }

  private func beginControl(_ index: Int, _ handle: LineHandle, at now: Instant) {
    let safe = lines[index].configuration.output.safe
    guard safe == .keep else {
      lines[index].control = OutputControl(safe: safe, isActive: safe == .active)
      return
    }
    // The hardware's word counts; one that cannot be read is taken for inactive.
    let isActive = (try? board.isActive(handle)) ?? false
    guard let control = lines[index].control else {
      lines[index].control = OutputControl(safe: safe, isActive: isActive)
      return
    }
    // Commanded before it was lost, perhaps with a pulse that has ended since.
    if control.isActive != isActive { writeControl(index, at: now) }
  }

  /// Writes the state that the line should have. A failure is made good later: a pulse that does
  /// not end, or an output that does not become safe, must not be left at that.
  private func writeControl(_ index: Int, at now: Instant) {
    guard let handle = lines[index].handle, let control = lines[index].control else { return }
    do throws(BoardError) {
      try board.setActive(handle, control.isActive)
      wasWritten(index)
    } catch {
      if error.isGone {
        lose(index, error, at: now)
        return
      }
      let isNews = lines[index].rewriteAt == nil
      lines[index].rewriteAt = now + GPIOProvider.rewritePeriod
      if isNews { onProblem?(lines[index].configuration.name, error.description) }
    }
  }

  private func wasWritten(_ index: Int) {
    if lines[index].rewriteAt == nil { return }
    lines[index].rewriteAt = nil
    onProblem?(lines[index].configuration.name, nil)
  }

  private func makeSafe(_ index: Int) {
    guard let handle = lines[index].handle, let active = lines[index].control?.enterSafeState()
    else { return }
    do throws(BoardError) {
      try board.setActive(handle, active)
    } catch {
      onProblem?(
        lines[index].configuration.name, ("no safe state at stop: \(error)" as Text).string)
    }
  }

  private func lose(_ index: Int, _ error: BoardError, at now: Instant) {
    guard let handle = lines[index].handle else { return }
    board.release(handle)
    setBad(index, error, at: now)
  }

  private func setBad(_ index: Int, _ error: BoardError, at now: Instant) {
    let isNews = lines[index].problem != error
    lines[index].state = .bad(error, retryAt: now + GPIOProvider.retryPeriod)
    lines[index].rewriteAt = nil
    if lines[index].configuration.output.safe != .keep { lines[index].control = nil }
    if isNews { onProblem?(lines[index].configuration.name, error.description) }
  }
}
