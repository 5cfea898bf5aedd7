import Lattice
import Transport
import XCTest

@testable import GPIOProvider

final class GPIOProviderTests: XCTestCase {
  private let time = FakeTime()
  private let events = EventRecorder()
  private let board = FakeBoard()

  private func started(_ lines: [LineConfiguration]) -> GPIOProvider {
    let provider = GPIOProvider(lines: lines, board: board, time: time)
    provider.eventSink = events
    provider.start(at: time.now)
    return provider
  }

  private func advance(_ provider: GPIOProvider, milliseconds: Int64) {
    time.advance(.milliseconds(milliseconds))
    provider.handleDeadline(at: time.now)
  }

  // MARK: Contract and resources

  func testTheContract() throws {
    let contract = Contract.gpio(taken: ["toggle", "pulse", "blink", "pwm", "reset"])
    XCTAssertEqual(contract.id, "edge:gpio")
    XCTAssertEqual(contract.name, "gpio")
    XCTAssertEqual(
      contract.operations.map { $0.name },
      ["get", "set", "toggle", "pulse", "blink", "pwm", "reset", "get-many", "set-many"])
    XCTAssertEqual(
      contract.operations.filter { !$0.isCommand }.map { $0.name }, ["get", "get-many"])
    XCTAssertEqual(
      contract.events.map { $0.name }, ["edge", "state", "change", "count", "position", "press"])
    XCTAssertEqual(
      Contract.gpio(taken: ["drive"]).operations.map { $0.name },
      ["get", "set", "get-many", "set-many", "drive"])
    let parameters = try XCTUnwrap(contract.operation(named: "set")).parameters
    XCTAssertEqual(parameters.map { $0.name }, ["active", "pulse_ms", "lease_ms"])
    XCTAssertEqual(parameters.map { $0.isRequired }, [true, false, false])
    XCTAssertEqual(
      parameters.map { $0.kind }, [.bool, .integer(1...3_600_000), .integer(1...86_400_000)])
  }

  func testResourcesSayWhatIsKnown() {
    board.requestErrors["broken"] = .noSuchLine(line: "GPIO9", chip: nil)
    let provider = started([
      .inputLine("door") {
        $0.activeLow = true
        $0.bias = .pullUp
        $0.debounce = .milliseconds(5)
        $0.edges = .rising
        $0.report = .durable
      },
      .outputLine("siren", safe: .active) { $0.drive = .openDrain },
      .inputLine("broken") {
        $0.chip = nil
        $0.location = .name("GPIO9")
        $0.edges = .none
      },
    ])
    let resources = provider.resources
    XCTAssertEqual(resources.map { $0.name }, ["door", "siren", "broken"])
    XCTAssertEqual(
      resources.map { $0.operations },
      [["get"], ["get", "set", "toggle", "pulse", "blink"], ["get"]])
    XCTAssertEqual(
      resources.map { $0.properties.fields.map { "\($0.name)=\(text($0.value))" } },
      [
        [
          "direction=input", "chip=gpiochip0", "offset=4", "active=low", "bias=pull-up",
          "debounce_us=5000", "edges=rising", "report=durable",
        ],
        [
          "direction=output", "chip=gpiochip0", "offset=17", "active=high", "drive=open-drain",
          "safe=active", "report=latest",
        ],
        [
          "direction=input", "line=GPIO9", "active=high", "edges=none",
          "error=no line is named \"GPIO9\"",
        ],
      ])
  }

  private func text(_ value: Value) -> String {
    switch value {
    case .string(let text): text
    case .integer(let number): "\(number)"
    default: "\(value)"
    }
  }

  // MARK: get and set

  func testGetAnswersInThisOrder() throws {
    let provider = started([.inputLine("door"), .outputLine("relay")])
    board.values["door"] = true
    let record = try provider.call("get", "door", at: time.now).get()
    XCTAssertEqual(
      record.names, ["name", "active", "level", "direction", "time", "time_quality", "seq"])
    XCTAssertEqual(
      record.fields.map { $0.value },
      [
        .string("door"), .bool(true), .integer(1), .string("input"),
        .string("2026-11-03T07:54:43.000000000Z"), .string("synced"), .integer(0),
      ])
    XCTAssertEqual(provider.call("get", "relay", at: time.now)["direction"], .string("output"))
  }

  func testTheLevelIsWhatAMeterShows() {
    for activeLow in [false, true] {
      for active in [false, true] {
        let provider = started([.inputLine("a") { $0.activeLow = activeLow }])
        board.values["a"] = active
        let answer = provider.call("get", "a", at: time.now)
        XCTAssertEqual(answer["active"], .bool(active))
        XCTAssertEqual(answer["level"], .integer(active != activeLow ? 1 : 0))
      }
    }
  }

  func testSetMovesTheOutputAndAnswersAsGet() throws {
    let provider = started([.outputLine("relay") { $0.activeLow = true }])
    for active in [true, false] {
      let set = try provider.call("set", "relay", [("active", .bool(active))], at: time.now).get()
      XCTAssertEqual(board.values["relay"], active)
      XCTAssertEqual(set, try provider.call("get", "relay", at: time.now).get())
      XCTAssertEqual(set["level"], .integer(active ? 0 : 1))
    }
    XCTAssertNil(provider.deadline)
  }

  func testAPulseEnds() {
    let provider = started([.outputLine("relay")])
    _ = provider.call(
      "set", "relay", [("active", .bool(true)), ("pulse_ms", .integer(500))], at: time.now)
    XCTAssertEqual(provider.deadline, time.now + .milliseconds(500))
    advance(provider, milliseconds: 499)
    XCTAssertEqual(board.values["relay"], true)
    advance(provider, milliseconds: 1)
    XCTAssertEqual(board.values["relay"], false)
    XCTAssertNil(provider.deadline)
  }

  func testALeaseHoldsWhileItIsRenewed() {
    let provider = started([.outputLine("heater")])
    for _ in 0..<10 {
      _ = provider.call(
        "set", "heater", [("active", .bool(true)), ("lease_ms", .integer(1_000))], at: time.now)
      advance(provider, milliseconds: 900)
      XCTAssertEqual(board.values["heater"], true)
    }
    advance(provider, milliseconds: 100)
    XCTAssertEqual(board.values["heater"], false)
    XCTAssertNil(provider.deadline)
  }

  func testASetWithNullsHasNeitherPulseNorLease() {
    let provider = started([.outputLine("relay")])
    let answer = provider.call(
      "set", "relay", [("active", .bool(true)), ("pulse_ms", .null), ("lease_ms", .null)],
      at: time.now)
    XCTAssertEqual(answer["active"], .bool(true))
    XCTAssertNil(provider.deadline)
  }

  // MARK: Refusals

  func testBadArgumentsMoveNothing() {
    let provider = started([.outputLine("relay")])
    board.calls = []
    let table: [[(String, Value)]] = [
      [],
      [("active", .null)],
      [("active", .integer(1))],
      [("active", .string("true"))],
      [("pulse_ms", .integer(5))],
      [("active", .bool(true)), ("pulse_ms", .integer(0))],
      [("active", .bool(true)), ("pulse_ms", .integer(-1))],
      [("active", .bool(true)), ("pulse_ms", .integer(3_600_001))],
      [("active", .bool(true)), ("pulse_ms", .double(5))],
      [("active", .bool(true)), ("lease_ms", .integer(.max))],
      [("active", .bool(true)), ("lease_ms", .integer(.min))],
      [("active", .bool(true)), ("lease_ms", .string("5s"))],
      [("active", .bool(true)), ("lease_ms", .list([]))],
    ]
    for arguments in table {
      let error = provider.call("set", "relay", arguments, at: time.now).error
      XCTAssertEqual(error?.code, .badRequest, "\(arguments)")
    }
    XCTAssertEqual(board.calls, [])
    XCTAssertNil(provider.deadline)
  }

  func testSettingAnInputIsAConflict() {
    let provider = started([.inputLine("door")])
    let error = provider.call("set", "door", [("active", .bool(true))], at: time.now).error
    XCTAssertEqual(
      error,
      InvocationError(.conflict, "line \"door\" is an input: it can be read, not set"))
  }

  func testAnUnknownLineIsNamedWithTheKnown() {
    let provider = started([.inputLine("door"), .outputLine("relay")])
    XCTAssertEqual(
      provider.call("get", "dor", at: time.now).error,
      InvocationError(.notFound, "no line is named 'dor'; there are: door, relay"))
    XCTAssertEqual(
      provider.call("set", "", [("active", .bool(true))], at: time.now).error,
      InvocationError(.notFound, "no line is named ''; there are: door, relay"))
    XCTAssertEqual(
      started([]).call("get", "x", at: time.now).error?.reason,
      "no line is named 'x'; there are none")
    XCTAssertEqual(
      started([.inputLine("door")]).call("get", "x", at: time.now).error?.reason,
      "no line is named 'x'; there is: door")
    let many = started((0..<54).map { .inputLine("line\($0)") })
    let long = many.call("get", String(repeating: "é", count: 10_000), at: time.now).error
    XCTAssertEqual(long?.code, .notFound)
    XCTAssertLessThan(long?.reason.utf8.count ?? .max, 300)
    XCTAssertTrue(long?.reason.hasSuffix("line7 and 46 more") ?? false)
  }

  func testAnUnknownOperationIsNamedWithTheKnown() {
    let provider = started([.inputLine("door")])
    XCTAssertEqual(
      provider.call("flip", "door", at: time.now).error,
      InvocationError(
        .notFound,
        """
        gpio has no operation 'flip'; there are: get, set, get-many, set-many
        """))
  }

  func testWhatComesLateMovesNothing() {
    let provider = started([.outputLine("relay")])
    board.calls = []
    for operation in ["get", "set"] {
      let error = provider.call(
        operation, "relay", [("active", .bool(true))],
        deadline: time.now - .milliseconds(1_500), at: time.now
      ).error
      XCTAssertEqual(
        error, InvocationError(.late, "\(operation) of 'relay' came 1500 ms too late"))
    }
    XCTAssertEqual(
      provider.call(
        "set", "relay", [("active", .bool(true))], deadline: time.now - .nanoseconds(1),
        at: time.now
      ).error?.code, .late)
    XCTAssertEqual(board.calls, [])
    let inTime = provider.call(
      "set", "relay", [("active", .bool(true))], deadline: time.now, at: time.now)
    XCTAssertNil(inTime.error)
    XCTAssertEqual(board.calls, [.set("relay", true)])
  }

  // MARK: Edges

  func testAnEdgeTellsItsOwnTime() throws {
    let provider = started([
      .inputLine("door") { $0.report = .durable }, .inputLine("window"),
    ])
    time.advance(.seconds(10))
    let edgeTime = time.now - .milliseconds(250)
    provider.handle(
      EdgeEvent(
        line: try XCTUnwrap(board.handle(of: "door")), isRising: true, time: edgeTime,
        lineSequence: 41))
    let event = try XCTUnwrap(events.events.first)
    XCTAssertEqual(event.capability, "gpio")
    XCTAssertEqual(event.resource, "door")
    XCTAssertEqual(event.kind, "edge")
    XCTAssertEqual(event.delivery, .durable)
    XCTAssertEqual(
      event.body.names,
      ["name", "edge", "active", "seq", "line_seq", "lost"])
    XCTAssertEqual(
      event.body.fields.map { $0.value },
      [
        .string("door"), .string("rising"), .bool(true), .integer(1), .integer(41), .integer(40),
      ])
    XCTAssertEqual(event.instant, edgeTime)
    XCTAssertEqual(event.factClass, .event)

    provider.handle(
      EdgeEvent(
        line: try XCTUnwrap(board.handle(of: "window")), isRising: false, time: time.now,
        lineSequence: .max))
    let second = try XCTUnwrap(events.events.last)
    XCTAssertEqual(second.delivery, .latest)
    XCTAssertEqual(second.body["edge"], .string("falling"))
    XCTAssertEqual(second.body["active"], .bool(false))
    XCTAssertEqual(second.body["seq"], .integer(2), "numbered over all lines")
    XCTAssertEqual(second.body["line_seq"], .integer(Int64(UInt32.max)))

    XCTAssertEqual(provider.call("get", "door", at: time.now)["seq"], .integer(1))
    XCTAssertEqual(provider.call("get", "window", at: time.now)["seq"], .integer(2))
  }

  func testAnEdgeOfNobodysLineIsNothing() {
    let provider = started([.inputLine("door")])
    provider.handle(
      EdgeEvent(line: LineHandle(index: 77), isRising: true, time: time.now, lineSequence: 1))
    provider.lineFailed(LineHandle(index: 77), .permissionDenied(path: "x", group: nil))
    XCTAssertEqual(events.events.count, 0)
    XCTAssertEqual(provider.problems.count, 0)
  }

  func testEdgesOfASimulatedBoardCarryTheirTimes() {
    let board = SimulatedBoard(startingAt: time.now)
    let provider = GPIOProvider(
      lines: [
        .inputLine("door") {
          $0.script = LineScript(
            steps: [
              .init(after: .milliseconds(100), isActive: true),
              .init(after: .milliseconds(100), isActive: false),
            ], repeats: true)
        }
      ], board: board, time: time)
    provider.eventSink = events
    provider.start(at: time.now)
    let begin = time.now
    XCTAssertEqual(provider.deadline, begin + .milliseconds(100))
    advance(provider, milliseconds: 250)
    XCTAssertEqual(
      events.events.map { $0.instant },
      [begin + .milliseconds(100), begin + .milliseconds(200)], "not when it was handled")
    XCTAssertEqual(provider.deadline, time.now + .milliseconds(50))
  }

  // MARK: Bindings

  func testABindingNeedsAnActor() {
    let provider = started([])
    XCTAssertThrowsError(try provider.bind(Binding(actor: "", name: "default", values: []))) {
      XCTAssertEqual(($0 as? InvocationError)?.code, .badRequest)
    }
    XCTAssertNoThrow(try provider.bind(Binding(actor: "MA", name: "default", values: [])))
    provider.unbind(actor: "MA")
    provider.unbind(actor: "MA")
    provider.unbind(actor: "")
  }

  func testABindingIsReplacedByOneOfTheSameName() throws {
    var bindings = Bindings()
    try bindings.bind(Binding(actor: "MA", name: "x", values: [("k", "1")]))
    try bindings.bind(Binding(actor: "MA", name: "y", values: []))
    try bindings.bind(Binding(actor: "MB", name: "x", values: []))
    try bindings.bind(Binding(actor: "MA", name: "x", values: [("k", "2")]))
    XCTAssertEqual(bindings.all.map { $0.actor + $0.name }, ["MAx", "MAy", "MBx"])
    XCTAssertEqual(bindings.all.first?.values.first?.value, "2")
    bindings.unbind(actor: "MA")
    XCTAssertEqual(bindings.all.map { $0.actor + $0.name }, ["MBx"])
  }
}
