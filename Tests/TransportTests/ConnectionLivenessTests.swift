import XCTest

@testable import Transport

/// How a connection notices that the link is dead, and how it comes back.
final class ConnectionLivenessTests: XCTestCase {
  private let limits = ConnectionLimits()

  func testHalfOpenDeathIsDetectedInTimeAndNotBefore() throws {
    let pair = try Pair.connected()
    let lastHeard = pair.now
    pair.endpoint.lose()
    try pair.drive { !pair.isConnected }
    XCTAssertEqual(pair.now - lastHeard, limits.link.detect)
    XCTAssertEqual(pair.disconnects, [.silent(limits.link.detect)])
    try pair.drive { pair.isConnected }
  }

  func testIdleConnectionLivesOnPings() throws {
    let pair = try Pair.connected()
    let steps = pair.stepCount
    try pair.drive(for: .seconds(3600))
    XCTAssertTrue(pair.isConnected)
    XCTAssertEqual(pair.disconnects, [])
    // An hour has 360 PINGs: a wakeup, the PING's arrival, the PONG's arrival.
    XCTAssertLessThanOrEqual(pair.stepCount - steps, 3 * 361)
  }

  /// The PONG waits behind data on a slow link; the data is life enough.
  func testAnyByteIsLife() throws {
    let pair = try Pair.connected()
    pair.server.options.answersPing = false
    for _ in 0..<100 {
      try pair.drive(for: (limits.link.detect - limits.link.ping) - .seconds(1))
      pair.server.send(raw: bytes("+"), to: pair.server.connected[0])
      try pair.drive(for: .milliseconds(500))
      pair.server.send(raw: bytes("OK\r\n"), to: pair.server.connected[0])
      XCTAssertTrue(pair.isConnected)
    }
    try pair.drive { !pair.isConnected }
  }

  /// What we send ourselves says nothing about the link.
  func testPublishingIsNoLife() throws {
    let pair = try Pair.connected()
    let lastHeard = pair.now
    pair.endpoint.lose()
    while pair.isConnected, pair.now - lastHeard < .seconds(60) {
      try pair.publish("a", bytes("x"))
      try pair.drive(for: .seconds(1))
    }
    XCTAssertEqual(pair.now - lastHeard, limits.link.detect)
  }

  func testServersPingIsAnswered() throws {
    var options = ModelServer.Options()
    options.pingInterval = .seconds(7)
    let pair = try Pair.connected(server: options)
    try pair.drive(for: .seconds(600))
    XCTAssertTrue(pair.isConnected)
    XCTAssertEqual(pair.disconnects, [])
    XCTAssertEqual(pair.server.violations, [])
  }

  /// PONGs of a whole burst are owed even when the write buffer cannot take them at once.
  func testBurstOfPingsIsAnsweredInFull() throws {
    var limits = ConnectionLimits()
    limits.controlBytes = 256
    let pair = try Pair.connected(limits: limits)
    pair.endpoint.link.sendBufferBytes = 100
    let before = pair.server.bytesReceived
    pair.server.send(
      raw: bytes(String(repeating: "PING\r\n", count: 500)), to: pair.server.connected[0])
    try pair.drive(for: .seconds(10))
    XCTAssertEqual(pair.server.bytesReceived - before, 500 * 6)
  }

  /// Our PING must not wait for ever behind messages that keep coming.
  func testPingGoesBeforeWaitingMessages() throws {
    let pair = try Pair.connected()
    pair.endpoint.link.sendBufferBytes = 0
    for _ in 0..<20 { try pair.publish("a", bytes("x"), as: .replies, expiresIn: .seconds(600)) }
    let later = pair.now + limits.link.ping
    pair.endpoint.connection.handleDeadline(at: later)
    var written: [UInt8] = []
    let wire = try XCTUnwrap(pair.endpoint.wires.first)
    _ = pair.endpoint.connection.send(over: wire.id, at: later) { pieces in
      pieces.forEach { written.append($0) }
      return pieces.byteCount
    }
    XCTAssertTrue(written.string.hasPrefix("PING\r\nPUB"))
  }

  // MARK: reconnecting

  func testBackoffGrowsAndStaysUnderItsCap() throws {
    let pair = Pair(seed: 11)
    pair.endpoint.reachability = [.refusing]
    pair.start()
    try pair.drive { pair.disconnects.count == 40 }
    let delays = pair.retryDelays
    for (index, delay) in delays.enumerated() {
      let bound = min(
        limits.backoffFirst * (Int64(1) << min(Int64(index), 20)), limits.link.backoffCap)
      XCTAssertLessThanOrEqual(delay, bound)
      if index >= 2 { XCTAssertGreaterThanOrEqual(delay * 4, bound) }
    }
    XCTAssertGreaterThan(delays.suffix(10).max() ?? .zero, limits.link.backoffCap - .seconds(5))
  }

  func testBackoffResetsOnlyAfterAUsefulConnection() throws {
    let pair = try Pair.connected(seed: 3)
    for count in 1...12 {
      try pair.drive(for: .seconds(1))
      pair.endpoint.cut()
      try pair.drive { pair.isConnected && pair.disconnects.count == count }
    }
    // Connections of a second each: the bound has grown to the cap, a quarter of which is the least.
    XCTAssertGreaterThanOrEqual(pair.retryDelays.last ?? .zero, .milliseconds(3750))
    try pair.drive(for: limits.usefulAfter)
    pair.endpoint.cut()
    try pair.drive(for: .milliseconds(1))
    XCTAssertLessThanOrEqual(pair.retryDelays.last ?? .zero, limits.backoffFirst)
  }

  func testResubscribesWithQueueGroups() throws {
    let pair = try Pair.connected()
    let gone = pair.subscribe("gone")
    _ = pair.subscribe("work.*", queueGroup: "workers")
    _ = pair.subscribe("news.>")
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.server.subscriptions(of: pair.server.connected[0]).count, 4)
    pair.unsubscribe(try XCTUnwrap(gone))
    try pair.drive(for: .seconds(1))
    pair.endpoint.cut()
    let late = pair.subscribe("late")
    pair.unsubscribe(try XCTUnwrap(late))
    try pair.drive { pair.isConnected && pair.disconnects.count == 1 }
    try pair.drive(for: .seconds(1))
    let subscriptions = pair.server.subscriptions(of: pair.server.connected[0])
    XCTAssertEqual(Array(subscriptions.dropFirst()), ["work.* workers", "news.>"])
    XCTAssertEqual(pair.server.violations, [])
  }

  /// Removed just before the cut: the UNSUB is lost, and the subscription must not come back.
  func testUnsubscribedWhileTheLinkDiesStaysAway() throws {
    let pair = try Pair.connected()
    let sid = try XCTUnwrap(pair.subscribe("a"))
    try pair.drive(for: .seconds(1))
    pair.endpoint.lose()
    pair.unsubscribe(sid)
    try pair.drive { pair.isConnected && pair.disconnects.count == 1 }
    XCTAssertEqual(
      pair.server.subscriptions(of: try XCTUnwrap(pair.server.connected.last)).count, 1)
  }

  /// Half a frame in either direction dies with its connection.
  func testHalfFramesDoNotReachTheNextConnection() throws {
    let pair = try Pair.connected()
    _ = pair.subscribe("a")
    try pair.drive(for: .seconds(1))
    pair.server.send(raw: bytes("MSG a 2 100\r\nhalf a pay"), to: pair.server.connected[0])
    pair.endpoint.link.sendBufferBytes = 10
    try pair.publish("b", [UInt8](repeating: 0x78, count: 1000))
    try pair.drive(for: .milliseconds(21))
    pair.endpoint.cut()
    pair.endpoint.link.sendBufferBytes = 1 << 16
    try pair.drive { pair.isConnected && pair.disconnects.count == 1 }
    try pair.drive(for: .seconds(1))
    pair.server.publish("a", bytes("whole"), at: pair.now)
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.payloads, ["whole"])
    XCTAssertEqual(pair.server.violations, [])
    XCTAssertEqual(pair.disconnects.count, 1)
  }

  func testMalformedFrameClosesAndReconnects() throws {
    let pair = try Pair.connected()
    pair.server.send(raw: bytes("NONSENSE\r\nPING\r\n"), to: pair.server.connected[0])
    try pair.drive { pair.isConnected && pair.disconnects.count == 1 }
    XCTAssertEqual(pair.disconnects, [.malformedFrame(.unknownOperation)])
    XCTAssertEqual(pair.server.clientCount, 2)
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.server.connected.count, 1)
  }

  func testErrorsThatCloseAndErrorsThatDoNot() throws {
    let closing: [(String, ServerError)] = [
      ("Authorization Violation", .authentication),
      ("User Authentication Expired", .authentication), ("Stale Connection", .staleConnection),
      ("maximum connections exceeded", .overloaded), ("Maximum Payload Violation", .violation),
      ("something new", .unknown),
    ]
    for (text, error) in closing {
      let pair = try Pair.connected()
      pair.server.close(pair.server.connected[0], saying: text)
      try pair.drive { !pair.disconnects.isEmpty }
      XCTAssertEqual(pair.disconnects, [.refused(error, text)])
      XCTAssertTrue(pair.happenings.contains(.serverError(error, text)))
      try pair.drive { pair.isConnected }
    }
    let harmless: [(String, ServerError)] = [
      ("Permissions Violation for Publish to \"a\"", .permission),
      ("Permissions Violation for Subscription to \"a\"", .permission),
      ("Invalid Publish Subject", .operation), ("maximum subscriptions exceeded", .operation),
      ("something new", .unknown),
    ]
    for (text, error) in harmless {
      let pair = try Pair.connected()
      pair.server.send(raw: bytes("-ERR '\(text)'\r\n"), to: pair.server.connected[0])
      try pair.drive(for: .seconds(60))
      XCTAssertTrue(pair.isConnected)
      XCTAssertEqual(pair.happenings.last, .serverError(error, text))
      // A later end of the connection has another reason.
      pair.server.close(pair.server.connected[0])
      try pair.drive { !pair.disconnects.isEmpty }
      XCTAssertEqual(pair.disconnects, [.closedByServer])
    }
  }
}

extension Pair {
  /// How long was waited after each disconnect.
  var retryDelays: [Duration] {
    happenings.compactMap {
      if case .disconnected(_, let retryIn) = $0 { return retryIn }
      return nil
    }
  }
}
