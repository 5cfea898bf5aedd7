import XCTest

@testable import Transport

/// How a connection watches its link, and what it lets over it.
final class ConnectionLinkTests: XCTestCase {
  private func limits(_ change: (inout LinkSettings) -> Void) -> ConnectionLimits {
    var limits = ConnectionLimits()
    change(&limits.link)
    return limits
  }

  // MARK: liveness

  /// A minute of our own data is in front of the PING, and the server says nothing: but it
  /// acknowledges.
  func testASlowUplinkIsNotDead() throws {
    let pair = try Pair.connected()
    pair.endpoint.link.bytesPerSecond = 1000
    pair.endpoint.link.sendBufferBytes = 60_000
    let begin = pair.now
    for _ in 0..<8 { try pair.publish("a", [UInt8](repeating: 7, count: 7000)) }
    XCTAssertGreaterThan(pair.endpoint.socket?.up.count ?? 0, 55_000)
    try pair.drive(within: .seconds(80)) { pair.server.received.count == 8 }
    XCTAssertGreaterThan(pair.now - begin, .seconds(50))
    try pair.drive(for: .seconds(60))
    XCTAssertEqual(pair.disconnects, [])
  }

  func testAServerThatAcknowledgesAndNeverAnswersIsLeft() throws {
    let pair = try Pair.connected()
    pair.server.options.answersPing = false
    let settings = ConnectionLimits().link
    let lastHeard = pair.now
    while pair.isConnected, pair.now - lastHeard < .seconds(300) {
      try pair.publish("a", bytes("x"))
      try pair.drive(for: .seconds(1))
    }
    let bound = settings.ping + settings.detect + .seconds(60)
    XCTAssertEqual(pair.disconnects, [.unanswered(bound)])
  }

  /// The server's machine takes the PING and the server hangs: that is found, too.
  func testAnIdleServerThatHangsIsLeft() throws {
    let pair = try Pair.connected()
    pair.server.options.answersPing = false
    let settings = ConnectionLimits().link
    let lastHeard = pair.now
    try pair.drive { !pair.isConnected }
    XCTAssertEqual(
      pair.now - lastHeard, settings.ping + pair.endpoint.link.latency + settings.detect)
  }

  /// What an hour without anything to say costs by the profile for LTE.
  func testAnIdleHourOnLTE() throws {
    let pair = try Pair.connected(limits: limits { $0 = LinkSettings(.lte) })
    let sent = pair.endpoint.bytesSent
    let received = pair.endpoint.bytesDelivered
    let steps = pair.stepCount
    try pair.drive(for: .seconds(3600))
    XCTAssertEqual(pair.disconnects, [])
    XCTAssertLessThanOrEqual(pair.endpoint.bytesSent - sent, 60 * 6)
    XCTAssertLessThanOrEqual(pair.endpoint.bytesDelivered - received, 60 * 6)
    // For each PING a wakeup, its arrival at the server, and that of the PONG.
    XCTAssertLessThanOrEqual(pair.stepCount - steps, 60 * 3 + 3)
  }

  // MARK: the network

  func testALostPathEndsTheLinkAndItsReturnIsUsedAtOnce() throws {
    let pair = try Pair.connected()
    pair.endpoint.reachability = [.refusing]
    let wire = try XCTUnwrap(pair.endpoint.wires.first)
    pair.endpoint.connection.handle(.pathLost(.addressGone), of: wire.id, at: pair.now)
    pair.endpoint.flush(at: pair.now)
    XCTAssertEqual(pair.disconnects, [.pathLost(.addressGone)])
    XCTAssertTrue(pair.endpoint.wires.isEmpty)
    try pair.drive { pair.retryDelays.last.map { $0 > .seconds(5) } ?? false }
    pair.endpoint.heal()
    let back = pair.now
    pair.endpoint.connection.handleNetworkReturned(at: pair.now)
    try pair.drive { pair.isConnected }
    let roundTrips = pair.endpoint.link.latency * 6
    XCTAssertLessThanOrEqual(pair.now - back, ConnectionLimits().backoffFirst + roundTrips)
  }

  /// SYNs went nowhere; the next would come after seconds.
  func testAnAttemptUnderWayIsMadeAnew() throws {
    let pair = Pair.opening()
    try pair.drive(for: .seconds(2))
    pair.endpoint.heal()
    let back = pair.now
    pair.endpoint.connection.handleNetworkReturned(at: pair.now)
    pair.endpoint.flush(at: pair.now)
    try pair.drive { pair.isConnected }
    XCTAssertLessThan(pair.now - back, .milliseconds(500))
    XCTAssertEqual(pair.disconnects, [])
  }

  func testTheNetworksReturnChangesNothingElse() throws {
    let connected = try Pair.connected()
    let refused = Pair(
      server: {
        var options = ModelServer.Options()
        options.refusal = "Authorization Violation"
        return options
      }())
    refused.start()
    try refused.drive { refused.disconnects.count == 1 }
    for pair in [connected, refused, Pair.stopped()] {
      let deadline = pair.endpoint.connection.deadline
      let count = pair.happenings.count
      for _ in 0..<10 { pair.endpoint.connection.handleNetworkReturned(at: pair.now) }
      pair.endpoint.flush(at: pair.now)
      XCTAssertEqual(pair.happenings.count, count)
      // The credentials are as wrong as before.
      XCTAssertEqual(pair.endpoint.connection.deadline, deadline)
    }
  }

  /// A certificate that was not valid yet, or not any more, may be when the clock is set; a refusal by
  /// certificates or credentials is else tried again after minutes.
  func testAClockThatWasSetIsWorthAnAttempt() throws {
    let refused = Pair(
      server: {
        var options = ModelServer.Options()
        options.refusal = "Authorization Violation"
        return options
      }())
    refused.start()
    try refused.drive { refused.disconnects.count == 1 }
    let deadline = try XCTUnwrap(refused.endpoint.connection.deadline)
    XCTAssertGreaterThan(deadline - refused.now, ConnectionLimits().backoffFirst)
    refused.endpoint.connection.handleClockSet(at: refused.now)
    let hastened = try XCTUnwrap(refused.endpoint.connection.deadline)
    XCTAssertLessThanOrEqual(hastened - refused.now, ConnectionLimits().backoffFirst)
    try refused.drive { refused.disconnects.count == 2 }
    // What is connected or stopped has nothing to try.
    for pair in [try Pair.connected(), Pair.stopped()] {
      let deadline = pair.endpoint.connection.deadline
      let count = pair.happenings.count
      pair.endpoint.connection.handleClockSet(at: pair.now)
      pair.endpoint.flush(at: pair.now)
      XCTAssertEqual(pair.happenings.count, count)
      XCTAssertEqual(pair.endpoint.connection.deadline, deadline)
    }
  }

  /// Every attempt of a herd has its window: the first, those after losses, and none comes earlier
  /// because the network returned again and again.
  func testAHerdsAttempts() throws {
    for seed in UInt64(1)...20 {
      let pair = Pair(seed: seed, limits: limits { $0.herd = 400 })
      pair.endpoint.reachability = [.refusing]
      let begin = pair.now
      pair.start()
      while pair.now - begin < .seconds(200) {
        try pair.drive(for: .seconds(1))
        pair.endpoint.connection.handleNetworkReturned(at: pair.now)
      }
      let attempts = pair.journal.filter { $0.happening == .opening(server: 0) }.map(\.at)
      XCTAssertGreaterThan(attempts.count, 4)
      XCTAssertLessThanOrEqual(attempts.count, 10)
      for (one, second) in zip(attempts, attempts.dropFirst(2)) {
        XCTAssertGreaterThan(second - one, .seconds(20), "seed \(seed)")
      }
    }
  }

  // MARK: what leaves

  func testReadingsWaitForCompany() throws {
    let pair = try Pair.connected(limits: limits { $0.batch = .seconds(2) })
    try pair.drive(for: .seconds(3))
    let begin = pair.now
    try pair.publish("r0", bytes("x"), as: .readings)
    try pair.publish("r1", bytes("x"), as: .readings)
    try pair.publish("r2", bytes("x"), as: .bulk)
    try pair.drive(for: .seconds(1))
    // The first goes at once; what follows waits.
    XCTAssertEqual(pair.server.received.map(\.message.subject), ["r0"])
    try pair.drive { pair.server.received.count == 3 }
    XCTAssertEqual(pair.now - begin, .seconds(2) + pair.endpoint.link.latency)
    try pair.publish("r3", bytes("x"), as: .readings)
    try pair.publish("answer", bytes("x"), as: .replies)
    try pair.drive(for: .milliseconds(100))
    XCTAssertEqual(
      pair.server.received.suffix(2).map(\.message.subject), ["answer", "r3"],
      "what is urgent goes at once, and takes along what waits")
    let steps = pair.stepCount
    try pair.publish("r4", bytes("x"), as: .readings)
    try pair.drive { pair.server.received.count == 6 }
    XCTAssertLessThan(pair.stepCount - steps, 5)
  }

  func testWhatWaitsIsSentBeforeClosing() throws {
    let pair = try Pair.connected(
      limits: limits {
        $0.batch = .seconds(60)
        $0.budget = DataAllowance(bytes: 10_000, period: .seconds(86_400))
      })
    for number in 0..<5 { try pair.publish("r\(number)", bytes("x"), as: .readings) }
    pair.drain()
    try pair.drive { pair.happenings.contains(.stopped) }
    XCTAssertEqual(pair.server.received.count, 5)
  }

  /// Twenty times more readings than the budget allows: they thin out to the newest, facts and replies
  /// do not wait for them, and the connection does not go in circles.
  func testABudget() throws {
    let allowance = DataAllowance(bytes: 60_000, period: .seconds(3600))
    let pair = try Pair.connected(
      limits: limits {
        $0.budget = allowance
        $0.ping = .seconds(60)
        $0.detect = .seconds(90)
      })
    let begin = pair.now
    let steps = pair.stepCount
    for second in 0..<3600 {
      try pair.publish(
        "reading", bytes("\(second) \(String(repeating: "x", count: 200))"), as: .readings)
      if second % 300 == 0 {
        try pair.publish("fact", bytes("\(second)"), as: .facts)
        try pair.publish("answer", bytes("\(second)"), as: .replies)
      }
      try pair.drive(for: .seconds(1))
    }
    let received = pair.server.received
    for subject in ["fact", "answer"] {
      let arrivals = received.filter { $0.message.subject == subject }.map(\.at)
      XCTAssertEqual(arrivals.count, 12)
      for (index, at) in arrivals.enumerated() {
        XCTAssertLessThan(at - begin, .seconds(Int64(index) * 300 + 1))
      }
    }
    let readings = received.filter { $0.message.subject == "reading" }
    XCTAssertGreaterThan(readings.count, 20)
    XCTAssertLessThan(readings.count, 300)
    for reading in readings {
      let second = reading.message.payload.string.split(separator: " ").first.flatMap { Int64($0) }
      XCTAssertLessThan(reading.at - begin - .seconds(second ?? 0), .seconds(2), "the newest")
    }
    // With what TCP and IP add to each.
    let sent = received.reduce(0) { $0 + $1.message.payload.count + 130 }
    XCTAssertLessThan(sent, 60_000)
    XCTAssertLessThan(pair.stepCount - steps, 6000)
    let budget = try XCTUnwrap(pair.endpoint.connection.gate.budget)
    // An hour's allowance is spent, and 1,000 bytes more at most.
    XCTAssertGreaterThanOrEqual(budget.bytesAvailable(at: pair.now), -1000)
    XCTAssertNotNil(budget.waiting(at: pair.now))
  }

  // MARK: the age of what arrives

  func testTheAgeOfWhatArrives() throws {
    let pair = try Pair.connected()
    let connection = { pair.endpoint.connection.takenAfter }
    XCTAssertEqual(connection(), pair.now - pair.endpoint.link.latency * 2)
    try pair.drive(for: .seconds(5))
    let before = connection()
    pair.endpoint.connection.renewTakenAfter(at: pair.now)
    pair.endpoint.connection.renewTakenAfter(at: pair.now)
    pair.endpoint.flush(at: pair.now)
    let asked = pair.now
    XCTAssertEqual(connection(), before)
    let bytesSent = pair.endpoint.bytesSent
    try pair.drive(for: .milliseconds(10))
    pair.endpoint.connection.renewTakenAfter(at: pair.now)
    pair.endpoint.flush(at: pair.now)
    XCTAssertEqual(pair.endpoint.bytesSent, bytesSent, "one PING is enough")
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(connection(), asked)
    XCTAssertNil(Pair.stopped().endpoint.connection.takenAfter)
    XCTAssertNil(try Pair.waiting().endpoint.connection.takenAfter)
  }

  /// A command that the server kept while the link stood still is known to be old; those that come
  /// behind the PONG are not.
  func testACommandThatStoodStill() throws {
    let pair = try Pair.connected()
    _ = pair.subscribe("siren.set")
    try pair.drive(for: .seconds(12))
    pair.endpoint.isStalled = true
    pair.server.publish("siren.set", bytes("1"), at: pair.now)
    try pair.drive(for: .seconds(9))
    pair.endpoint.isStalled = false
    try pair.drive { pair.payloads == ["1"] }
    let taken = try XCTUnwrap(pair.endpoint.connection.takenAfter)
    XCTAssertGreaterThanOrEqual(pair.now - taken, .seconds(9))
  }
}
