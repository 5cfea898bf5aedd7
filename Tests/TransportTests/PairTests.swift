import XCTest

@testable import Transport

/// The simulation itself: that it carries bytes, time and faults as it says.
final class PairTests: XCTestCase {
  func testConnects() throws {
    let pair = try Pair.connected()
    XCTAssertEqual(pair.happenings, [.opening(server: 0), .connected])
    XCTAssertEqual(pair.server.violations, [])
    // Opening takes a round trip, CONNECT and PONG another.
    XCTAssertEqual((pair.now - Pair.stopped().now).milliseconds, 80)
  }

  func testCarriesMessagesBothWays() throws {
    let pair = try Pair.connected()
    XCTAssertNotNil(pair.subscribe("a.*"))
    try pair.drive(for: .seconds(1))
    pair.server.publish("a.b", bytes("down"), at: pair.now)
    try pair.publish("c", bytes("up"))
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.payloads, ["down"])
    XCTAssertEqual(pair.server.received.map(\.message.payload.string), ["down", "up"])
  }

  func testSameSeedSameRun() throws {
    func run(_ seed: UInt64) throws -> [Endpoint.Record] {
      var link = LinkConditions()
      link.jitter = .milliseconds(300)
      link.pieceBytesMax = 7
      let pair = try Pair.connected(seed: seed, link: link)
      pair.endpoint.cut()
      try pair.drive { pair.isConnected && pair.disconnects.count == 1 }
      return pair.journal
    }
    XCTAssertEqual(try run(3), try run(3))
    XCTAssertNotEqual(try run(3), try run(4))
  }

  func testRateDelaysBytes() throws {
    let pair = try Pair.connected()
    pair.endpoint.link.bytesPerSecond = 1000
    let begin = pair.now
    try pair.publish("a", [UInt8](repeating: 0, count: 2000 - 14))
    try pair.drive { pair.server.received.count == 1 }
    XCTAssertEqual((pair.now - begin).milliseconds, 2020)
  }

  func testStallHoldsBytesAndLosesNone() throws {
    let pair = try Pair.connected()
    pair.endpoint.isStalled = true
    try pair.publish("a", bytes("1"))
    try pair.drive(for: .seconds(5))
    XCTAssertEqual(pair.server.received, [])
    pair.endpoint.isStalled = false
    try pair.drive { pair.server.received.count == 1 }
  }

  func testLossIsSilentAndCutIsNot() throws {
    let lost = try Pair.connected()
    lost.endpoint.lose()
    try lost.drive(for: .seconds(5))
    XCTAssertTrue(lost.isConnected)
    XCTAssertEqual(lost.server.connected.count, 1)
    let cut = try Pair.connected()
    cut.endpoint.cut()
    try cut.drive(for: .milliseconds(1))
    XCTAssertFalse(cut.isConnected)
    XCTAssertEqual(cut.server.connected.count, 0)
  }

  func testDriveIsBounded() throws {
    let pair = try Pair.connected(seed: 42)
    XCTAssertThrowsError(try pair.drive(within: .seconds(60)) { false }) {
      XCTAssertTrue("\($0)".hasPrefix("seed 42: not reached within 60 s"), "\($0)")
    }
    XCTAssertThrowsError(try pair.drive(stepsMax: 3) { false }) {
      XCTAssertTrue("\($0)".hasPrefix("seed 42: not reached in 3 steps"), "\($0)")
    }
  }

  /// The model notices what no client may do; otherwise "no violations" would mean nothing.
  func testModelServerNoticesViolations() {
    let cases: [(String, String)] = [
      ("PING\r\n", "an operation before CONNECT: ping"),
      ("CONNECT {}\r\n", "CONNECT asks for +OK or for checks"),
      ("CONNECT x\r\n", "CONNECT is no JSON"),
      ("ping\r\n", "unknown operation: ping"),
      ("CONNECT {}\r\nCONNECT {}\r\n", "a second CONNECT"),
      ("CONNECT {}\r\nSUB a 1\r\nSUB b 1\r\n", "a second SUB for sid 1"),
      ("CONNECT {}\r\nUNSUB 1\r\n", "UNSUB of unknown sid 1"),
      ("CONNECT {}\r\nPUB a  1\r\nx\r\n", "no subject: "),
      ("CONNECT {}\r\nPUB a 01\r\nx\r\n", "no number: 01"),
      ("CONNECT {}\r\nPUB a 1\r\nxyz", "payload not followed by CRLF"),
      ("CONNECT {}\r\nPUB a 9\r\n123456789\r\n", "a message over max_payload"),
      ("CONNECT {}\nPING\n", "line feed without carriage return"),
    ]
    for (input, violation) in cases {
      var options = ModelServer.Options()
      options.maxPayload = 8
      let server = ModelServer(options: options)
      let now = Instant(nanoseconds: 0)
      server.receive(bytes(input), from: server.accept(at: now), at: now)
      XCTAssertTrue(
        server.violations.contains("client 1: \(violation)"), "\(input): \(server.violations)")
    }
  }

  func testModelServerClosesSilentClients() {
    var options = ModelServer.Options()
    options.pingInterval = .seconds(10)
    let server = ModelServer(options: options)
    var now = Instant(nanoseconds: 0)
    let client = server.accept(at: now)
    while let deadline = server.deadline {
      now = deadline
      server.handleDeadline(at: now)
    }
    XCTAssertEqual(now, Instant(nanoseconds: 30_000_000_000))
    XCTAssertTrue(server.isClosed(client))
    XCTAssertTrue(server.takeOutput(of: client).string.hasSuffix("-ERR 'Stale Connection'\r\n"))
  }

  func testModelServerQueueGroupGetsOneCopy() {
    let server = ModelServer()
    let now = Instant(nanoseconds: 0)
    let clients = [server.accept(at: now), server.accept(at: now)]
    for client in clients {
      server.receive(
        bytes("CONNECT {\"verbose\":false}\r\nSUB a q 1\r\nSUB > 2\r\n"), from: client, at: now)
    }
    XCTAssertEqual(server.publish("a", bytes("x"), at: now), 3)
  }
}
