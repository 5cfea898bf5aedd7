import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// Whatever is commanded, lost and broken: what the hardware of a board does.
final class ProviderPropertyTests: XCTestCase {
  /// A board with a line of each kind, from a seed, and what must hold at any time.
  private final class World {
    let seed: UInt64
    var random: SeededGenerator
    let time = FakeTime()
    let board = FakeBoard()
    let provider: GPIOProvider
    let lines: [LineConfiguration]
    /// Nothing of the hardware ever fails, so that every guard holds to the nanosecond.
    let isSound: Bool
    var before: [String: Bool] = [:]
    var activations: [String: [Instant]] = [:]
    var inactiveSince: [String: Instant] = [:]
    var activeSince: [String: Instant] = [:]
    var step = 0
    private var sequences: [String: UInt32] = [:]

    static let minOff = Transport.Duration.milliseconds(400)
    static let maxOn = Transport.Duration.milliseconds(1_500)
    static let ratePeriod = Transport.Duration.seconds(5)
    static let linkLoss = Transport.Duration.seconds(2)
    static let deadTime = Transport.Duration.milliseconds(300)

    init(seed: UInt64, isSound: Bool) {
      self.seed = seed
      self.isSound = isSound
      random = SeededGenerator(seed: seed)
      lines = [
        .line("up", .output), .line("down", .output),
        .line("compressor", .output) {
          $0.output.minOff = World.minOff
          $0.output.maxRate = OutputConfiguration.Rate(count: 3, period: World.ratePeriod)
        },
        .line("heater", .output) {
          $0.output.maxOn = World.maxOn
          $0.output.linkLoss = World.linkLoss
        },
        .line("light", .output) {
          $0.output.safe = .active
          $0.output.linkLoss = World.linkLoss
        },
        .line("valve", .output) { ($0.output.safe, $0.output.start) = (.keep, .keep) },
        .line("dimmer", .pwm) {
          $0.output.maxOn = World.maxOn
          $0.output.linkLoss = World.linkLoss
          $0.pwm.frequency = 20
        },
        .line("door", .input), .line("flow", .counter), .line("knob", .encoder),
        .line("call", .button),
      ]
      provider = GPIOProvider(
        lines: lines,
        interlocks: [
          InterlockConfiguration(name: "gate", lines: ["up", "down"], deadTime: World.deadTime)
        ], board: board, time: time)
      board.onChange = { [unowned self] in check() }
      provider.start(at: time.now)
    }

    func expect(_ condition: Bool, _ what: String) {
      XCTAssertTrue(condition, "seed \(seed), step \(step): \(what)")
    }

    /// After each write: what the hardware may do.
    func check() {
      let (values, now) = (board.values, time.now)
      expect(!(values["up"] == true && values["down"] == true), "the gate moves both ways")
      for (name, isActive) in values where isActive != before[name] ?? false {
        if isActive {
          activations[name, default: []].append(now)
          activeSince[name] = now
        } else {
          inactiveSince[name] = now
          activeSince[name] = nil
        }
      }
      before = values
      if !isSound { return }
      if values["compressor"] == true, activeSince["compressor"] == now {
        if let since = inactiveSince["compressor"] {
          expect(now - since >= World.minOff, "min_off: \((now - since).milliseconds) ms")
        }
        let recent = activations["compressor"]?.filter { $0 + World.ratePeriod > now } ?? []
        expect(recent.count <= 3, "max_rate: \(recent.count)")
      }
      for (this, other) in [("up", "down"), ("down", "up")] where activeSince[this] == now {
        if let since = inactiveSince[other] { expect(now - since >= World.deadTime, "dead time") }
      }
    }

    /// After each turn of the loop.
    func checkTurn() {
      if let deadline = provider.deadline { expect(deadline > time.now, "a deadline is left over") }
      guard isSound, let since = activeSince["heater"] else { return }
      expect(time.now - since < World.maxOn, "max_on: \((time.now - since).milliseconds) ms")
    }

    func advance(_ duration: Transport.Duration) {
      let end = time.now + duration
      while let deadline = provider.deadline, deadline <= end {
        time.advance(max(deadline - time.now, .zero))
        provider.handleDeadline(at: time.now)
        checkTurn()
      }
      time.advance(end - time.now)
      provider.handleDeadline(at: time.now)
      checkTurn()
    }

    // MARK: What happens

    func act() {
      step += 1
      let choice = Int.random(in: 0..<(isSound ? 12 : 18), using: &random)
      switch choice {
      case 0..<6: command()
      case 6: commandMany()
      case 7: provider.linkChanged(isConnected: .random(using: &random), at: time.now)
      case 8, 9: edges()
      case 10:
        // The wall clock is set, which no guard may notice.
        time.wallClock = time.wallClock + .seconds(.random(in: -100_000...100_000, using: &random))
      case 11: _ = call("reset", ["flow", "knob"].randomElement(using: &random) ?? "")
      default: breakSomething(choice)
      }
      if Bool.random(using: &random) {
        advance(.milliseconds(.random(in: 0...1_200, using: &random)))
      }
    }

    private func span(_ least: Int64 = 1) -> Value {
      .integer(.random(in: least...2_000, using: &random))
    }

    private func command() {
      let name = lines.filter { $0.direction == .output }.randomElement(using: &random)?.name ?? ""
      var arguments: [(String, Value)] = []
      if Bool.random(using: &random) { arguments.append(("lease_ms", span())) }
      if name == "dimmer" {
        let duty = Double.random(in: -0.3...1.3, using: &random)
        _ = call("pwm", name, arguments + [("duty", .double(min(max(duty, 0), 1)))])
        return
      }
      switch Int.random(in: 0..<5, using: &random) {
      case 0: _ = call("toggle", name, arguments)
      case 1: _ = call("pulse", name, arguments + [("duration_ms", span())])
      case 2:
        _ = call(
          "blink", name,
          arguments + [("on_ms", span(20)), ("off_ms", span(20)), ("count", .integer(2))])
      default:
        if Bool.random(using: &random) { arguments.append(("pulse_ms", span())) }
        _ = call("set", name, arguments + [("active", .bool(.random(using: &random)))])
      }
    }

    private func commandMany() {
      var states = Record()
      for name in ["up", "down", "heater"] where Bool.random(using: &random) {
        states.append(name, .bool(.random(using: &random)))
      }
      let values = board.values
      let result = call("set-many", "", [("active", .record(states))])
      if result.error != nil && isSound { expect(board.values == values, "not all and not none") }
    }

    private func edges() {
      for name in ["door", "flow", "knob", "knob.b", "call"] where Bool.random(using: &random) {
        guard let handle = board.handle(of: name) else { continue }
        let lost = UInt32.random(in: 0...3, using: &random) / 3
        sequences[name, default: 0] &+= 1 + lost
        provider.handle(
          EdgeEvent(
            line: handle, isRising: .random(using: &random), time: time.now,
            lineSequence: sequences[name] ?? 0))
      }
    }

    private func breakSomething(_ choice: Int) {
      let name = lines.randomElement(using: &random)?.name ?? ""
      switch choice {
      case 12: board.writeErrors[name] = .system(call: "set", line: name, code: 5)
      case 13: board.writeErrors[name] = .system(call: "set", line: name, code: 19)
      case 14: board.requestErrors[name] = .noSuchChip(chip: "usb", present: [])
      case 15: board.readErrors[name] = .system(call: "get", line: name, code: 5)
      case 16:
        if let handle = board.handle(of: name) {
          provider.lineFailed(handle, .system(call: "poll", line: name, code: 19))
        }
      default: heal()
      }
    }

    func heal() {
      board.writeErrors = [:]
      board.requestErrors = [:]
      board.readErrors = [:]
    }

    func call(
      _ operation: String, _ line: String, _ arguments: [(String, Value)] = []
    ) -> InvocationResult {
      provider.call(operation, line, arguments, at: time.now)
    }
  }

  private func play(_ seeds: ClosedRange<UInt64>, isSound: Bool) {
    for seed in seeds {
      let world = World(seed: seed, isSound: isSound)
      for _ in 0..<120 { world.act() }
      world.heal()
      world.provider.linkChanged(isConnected: true, at: world.time.now)
      world.provider.linkChanged(isConnected: false, at: world.time.now)
      // Longer than the link may be gone, and than any time until the next try.
      world.advance(GPIOProvider.retryPeriod + .seconds(10))
      XCTAssertEqual(world.provider.problems.count, 0, "seed \(seed)")
      for (name, safe) in [("heater", false), ("light", true), ("dimmer", false)] {
        XCTAssertEqual(world.board.values[name], safe, "seed \(seed): \(name) without a link")
      }
      let valve = world.board.values["valve"]
      world.provider.stop(at: world.time.now)
      for line in world.lines where line.direction == .output && line.output.safe != .keep {
        XCTAssertEqual(
          world.board.values[line.name], line.output.safe == .active,
          "seed \(seed): \(line.name) at stop")
      }
      XCTAssertEqual(world.board.values["valve"], valve, "seed \(seed): it is kept")
      for line in world.lines { XCTAssertNil(world.board.handle(of: line.name), "seed \(seed)") }
      XCTAssertNil(world.provider.deadline, "seed \(seed)")
    }
  }

  func testNoGuardIsBrokenOnSoundHardware() { play(1...120, isSound: true) }

  func testOutputsEndSafeOnBrokenHardware() { play(1_001...1_150, isSound: false) }
}
