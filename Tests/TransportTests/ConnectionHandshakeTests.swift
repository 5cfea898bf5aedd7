import XCTest

@testable import Transport

/// From the open socket to `connected`, and what is refused on the way.
final class ConnectionHandshakeTests: XCTestCase {
  func testOneWriteCarriesTheHandshake() throws {
    let pair = try Pair.awaitingInfo()
    _ = pair.subscribe("a.*", queueGroup: "q")
    _ = pair.subscribe("b.>")
    XCTAssertEqual(pair.endpoint.bytesSent, 0)
    let client = pair.server.connected[0]
    pair.server.send(raw: bytes(Self.info), to: client)
    let stepsBefore = pair.stepCount
    try pair.drive { pair.endpoint.bytesSent > 0 }
    // The bytes of one write arrive together: in the next step the server knows everything.
    pair.step()
    XCTAssertEqual(pair.stepCount - stepsBefore, 2)
    XCTAssertEqual(pair.server.connectCount(of: client), 1)
    XCTAssertEqual(pair.server.subscriptions(of: client).count, 3)
    XCTAssertEqual(Array(pair.server.subscriptions(of: client).dropFirst()), ["a.* q", "b.>"])
    pair.step()
    XCTAssertTrue(pair.isConnected)
    XCTAssertEqual(pair.server.violations, [])
  }

  /// Where nothing has to be learned from INFO first, a message takes one way and a half: the socket's
  /// handshake and the write behind it.
  func testEarlyWriteCarriesTheFirstMessages() throws {
    let pair = Pair()
    _ = pair.subscribe("a.*", queueGroup: "q")
    try pair.publish("b", bytes("first"))
    let begin = pair.now
    pair.start()
    try pair.drive { pair.server.received.count == 1 }
    XCTAssertEqual(pair.now - begin, pair.endpoint.link.latency * 3)
    let client = pair.server.connected[0]
    XCTAssertEqual(pair.server.connectCount(of: client), 1)
    XCTAssertEqual(Array(pair.server.subscriptions(of: client).dropFirst()), ["a.* q"])
    try pair.drive { pair.isConnected }
    XCTAssertEqual(pair.server.violations, [])
  }

  func testHandshakeInTinyPieces() throws {
    var link = LinkConditions()
    link.pieceBytesMax = 1
    let pair = try Pair.connected(link: link)
    XCTAssertEqual(pair.server.violations, [])
  }

  /// The write buffer holds CONNECT and little more: the rest follows when it has been written.
  func testManySubscriptionsInASmallControlBuffer() throws {
    var limits = ConnectionLimits()
    limits.controlBytes = 256
    let pair = Pair(limits: limits)
    for number in 0..<60 { XCTAssertNotNil(pair.subscribe("subject.number.\(number)")) }
    pair.start()
    try pair.drive { pair.isConnected }
    XCTAssertEqual(pair.server.subscriptions(of: pair.server.connected[0]).count, 61)
    XCTAssertEqual(pair.server.violations, [])
  }

  func testLaterInfoIsNeverAnsweredByConnect() throws {
    var options = ModelServer.Options()
    options.repeatsInfo = true
    let pair = try Pair.connected(server: options)
    try pair.drive(for: .seconds(1))
    pair.server.options.maxPayload = 10
    pair.server.announce()
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.server.connectCount(of: pair.server.connected[0]), 1)
    XCTAssertEqual(pair.server.violations, [])
    XCTAssertEqual(pair.endpoint.connection.serverInfo.maxPayload, 10)
    XCTAssertTrue(pair.isConnected)
  }

  func testTLSRequiredIsRefusedAndRetried() throws {
    var options = ModelServer.Options()
    options.requiresTLS = true
    let pair = Pair(server: options, connectsEarly: false)
    pair.start()
    try pair.drive { pair.disconnects.count == 3 }
    let reason: DisconnectReason = TLSConfiguration.isAvailable ? .tls(.notTLS) : .requiresTLS
    XCTAssertEqual(pair.disconnects, [reason, reason, reason])
    XCTAssertEqual(pair.endpoint.bytesSent, 0)
    pair.server.options.requiresTLS = false
    try pair.drive { pair.isConnected }
  }

  func testServerWithoutHeadersIsRefused() throws {
    var options = ModelServer.Options()
    options.supportsHeaders = false
    options.version = "2.1.9"
    let pair = Pair(server: options)
    pair.start()
    try pair.drive { pair.disconnects == [.lacksHeaders(version: "2.1.9")] }
  }

  func testMalformedInfoClosesAndRetries() throws {
    let pair = try Pair.awaitingInfo()
    pair.server.send(raw: bytes("INFO {\"headers\":1}\r\n"), to: pair.server.connected[0])
    try pair.drive { pair.disconnects.count == 1 }
    guard case .malformedInfo(let error) = pair.disconnects[0] else {
      return XCTFail("\(pair.disconnects)")
    }
    XCTAssertEqual(error.reason, .unexpectedType)
    pair.server.options.isMute = false
    try pair.drive { pair.isConnected }
  }

  func testRefusalIsToldWithTheServersText() throws {
    var options = ModelServer.Options()
    options.refusal = "Authorization Violation"
    let pair = Pair(server: options)
    pair.start()
    try pair.drive { pair.disconnects.count == 1 }
    XCTAssertEqual(pair.disconnects, [.refused(.authentication, "Authorization Violation")])
    XCTAssertTrue(
      pair.happenings.contains(.serverError(.authentication, "Authorization Violation")))
    XCTAssertFalse(pair.happenings.contains(.connected))
    // It never gives up, and takes its time: people have to change something first.
    try pair.drive(within: .seconds(20 * 900)) { pair.disconnects.count == 20 }
    XCTAssertGreaterThanOrEqual(pair.retryDelays.min() ?? .zero, .seconds(30))
    XCTAssertGreaterThanOrEqual(pair.retryDelays.last ?? .zero, .seconds(450))
    pair.server.options.refusal = nil
    try pair.drive(within: .seconds(901)) { pair.isConnected }
  }

  func testSilentServerTimesOutInEachStage() throws {
    let limits = ConnectionLimits()
    let opening = Pair.opening()
    try opening.drive { !opening.disconnects.isEmpty }
    XCTAssertEqual(opening.disconnects, [.openTimedOut])
    XCTAssertEqual(opening.now - Pair.stopped().now, limits.link.timeouts.open)
    for pair in [try Pair.awaitingInfo(), try Pair.awaitingPong()] {
      let begin = pair.now
      try pair.drive { !pair.disconnects.isEmpty }
      XCTAssertEqual(pair.disconnects, [.handshakeTimedOut])
      XCTAssertGreaterThan(pair.now - begin, limits.link.timeouts.info - .seconds(1))
      XCTAssertLessThanOrEqual(pair.now - begin, limits.link.timeouts.info)
    }
  }

  /// A PONG nobody asked for proves nothing.
  func testPongBeforeOurPingDoesNotConnect() throws {
    let pair = try Pair.awaitingInfo()
    pair.server.options.answersPing = false
    pair.server.send(raw: bytes("PONG\r\n" + Self.info + "PONG\r\n"), to: pair.server.connected[0])
    try pair.drive(for: .seconds(1))
    XCTAssertFalse(pair.isConnected)
    XCTAssertFalse(pair.happenings.contains(.connected))
  }

  func testSeveralServersAreTriedInTurn() throws {
    let pair = Pair(seed: 5, servers: 3)
    pair.endpoint.reachability = [.refusing, .refusing, .refusing]
    pair.start()
    try pair.drive { pair.disconnects.count == 6 }
    let order = pair.happenings.compactMap { happening -> Int? in
      if case .opening(let server) = happening { return server }
      return nil
    }
    XCTAssertEqual(Set(order.prefix(3)), [0, 1, 2])
    XCTAssertEqual(Array(order.prefix(3)), Array(order.dropFirst(3).prefix(3)))
  }

  func testFirstServerIsChosenBySeed() {
    var first: Set<Int> = []
    for seed in 0..<20 {
      let pair = Pair(seed: UInt64(seed), servers: 3)
      pair.start()
      if case .opening(let server) = pair.happenings.first { first.insert(server) }
    }
    XCTAssertEqual(first, [0, 1, 2])
  }

  static let info =
    #"INFO {"server_id":"X","version":"2.10.0","headers":true,"max_payload":1048576}"# + "\r\n"
}
