import Transport

@testable import GPIOProvider

/// A board's outputs with people, links and hardware around them, from a seed, and an oracle that
/// watches.
struct OutputWorld {
  /// What is broken on purpose, so that the oracle has something to find.
  enum Canary: CaseIterable {
    case minOn, minOff, maxOn, maxRate, interlock, deadTime, linkLoss, lease, blinksMore
    case forgetsLostLines, forgetsDeadlines
  }

  let canary: Canary?
  var random: SeededGenerator
  var bank: OutputBank
  var oracle: OutputOracle
  var now = Instant(nanoseconds: 1_000_000_000)
  /// Deadlines are handled at their time, not when somebody finds the time.
  let isPunctual: Bool
  /// How often each thing happened, so that a test sees that it tests something.
  var accepted = 0
  var refusals: [GuardRefusal.Guard: Int] = [:]
  var causes: [OutputBank.Cause: Int] = [:]
  var allowedLater = 0

  init(seed: UInt64, canary: Canary? = nil) {
    self.canary = canary
    var random = SeededGenerator(seed: seed)
    isPunctual = Bool.random(using: &random)
    var configurations: [OutputConfiguration] = []
    for _ in 0..<Int.random(in: 1...5, using: &random) {
      configurations.append(OutputWorld.configuration(&random))
    }
    let names = configurations.indices.map { "o\($0)" }
    var groups: [(lines: [Int], deadTime: Duration)] = []
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      let members = configurations.indices.filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
      let deadTime = max(0, Int64.random(in: -1...2, using: &random)) * 20
      groups.append((members, .milliseconds(deadTime)))
    }
    oracle = OutputOracle(configurations, groups: groups)
    bank = OutputBank(
      zip(names, configurations).map { ($0, OutputWorld.break($1, canary)) },
      interlocks: canary == .interlock
        ? []
        : groups.map { group in
          InterlockConfiguration(
            name: "g", lines: group.lines.map { names[$0] } + ["nobody"],
            deadTime: canary == .deadTime ? .zero : group.deadTime)
        })
    self.random = random
  }

  private static func configuration(_ random: inout SeededGenerator) -> OutputConfiguration {
    func pick<Value>(_ values: [Value]) -> Value {
      values[Int.random(in: values.indices, using: &random)]
    }
    var configuration = OutputConfiguration()
    configuration.safe = pick([.inactive, .inactive, .active, .keep])
    configuration.minOn = .milliseconds(pick([Int64]([0, 0, 20, 60])))
    configuration.minOff = .milliseconds(pick([Int64]([0, 0, 20, 60])))
    configuration.maxOn = pick([Int64?]([nil, nil, 30, 100])).map { .milliseconds($0) }
    configuration.linkLoss = pick([Int64?]([nil, 0, 50, 150])).map { .milliseconds($0) }
    if pick([true, false, false]) {
      configuration.maxRate = OutputConfiguration.Rate(
        count: pick([1, 2, 3]), period: .milliseconds(pick([Int64]([50, 150, 400]))))
    }
    return configuration
  }

  private static func `break`(
    _ configuration: OutputConfiguration, _ canary: Canary?
  ) -> OutputConfiguration {
    var broken = configuration
    switch canary {
    case .minOn: broken.minOn = .zero
    case .minOff: broken.minOff = .zero
    case .maxOn: broken.maxOn = nil
    case .maxRate: broken.maxRate?.count += 1
    case .linkLoss: broken.linkLoss = nil
    default: break
    }
    return broken
  }

  // MARK: What happens

  mutating func run(steps: Int) {
    for _ in 0..<steps where oracle.violations.isEmpty {
      pass(.milliseconds(chance(3) ? 0 : number(0...40)))
      let index = Int(number(0...Int64(oracle.lines.count - 1)))
      switch number(0...19) {
      case 0: linkChanged()
      case 1 where oracle.lines[index].isTaken: lose(index)
      default: oracle.lines[index].isTaken ? command() : take(index)
      }
      if chance(20) { early() }
      if isPunctual || chance(2) { settle() }
    }
    finish()
  }

  private mutating func pass(_ duration: Duration) {
    let end = now + duration
    while isPunctual, let deadline = bank.deadline, deadline <= end, oracle.violations.isEmpty {
      now = max(now, deadline)
      settle()
    }
    now = end
  }

  /// Handles what is due until nothing is.
  private mutating func settle() {
    var rounds = 0
    while bank.deadline.isDue(at: now), canary != .forgetsDeadlines, rounds < 100 {
      rounds += 1
      record(bank.handleDeadline(at: now))
    }
    oracle.require(rounds < 100, "no end of deadlines at \(now.nanoseconds)")
    oracle.require(bank.handleDeadline(at: now).isEmpty || canary != nil, "a repeated call")
    oracle.settled(bank, at: now)
  }

  private mutating func early() {
    guard let deadline = bank.deadline, deadline > now else { return }
    let time = min(deadline - .nanoseconds(1), now + .milliseconds(5))
    let before = "\(bank)"
    oracle.require(bank.handleDeadline(at: time).isEmpty, "changes before the deadline")
    oracle.require("\(bank)" == before, "an early call has an effect")
  }

  private mutating func linkChanged() {
    let isConnected = chance(2)
    bank.linkChanged(isConnected: isConnected, at: now)
    oracle.linkChanged(isConnected: isConnected, at: now)
  }

  private mutating func lose(_ index: Int) {
    if canary == .forgetsLostLines { bank.begin(index, isActive: false, at: now) }
    bank.end(index)
    oracle.end(index)
  }

  private mutating func take(_ index: Int) {
    var isActive = chance(2)
    // Some lines are switched on when they are taken, others are found so.
    let isAsked = chance(2)
    if isAsked { isActive = isActive && bank.mayBegin(index, isActive: true, at: now) }
    let wasFree = !oracle.groups.contains { group in
      group.lines.contains(index)
        && group.lines.contains { $0 != index && oracle.lines[$0].isActive }
    }
    bank.begin(index, isActive: isActive, at: now)
    oracle.begin(index, isActive: isActive, at: now)
    if isAsked { oracle.require(!isActive || wasFree, "\(index) was taken active") }
  }

  private mutating func command() {
    var commands: [OutputBank.Command] = []
    for index in oracle.lines.indices.shuffled(using: &random).prefix(Int(number(1...3))) {
      commands.append(OutputBank.Command(output: index, action: action()))
    }
    var copy = bank
    do throws(GuardRefusal) {
      let changes = try copy.command(commands.map { broken($0) }, at: now)
      oracle.require(
        changes.map { $0.output }.sorted() == commands.map { $0.output }.sorted(),
        "a change for each command")
      checkPlain(commands, refusal: nil)
      // The hardware refuses now and then, and the copy is dropped.
      if chance(8) { return }
      bank = copy
      accepted += 1
      for command in commands { oracle.accepted(command, at: now) }
      record(changes)
    } catch {
      refusals[error.guardName, default: 0] += 1
      if chance(20) { oracle.require("\(copy)" == "\(bank)", "a refusal has an effect: \(error)") }
      checkPlain(commands, refusal: error)
      if canary == nil { checkAllowed(commands, error) }
    }
  }

  /// One state without sequels is refused if and only if it is against a rule.
  private mutating func checkPlain(_ commands: [OutputBank.Command], refusal: GuardRefusal?) {
    guard commands.count == 1, let command = commands.first else { return }
    let index = command.output
    let line = oracle.lines[index]
    let isActive: Bool
    switch command.action {
    case .set(let active, pulse: nil, _): isActive = active
    case .toggle: isActive = !line.isActive
    default: return
    }
    var isAllowed = line.isTaken && oracle.brokenGuard(index, isActive: isActive, at: now) == nil
    if isActive && !line.isActive && !oracle.isFree(index, at: now) { isAllowed = false }
    oracle.require(
      isAllowed == (refusal == nil),
      "\(isActive) of \(index) at \(now.nanoseconds): \(refusal?.description ?? "accepted")")
  }

  /// A refused command is allowed when it says, and not a nanosecond before; without a time never,
  /// unless something happens.
  private mutating func checkAllowed(
    _ commands: [OutputBank.Command], _ refusal: GuardRefusal
  ) {
    guard let allowedAt = refusal.allowedAt else {
      var later = bank
      let isAllowed = (try? later.command(commands, at: now + .seconds(1_000_000))) != nil
      oracle.require(!isAllowed, "allowed after all: \(refusal)")
      return
    }
    oracle.require(allowedAt > now, "refused for the past: \(refusal)")
    if let deadline = bank.deadline, deadline < allowedAt { return }
    var early = bank
    var late = bank
    let isEarly = (try? early.command(commands, at: allowedAt - .nanoseconds(1))) != nil
    let isLate = (try? late.command(commands, at: allowedAt)) != nil
    oracle.require(!isEarly && isLate, "allowed early \(isEarly), then \(isLate): \(refusal)")
    allowedLater += 1
  }

  /// Everything that is under way comes to its end, and then the host stops.
  private mutating func finish() {
    var rounds = 0
    while let deadline = bank.deadline, canary != .forgetsDeadlines, rounds < 1_000 {
      rounds += 1
      now = max(now, deadline)
      settle()
    }
    oracle.require(rounds < 1_000, "no end of deadlines")
    oracle.finished(bank)
    record(bank.enterSafeState(at: now))
    oracle.stopped(bank)
  }

  private mutating func record(_ changes: [OutputBank.Change]) {
    for change in changes {
      causes[change.cause, default: 0] += 1
      oracle.changed(change, at: now)
    }
  }

  // MARK: What is drawn

  private mutating func action() -> OutputBank.Action {
    let lease: Duration? = chance(2) ? .milliseconds(number(0...120)) : nil
    switch number(0...9) {
    case 0...5:
      return .set(
        chance(2), pulse: chance(3) ? .milliseconds(number(0...90)) : nil, lease: lease)
    case 6...7: return .toggle(lease: lease)
    default:
      return .blink(
        on: .milliseconds(number(0...60)), off: .milliseconds(number(0...60)),
        count: Int(number(1...4)), lease: lease)
    }
  }

  private func broken(_ command: OutputBank.Command) -> OutputBank.Command {
    var broken = command
    switch (canary, command.action) {
    case (.lease, .set(let isActive, let pulse, _)): broken.action = .set(isActive, pulse: pulse)
    case (.blinksMore, .blink(let on, let off, let count, let lease)):
      broken.action = .blink(on: on, off: off, count: count + 1, lease: lease)
    default: break
    }
    return broken
  }

  private mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
    Int64.random(in: range, using: &random)
  }

  /// True once in so many times.
  private mutating func chance(_ count: Int64) -> Bool { number(1...count) == 1 }
}
