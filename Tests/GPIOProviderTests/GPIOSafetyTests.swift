import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// Outputs at start, at stop and when hardware fails.
final class GPIOSafetyTests: XCTestCase {
  private let time = FakeTime()
  private let board = FakeBoard()
  private var told: [String] = []

  private func provider(_ lines: [LineConfiguration]) -> GPIOProvider {
    let provider = GPIOProvider(lines: lines, board: board, time: time)
    provider.onProblem = { [unowned self] line, reason in
      self.told.append("\(line): \(reason ?? "good")")
    }
    return provider
  }

  private func started(_ lines: [LineConfiguration]) -> GPIOProvider {
    let provider = provider(lines)
    provider.start(at: time.now)
    return provider
  }

  private func advance(_ provider: GPIOProvider, _ duration: Transport.Duration) {
    time.advance(duration)
    provider.handleDeadline(at: time.now)
  }

  private func set(_ provider: GPIOProvider, _ line: String, _ active: Bool) -> InvocationResult {
    provider.call("set", line, [("active", .bool(active))], at: time.now)
  }

  private let inputOutput = BoardError.system(call: "ioctl", line: "relay", code: 5)
  private let gone = BoardError.system(call: "ioctl", line: "relay", code: 19)

  // MARK: Start and stop

  func testOutputsAreTakenInTheirSafeStateWithOneCall() {
    _ = started([.outputLine("a"), .outputLine("b", safe: .active), .inputLine("c")])
    XCTAssertEqual(
      board.calls,
      [
        .request("a", active: false), .request("b", active: true), .request("c", active: nil),
      ])
    XCTAssertTrue(board.edgeHandler is GPIOProvider)
  }

  func testAKeptOutputIsNotMovedAtStartOrStop() {
    board.values["valve"] = true
    let provider = started([.outputLine("valve", safe: .keep)])
    XCTAssertEqual(provider.call("get", "valve", at: time.now)["active"], .bool(true))
    provider.stop(at: time.now)
    XCTAssertEqual(board.calls, [.request("valve", active: nil), .release("valve")])
    XCTAssertEqual(board.values["valve"], true)
  }

  func testAtStopOutputsBecomeSafeBeforeAnyLineIsReleased() {
    let provider = started([.inputLine("door"), .outputLine("a"), .outputLine("b", safe: .active)])
    _ = provider.call(
      "set", "a", [("active", .bool(true)), ("lease_ms", .integer(5_000))], at: time.now)
    _ = set(provider, "b", false)
    board.calls = []
    provider.stop(at: time.now)
    XCTAssertEqual(
      board.calls,
      [.set("a", false), .set("b", true), .release("door"), .release("a"), .release("b")])
    XCTAssertNil(provider.deadline)
    advance(provider, .seconds(60))
    XCTAssertEqual(board.calls.count, 5, "nothing moves after stop")
    XCTAssertEqual(set(provider, "a", true).error?.code, .unavailable)
    XCTAssertEqual(provider.call("get", "door", at: time.now).error?.code, .unavailable)
  }

  func testStopGoesOnWhenALineWillNotMove() {
    let provider = started([.outputLine("relay"), .outputLine("b")])
    board.writeErrors["relay"] = inputOutput
    board.calls = []
    provider.stop(at: time.now)
    XCTAssertEqual(
      board.calls,
      [
        // Together, which fails, and then each by itself.
        .set("relay", false), .set("b", false), .set("relay", false), .set("b", false),
        .release("relay"), .release("b"),
      ])
    XCTAssertEqual(board.values["b"], false)
    XCTAssertEqual(
      told, ["relay: \(inputOutput)", "relay: no safe state at stop: the hardware refuses it"])
  }

  func testBeforeStartNothingIsThere() {
    let provider = provider([.outputLine("relay")])
    XCTAssertNil(provider.deadline)
    provider.handleDeadline(at: time.now)
    XCTAssertEqual(set(provider, "relay", true).error?.code, .unavailable)
    XCTAssertEqual(board.calls, [])
  }

  // MARK: Lines that are bad

  func testALineThatCannotBeTakenStopsNothing() {
    board.requestErrors["relay"] = .busy(line: "relay", consumer: "gpioset")
    let provider = started([.outputLine("relay"), .inputLine("door")])
    XCTAssertEqual(provider.problems.map { $0.line }, ["relay"])
    XCTAssertEqual(provider.problems.map { $0.reason }, ["line relay is in use by \"gpioset\""])
    XCTAssertNil(provider.call("get", "door", at: time.now).error)
    for answer in [provider.call("get", "relay", at: time.now), set(provider, "relay", true)] {
      XCTAssertEqual(
        answer.error,
        InvocationError(
          .unavailable, "line \"relay\": line relay is in use by \"gpioset\""))
    }
  }

  func testABadLineIsTriedAgainAndToldOnce() {
    board.requestErrors["relay"] = .noSuchChip(chip: "usb", present: [])
    let provider = started([.outputLine("relay")])
    for _ in 0..<5 {
      XCTAssertEqual(provider.deadline, time.now + GPIOProvider.retryPeriod)
      advance(provider, GPIOProvider.retryPeriod)
    }
    board.requestErrors["relay"] = .permissionDenied(path: "/dev/gpiochip1", group: "gpio")
    advance(provider, GPIOProvider.retryPeriod)
    board.requestErrors["relay"] = nil
    advance(provider, .seconds(1))
    XCTAssertEqual(provider.problems.count, 1, "not before its time")
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertEqual(provider.problems.count, 0)
    XCTAssertNil(provider.deadline)
    XCTAssertNil(set(provider, "relay", true).error)
    XCTAssertEqual(board.calls.count, 8 + 1)
    XCTAssertEqual(
      told,
      [
        "relay: \(BoardError.noSuchChip(chip: "usb", present: []))",
        "relay: \(BoardError.permissionDenied(path: "/dev/gpiochip1", group: "gpio"))",
        "relay: good",
      ])
  }

  func testALineThatFailsIsReleasedAndComesBackSafe() throws {
    let provider = started([.outputLine("relay")])
    _ = set(provider, "relay", true)
    board.calls = []
    provider.lineFailed(try XCTUnwrap(board.handle(of: "relay")), gone)
    XCTAssertEqual(board.calls, [.release("relay")])
    XCTAssertEqual(provider.problems.map { $0.reason }, ["\(gone)"])
    XCTAssertNotNil(provider.resources.first?.properties["error"])
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertEqual(board.calls, [.release("relay"), .request("relay", active: false)])
    XCTAssertEqual(board.values["relay"], false)
    XCTAssertEqual(told, ["relay: \(gone)", "relay: good"])
  }

  func testAFailedCallAnswersFailedAndKeepsTheLine() {
    let provider = started([.outputLine("relay")])
    board.readErrors["relay"] = inputOutput
    board.writeErrors["relay"] = inputOutput
    for answer in [provider.call("get", "relay", at: time.now), set(provider, "relay", true)] {
      XCTAssertEqual(answer.error, InvocationError(.failed, "\(inputOutput)"))
    }
    XCTAssertEqual(provider.problems.count, 0)
    XCTAssertNil(provider.deadline, "a command that failed leaves no pulse behind")
    board.readErrors["relay"] = nil
    board.writeErrors["relay"] = nil
    XCTAssertNil(set(provider, "relay", true).error)
  }

  func testACallOnAChipThatIsGoneGivesTheLineUp() {
    let provider = started([.outputLine("relay")])
    board.writeErrors["relay"] = gone
    XCTAssertEqual(set(provider, "relay", true).error?.code, .failed)
    XCTAssertEqual(set(provider, "relay", true).error?.code, .unavailable)
    XCTAssertEqual(board.calls.last, .release("relay"))
    XCTAssertEqual(provider.deadline, time.now + GPIOProvider.retryPeriod)
  }

  // MARK: Writes that fail when nobody is asking

  func testAPulseThatCannotEndIsTriedUntilItDoes() {
    let provider = started([.outputLine("relay")])
    _ = provider.call(
      "set", "relay", [("active", .bool(true)), ("pulse_ms", .integer(500))], at: time.now)
    board.writeErrors["relay"] = inputOutput
    advance(provider, .milliseconds(500))
    for _ in 0..<3 {
      XCTAssertEqual(board.values["relay"], true)
      XCTAssertEqual(provider.deadline, time.now + GPIOProvider.rewritePeriod)
      advance(provider, GPIOProvider.rewritePeriod)
    }
    board.writeErrors["relay"] = nil
    advance(provider, GPIOProvider.rewritePeriod)
    XCTAssertEqual(board.values["relay"], false)
    XCTAssertNil(provider.deadline)
    XCTAssertEqual(told, ["relay: \(inputOutput)", "relay: good"])
  }

  func testANewCommandReplacesTheWriteThatFailed() {
    let provider = started([.outputLine("relay")])
    _ = provider.call(
      "set", "relay", [("active", .bool(true)), ("pulse_ms", .integer(500))], at: time.now)
    board.writeErrors["relay"] = inputOutput
    advance(provider, .milliseconds(500))
    board.writeErrors["relay"] = nil
    XCTAssertNil(set(provider, "relay", true).error)
    XCTAssertNil(provider.deadline)
    advance(provider, .seconds(10))
    XCTAssertEqual(board.values["relay"], true)
  }

  func testALeaseThatEndsOnAChipThatIsGoneEndsSafeWhenItReturns() {
    let provider = started([.outputLine("relay")])
    _ = provider.call(
      "set", "relay", [("active", .bool(true)), ("lease_ms", .integer(500))], at: time.now)
    board.writeErrors["relay"] = gone
    board.requestErrors["relay"] = .noSuchChip(chip: "usb", present: [])
    advance(provider, .milliseconds(500))
    XCTAssertEqual(provider.problems.count, 1)
    advance(provider, .seconds(20))
    board.writeErrors["relay"] = nil
    board.requestErrors["relay"] = nil
    advance(provider, .seconds(5))
    XCTAssertEqual(provider.problems.count, 0)
    XCTAssertEqual(board.values["relay"], false)
  }

  func testAKeptOutputComesBackAsItWasCommanded() throws {
    let provider = started([.outputLine("valve", safe: .keep)])
    _ = set(provider, "valve", true)
    provider.lineFailed(try XCTUnwrap(board.handle(of: "valve")), gone)
    board.values["valve"] = false  // The chip was without power.
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertEqual(board.values["valve"], true)

    // A pulse that has ended meanwhile has ended.
    _ = provider.call(
      "set", "valve", [("active", .bool(true)), ("pulse_ms", .integer(500))], at: time.now)
    provider.lineFailed(try XCTUnwrap(board.handle(of: "valve")), gone)
    advance(provider, .seconds(1))
    XCTAssertEqual(board.values["valve"], true)
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertEqual(board.values["valve"], false)
    XCTAssertNil(provider.deadline)
  }

  // MARK: Whatever happens

  /// Random commands, failures and times on several outputs. Invariants: no deadline that has
  /// passed is left over; an output whose lease has run out is in its safe state as soon as its
  /// hardware works; after stop every output that works is in its safe state, and every line is
  /// released.
  func testOutputsEndSafeWhateverHappens() throws {
    for seed in UInt64(1)...150 {
      var random = SeededGenerator(seed: seed)
      let board = FakeBoard()
      let time = FakeTime()
      let lines: [LineConfiguration] = [
        .outputLine("a"), .outputLine("b", safe: .active), .outputLine("c", safe: .keep),
      ]
      let provider = GPIOProvider(lines: lines, board: board, time: time)
      provider.start(at: time.now)
      for step in 0..<120 {
        let line = lines.randomElement(using: &random)!.name
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
          var arguments: [(String, Value)] = [("active", .bool(.random(using: &random)))]
          if Bool.random(using: &random) {
            arguments.append(("pulse_ms", .integer(.random(in: 1...3_000, using: &random))))
          }
          arguments.append(("lease_ms", .integer(.random(in: 1...3_000, using: &random))))
          _ = provider.call("set", line, arguments, at: time.now)
        case 5: board.writeErrors[line] = inputOutput
        case 6: board.writeErrors[line] = gone
        case 7: board.requestErrors[line] = .noSuchChip(chip: "usb", present: [])
        case 8:
          if let handle = board.handle(of: line) { provider.lineFailed(handle, gone) }
        default:
          board.writeErrors[line] = nil
          board.requestErrors[line] = nil
        }
        time.advance(.milliseconds(.random(in: 0...1_500, using: &random)))
        provider.handleDeadline(at: time.now)
        if let deadline = provider.deadline {
          XCTAssertGreaterThan(deadline, time.now, "seed \(seed) step \(step)")
        }
      }
      board.writeErrors = [:]
      board.requestErrors = [:]
      // Longer than any lease and any time until the next try.
      for _ in 0..<10 {
        time.advance(.seconds(1))
        provider.handleDeadline(at: time.now)
      }
      XCTAssertNil(provider.deadline, "seed \(seed)")
      XCTAssertEqual(provider.problems.count, 0, "seed \(seed)")
      XCTAssertEqual(board.values["a"], false, "seed \(seed)")
      XCTAssertEqual(board.values["b"], true, "seed \(seed)")

      for line in lines {
        let active = Value.bool(line.output.safe != .active)
        XCTAssertNil(provider.call("set", line.name, [("active", active)], at: time.now).error)
      }
      provider.stop(at: time.now)
      XCTAssertEqual(board.values["a"], false, "seed \(seed)")
      XCTAssertEqual(board.values["b"], true, "seed \(seed)")
      XCTAssertEqual(board.values["c"], true, "seed \(seed)")
      for line in lines { XCTAssertNil(board.handle(of: line.name), "seed \(seed)") }
    }
  }
}
