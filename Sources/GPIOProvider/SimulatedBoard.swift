import Transport

/// A board without hardware: inputs follow their scripts, or whoever drives them; outputs
/// remember what they were set to, also after they are released. Time passes only by
/// `handleDeadline` and `drive`, so a day takes a moment and every run is the same.
///
/// A debounce period works as the kernel's own in software does: a change counts once the input
/// has been stable for the period, both for reading and for the edge, whose time is the end of
/// the period.
public final class SimulatedBoard: Board {
  /// Changes handled in one call, for a loop that was away for long: the rest follows in the next
  /// call, as the deadline stays in the past. Arbitrary.
  static let changesPerCall = 256

  public var edgeHandler: (any EdgeHandler)?

  /// A handle's index is the line's place here; a line keeps its place when it is released, and
  /// takes it again by its name.
  private var lines: [SimulatedLine] = []
  /// How far time has passed.
  private var now: Instant

  /// - Parameter now: scripts count from here, or from when their line is taken if that is later.
  public init(startingAt now: Instant) { self.now = now }

  public func request(_ requests: [LineRequest]) -> [Result<LineHandle, BoardError>] {
    lines.reserveCapacity(lines.count + requests.count)
    return requests.map { request($0) }
  }

  private func request(_ request: LineRequest) -> Result<LineHandle, BoardError> {
    let line = request.line
    for index in lines.indices where lines[index].configuration.name == line.name {
      if lines[index].isTaken {
        return .failure(.busy(line: line.name, consumer: "simulated board"))
      }
      // A board has its levels whether or not they are looked at.
      lines[index] = SimulatedLine(
        line, isActive: request.active ?? lines[index].isActiveRaw, at: now)
      return .success(LineHandle(index: index))
    }
    lines.append(SimulatedLine(line, isActive: request.active ?? false, at: now))
    return .success(LineHandle(index: lines.count - 1))
  }

  public func values(of wanted: [LineHandle]) throws(BoardError) -> [Bool] {
    var values: [Bool] = []
    for line in wanted {
      try check(line)
      values.append(lines[line.index].isActive)
    }
    return values
  }

  public func set(_ values: [LineValue]) throws(BoardError) {
    for value in values {
      try check(value.line)
      guard lines[value.line.index].configuration.direction == .output else {
        throw .system(
          call: "set", line: lines[value.line.index].configuration.name,
          code: KernelError.notPermitted)
      }
    }
    for value in values { lines[value.line.index].set(value.isActive) }
  }

  /// They are told as they happen.
  public func readEdges(of line: LineHandle) {}

  public func debounce(of line: LineHandle) -> Duration {
    lines.indices.contains(line.index) ? lines[line.index].configuration.debounce : .zero
  }

  public func release(_ line: LineHandle) {
    if lines.indices.contains(line.index) { lines[line.index].isTaken = false }
  }

  public var deadline: Instant? {
    var next: Instant?
    for line in lines where line.isTaken { next = Instant.earlier(next, line.deadline) }
    return next
  }

  /// Takes every step up to `now`, over all lines in the order of their times; steps of the same
  /// time in the order in which the lines were first taken.
  public func handleDeadline(at now: Instant) {
    var changes = 0
    while let next = deadline, next <= now, changes < SimulatedBoard.changesPerCall {
      changes += 1
      self.now = max(self.now, next)
      for index in lines.indices where lines[index].isTaken && lines[index].deadline == next {
        report(lines[index].step(), on: index)
        break
      }
    }
    // With steps left over, time stands at the last that was taken.
    if !deadline.isDue(at: now) { self.now = max(self.now, now) }
  }

  /// Changes an input from outside, as a test or a person does; what its script does next it does
  /// all the same. Returns false when there is no input of that name.
  @discardableResult
  public func drive(_ name: String, active: Bool, at time: Instant) -> Bool {
    handleDeadline(at: time)
    for index in lines.indices
    where lines[index].configuration.name == name
      && lines[index].configuration.direction == .input
    {
      report(lines[index].change(to: active, at: time), on: index)
      return true
    }
    return false
  }

  /// The logical value of a line, taken or not; nil when no such line was ever taken.
  public func isActive(named name: String) -> Bool? {
    for line in lines where line.configuration.name == name { return line.isActive }
    return nil
  }

  private func report(_ edge: SimulatedLine.Edge?, on index: Int) {
    guard let edge, lines[index].isTaken else { return }
    edgeHandler?.handle(
      EdgeEvent(
        line: LineHandle(index: index), isRising: edge.isRising, time: edge.time,
        lineSequence: edge.sequence))
  }

  private func check(_ line: LineHandle) throws(BoardError) {
    if lines.indices.contains(line.index) && lines[line.index].isTaken { return }
    throw .system(call: "ioctl", line: "\(line.index)", code: KernelError.badDescriptor)
  }
}
