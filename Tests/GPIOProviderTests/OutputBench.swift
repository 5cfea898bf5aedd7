import Transport

@testable import GPIOProvider

/// A bank whose outputs are taken inactive at time 0 over a link, called by name and milliseconds.
struct OutputBench {
  var bank: OutputBank
  let names: [String]

  /// - Parameter interlocks: names, and dead time in milliseconds.
  init(
    _ names: [String] = ["siren"], interlocks: [([String], Int64)] = [], isTaken: Bool = true,
    _ change: (inout OutputConfiguration) -> Void = { _ in }
  ) {
    var configuration = OutputConfiguration()
    change(&configuration)
    self.names = names
    bank = OutputBank(
      names.map { ($0, configuration) },
      interlocks: interlocks.map {
        InterlockConfiguration(name: "gate", lines: $0.0, deadTime: .milliseconds($0.1))
      })
    bank.linkChanged(isConnected: true, at: milliseconds(0))
    if !isTaken { return }
    for index in names.indices { bank.begin(index, isActive: false, at: milliseconds(0)) }
  }

  /// What came out: `siren on command`; a state that is not new in brackets.
  private func texts(_ changes: [OutputBank.Change]) -> [String] {
    changes.map { change in
      let text = "\(names[change.output]) \(change.isActive ? "on" : "off") \(change.cause.text)"
      return change.hasChanged ? text : "(\(text))"
    }
  }

  /// The changes, or the refusal.
  mutating func command(_ commands: [(String, OutputBank.Action)], at time: Int64) -> [String] {
    let commands = commands.map { name, action in
      OutputBank.Command(output: names.firstIndex(of: name) ?? -1, action: action)
    }
    do throws(GuardRefusal) {
      return texts(try bank.command(commands, at: milliseconds(time)))
    } catch {
      return ["\(error)", error.allowedAt.map { "at \($0.nanoseconds / 1_000_000)" } ?? "never"]
    }
  }

  mutating func set(
    _ isActive: Bool, _ name: String = "siren", pulse: Int64? = nil, lease: Int64? = nil,
    at time: Int64
  ) -> [String] {
    let action = OutputBank.Action.set(
      isActive, pulse: pulse.map { .milliseconds($0) }, lease: lease.map { .milliseconds($0) })
    return command([(name, action)], at: time)
  }

  mutating func blink(
    on: Int64, off: Int64, count: Int, lease: Int64? = nil, at time: Int64
  ) -> [String] {
    let action = OutputBank.Action.blink(
      on: .milliseconds(on), off: .milliseconds(off), count: count,
      lease: lease.map { .milliseconds($0) })
    return command([("siren", action)], at: time)
  }

  mutating func handle(at time: Int64) -> [String] {
    texts(bank.handleDeadline(at: milliseconds(time)))
  }

  mutating func stop(at time: Int64) -> [String] {
    texts(bank.enterSafeState(at: milliseconds(time)))
  }

  mutating func link(_ isConnected: Bool, at time: Int64) {
    bank.linkChanged(isConnected: isConnected, at: milliseconds(time))
  }

  mutating func begin(_ index: Int, _ isActive: Bool, at time: Int64) {
    bank.begin(index, isActive: isActive, at: milliseconds(time))
  }

  /// Every change at its deadline, with the time: `500 siren off pulse`.
  mutating func course() -> [String] {
    var course: [String] = []
    for _ in 0..<20 {
      guard let deadline = bank.deadline else { break }
      let time = deadline.nanoseconds / 1_000_000
      course += handle(at: time).map { "\(time) \($0)" }
    }
    return course
  }
}
