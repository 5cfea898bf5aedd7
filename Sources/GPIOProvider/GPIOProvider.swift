import Lattice
import Transport

/// The board's pins as a capability: reads and moves lines by name, reports what they do, and sees to it
/// that outputs end in their safe state. See `Contract.gpio` for what goes in and out.
///
/// A line that cannot be taken, or is lost later, stops nothing: it is `bad`, calls of it are answered
/// with the reason, and it is tried again every five seconds, and when a chip appears. A lost output
/// comes back in its safe state; one that is to be kept comes back in the state it had.
public final class GPIOProvider: CapabilityProvider, EdgeHandler {
  /// Between tries to take bad lines. Arbitrary: what returns unannounced is missed for that long.
  static let retryPeriod = Duration.seconds(5)
  /// After a chip has appeared: until then udev has given its device to its group.
  static let settlePeriod = Duration.milliseconds(200)
  /// A device that is not ready is no news before so many tries: at every start of the system udev takes a
  /// moment.
  static let settlingTriesMax = 10
  /// Things that are done for an output in one turn of the loop. Arbitrary.
  static let changesPerTurn = 4
  /// Lines with edges that are looked for at once. Arbitrary.
  static let linesPerSearch = 8
  /// Between tries to write a state that the hardware refused.
  static let rewritePeriod = Duration.seconds(1)

  public let contract: Contract

  /// Who takes the events. Set before `start`.
  public var eventSink: (any EventSink)?
  /// Called when a line becomes bad, with the reason, and when it is good again, with nil. Repeated
  /// failures for the same reason are told once.
  public var onProblem: ((_ line: String, _ reason: String?) -> Void)?

  let board: any Board
  let time: any TimeSource
  let memory: (any LineMemory)?
  let lines: [ProvidedLine]
  /// Those of the lines that are outputs, in the order of the bank.
  let outputs: [OutputLine]
  var bank: OutputBank
  /// Whether inputs can be driven by whoever calls.
  private let isSimulated: Bool
  private var bindings = Bindings()
  private var isRunning = false
  private var isConnected = false
  /// When lines that are bad are tried again.
  private var retryAt: Instant?
  /// Of the last event: one that is made anew each time takes a page from the kernel, and gives it back.
  private var body = Record()
  /// The number of the last event of any line.
  private var lastSequence: Int64 = 0

  /// - Parameters:
  ///   - lines: in the manifest's order; their names differ.
  ///   - interlocks: of the lines' names.
  ///   - isSimulated: inputs can be driven by whoever calls.
  ///   - memory: what outlives the process; nil: nothing does.
  ///   - pwmRoot: the folder of the kernel's PWM chips.
  public init(
    lines: [LineConfiguration], interlocks: [InterlockConfiguration] = [], board: any Board,
    time: any TimeSource, isSimulated: Bool = false, memory: (any LineMemory)? = nil,
    pwmRoot: String = "/sys/class/pwm"
  ) {
    self.board = board
    self.time = time
    self.memory = memory
    var provided: [ProvidedLine] = []
    provided.reserveCapacity(lines.count)
    var outputs: [OutputLine] = []
    for line in lines {
      switch line.kind {
      case .input: provided.append(InputLine(line))
      case .counter: provided.append(CounterLine(line, memory: memory))
      case .encoder: provided.append(EncoderLine(line))
      case .button: provided.append(ButtonLine(line))
      case .output: outputs.append(OutputLine(line, output: outputs.count))
      case .pwm:
        outputs.append(
          PWMLine(line, output: outputs.count, pwmRoot: pwmRoot, at: time.now))
      }
      if line.direction == .output, let output = outputs.last { provided.append(output) }
    }
    self.lines = provided
    self.outputs = outputs
    bank = OutputBank(
      outputs.map { (name: $0.configuration.name, configuration: $0.configuration.output) },
      interlocks: interlocks)
    self.isSimulated = isSimulated
    var taken: [String] = []
    for line in provided { taken += GPIOProvider.operations(of: line, isSimulated) }
    contract = Contract.gpio(taken: taken)
  }

  public var resourceCount: Int { lines.count }

  public func forEachResource(_ body: (Resource) -> Void) {
    for line in lines {
      var properties = line.configuration.properties
      line.describe(&properties)
      if let problem = line.problem { properties.append("error", .string(problem.description)) }
      body(
        Resource(
          name: line.configuration.name,
          operations: GPIOProvider.operations(of: line, isSimulated), properties: properties))
    }
  }

  public var problemCount: Int { lines.reduce(0) { $1.problem == nil ? $0 : $0 + 1 } }

  private static func operations(of line: ProvidedLine, _ isSimulated: Bool) -> [String] {
    let isDriven = isSimulated && line.configuration.direction == .input
    return isDriven ? line.operations + ["drive"] : line.operations
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
    take(lines, at: now)
  }

  public func stop(at now: Instant) {
    // All outputs are made safe before anything is let go that they might depend on.
    apply(bank.enterSafeState(at: now), at: now)
    for line in outputs where line.isUnwritten {
      onProblem?(line.configuration.name, "no safe state at stop: the hardware refuses it")
    }
    for line in lines {
      release(line)
      line.problem = nil
    }
    retryAt = nil
    isRunning = false
  }

  public func linkChanged(isConnected: Bool, at now: Instant) {
    self.isConnected = isConnected
    for line in lines where line.isInDoubt {
      // What was told just before may have gone into a link that was dead already.
      if !isConnected { line.isStateUntold = true }
      line.isInDoubt = false
    }
    bank.linkChanged(isConnected: isConnected, at: now)
    tellStates(at: now)
  }

  public var deadline: Instant? {
    if !isRunning { return nil }
    var next = Instant.earlier(board.deadline, bank.deadline)
    next = Instant.earlier(next, retryAt)
    for line in lines { next = Instant.earlier(next, line.deadline) }
    return Instant.earlier(next, switchDeadline)
  }

  public func handleDeadline(at now: Instant) {
    if !isRunning { return }
    board.handleDeadline(at: now)
    // First, as something of a line that is back may be due at once.
    if retryAt.isDue(at: now) { take(lines.filter { $0.problem != nil }, at: now) }
    for line in lines where line.deadline.isDue(at: now) {
      // What time decides may have been decided by an edge that still waits in the kernel.
      if let handle = line.handles.first { board.readEdges(of: handle) }
      tell(line.handleDeadline(at: now), of: line)
    }
    // One thing for each output at a time: what is left over after these comes in the next turn.
    for _ in 0..<GPIOProvider.changesPerTurn where bank.deadline.isDue(at: now) {
      apply(bank.handleDeadline(at: now), at: now)
    }
    switchLines(at: now)
    for line in outputs where line.rewriteAt.isDue(at: now) { write([line], at: now) }
    tellStates(at: now)
  }

  // MARK: Edges

  public func handle(_ edge: EdgeEvent) {
    guard let (line, part) = line(of: edge.line) else { return }
    tell(line.handle(edge, ofPart: part), of: line)
  }

  public func lineFailed(_ handle: LineHandle, _ error: BoardError) {
    guard let (line, _) = line(of: handle) else { return }
    lose(line, error, at: time.now)
  }

  public func chipsChanged() {
    if lines.contains(where: { $0.problem != nil }) {
      retryAt = Instant.earlier(retryAt, time.now + GPIOProvider.settlePeriod)
    }
  }

  private func line(of handle: LineHandle) -> (ProvidedLine, part: Int)? {
    for line in lines {
      for part in line.handles.indices where line.handles[part] == handle { return (line, part) }
    }
    return nil
  }

  // MARK: Events

  func tell(_ news: [LineNews], of line: ProvidedLine) {
    for item in news { tell(item, of: line) }
  }

  private func tell(_ news: LineNews, of line: ProvidedLine) {
    lastSequence += 1
    line.lastSequence = lastSequence
    let configuration = line.configuration
    // A state is news for whoever listens now, not a fact: who keeps facts may want edges alone, and an
    // event that nobody keeps would hold up those behind it.
    let isState = news.kind == "state"
    let isFact = configuration.report == .durable && !isState
    // What nobody hears now is told as the present state when somebody listens again.
    if !isFact && !isConnected { line.isStateUntold = true }
    if !isFact && !isState { line.isInDoubt = true }
    body.removeAll()
    body.append("name", .string(configuration.name))
    body.append(contentsOf: news.fields)
    body.append("seq", .integer(lastSequence))
    body.append(contentsOf: news.details)
    eventSink?.emit(
      CapabilityEvent(
        capability: contract.name, resource: configuration.name, kind: news.kind,
        delivery: isFact ? .durable : .latest, at: news.time, body: body))
  }

  /// Tells the state of the lines of which it is not known, without inventing an event.
  private func tellStates(at now: Instant) {
    if !isConnected { return }
    for line in lines where line.isStateUntold && line.isTaken {
      guard let values = try? board.values(of: line.handles) else { continue }
      var news = LineNews("state", at: now)
      news.fields = line.state(values)
      tell(news, of: line)
      line.isStateUntold = false
    }
  }
}

// MARK: - Taking and losing lines

extension GPIOProvider {
  /// Takes the lines without edges all at once, for they are to be set and read together, and the others
  /// a few at a time: to look for a line takes memory.
  private func take(_ lines: [ProvidedLine], at now: Instant) {
    takeTogether(lines.filter { !$0.configuration.reportsEdges }[...], at: now)
    var rest = lines.filter { $0.configuration.reportsEdges }[...]
    while !rest.isEmpty {
      takeTogether(rest.prefix(GPIOProvider.linesPerSearch), at: now)
      rest = rest.dropFirst(GPIOProvider.linesPerSearch)
    }
    retryAt = nil
    for line in self.lines {
      guard let problem = line.problem else { continue }
      let period = problem.isSettling ? GPIOProvider.settlePeriod : GPIOProvider.retryPeriod
      retryAt = Instant.earlier(retryAt, now + period)
    }
    tellStates(at: now)
  }

  private func takeTogether(_ lines: ArraySlice<ProvidedLine>, at now: Instant) {
    if lines.isEmpty { return }
    var requests: [LineRequest] = []
    requests.reserveCapacity(lines.count)
    var counts: [Int] = []
    for (group, line) in lines.enumerated() {
      let parts = line.parts
      counts.append(parts.count)
      for part in parts {
        requests.append(
          LineRequest(
            part, active: (line as? OutputLine).flatMap { valueToTake($0) },
            group: parts.count > 1 ? group : nil))
      }
    }
    let results = board.request(requests)
    var next = 0
    for (line, count) in zip(lines, counts) {
      let part = results[min(next, results.count)..<min(next + count, results.count)]
      next += count
      do throws(BoardError) {
        try begin(line, Array(part), at: now)
      } catch {
        setBad(line, error, at: now)
      }
    }
  }

  /// The value an output is taken with: at start as the manifest says, and when it comes back in its
  /// safe state, or in the state that it had.
  private func valueToTake(_ line: OutputLine) -> Bool? {
    if line.wasTaken { return line.safeValue ?? bank.isActive(line.output) }
    let last = memory?.recall(GPIOProvider.key(line)).map { $0 != 0 }
    return line.startValue(last: last)
  }

  private func begin(
    _ line: ProvidedLine, _ results: [Result<LineHandle, BoardError>], at now: Instant
  ) throws(BoardError) {
    var failure: BoardError?
    for result in results {
      switch result {
      case .success(let handle): line.handles.append(handle)
      case .failure(let error): failure = failure ?? error
      }
    }
    do throws(BoardError) {
      if let failure { throw failure }
      if let pwm = line as? PWMLine {
        try pwm.set(duty: 0, frequency: pwm.frequency, at: now)
      }
      let values = try values(of: line)
      let wasBad = line.isProblemTold
      line.problem = nil
      line.isProblemTold = false
      line.settlingTries = 0
      line.isTaken = true
      if line.configuration.debounce > .zero, let handle = line.handles.first {
        line.debounce = board.debounce(of: handle)
      }
      line.begin(values, at: now)
      if let output = line as? OutputLine { begin(output, values.first ?? false, at: now) }
      if wasBad { onProblem?(line.configuration.name, nil) }
    } catch {
      release(line)
      throw error
    }
  }

  /// The values that a line was taken with. Of an output that hardware does not read back, it is what it
  /// was taken with.
  private func values(of line: ProvidedLine) throws(BoardError) -> [Bool] {
    do throws(BoardError) {
      return try board.values(of: line.handles)
    } catch {
      guard !error.isGone, let output = line as? OutputLine else { throw error }
      return [valueToTake(output) ?? false]
    }
  }

  func lose(_ line: ProvidedLine, _ error: BoardError, at now: Instant) {
    if !line.isTaken { return }
    release(line)
    setBad(line, error, at: now)
    retryAt = Instant.earlier(retryAt, now + GPIOProvider.retryPeriod)
  }

  private func release(_ line: ProvidedLine) {
    if line.isTaken {
      line.end()
      if let output = line as? OutputLine { bank.end(output.output) }
    }
    line.isTaken = false
    for handle in line.handles { board.release(handle) }
    line.handles.removeAll()
  }

  private func setBad(_ line: ProvidedLine, _ error: BoardError, at now: Instant) {
    let isNews = line.problem != error || !line.isProblemTold
    line.problem = error
    if error.isSettling && line.settlingTries < GPIOProvider.settlingTriesMax {
      line.settlingTries += 1
      return
    }
    line.isProblemTold = true
    if isNews { onProblem?(line.configuration.name, error.description) }
  }
}
