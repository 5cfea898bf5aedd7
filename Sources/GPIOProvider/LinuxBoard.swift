import CLinux
import Transport

/// The board's real lines, through the kernel's GPIO character devices. It keeps one descriptor
/// per line that is taken, and none otherwise: chips are looked for at each request, so that one
/// that has come back, perhaps under another number, is found.
///
/// The board keeps nothing of the kernel's state in memory; what cannot be asked of the kernel is
/// not known. Requests take tens of microseconds per chip and line looked at; nothing blocks.
public final class LinuxBoard: Board {
  /// Edge events read at once; what CLinux reads at most.
  private static let eventsPerRead = 16
  /// Reads per line and turn of the loop, so that a line that never rests starves no other. The
  /// loop comes back for the rest at once.
  private static let readsPerTurn = 4
  /// Events the kernel keeps per line before it drops the oldest, instead of its 16: at 48 bytes
  /// each 3 KB of kernel memory. Arbitrary; a bouncing contact makes some ten edges in a few
  /// milliseconds.
  private static let eventBufferSize: UInt32 = 64

  public var edgeHandler: (any EdgeHandler)?
  public var deadline: Instant? { nil }

  private let loop: EventLoop
  private let devicePath: String
  private let consumer: String
  private var lines: [TakenLine?] = []
  private var events = [linux_gpio_event](repeating: linux_gpio_event(), count: eventsPerRead)

  private final class TakenLine {
    let name: String
    let descriptor: Int32
    var watch: Watch?

    init(name: String, descriptor: Int32) {
      self.name = name
      self.descriptor = descriptor
    }
  }

  /// - Parameters:
  ///   - loop: watches the lines that are taken; the board and the loop hold each other until the
  ///     last line is released.
  ///   - consumer: what other programs are told holds a line; the kernel keeps 31 bytes.
  ///   - devicePath: chips are at this path with a number behind it.
  public init(
    loop: EventLoop, consumer: String = "edge-host", devicePath: String = "/dev/gpiochip"
  ) {
    self.loop = loop
    self.consumer = consumer
    self.devicePath = devicePath
  }

  deinit {
    for line in lines {
      if let line { _ = linux_close(line.descriptor) }
    }
  }

  public func request(
    _ line: LineConfiguration, active: Bool
  ) throws(BoardError) -> LineHandle {
    let place = try find(line)
    defer { _ = linux_close(place.chip) }
    let descriptor =
      line.direction == .output && line.output.safe == .keep
      ? try takeKeeping(line, at: place, otherwise: active)
      : try take(line, flags: line.kernelFlags, at: place, active: active)
    let handle = insert(TakenLine(name: line.name, descriptor: descriptor))
    do throws(BoardError) {
      try watch(handle, for: line.kernelFlags)
    } catch {
      release(handle)
      throw error
    }
    return handle
  }

  public func isActive(_ line: LineHandle) throws(BoardError) -> Bool {
    let taken = try takenLine(line)
    let value = linux_gpio_get(taken.descriptor)
    if value < 0 { throw failure("GPIO_V2_LINE_GET_VALUES_IOCTL", taken.name, value) }
    return value != 0
  }

  public func setActive(_ line: LineHandle, _ active: Bool) throws(BoardError) {
    let taken = try takenLine(line)
    let result = linux_gpio_set(taken.descriptor, active ? 1 : 0)
    if result < 0 { throw failure("GPIO_V2_LINE_SET_VALUES_IOCTL", taken.name, result) }
  }

  public func release(_ line: LineHandle) {
    guard lines.indices.contains(line.index), let taken = lines[line.index] else { return }
    lines[line.index] = nil
    taken.watch?.cancel()
    taken.watch = nil
    _ = linux_close(taken.descriptor)
  }

  /// Edges come by descriptor, not by time.
  public func handleDeadline(at now: Instant) {}
}

// MARK: - Taking lines

extension LinuxBoard {
  /// A line's place on an open chip.
  private struct Place {
    let chip: Int32
    let chipPath: String
    let offset: UInt32
  }

  /// Finds the line; the caller closes the chip.
  private func find(_ line: LineConfiguration) throws(BoardError) -> Place {
    var search = LineSearch(chip: line.chip, location: line.location)
    var opened: [(descriptor: Int32, path: String)] = []
    for number in kernelChipNumbers {
      let path = ("\(devicePath)\(number)" as Text).string
      let descriptor = linux_open(path, 1)
      if descriptor < 0 {
        // Any other failure means that there is no chip to be had here at present.
        let code = 0 &- descriptor
        if code == KernelError.accessDenied || code == KernelError.notPermitted {
          search.wasDenied(path)
        }
        continue
      }
      var info = linux_gpio_chip_info()
      if linux_gpio_chip(descriptor, &info) < 0 {
        _ = linux_close(descriptor)
        continue
      }
      let chip = GPIOChip(
        path: path, name: kernelText(info.name), label: kernelText(info.label),
        lineCount: info.line_count)
      search.consider(chip, index: opened.count) { offset in
        LinuxBoard.lineInfo(descriptor, offset).map { kernelText($0.name) }
      }
      opened.append((descriptor, path))
    }

    let found: LineSearch.Match
    do throws(BoardError) {
      found = try search.result()
    } catch {
      for chip in opened { _ = linux_close(chip.descriptor) }
      throw error
    }
    var place = Place(chip: -1, chipPath: devicePath, offset: found.offset)
    for (index, chip) in opened.enumerated() {
      if index == found.chip {
        place = Place(chip: chip.descriptor, chipPath: chip.path, offset: found.offset)
      } else {
        _ = linux_close(chip.descriptor)
      }
    }
    return place
  }

  /// Requests the line with all its settings, and an output with its value, in one call.
  private func take(
    _ line: LineConfiguration, flags: KernelLineFlags, at place: Place, active: Bool
  ) throws(BoardError) -> Int32 {
    var request = linux_gpio_request()
    request.offset = place.offset
    request.flags = flags.rawValue
    request.debounce_microseconds = line.kernelDebounceMicroseconds
    request.value = active ? 1 : 0
    request.event_buffer_size = LinuxBoard.eventBufferSize
    let descriptor = linux_gpio_request_line(place.chip, &request, consumer)
    if descriptor >= 0 { return descriptor }
    switch 0 &- descriptor {
    case KernelError.busy:
      let holder = LinuxBoard.lineInfo(place.chip, place.offset).map { kernelText($0.consumer) }
      throw .busy(line: line.name, consumer: holder ?? "")
    case KernelError.accessDenied, KernelError.notPermitted:
      throw .permissionDenied(path: place.chipPath)
    default:
      throw failure("GPIO_V2_GET_LINE_IOCTL", line.name, descriptor)
    }
  }

  /// Takes an output without changing its level.
  ///
  /// The line is first taken as it is. If it already drives, and no bias or drive is asked for,
  /// that is all: to let go of it and take it again would leave it uncontrolled in between, and
  /// some drivers make a line an input then. Otherwise it is taken again as an output with the
  /// level that was read, or with `active` when the hardware cannot be read.
  private func takeKeeping(
    _ line: LineConfiguration, at place: Place, otherwise active: Bool
  ) throws(BoardError) -> Int32 {
    // Asked after the request: only then has the kernel read the direction from the hardware.
    let asIs = try take(line, flags: line.kernelFlagsAsIs, at: place, active: active)
    let isOutput = LinuxBoard.lineInfo(place.chip, place.offset)
      .map { KernelLineFlags(rawValue: $0.flags).contains(.output) }
    if isOutput == true && line.bias == .asIs && line.drive == .pushPull { return asIs }
    let value = linux_gpio_get(asIs)
    _ = linux_close(asIs)
    return try take(
      line, flags: line.kernelFlags, at: place, active: value < 0 ? active : value != 0)
  }

  private static func lineInfo(_ chip: Int32, _ offset: UInt32) -> linux_gpio_line_info? {
    var info = linux_gpio_line_info()
    return linux_gpio_line(chip, offset, &info) < 0 ? nil : info
  }

  private func insert(_ line: TakenLine) -> LineHandle {
    for index in lines.indices where lines[index] == nil {
      lines[index] = line
      return LineHandle(index: index)
    }
    lines.append(line)
    return LineHandle(index: lines.count - 1)
  }

  private func takenLine(_ line: LineHandle) throws(BoardError) -> TakenLine {
    guard lines.indices.contains(line.index), let taken = lines[line.index] else {
      throw .system(call: "ioctl", line: "\(line.index)", code: KernelError.badDescriptor)
    }
    return taken
  }

  private func failure(_ call: StaticString, _ line: String, _ result: Int32) -> BoardError {
    .system(call: call, line: line, code: 0 &- result)
  }
}

// MARK: - Events

extension LinuxBoard {
  /// Watches every line, also one without edges: the kernel reports a hang-up when its chip goes.
  private func watch(_ handle: LineHandle, for flags: KernelLineFlags) throws(BoardError) {
    let taken = try takenLine(handle)
    let hasEdges = !flags.isDisjoint(with: [.edgeRising, .edgeFalling])
    do throws(SystemError) {
      taken.watch = try loop.watch(taken.descriptor, for: hasEdges ? .readable : []) { readiness in
        self.handle(readiness, of: handle, taken)
      }
    } catch {
      throw .system(call: error.call, line: taken.name, code: error.code)
    }
  }

  private func handle(_ readiness: Readiness, of handle: LineHandle, _ taken: TakenLine) {
    if readiness.contains(.readable) { readEvents(of: handle, taken) }
    if readiness.contains(.failed) { fail(handle, taken, "poll", KernelError.noDevice) }
  }

  private func readEvents(of handle: LineHandle, _ taken: TakenLine) {
    for _ in 0..<LinuxBoard.readsPerTurn {
      // Whoever hears of an edge may release the line.
      guard isTaken(handle, taken) else { return }
      let count = linux_gpio_read_events(
        taken.descriptor, &events, Int32(LinuxBoard.eventsPerRead))
      if count == 0 &- KernelError.tryAgain { return }
      // An end of file would be reported as readable again and again.
      if count <= 0 {
        fail(handle, taken, "read", count < 0 ? 0 &- count : KernelError.noDevice)
        return
      }
      for index in 0..<min(Int(count), events.count) {
        guard isTaken(handle, taken) else { return }
        edgeHandler?.handle(EdgeEvent(events[index], on: handle))
      }
      if count < LinuxBoard.eventsPerRead { return }
    }
  }

  /// Stops listening to a line that has failed and says so once; its holder releases it.
  private func fail(
    _ handle: LineHandle, _ taken: TakenLine, _ call: StaticString, _ code: Int32
  ) {
    guard isTaken(handle, taken), let watch = taken.watch else { return }
    watch.cancel()
    taken.watch = nil
    edgeHandler?.lineFailed(handle, .system(call: call, line: taken.name, code: code))
  }

  private func isTaken(_ handle: LineHandle, _ taken: TakenLine) -> Bool {
    lines.indices.contains(handle.index) && lines[handle.index] === taken
  }
}
