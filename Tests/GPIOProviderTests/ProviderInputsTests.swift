import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// What inputs, counters, encoders and buttons tell, and when.
final class ProviderInputsTests: ProviderTestCase {
  // MARK: States

  func testStatesAtStart() {
    board.values["open"] = true
    let provider = started(
      [.line("open", .input) { $0.report = .durable }, .line("latest", .input)],
      connected: false)
    XCTAssertEqual(told(), [], "nobody listens")
    provider.linkChanged(isConnected: true, at: time.now)
    XCTAssertEqual(events.events.map { $0.delivery }, [.latest, .latest], "neither waits")
    XCTAssertEqual(
      told(), ["open state active=true level=1", "latest state active=false level=0"])
    provider.linkChanged(isConnected: false, at: time.now)
    provider.linkChanged(isConnected: true, at: time.now)
    XCTAssertEqual(told(), [], "nothing has changed since")
  }

  func testAfterACutWhatHasChangedTellsItsStateOnceAndWhatIsKeptDoesNot() {
    let provider = started([
      .line("a", .input), .line("b", .input), .line("kept", .input) { $0.report = .durable },
      .line("relay", .output),
    ])
    _ = told()
    provider.linkChanged(isConnected: false, at: time.now)
    edge(provider, "a", true, 1)
    edge(provider, "a", false, 2)
    edge(provider, "a", true, 3)
    edge(provider, "kept", true, 1)
    board.values["a"] = true
    set(provider, "relay", true)
    _ = told()
    advance(provider, .seconds(60))
    XCTAssertEqual(told(), [], "nobody would hear it")
    provider.linkChanged(isConnected: true, at: time.now)
    XCTAssertEqual(
      told(),
      [
        "a state active=true level=1", "relay state active=true level=1",
      ])
    advance(provider, .seconds(60))
    XCTAssertEqual(told(), [])
  }

  func testWhatWasToldBeforeTheLossOfTheLinkWasNoticedIsToldAgainAsAState() {
    let provider = started([.line("a", .input), .line("quiet", .input)])
    edge(provider, "a", true, 1)
    board.values["a"] = true
    _ = told()
    provider.linkChanged(isConnected: false, at: time.now)
    provider.linkChanged(isConnected: true, at: time.now)
    XCTAssertEqual(told(), ["a state active=true level=1"])
  }

  func testAfterLostEdgesComesTheValue() {
    let provider = started([.line("door", .input)])
    _ = told()
    edge(provider, "door", true, 1)
    edge(provider, "door", true, 5)
    // What the kernel still has is told before the value.
    board.waiting["door"] = [(false, time.now, 6), (true, time.now, 9)]
    board.values["door"] = true
    advance(provider, .zero)
    XCTAssertEqual(
      told(),
      [
        "door edge edge=rising active=true line_seq=1",
        "door edge edge=rising active=true line_seq=5 lost=3",
        "door edge edge=falling active=false line_seq=6",
        "door edge edge=rising active=true line_seq=9 lost=2",
        "door state active=true level=1 lost=5",
      ])
    XCTAssertNil(provider.deadline)
    XCTAssertEqual(call(provider, "get", "door")["lost"], .integer(5))
    XCTAssertEqual(provider.resources.first?.properties["lost"], .integer(5))
  }

  func testAValueThatCannotBeReadIsToldLater() {
    let provider = started([.line("door", .input)])
    _ = told()
    board.readErrors["door"] = inputOutput
    edge(provider, "door", true, 3)
    advance(provider, .zero)
    XCTAssertEqual(told(), ["door edge edge=rising active=true line_seq=3 lost=2"])
    board.readErrors = [:]
    provider.linkChanged(isConnected: true, at: time.now)
    XCTAssertEqual(told(), ["door state active=false level=0 lost=2"])
  }

  func testALineThatComesBackTellsItsState() throws {
    let provider = started([.line("door", .input)])
    edge(provider, "door", true, 7)
    _ = told()
    board.requestErrors["door"] = .noSuchChip(chip: "usb", present: [])
    provider.lineFailed(try XCTUnwrap(board.handle(of: "door")), gone)
    advance(provider, .seconds(4))
    XCTAssertEqual(call(provider, "get", "door").error?.code, .unavailable)
    board.requestErrors = [:]
    provider.chipsChanged()
    advance(provider, GPIOProvider.settlePeriod)
    XCTAssertEqual(told(), ["door state active=false level=0 lost=6"])
    edge(provider, "door", true, 1)
    XCTAssertEqual(
      told(), ["door edge edge=rising active=true line_seq=1"], "numbers begin anew")
    XCTAssertEqual(problems, ["door: \(gone)", "door: good"])
  }

  // MARK: Counters

  private func flow(_ name: String = "flow") -> LineConfiguration {
    .line(name, .counter) {
      $0.edges = .rising
      $0.every = .seconds(10)
    }
  }

  func testACounterTellsWindowsNotPulses() {
    let provider = started([flow()])
    _ = told()
    for pulse in UInt32(1)...30 {
      advance(provider, .milliseconds(100))
      edge(provider, "flow", true, pulse < 20 ? pulse : pulse + 5)
    }
    XCTAssertEqual(told(), [])
    advance(provider, .seconds(7))
    XCTAssertEqual(told(), ["flow count count=35 pulses=35 rate_hz=3.5"])
    XCTAssertEqual(call(provider, "get", "flow")["lost"], .integer(5), "they are counted, too")
    advance(provider, .seconds(60))
    XCTAssertEqual(told(), ["flow count count=35 pulses=0 rate_hz=0.0"])
    XCTAssertNil(provider.deadline)
  }

  func testACountOutlivesARestart() {
    memory.values["count.flow"] = 1_000
    let provider = started([flow(), flow("other")])
    let writes = memory.writes
    for pulse in UInt32(1)...10 { edge(provider, "flow", true, pulse) }
    XCTAssertEqual(memory.writes, writes, "not for each pulse")
    advance(provider, .seconds(10))
    XCTAssertEqual(memory.values["count.flow"], 1_010)
    edge(provider, "flow", true, 11)
    provider.stop(at: time.now)
    XCTAssertEqual(memory.values["count.flow"], 1_011)
    XCTAssertEqual(memory.values["count.other"], 0)
    XCTAssertEqual(call(started([flow()]), "get", "flow")["count"], .integer(1_011))
  }

  func testResetAnswersWhatWasCounted() {
    memory.values["count.flow"] = 41
    let provider = started([flow(), .line("door", .input), .line("relay", .output)])
    edge(provider, "flow", true, 1)
    let answer = call(provider, "reset", "flow")
    XCTAssertEqual(answer["before"], .integer(42))
    XCTAssertEqual(answer["count"], .integer(0))
    XCTAssertEqual(memory.values["count.flow"], 0)
    XCTAssertTrue(memory.urgentKeys.contains("count.flow"))
    for line in ["door", "relay"] {
      XCTAssertEqual(call(provider, "reset", line).error?.code, .conflict)
    }
  }

  // MARK: Encoders

  func testAnEncoderTellsItsPosition() throws {
    let provider = started([.line("knob", .encoder) { $0.every = .milliseconds(100) }])
    XCTAssertEqual(
      board.calls, [.request("knob", active: nil), .request("knob.b", active: nil)])
    XCTAssertEqual(told(), ["knob state position=0 errors=0"])
    // A full cycle: b leads.
    var sequences: [String: UInt32] = [:]
    for (line, active) in [("knob.b", true), ("knob", true), ("knob.b", false), ("knob", false)] {
      sequences[line, default: 0] += 1
      edge(provider, line, active, sequences[line] ?? 0)
    }
    advance(provider, .seconds(1))
    XCTAssertEqual(
      told(), ["knob position position=1 errors=0", "knob position position=4 errors=0"])
    edge(provider, "knob", true, 5)
    advance(provider, .seconds(1))
    XCTAssertEqual(told(), ["knob position position=3 errors=2"], "the lost edges")
    XCTAssertEqual(call(provider, "reset", "knob")["before"], .integer(3))
    advance(provider, .seconds(1))
    XCTAssertEqual(told(), ["knob position position=0 errors=2"])
    XCTAssertNil(provider.deadline)
  }

  func testAnEncoderOfWhichOneLineIsMissingIsBad() {
    board.requestErrors["knob.b"] = .busy(line: "knob.b", consumer: "other")
    let provider = started([.line("knob", .encoder), .line("door", .input)])
    XCTAssertEqual(provider.problems.map { $0.line }, ["knob"])
    XCTAssertNil(board.handle(of: "knob"), "it is given back")
    board.requestErrors = [:]
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertEqual(provider.problems.count, 0)
  }

  // MARK: Buttons

  func testAButtonTellsGestures() {
    let provider = started([.line("call", .button)])
    _ = told()
    var sequence: UInt32 = 0
    func press(_ length: Transport.Duration) {
      for active in [true, false] {
        sequence += 1
        edge(provider, "call", active, sequence)
        advance(provider, active ? length : .milliseconds(100))
      }
    }
    press(.milliseconds(50))
    advance(provider, .seconds(1))
    press(.milliseconds(50))
    press(.milliseconds(50))
    advance(provider, .seconds(1))
    press(.milliseconds(2_000))
    advance(provider, .seconds(1))
    XCTAssertEqual(
      told(), ["call press press=click", "call press press=double", "call press press=long"])
    XCTAssertNil(provider.deadline)
  }

  func testAnEdgeThatStillWaitsIsReadBeforeAPressIsJudged() {
    let provider = started([.line("call", .button)])
    _ = told()
    edge(provider, "call", true, 1)
    // It was let go of long before it would be a long press, but the loop was busy.
    board.waiting["call"] = [(false, time.now + .milliseconds(50), 2)]
    advance(provider, .seconds(2))
    XCTAssertEqual(told(), ["call press press=click"])
  }

  // MARK: A simulated board

  func testDriveIsWhatAPersonDoes() {
    let simulated = SimulatedBoard(startingAt: time.now)
    let provider = started(
      [.line("door", .input), .line("flow", .counter), .line("relay", .output)], on: simulated)
    _ = told()
    XCTAssertEqual(
      call(provider, "drive", "door", [("active", .bool(true))])["active"], .bool(true))
    XCTAssertEqual(told(), ["door edge edge=rising active=true line_seq=1"])
    call(provider, "drive", "flow", [("active", .bool(true))])
    XCTAssertEqual(call(provider, "get", "flow")["count"], .integer(1))
    XCTAssertEqual(
      call(provider, "drive", "relay", [("active", .bool(true))]).error?.code, .conflict)
    XCTAssertEqual(
      provider.resources.map { $0.operations.contains("drive") }, [true, true, false])
    XCTAssertEqual(
      call(started([.line("door", .input)]), "drive", "door", [("active", .bool(true))]).error?
        .code, .notFound, "no board for that")
  }
}
