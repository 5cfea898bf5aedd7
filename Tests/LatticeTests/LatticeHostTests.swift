import Transport
import XCTest

@testable import Lattice

final class LatticeHostTests: XCTestCase {
  private let time = FakeTime()
  private let recorder = CallRecorder()

  private func host(_ providers: [FakeProvider]) -> LatticeHost {
    let host = LatticeHost(identity: .test(), time: time)
    for provider in providers { host.add(provider) }
    return host
  }

  private func results(
    _ host: LatticeHost, _ capability: String, _ operation: String,
    _ arguments: [(String, Value)] = [], deadline: Instant? = nil
  ) -> [InvocationResult] {
    var results: [InvocationResult] = []
    host.invoke(
      Invocation(
        capability: capability, resource: "siren", operation: operation,
        arguments: Record(arguments), deadline: deadline)
    ) { results.append($0) }
    return results
  }

  func testRouting() {
    let pins = FakeProvider(.pins)
    let meters = FakeProvider(.meters)
    pins.answer = { .success(Record([("name", .string($0.resource))])) }
    meters.answer = { _ in .failure(InvocationError(.unavailable, "no reading yet")) }
    let host = host([pins, meters])

    XCTAssertEqual(
      results(host, "gpio", "set", [("active", .bool(true))]),
      [.success(Record([("name", .string("siren"))]))])
    XCTAssertEqual(pins.invocations.count, 1)
    XCTAssertEqual(pins.invocations.first?.operation, "set")
    XCTAssertEqual(pins.invocations.first?.arguments["active"], .bool(true))
    XCTAssertTrue(meters.invocations.isEmpty)

    XCTAssertEqual(
      results(host, "sensors", "get"),
      [.failure(InvocationError(.unavailable, "no reading yet"))])
    XCTAssertTrue(host.provider(of: "gpio") === pins)
    XCTAssertNil(host.provider(of: "edge:gpio"), "by its name, not by its contract")
  }

  func testUnknownCapabilityAndOperation() {
    let pins = FakeProvider(.pins)
    let host = host([pins])
    let table: [(String, String, String)] = [
      ("http", "get", "this host has no capability 'http'"),
      ("", "get", "this host has no capability ''"),
      ("gpi\u{1b}[2J", "get", "this host has no capability 'gpi?[2J'"),
      ("gpio", "toggle", "gpio has no operation 'toggle'; there are: get, set"),
      ("gpio", "", "gpio has no operation ''; there are: get, set"),
    ]
    for (capability, operation, reason) in table {
      XCTAssertEqual(
        results(host, capability, operation),
        [.failure(InvocationError(.notFound, Text(reason)))])
    }
    XCTAssertTrue(pins.invocations.isEmpty)
  }

  func testTheReplyMayComeLater() throws {
    let pins = FakeProvider(.pins)
    let host = host([pins])
    var results: [InvocationResult] = []
    host.invoke(
      Invocation(capability: "gpio", resource: "siren", operation: "get", arguments: Record())
    ) { results.append($0) }
    XCTAssertTrue(results.isEmpty)
    try XCTUnwrap(pins.replies.first)(.success(Record()))
    XCTAssertEqual(results, [.success(Record())])
  }

  func testDeadlineOfAnInvocation() {
    let pins = FakeProvider(.pins)
    pins.answer = { _ in .success(Record()) }
    let host = host([pins])
    let success: [InvocationResult] = [.success(Record())]
    func late(_ milliseconds: Int) -> [InvocationResult] {
      [.failure(InvocationError(.late, "get of 'siren' came \(milliseconds) ms too late"))]
    }
    let table: [(Transport.Duration, [InvocationResult])] = [
      (.seconds(1), success), (.nanoseconds(1), success), (.zero, success),
      (.nanoseconds(-1), late(0)), (.milliseconds(-1500), late(1500)),
      (.nanoseconds(.min), late(9_223_372_036_854)),
    ]
    for (remaining, expected) in table {
      let deadline = time.now + remaining
      XCTAssertEqual(results(host, "gpio", "get", deadline: deadline), expected, "\(remaining)")
    }
    XCTAssertEqual(pins.invocations.count, 3)
  }

  /// What is wrong is said in the order: capability, operation, lateness, arguments.
  func testALateRequestIsRefusedForThat() {
    let host = host([FakeProvider(.pins)])
    let deadline = time.now - .seconds(1)
    let result = results(host, "gpio", "set", [("speed", .integer(1))], deadline: deadline)
    guard case .failure(let error)? = result.first else { return XCTFail("no failure") }
    XCTAssertEqual(error.code, .late)
  }

  // MARK: life

  func testOrderOfStartAndStop() {
    let host = host([
      FakeProvider(.pins, recorder: recorder), FakeProvider(.meters, recorder: recorder),
    ])
    let dialects = ["services", "wasmbus"].map { FakeDialect($0, recorder: recorder) }
    host.start(dialects, on: FakeBus())
    XCTAssertEqual(
      recorder.calls, ["services start", "wasmbus start", "gpio start", "sensors start"],
      "the first events find the dialects listening")
    recorder.calls = []
    host.stop()
    XCTAssertEqual(
      recorder.calls, ["gpio stop", "sensors stop", "services stop", "wasmbus stop"],
      "the outputs first")
  }

  func testAllDialectsHear() {
    let dialects = ["services", "wasmbus"].map { FakeDialect($0, recorder: recorder) }
    let host = host([])
    host.start(dialects, on: FakeBus())
    recorder.calls = []
    host.linkChanged(isConnected: true)
    host.statusChanged()
    host.linkChanged(isConnected: false)
    XCTAssertEqual(
      recorder.calls,
      [
        "services link true", "wasmbus link true", "services status", "wasmbus status",
        "services link false", "wasmbus link false",
      ])
    host.emit(
      CapabilityEvent(
        capability: "gpio", resource: "door", kind: "edge", delivery: .latest, body: Record()))
    XCTAssertEqual(dialects.map { $0.events.count }, [1, 1])
  }

  func testTheEarliestDeadline() {
    let providers = [
      FakeProvider(.pins, recorder: recorder), FakeProvider(.meters, recorder: recorder),
    ]
    let dialect = FakeDialect("services", recorder: recorder)
    let host = host(providers)
    host.start([dialect], on: FakeBus())
    XCTAssertNil(host.deadline)
    let soon = time.now + .seconds(1)
    let later = time.now + .seconds(2)
    for (first, second, third) in [
      (soon, nil, nil), (nil, soon, nil), (nil, nil, soon), (soon, later, later),
      (later, soon, later), (later, later, soon), (nil, later, soon),
    ] as [(Instant?, Instant?, Instant?)] {
      providers[0].deadline = first
      providers[1].deadline = second
      dialect.deadline = third
      XCTAssertEqual(host.deadline, soon)
    }
    recorder.calls = []
    host.handleDeadline(at: soon)
    XCTAssertEqual(recorder.calls, ["gpio deadline", "sensors deadline", "services deadline"])
  }

  func testIDs() {
    XCTAssertEqual(HostIdentity.makeID(seed: 7), HostIdentity.makeID(seed: 7))
    XCTAssertNotEqual(HostIdentity.makeID(seed: 7), HostIdentity.makeID(seed: 8))
    XCTAssertEqual(HostIdentity.makeID(seed: 0).utf8.count, 22)
  }
}

final class ArgumentCheckTests: XCTestCase {
  private let operation = Operation(
    name: "set",
    parameters: [
      Parameter("active", .bool, isRequired: true), Parameter("label", .string),
      Parameter("factor", .double), Parameter("pulse_ms", .integer(-1...3_600_000)),
      Parameter("unit", .string, isRequired: true),
    ])

  /// Why the arguments are refused; nil when they are not.
  private func refusal(_ arguments: [(String, Value)], without left: [String] = []) -> String? {
    let required: [(String, Value)] = [("active", .bool(true)), ("unit", .string("V"))]
    let names = arguments.map { $0.0 } + left
    let record = Record(required.filter { !names.contains($0.0) } + arguments)
    do throws(InvocationError) {
      try ArgumentCheck.check(record, against: operation)
      return nil
    } catch {
      XCTAssertEqual(error.code, .badRequest)
      return error.reason
    }
  }

  func testKinds() {
    let bool = "\"active\" must be true or false"
    let string = "\"label\" must be text"
    let double = "\"factor\" must be a number"
    let integer = "\"pulse_ms\" must be a whole number from -1 to 3600000"
    let values: [(Value, Set<String>)] = [
      (.bool(true), [string, double, integer]), (.bool(false), [string, double, integer]),
      (.string("x"), [bool, double, integer]), (.string(""), [bool, double, integer]),
      (.string("1"), [bool, double, integer]), (.integer(5), [bool, string]),
      (.double(5), [bool, string, integer]), (.double(0.5), [bool, string, integer]),
      (.list([.integer(1)]), [bool, string, double, integer]),
      (.record(Record()), [bool, string, double, integer]),
      (.bytes([1]), [bool, string, double, integer]),
    ]
    for (value, expected) in values {
      let refusals = ["active", "label", "factor", "pulse_ms"].compactMap { refusal([($0, value)]) }
      XCTAssertEqual(Set(refusals), expected, "\(value)")
    }
  }

  func testRanges() {
    for number in [-1, 0, 1, 3_600_000] as [Int64] {
      XCTAssertNil(refusal([("pulse_ms", .integer(number))]))
    }
    for number in [.min, -2, 3_600_001, .max] as [Int64] {
      XCTAssertEqual(
        refusal([("pulse_ms", .integer(number))]),
        "\"pulse_ms\" is \(number), but must be -1 to 3600000")
    }
  }

  func testMissing() {
    XCTAssertEqual(refusal([], without: ["active"]), "set needs the argument \"active\"")
    XCTAssertEqual(refusal([], without: ["unit"]), "set needs the argument \"unit\"")
    XCTAssertNil(refusal([]))
  }

  /// Null is how many clients leave an argument out.
  func testNull() {
    for name in ["label", "factor", "pulse_ms"] { XCTAssertNil(refusal([(name, .null)])) }
    XCTAssertEqual(refusal([("active", .null)]), "set needs the argument \"active\"")
  }

  func testUnknown() {
    XCTAssertEqual(refusal([("speed", .integer(1))]), "set takes no argument 'speed'")
    XCTAssertEqual(refusal([("speed", .null)]), "set takes no argument 'speed'")
    XCTAssertEqual(refusal([("Active", .bool(true))]), "set takes no argument 'Active'")
    XCTAssertEqual(refusal([("\n", .null)]), "set takes no argument '?'")
  }
}
