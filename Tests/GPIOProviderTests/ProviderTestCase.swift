import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// A provider on a fake board, in the test's own time.
class ProviderTestCase: XCTestCase {
  let time = FakeTime()
  let events = EventRecorder()
  let board = FakeBoard()
  let memory = FakeMemory()
  /// Lines that became bad or good again.
  private(set) var problems: [String] = []
  /// A line that is gone with its chip, and one that refuses what it is told.
  let gone = BoardError.system(call: "ioctl", line: "x", code: 19)
  let inputOutput = BoardError.system(call: "ioctl", line: "x", code: 5)

  func started(
    _ lines: [LineConfiguration], interlocks: [InterlockConfiguration] = [],
    on board: (any Board)? = nil, connected: Bool = true, pwmRoot: String = "/nonexistent"
  ) -> GPIOProvider {
    let provider = GPIOProvider(
      lines: lines, interlocks: interlocks, board: board ?? self.board, time: time,
      isSimulated: board is SimulatedBoard, memory: memory, pwmRoot: pwmRoot)
    provider.eventSink = events
    provider.onProblem = { [unowned self] line, reason in
      problems.append("\(line): \(reason ?? "good")")
    }
    provider.start(at: time.now)
    if connected { provider.linkChanged(isConnected: true, at: time.now) }
    return provider
  }

  /// Lets time pass as the event loop does: whatever is due comes at its own time.
  func advance(_ provider: GPIOProvider, _ duration: Transport.Duration) {
    let end = time.now + duration
    var turns = 0
    while let deadline = provider.deadline, deadline <= end {
      time.advance(max(deadline - time.now, .zero))
      provider.handleDeadline(at: time.now)
      turns += 1
      if turns > 100_000 { return XCTFail("time stands still at \(time.now)") }
    }
    time.advance(end - time.now)
  }

  /// The events since the last call, without names, times and numbers.
  func told() -> [String] {
    defer { events.events = [] }
    return events.events.map { event in
      var words = [event.resource, event.kind]
      for field in event.body.fields
      where !["name", "seq"].contains(field.name) {
        words.append("\(field.name)=\(text(field.value))")
      }
      return words.joined(separator: " ")
    }
  }

  func text(_ value: Value) -> String {
    switch value {
    case .string(let text): text
    case .integer(let number): "\(number)"
    case .double(let number): "\(number)"
    case .bool(let flag): "\(flag)"
    default: "\(value)"
    }
  }

  @discardableResult
  func call(
    _ provider: GPIOProvider, _ operation: String, _ line: String = "",
    _ arguments: [(String, Value)] = [], by caller: Caller = .local
  ) -> InvocationResult {
    provider.call(operation, line, arguments, by: caller, at: time.now)
  }

  @discardableResult
  func set(
    _ provider: GPIOProvider, _ line: String, _ active: Bool, lease: Int64? = nil,
    pulse: Int64? = nil
  ) -> InvocationResult {
    var arguments: [(String, Value)] = [("active", .bool(active))]
    if let lease { arguments.append(("lease_ms", .integer(lease))) }
    if let pulse { arguments.append(("pulse_ms", .integer(pulse))) }
    return call(provider, "set", line, arguments)
  }

  func setMany(_ provider: GPIOProvider, _ states: [(String, Bool)]) -> InvocationResult {
    var record = Record()
    for (name, active) in states { record.append(name, .bool(active)) }
    return call(provider, "set-many", "", [("active", .record(record))])
  }

  /// An edge that the kernel reports now.
  func edge(
    _ provider: GPIOProvider, _ line: String, _ active: Bool, _ sequence: UInt32,
    file: StaticString = #filePath, at: UInt = #line
  ) {
    guard let handle = board.handle(of: line) else {
      return XCTFail("\(line) is not taken", file: file, line: at)
    }
    provider.handle(
      EdgeEvent(line: handle, isRising: active, time: time.now, lineSequence: sequence))
  }
}

final class FakeMemory: LineMemory {
  var values: [String: Int64] = [:]
  private(set) var writes = 0
  private(set) var urgentKeys: Set<String> = []

  func recall(_ key: String) -> Int64? { values[key] }

  func remember(_ value: Int64, for key: String, isUrgent: Bool) {
    values[key] = value
    writes += 1
    if isUrgent { urgentKeys.insert(key) }
  }
}

extension LineConfiguration {
  static func line(
    _ name: String, _ kind: Kind, _ change: (inout LineConfiguration) -> Void = { _ in }
  ) -> LineConfiguration {
    var line = LineConfiguration(name: name, chip: nil, location: .name(name), kind: kind)
    change(&line)
    return line
  }
}
