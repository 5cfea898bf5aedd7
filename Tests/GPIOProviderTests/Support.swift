import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// Time that passes only when a test says so.
final class FakeTime: TimeSource {
  var now = Instant(nanoseconds: 1_000_000_000)
  var wallClock = Timestamp(nanoseconds: 1_793_692_483_000_000_000)  // 2026-11-03T07:54:43Z
  var isSynchronised = true

  func advance(_ duration: Transport.Duration) {
    now = now + duration
    wallClock = wallClock + duration
  }
}

final class EventRecorder: EventSink {
  var events: [CapabilityEvent] = []

  func emit(_ event: CapabilityEvent) { events.append(event) }
}

final class EdgeRecorder: EdgeHandler {
  var edges: [EdgeEvent] = []
  var failures: [LineHandle] = []

  func handle(_ edge: EdgeEvent) { edges.append(edge) }
  func lineFailed(_ line: LineHandle, _ error: BoardError) { failures.append(line) }
  func chipsChanged() {}
}

/// A board whose every call is recorded and can be made to fail.
final class FakeBoard: Board {
  enum Call: Equatable {
    /// nil: it keeps its level.
    case request(String, active: Bool?)
    case set(String, Bool)
    case release(String)
  }

  var calls: [Call] = []
  /// Thrown for a line by its name, until taken away.
  var requestErrors: [String: BoardError] = [:]
  var readErrors: [String: BoardError] = [:]
  var writeErrors: [String: BoardError] = [:]
  /// The logical values of the lines, which outlive their release.
  var values: [String: Bool] = [:] {
    didSet { if values != oldValue { onChange?() } }
  }
  var onChange: (() -> Void)?
  /// The chips of the lines that are not on the first; only lines of one chip are set together.
  var chips: [String: Int] = [:]
  /// Edges that nobody has read yet, by the line's name.
  var waiting: [String: [(active: Bool, time: Instant, sequence: UInt32)]] = [:]
  var edgeHandler: (any EdgeHandler)?
  var deadline: Instant? { nil }
  private var taken: [LineHandle: String] = [:]
  private var nextIndex = 0

  func request(_ requests: [LineRequest]) -> [Result<LineHandle, BoardError>] {
    requests.map { request in
      let name = request.line.name
      calls.append(.request(name, active: request.active))
      if let error = requestErrors[name] { return .failure(error) }
      if let active = request.active { values[name] = active }
      let handle = LineHandle(index: nextIndex)
      nextIndex += 1
      taken[handle] = name
      return .success(handle)
    }
  }

  func values(of lines: [LineHandle]) throws(BoardError) -> [Bool] {
    var values: [Bool] = []
    for line in lines {
      let name = try name(line)
      if let error = readErrors[name] { throw error }
      values.append(self.values[name] ?? false)
    }
    return values
  }

  func set(_ values: [LineValue]) throws(BoardError) {
    var names: [String] = []
    for value in values { names.append(try name(value.line)) }
    if Set(names.map { chips[$0] ?? 0 }).count > 1 { throw .notTogether(lines: names) }
    for (name, value) in zip(names, values) { calls.append(.set(name, value.isActive)) }
    for name in names {
      if let error = writeErrors[name] { throw error }
    }
    var next = self.values
    for (name, value) in zip(names, values) { next[name] = value.isActive }
    self.values = next
  }

  func debounce(of line: LineHandle) -> Transport.Duration { .zero }

  func readEdges(of line: LineHandle) {
    guard let name = taken[line], let edges = waiting.removeValue(forKey: name) else { return }
    for edge in edges {
      edgeHandler?.handle(
        EdgeEvent(
          line: line, isRising: edge.active, time: edge.time, lineSequence: edge.sequence))
    }
  }

  func release(_ line: LineHandle) {
    guard let name = taken.removeValue(forKey: line) else {
      XCTFail("released twice: \(line.index)")
      return
    }
    calls.append(.release(name))
  }

  func handleDeadline(at now: Instant) {}

  func handle(of name: String) -> LineHandle? { taken.first { $0.value == name }?.key }

  private func name(_ line: LineHandle) throws(BoardError) -> String {
    guard let name = taken[line] else {
      throw .system(call: "ioctl", line: "\(line.index)", code: 9)
    }
    return name
  }
}

extension Board {
  func request(
    _ line: LineConfiguration, active: Bool?
  ) throws(BoardError) -> LineHandle {
    try request([LineRequest(line, active: active)])[0].get()
  }

  func isActive(_ line: LineHandle) throws(BoardError) -> Bool { try values(of: [line])[0] }

  func setActive(_ line: LineHandle, _ active: Bool) throws(BoardError) {
    try set([LineValue(line, isActive: active)])
  }
}

/// Splitmix64: the same numbers from the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension CapabilityProvider {
  var resources: [Resource] {
    var resources: [Resource] = []
    forEachResource { resources.append($0) }
    return resources
  }

  /// Calls and returns the answer, which must come at once and only once.
  func call(
    _ operation: String, _ resource: String, _ arguments: [(String, Value)] = [],
    deadline: Instant? = nil, by caller: Caller = .local, at now: Instant,
    file: StaticString = #filePath, line: UInt = #line
  ) -> InvocationResult {
    var record = Record()
    for (name, value) in arguments { record.append(name, value) }
    var results: [InvocationResult] = []
    let time = FakeTime()
    time.now = now
    let identity = HostIdentity(
      name: "test", lattice: "test", id: "ID", version: "0", labels: [], started: time.now)
    let host = LatticeHost(identity: identity, time: time, boot: BootID(seed: 1))
    host.add(self)
    host.invoke(
      Invocation(
        capability: contract.name, resource: resource, operation: operation, arguments: record,
        deadline: deadline, caller: caller)
    ) { results.append($0) }
    XCTAssertEqual(results.count, 1, "replies", file: file, line: line)
    return results.first ?? .failure(InvocationError(.failed, "no reply"))
  }
}

extension InvocationResult {
  subscript(name: String) -> Value? { (try? get())?[name] }

  var error: InvocationError? {
    if case .failure(let error) = self { return error }
    return nil
  }
}

extension Record {
  var names: [String] { fields.map { $0.name } }
}

extension LineConfiguration {
  static func inputLine(
    _ name: String, _ change: (inout LineConfiguration) -> Void = { _ in }
  ) -> LineConfiguration {
    var line = LineConfiguration(
      name: name, chip: "gpiochip0", location: .offset(4), kind: .input)
    change(&line)
    return line
  }

  static func outputLine(
    _ name: String, safe: OutputConfiguration.SafeState = .inactive,
    _ change: (inout LineConfiguration) -> Void = { _ in }
  ) -> LineConfiguration {
    var line = LineConfiguration(
      name: name, chip: "gpiochip0", location: .offset(17), kind: .output)
    line.output.safe = safe
    change(&line)
    return line
  }
}

func milliseconds(_ count: Int64) -> Instant {
  Instant(nanoseconds: 0) + .milliseconds(count)
}
