import Transport
import XCTest

@testable import Lattice

final class LatticeHostTests: XCTestCase {
  private let time = FakeTime()
  private let recorder = CallRecorder()

  private func host(_ providers: [FakeProvider]) -> LatticeHost {
    let host = LatticeHost(identity: .test(), time: time, boot: .test)
    for provider in providers { host.add(provider) }
    return host
  }

  private func results(
    _ host: LatticeHost, _ capability: String, _ operation: String,
    _ arguments: [(String, Value)] = [], resource: String = "siren", deadline: Instant? = nil
  ) -> [InvocationResult] {
    var results: [InvocationResult] = []
    host.invoke(
      Invocation(
        capability: capability, resource: resource, operation: operation,
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

  func testOperationsOfACapability() {
    let pins = FakeProvider(.manyPins)
    pins.answer = { _ in .success(Record()) }
    let host = host([pins])
    let arguments: [(String, Value)] = [("names", .list([.string("door")]))]
    XCTAssertEqual(
      results(host, "gpio", "get-many", arguments),
      [
        .failure(
          InvocationError(
            .badRequest, "get-many is asked of gpio as a whole, not of 'siren'"))
      ])
    XCTAssertEqual(
      results(host, "gpio", "get-many", arguments, resource: ""), [.success(Record())])
    XCTAssertEqual(
      results(
        host, "gpio", "get-many", arguments, resource: "", deadline: time.now - .seconds(1)),
      [.failure(InvocationError(.late, "get-many of 'gpio' came 1000 ms too late"))])
  }

  /// Those that were refused too, but nothing that only asks.
  func testEveryCommandIsTold() throws {
    let pins = FakeProvider(.pins)
    let host = host([pins])
    var told: [String] = []
    host.onCommand = { invocation, result in
      let code = (result.error?.code.rawValue).map { "\($0)" } ?? "done"
      told.append("\(invocation.operation) \(invocation.caller): \(code)")
    }
    let active: [(String, Value)] = [("active", .bool(true))]
    pins.answer = { _ in .success(Record()) }
    _ = results(host, "gpio", "get")
    _ = results(host, "gpio", "set", active)
    _ = results(host, "gpio", "set")
    _ = results(host, "gpio", "set", active, deadline: time.now - .seconds(1))
    pins.answer = { _ in .failure(InvocationError(.conflict, "no")) }
    _ = results(host, "gpio", "set", active)
    pins.answer = nil
    XCTAssertTrue(results(host, "gpio", "set", active).isEmpty)
    XCTAssertEqual(told.count, 4, "not before it has an answer")
    try XCTUnwrap(pins.replies.first)(.success(Record()))
    XCTAssertEqual(
      told, ["done", "400", "408", "409", "done"].map { "set edge-host (local): \($0)" })
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
    let host = host([FakeProvider(.pins, recorder: recorder)])
    host.start(dialects, on: FakeBus())
    recorder.calls = []
    host.linkChanged(isConnected: true)
    host.statusChanged()
    host.linkChanged(isConnected: false)
    XCTAssertEqual(
      recorder.calls,
      [
        "services link true", "wasmbus link true", "gpio link true", "services status",
        "wasmbus status", "gpio link false", "services link false", "wasmbus link false",
      ], "the board hears first that the link went, and last that it came")
    host.emit(
      CapabilityEvent(
        capability: "gpio", resource: "door", kind: "edge", delivery: .latest, at: time.now,
        body: Record()))
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
