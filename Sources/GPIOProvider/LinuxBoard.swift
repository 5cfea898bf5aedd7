import CLinux
import Transport

/// The board's real lines, through the kernel's GPIO character devices. It keeps one descriptor for
/// each request, and none otherwise: chips are looked for whenever lines are taken, so that one that
/// has come back, perhaps under another number, is found.
///
/// The board keeps nothing of the kernel's state in memory; what cannot be asked of the kernel is
/// not known. Requests take tens of microseconds per chip and line looked at; nothing blocks.
public final class LinuxBoard: Board {
  /// Edge events read at once; what CLinux reads at most.
  private static let eventsPerRead = 16
  /// Reads per request and turn of the loop, so that a line that never rests starves no other. The
  /// loop comes back for the rest at once.
  private static let readsPerTurn = 4

  public var edgeHandler: (any EdgeHandler)?
  public var deadline: Instant? { nil }

  private let loop: EventLoop
  private let devicePath: String
  private let consumer: String
  /// By the index of their handles.
  private var lines: [TakenLine?] = []
  private var events = [linux_gpio_event](repeating: linux_gpio_event(), count: eventsPerRead)
  private var devices: DeviceWatch?

  /// What the kernel gave for lines that were asked for together.
  fileprivate final class TakenRequest {
    let descriptor: Int32
    let chipPath: String
    var watch: Watch?
    /// The lines that are not released yet, by offset.
    var handles: [(offset: UInt32, handle: LineHandle)] = []

    init(descriptor: Int32, chipPath: String) {
      self.descriptor = descriptor
      self.chipPath = chipPath
    }
  }

  fileprivate struct TakenLine {
    let name: String
    let request: TakenRequest
    let offset: UInt32
    /// The line's bit in the masks of its request.
    let bit: UInt64
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
    for (index, line) in lines.enumerated() {
      // Once for each request: by the first of its lines that is not released.
      guard let line, line.request.handles.first?.handle.index == index else { continue }
      _ = linux_gpio_close(line.request.descriptor)
    }
  }

  /// Hears of chips that come and go, from now on.
  public func watchChips() throws(SystemError) {
    devices = try DeviceWatch(on: loop, news: .chips) { [self] in
      failGone()
      edgeHandler?.chipsChanged()
    }
  }

  public func values(of wanted: [LineHandle]) throws(BoardError) -> [Bool] {
    var values = [Bool](repeating: false, count: wanted.count)
    var isRead = values
    for first in wanted.indices where !isRead[first] {
      let request = try takenLine(wanted[first]).request
      var mask: UInt64 = 0
      for handle in wanted {
        let line = try takenLine(handle)
        if line.request === request { mask |= line.bit }
      }
      var bits: UInt64 = 0
      let result = linux_gpio_get(request.descriptor, mask, &bits)
      if result < 0 {
        throw failure("GPIO_V2_LINE_GET_VALUES_IOCTL", try takenLine(wanted[first]).name, result)
      }
      for index in wanted.indices {
        let line = try takenLine(wanted[index])
        if line.request !== request { continue }
        values[index] = bits & line.bit != 0
        isRead[index] = true
      }
    }
    return values
  }

  public func set(_ values: [LineValue]) throws(BoardError) {
    guard let first = values.first else { return }
    let line = try takenLine(first.line)
    var mask: UInt64 = 0
    var bits: UInt64 = 0
    for value in values {
      let other = try takenLine(value.line)
      if other.request !== line.request { throw .notTogether(lines: try names(of: values)) }
      mask |= other.bit
      if value.isActive { bits |= other.bit }
    }
    let result = linux_gpio_set(line.request.descriptor, mask, bits)
    if result < 0 { throw failure("GPIO_V2_LINE_SET_VALUES_IOCTL", line.name, result) }
  }

  public func release(_ handle: LineHandle) {
    guard lines.indices.contains(handle.index), let line = lines[handle.index] else { return }
    lines[handle.index] = nil
    let request = line.request
    request.handles.removeAll { $0.handle == handle }
    if !request.handles.isEmpty { return }
    request.watch?.cancel()
    request.watch = nil
    _ = linux_gpio_close(request.descriptor)
  }

  public func debounce(of handle: LineHandle) -> Duration {
    guard let line = try? takenLine(handle) else { return .zero }
    let chip = linux_gpio_open(line.request.chipPath)
    if chip < 0 { return .zero }
    defer { _ = linux_gpio_close(chip) }
    let info = GPIOChip.lineInfo(chip, line.offset)
    return .microseconds(Int64(info?.debounce_microseconds ?? 0))
  }

  public func readEdges(of handle: LineHandle) {
    guard let line = try? takenLine(handle), line.request.watch != nil else { return }
    readEvents(of: line.request)
  }

  /// Edges come by descriptor, not by time.
  public func handleDeadline(at now: Instant) {}

  private func takenLine(_ handle: LineHandle) throws(BoardError) -> TakenLine {
    guard lines.indices.contains(handle.index), let line = lines[handle.index] else {
      throw .system(call: "ioctl", line: "\(handle.index)", code: KernelError.badDescriptor)
    }
    return line
  }

  private func names(of values: [LineValue]) throws(BoardError) -> [String] {
    var names: [String] = []
    for value in values { names.append(try takenLine(value.line).name) }
    return names
  }

  private func failure(_ call: StaticString, _ line: String, _ result: Int32) -> BoardError {
    .system(call: call, line: line, code: 0 &- result)
  }
}

// MARK: - Taking lines

extension LinuxBoard {
  public func request(_ requests: [LineRequest]) -> [Result<LineHandle, BoardError>] {
    var results = [Result<LineHandle, BoardError>](
      repeating: .failure(.notTogether(lines: [])), count: requests.count)
    var search = ChipSearch(requests, devicePath: devicePath)
    defer { search.close() }
    let plan = search.plan(&results)
    for group in plan {
      do throws(BoardError) {
        try take(group, of: requests, &results)
      } catch {
        // Perhaps only one of them is to blame: then the others shall not suffer.
        for line in group.lines { takeAlone(line, on: group, of: requests, &results) }
      }
    }
    return results
  }

  private func takeAlone(
    _ line: RequestPlan.Line, on group: RequestPlan, of requests: [LineRequest],
    _ results: inout [Result<LineHandle, BoardError>]
  ) {
    var alone = group
    alone.lines = [line]
    do throws(BoardError) {
      try take(alone, of: requests, &results)
    } catch {
      results[line.index] = .failure(error)
    }
  }

  /// Takes a group with one request.
  private func take(
    _ group: RequestPlan, of requests: [LineRequest],
    _ results: inout [Result<LineHandle, BoardError>]
  ) throws(BoardError) {
    let descriptor = try requestDescriptor(group, of: requests)
    let request = TakenRequest(descriptor: descriptor, chipPath: group.chipPath)
    var hasEdges = false
    for (place, line) in group.lines.enumerated() {
      let configuration = requests[line.index].line
      let handle = insert(
        TakenLine(
          name: configuration.name, request: request, offset: line.offset, bit: 1 << UInt64(place)))
      request.handles.append((line.offset, handle))
      results[line.index] = .success(handle)
      hasEdges = hasEdges || configuration.reportsEdges
    }
    do throws(SystemError) {
      // Also without edges: the kernel reports a hang-up when the chip goes.
      request.watch = try loop.watch(descriptor, for: hasEdges ? .readable : []) { readiness in
        self.handle(readiness, of: request)
      }
    } catch {
      for (_, handle) in request.handles { release(handle) }
      throw .system(
        call: error.call, line: requests[group.lines[0].index].line.name, code: error.code)
    }
  }

  private func requestDescriptor(
    _ group: RequestPlan, of requests: [LineRequest]
  ) throws(BoardError) -> Int32 {
    var settings = group.lines.map { requests[$0.index].settings(at: $0.offset) }
    if !group.lines.contains(where: { requests[$0.index].keepsLevel }) {
      return try request(group, settings, of: requests)
    }
    // An output that keeps its level is first taken as it is, and then made an output with the level
    // that was read. It is never let go of in between: some drivers make a line an input then.
    let asIs = group.lines.map { requests[$0.index].settingsAsIs(at: $0.offset) }
    let descriptor = try request(group, asIs, of: requests)
    for place in settings.indices where requests[group.lines[place].index].keepsLevel {
      var bits: UInt64 = 0
      let bit: UInt64 = 1 << UInt64(place)
      // Hardware that cannot be read is taken for inactive.
      let result = linux_gpio_get(descriptor, bit, &bits)
      settings[place].value = result >= 0 && bits & bit != 0 ? 1 : 0
    }
    let result = linux_gpio_configure(descriptor, settings, Int32(clamping: settings.count))
    if result >= 0 { return descriptor }
    _ = linux_gpio_close(descriptor)
    throw failure(
      "GPIO_V2_LINE_SET_CONFIG_IOCTL", requests[group.lines[0].index].line.name, result)
  }

  private func request(
    _ group: RequestPlan, _ settings: [linux_gpio_settings], of requests: [LineRequest]
  ) throws(BoardError) -> Int32 {
    var eventBuffer: UInt32 = 0
    for line in group.lines where requests[line.index].line.reportsEdges {
      eventBuffer &+= requests[line.index].line.eventBuffer
    }
    let descriptor = linux_gpio_request(
      group.chip, settings, Int32(clamping: settings.count), eventBuffer, consumer)
    if descriptor >= 0 { return descriptor }
    let first = group.lines[0]
    let name = requests[first.index].line.name
    switch 0 &- descriptor {
    case KernelError.busy:
      let holder = GPIOChip.lineInfo(group.chip, first.offset).map { kernelText($0.consumer) }
      throw .busy(line: name, consumer: holder ?? "")
    case KernelError.accessDenied, KernelError.notPermitted:
      throw .denied(group.chipPath)
    default:
      throw failure("GPIO_V2_GET_LINE_IOCTL", name, descriptor)
    }
  }

  private func insert(_ line: TakenLine) -> LineHandle {
    for index in lines.indices where lines[index] == nil {
      lines[index] = line
      return LineHandle(index: index)
    }
    lines.append(line)
    return LineHandle(index: lines.count - 1)
  }
}

// MARK: - Events

extension LinuxBoard {
  private func handle(_ readiness: Readiness, of request: TakenRequest) {
    if readiness.contains(.readable) { readEvents(of: request) }
    if readiness.contains(.failed) { fail(request, "poll", KernelError.noDevice) }
  }

  private func readEvents(of request: TakenRequest) {
    for _ in 0..<LinuxBoard.readsPerTurn {
      // Whoever hears of an edge may release the line.
      if request.watch == nil { return }
      let count = linux_gpio_read_events(
        request.descriptor, &events, Int32(LinuxBoard.eventsPerRead))
      if count == 0 &- KernelError.tryAgain { return }
      // An end of file would be reported as readable again and again.
      if count <= 0 {
        fail(request, "read", count < 0 ? 0 &- count : KernelError.noDevice)
        return
      }
      for index in 0..<min(Int(count), events.count) {
        let event = events[index]
        guard let line = request.handles.first(where: { $0.offset == event.offset }) else {
          continue
        }
        edgeHandler?.handle(EdgeEvent(event, on: line.handle))
      }
      if count < LinuxBoard.eventsPerRead { return }
    }
  }

  /// Stops listening to a request that has failed and says so once for each line; their holder
  /// releases them.
  private func fail(_ request: TakenRequest, _ call: StaticString, _ code: Int32) {
    guard let watch = request.watch else { return }
    watch.cancel()
    request.watch = nil
    for (_, handle) in request.handles {
      guard let line = try? takenLine(handle) else { continue }
      edgeHandler?.lineFailed(handle, .system(call: call, line: line.name, code: code))
    }
  }

  /// Kernels before 6.3 report no hang-up for a chip that went, but answer for it no more.
  private func failGone() {
    for line in lines {
      guard let line, line.request.watch != nil else { continue }
      var bits: UInt64 = 0
      let result = linux_gpio_get(line.request.descriptor, line.bit, &bits)
      if result == 0 &- KernelError.noDevice { fail(line.request, "ioctl", KernelError.noDevice) }
    }
  }
}
