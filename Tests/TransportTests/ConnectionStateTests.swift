import XCTest

@testable import Transport

/// Every state meets every input. Most of these meetings never happen with an honest owner and an
/// honest server; after each of them the connection must still do what it is for.
final class ConnectionStateTests: XCTestCase {
  private let states: [(name: String, make: () throws -> Pair)] = [
    ("stopped", { Pair.stopped() }),
    ("waiting", { try Pair.waiting() }),
    ("opening", { Pair.opening() }),
    ("awaitingInfo", { try Pair.awaitingInfo() }),
    ("awaitingPong", { try Pair.awaitingPong() }),
    ("connected", { try Pair.connected() }),
    ("draining", { try Pair.draining() }),
  ]

  private static let frames = [
    "PING\r\n", "PONG\r\n", "PONG\r\nPONG\r\nPONG\r\n", "+OK\r\n",
    "-ERR 'Permissions Violation'\r\n",
    "-ERR 'Authorization Violation'\r\n", ConnectionHandshakeTests.info,
    "INFO {\"headers\":true,\"tls_required\":true}\r\n", "INFO {\"headers\":false}\r\n",
    "INFO {]\r\n",
    "INFO {\"headers\":true,\"max_payload\":-1}\r\n", "MSG a 2 0\r\n\r\n", "MSG a 1 0\r\n\r\n",
    "MSG _INBOX.x.65536 1 3\r\nabc\r\n", "HMSG a 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
    "MSG a 2 999999\r\nxyz", "MSG a 2 3\r\nxyzPING\r\n", "\r\n", "\n", "BOO\r\n", "MSG a", "PI",
  ]

  private typealias Input = (name: String, apply: (Pair) -> Void)

  private let inputs: [Input] =
    frames.map { frame in (frame, { $0.endpoint.inject(bytes(frame), at: $0.now) }) } + [
      ("opened", { $0.handle(.opened) }),
      ("received", { $0.handle(.received(0)) }),
      ("closed", { $0.handle(.closed(nil)) }),
      ("failed", { $0.handle(.closed(SystemError("recv", -104))) }),
      ("early deadline", { $0.endpoint.connection.handleDeadline(at: $0.now) }),
      ("late deadline", { $0.sleep(for: .seconds(3600)) }),
      ("start", { $0.start() }),
      ("drain", { $0.drain() }),
      (
        "drain twice",
        {
          $0.drain(); $0.drain()
        }
      ),
      (
        "drain and start",
        {
          $0.drain(); $0.start()
        }
      ),
      ("subscribe", { _ = $0.subscribe("x") }),
      ("unsubscribe all", { pair in for sid in UInt32(0)..<5 { pair.unsubscribe(sid) } }),
      ("publish", { try? $0.publish("x", bytes("y")) }),
      ("request", { _ = try? $0.request("x") }),
    ]

  func testEveryStateMeetsEveryInput() throws {
    for state in states {
      for input in inputs { try check(state.name, input) { try state.make() } }
    }
  }

  /// Two inputs in a row: every two in some of the states, a quarter of them in each.
  func testStatesMeetTwoInputs() throws {
    for (number, state) in states.enumerated() {
      for (row, first) in inputs.enumerated() {
        for (column, second) in inputs.enumerated() where (number + row + column) % 4 == 0 {
          let input = (
            first.name + " + " + second.name,
            { (pair: Pair) in
              first.apply(pair)
              second.apply(pair)
            }
          )
          try check(state.name, input) { try state.make() }
        }
      }
    }
  }

  private func check(_ state: String, _ input: Input, _ make: () throws -> Pair) throws {
    let pair = try make()
    let begun = pair.happenings.count
    input.apply(pair)
    // The way back to health.
    pair.server.options = ModelServer.Options()
    pair.endpoint.heal()
    let name = "\(state) meets \(input.name.debugDescription)"
    do {
      // Longer than any deadline that may run.
      try pair.drive(for: .seconds(90), stepsMax: 1000)
      if pair.endpoint.connection.isStopped {
        let isAsked =
          input.name.contains("drain") || state == "draining" || state == "stopped"
        XCTAssertTrue(isAsked, name)
        XCTAssertNil(pair.endpoint.connection.deadline, name)
        pair.start()
        try pair.drive(for: .seconds(90), stepsMax: 1000)
      }
      XCTAssertTrue(pair.isConnected, "\(name): \(pair.happenings.dropFirst(begun))")
      try pair.publish("works", bytes("yes"))
      try pair.drive(for: .seconds(1), stepsMax: 1000)
      XCTAssertEqual(pair.server.received.last?.message.payload.string, "yes", name)
    } catch {
      XCTFail("\(name): \(error)")
    }
  }

  func testDeadlinesAreHarmlessWhenEarlyOrRepeated() throws {
    for state in states {
      let pair = try state.make()
      let deadline = pair.endpoint.connection.deadline
      let begun = pair.happenings.count
      for _ in 0..<10 {
        pair.endpoint.connection.handleDeadline(at: pair.now)
        pair.endpoint.flush(at: pair.now)
      }
      XCTAssertEqual(pair.endpoint.connection.deadline, deadline, state.name)
      XCTAssertEqual(pair.happenings.count, begun, state.name)
      guard let deadline else { continue }
      XCTAssertGreaterThan(deadline, pair.now, state.name)
      pair.endpoint.connection.handleDeadline(at: deadline - .nanoseconds(1))
      XCTAssertEqual(pair.endpoint.connection.deadline, deadline, state.name)
      for _ in 0..<3 { pair.endpoint.connection.handleDeadline(at: deadline) }
      if let next = pair.endpoint.connection.deadline {
        XCTAssertGreaterThanOrEqual(next, deadline, state.name)
      }
    }
  }
}

extension Pair {
  fileprivate func handle(_ event: ConnectionEvent) {
    // An event of a link that has ended has no effect either.
    endpoint.connection.handle(event, of: endpoint.wires.first?.id ?? LinkID(number: 99), at: now)
    endpoint.flush(at: now)
  }
}
