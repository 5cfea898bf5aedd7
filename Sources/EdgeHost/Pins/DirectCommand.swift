import CLinux
import GPIOProvider
import Lattice
import Transport

/// `edge-host gpio get`, `set`, `pulse`, `watch` and `names` without a host, on the kernel's lines by
/// their own names, or by offsets of a chip.
final class DirectCommand {
  private let loop: EventLoop
  private let lines: DirectLines
  private let request: GPIORequest
  private var signals: Watch?
  private var printed: Int64 = 0
  private var status: Int32 = 0

  static func run(_ request: GPIORequest) throws(SystemError) -> Int32 {
    if request.action == .names { return names(GPIOChips.list()) }
    let loop = try EventLoop()
    let command = DirectCommand(
      request, loop, LinuxBoard(loop: loop, consumer: "edge-host gpio"))
    return try command.run(GPIOChips.list())
  }

  init(_ request: GPIORequest, _ loop: EventLoop, _ board: any Board) {
    self.request = request
    self.loop = loop
    lines = DirectLines(board)
  }

  /// - Parameter chips: what there is, so that an output is not made an input by reading it.
  func run(_ chips: GPIOChips) throws(SystemError) -> Int32 {
    do throws(UsageError) {
      try check()
    } catch {
      OperatorSession.complain(error.message)
      return 2
    }
    for (index, name) in request.names.enumerated() {
      let line = configuration(name, in: chips)
      // What is only read keeps its level.
      var isActive: Bool? = request.action == .pulse ? true : nil
      if request.values.indices.contains(index) { isActive = request.values[index] }
      do throws(BoardError) {
        try lines.take(line, active: isActive)
      } catch {
        lines.release()
        OperatorSession.complain("\(error)")
        return 1
      }
    }
    defer { lines.release() }
    if request.json && !request.values.isEmpty {
      StandardStream.output.write(text(of: request.values))
    }
    switch request.action {
    case .get: return get()
    case .pulse: try pulse()
    case .set: try hold()
    default: try watch()
    }
    return status
  }

  private func check() throws(UsageError) {
    if request.lease != nil {
      throw UsageError(message: "no host runs, which a lease needs: say --hold DURATION")
    }
    if request.names.isEmpty {
      throw UsageError(message: "no host runs: say which of the kernel's lines are to be watched")
    }
  }

  /// The line as it is to be taken.
  func configuration(_ name: String, in chips: GPIOChips) -> LineConfiguration {
    var location = LineConfiguration.Location.name(name)
    if request.chip != nil, let offset = UInt32(name) { location = .offset(offset) }
    let isGet = request.action == .get
    let isOutput = isGet ? chips.isOutput(location, on: request.chip) : request.action != .watch
    var line = LineConfiguration(
      name: name, chip: chipName(in: chips), location: location,
      kind: isOutput ? .output : .input)
    line.activeLow = request.isActiveLow
    line.bias = request.bias
    line.edges = request.action == .watch ? .both : .none
    return line
  }

  /// A number means `gpiochip` and the number, and a device its name, as for libgpiod's tools.
  private func chipName(in chips: GPIOChips) -> String? {
    guard let chip = request.chip else { return nil }
    return chips.chips.first { $0.isMeant(by: chip) }?.name ?? chip
  }

  // MARK: actions

  private func get() -> Int32 {
    let values: [Bool]
    do throws(BoardError) {
      values = try lines.values()
    } catch {
      OperatorSession.complain("\(error)")
      return 1
    }
    return StandardStream.output.write(text(of: values)) ? 0 : 1
  }

  func text(of values: [Bool]) -> Text {
    var text = Text()
    for (name, isActive) in zip(request.names, values) {
      if request.json {
        var record = Record()
        record.append("name", .string(name))
        record.append("active", .bool(isActive))
        text += "\(record.jsonBytes.span)\n"
      } else {
        if !text.bytes.isEmpty { text.append(" ") }
        text += LineText.value(name, isActive, isNumeric: request.isNumeric)
      }
    }
    if !request.json { text.append("\n") }
    return text
  }

  /// The line has its value since it was taken; letting go of it would leave it uncontrolled.
  private func hold() throws(SystemError) {
    if request.hold == nil {
      OperatorSession.complain(
        """
        no host runs: holding the line until interrupted (Ctrl-C); --hold DURATION ends by itself
        """)
    }
    try wait(request.hold)
  }

  private func pulse() throws(SystemError) {
    try wait(request.duration)
    do throws(BoardError) {
      try lines.set(false)
    } catch {
      OperatorSession.complain("\(error)")
      status = 1
    }
  }

  /// Runs the loop for this long, or until a signal ends it.
  private func wait(_ duration: Duration?) throws(SystemError) {
    let descriptor = try Transport.check("signalfd", linux_signals_create())
    defer { _ = linux_close(descriptor) }
    signals = try loop.watch(descriptor, for: .readable) { [self] _ in
      _ = linux_signals_read(descriptor)
      loop.stop()
    }
    fail(when: lines)
    let timer = Timer(on: loop) { [self] _ in loop.stop() }
    if let duration { timer.set(EventLoop.now + duration) }
    try loop.run()
    signals?.cancel()
    timer.set(nil)
  }

  private func watch() throws(SystemError) {
    lines.onEdge = { [self] name, edge in print(name, edge) }
    fail(when: lines)
    let timer = Timer(on: loop) { [self] _ in loop.stop() }
    if let timeout = request.timeout { timer.set(EventLoop.now + timeout) }
    try loop.run()
    timer.set(nil)
  }

  private func fail(when lines: DirectLines) {
    lines.onFailure = { [self] error in
      OperatorSession.complain("\(error)")
      status = 1
      loop.stop()
    }
  }

  private func print(_ name: String, _ edge: EdgeEvent) {
    if let count = request.count, printed >= count { return }
    let text = DirectCommand.text(of: edge, name, json: request.json)
    if !StandardStream.output.write(text) {
      OperatorSession.complain("cannot write the output")
      status = 1
      return loop.stop()
    }
    printed += 1
    if printed == request.count { loop.stop() }
  }

  static func text(of edge: EdgeEvent, _ name: String, json: Bool) -> Text {
    if !json { return "\(LineText.edge(name, isRising: edge.isRising, at: edge.time))\n" }
    var record = Record()
    record.append("name", .string(name))
    record.append("edge", .string(edge.isRising ? "rising" : "falling"))
    record.append("active", .bool(edge.isRising))
    record.append("monotonic_ns", .integer(edge.time.nanoseconds))
    record.append("line_seq", .integer(Int64(edge.lineSequence)))
    return "\(record.jsonBytes.span)\n"
  }

  /// For completion: what could be given to the others.
  private static func names(_ chips: GPIOChips) -> Int32 {
    var text = Text()
    for chip in chips.chips {
      for line in chip.lines where !line.name.utf8.isEmpty {
        text += "\(Text(line.name).harmless)\n"
      }
    }
    return StandardStream.output.write(text) ? 0 : 1
  }
}

extension GPIOChips {
  /// Whether the line that is meant is an output at present.
  func isOutput(_ location: LineConfiguration.Location, on chip: String?) -> Bool {
    for listed in chips {
      if let chip, !listed.isMeant(by: chip) { continue }
      for line in listed.lines where line.direction == .output {
        switch location {
        case .name(let name): if line.name == name { return true }
        case .offset(let offset), .bcm(let offset): if line.offset == offset { return true }
        }
      }
    }
    return false
  }
}
