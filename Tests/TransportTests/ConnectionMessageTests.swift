import XCTest

@testable import Transport

/// Messages, requests and drain over a connection that comes and goes.
final class ConnectionMessageTests: XCTestCase {
  // MARK: publishing

  func testQueuedWhileDownAndSentInOrder() throws {
    let pair = Pair.stopped()
    for number in 0..<20 { try pair.publish("a", bytes("\(number)")) }
    pair.start()
    try pair.drive { pair.server.received.count == 20 }
    XCTAssertEqual(pair.server.received.map(\.message.payload.string), (0..<20).map(String.init))
    XCTAssertEqual(pair.endpoint.connection.statistics.messagesOut, 20)
    XCTAssertEqual(pair.bulk.expired, 0)
  }

  func testNothingIsSentAfterItsExpiry() throws {
    let pair = try Pair.connected(seed: 4)
    pair.endpoint.reachability = [.refusing]
    pair.endpoint.cut()
    try pair.drive(for: .milliseconds(1))
    for seconds in 1...10 {
      try pair.publish("a", bytes("\(seconds)"), expiresIn: .seconds(Int64(seconds) * 10))
    }
    try pair.drive(for: .seconds(55))
    pair.endpoint.heal()
    try pair.drive { pair.isConnected }
    try pair.drive(for: .seconds(1))
    let payloads = pair.server.received.map { Int($0.message.payload.string) ?? 0 }
    XCTAssertEqual(payloads, Array(((payloads.first ?? 99)...10)))
    XCTAssertGreaterThanOrEqual(payloads[0], 6)
    XCTAssertEqual(pair.bulk.expired, UInt64(10 - payloads.count))
  }

  /// The count is right while there is no connection, too.
  func testExpiredAreCountedWhileDown() throws {
    let pair = Pair.stopped()
    for _ in 0..<8 { try pair.publish("a", bytes("x"), expiresIn: .seconds(1)) }
    try pair.drive(for: .seconds(2))
    pair.start()
    try pair.drive(for: .seconds(2))
    XCTAssertEqual(pair.bulk.expired, 8)
    XCTAssertEqual(pair.server.received, [])
  }

  func testFullOutboxRefusesAndForgetsExpiredFirst() throws {
    var limits = ConnectionLimits()
    limits.bulk.bytes = 512
    let pair = Pair(limits: limits)
    for _ in 0..<limits.bulk.messagesMax {
      try pair.publish("a", bytes("x"), expiresIn: .seconds(5))
    }
    XCTAssertThrowsError(try pair.publish("a", bytes("y"))) {
      XCTAssertEqual($0 as? PublishError, .outboxFull)
    }
    try pair.drive(for: .seconds(5))
    try pair.publish("a", bytes("z"))
  }

  func testWhatCanNeverBeSentIsRefused() throws {
    var limits = ConnectionLimits()
    limits.bulk.bytes = 8192
    let pair = try Pair.connected(limits: limits)
    func refusal(_ subject: String, reply: String = "", _ payload: [UInt8] = []) -> PublishError? {
      do throws(PublishError) { try pair.publish(subject, reply: reply, payload) } catch {
        return error
      }
      return nil
    }
    for subject in ["", ".", "a.", ".a", "a..b", "a b", "a\r\nPING", "a.*", "a.>", "\u{7F}"] {
      XCTAssertEqual(refusal(subject), .invalidSubject, subject)
      XCTAssertEqual(refusal("a", reply: subject), subject == "" ? nil : .invalidSubject, subject)
    }
    XCTAssertEqual(
      refusal("a", [UInt8](repeating: 0, count: 8192)), .tooLarge(size: 8206, limit: 8192))
    // A caller that chooses a long reply subject must not be able to cut the host off.
    let longest = String(repeating: "x", count: 4096 - "PUB  0\r\n".utf8.count)
    XCTAssertEqual(refusal(longest), nil)
    XCTAssertEqual(refusal(longest + "x"), .tooLarge(size: 4097, limit: 4096))
    XCTAssertEqual(refusal("a", reply: longest), .tooLarge(size: 4098, limit: 4096))
    pair.server.options.maxPayload = 100
    pair.server.announce()
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(
      refusal("a", [UInt8](repeating: 0, count: 101)), .tooLarge(size: 101, limit: 100))
    XCTAssertEqual(refusal("a", [UInt8](repeating: 0, count: 100)), nil)
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.server.violations, [])
    XCTAssertTrue(pair.isConnected)
  }

  func testSubscriptionsNoServerTakesAreRefused() throws {
    let pair = try Pair.connected()
    XCTAssertNil(pair.subscribe("a", queueGroup: "two words"))
    XCTAssertNil(pair.subscribe("a", queueGroup: "q\r\nPUB b 0\r\n"))
    XCTAssertNil(pair.subscribe(String(repeating: "x", count: 5000)))
    XCTAssertNotNil(pair.subscribe(String(repeating: "x", count: 4000)))
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.server.violations, [])
    XCTAssertTrue(pair.isConnected)
    var limits = ConnectionLimits()
    limits.subscriptionsMax = 2
    let small = Pair(limits: limits)
    XCTAssertNotNil(small.subscribe("a"))
    XCTAssertNotNil(small.subscribe("b"))
    XCTAssertNil(small.subscribe("c"))
  }

  // MARK: receiving

  func testLargeMessagesArePassedOverAndReported() throws {
    var limits = ConnectionLimits()
    limits.readBufferBytes = 4096
    let pair = try Pair.connected(limits: limits)
    let sid = try XCTUnwrap(pair.subscribe("a.*"))
    let unwanted = try XCTUnwrap(pair.subscribe("b"))
    try pair.drive(for: .seconds(1))
    pair.server.publish("a.1", reply: "r", [UInt8](repeating: 0x0A, count: 100_000), at: pair.now)
    pair.server.publish("b", [UInt8](repeating: 0x0A, count: 100_000), at: pair.now)
    pair.server.publish("a.2", bytes("next"), at: pair.now)
    pair.unsubscribe(unwanted)
    try pair.drive { pair.payloads == ["next"] }
    XCTAssertEqual(
      Array(pair.happenings.dropFirst(2)),
      [
        .oversized(subject: "a.1", reply: "r", size: 100_000),
        .message(
          Endpoint.Message(
            subscription: sid, subject: "a.2", reply: "", headers: [], payload: bytes("next"))),
      ])
    XCTAssertEqual(pair.endpoint.connection.statistics.oversizedIn, 2)
  }

  func testMessagesAfterUnsubscribeAreNotDelivered() throws {
    let pair = try Pair.connected()
    let sid = try XCTUnwrap(pair.subscribe("a"))
    try pair.drive(for: .seconds(1))
    pair.server.publish("a", bytes("on its way"), at: pair.now)
    pair.unsubscribe(sid)
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.payloads, [])
    XCTAssertEqual(pair.server.violations, [])
  }

  // MARK: requests

  func testRequestAndResponse() throws {
    let pair = try Pair.connected()
    pair.server.respond("double") { $0.payload + $0.payload }
    let first = try pair.request("double", bytes("a"))
    let second = try pair.request("double", bytes("b"))
    XCTAssertNotEqual(first, second)
    try pair.drive { pair.ends.count == 2 }
    XCTAssertEqual(pair.ends.map(\.id), [first, second])
    XCTAssertEqual(pair.responses, ["aa", "bb"])
  }

  func testNoRespondersIsToldAtOnce() throws {
    let pair = try Pair.connected()
    let id = try pair.request("nobody")
    try pair.drive(within: .milliseconds(100)) { !pair.ends.isEmpty }
    XCTAssertEqual(pair.happenings.last, .requestFailed(id, .noResponders))
  }

  func testRequestTimesOutAndALateAnswerIsCounted() throws {
    let pair = try Pair.connected()
    var replies: [String] = []
    pair.server.listen("slow") { message, _ in replies.append(message.reply ?? "") }
    let id = try pair.request("slow", timeout: .seconds(2))
    let begin = pair.now
    try pair.drive { !pair.ends.isEmpty }
    XCTAssertEqual(pair.happenings.last, .requestFailed(id, .timedOut))
    XCTAssertEqual(pair.now - begin, .seconds(2))
    let next = try pair.request("slow", timeout: .seconds(2))
    pair.server.publish(replies[0], bytes("late"), at: pair.now)
    try pair.drive { pair.ends.count == 2 }
    XCTAssertEqual(pair.happenings.last, .requestFailed(next, .timedOut))
    XCTAssertEqual(pair.endpoint.connection.statistics.lateResponses, 1)
  }

  func testDisconnectEndsRequests() throws {
    let pair = try Pair.connected()
    pair.server.listen("slow") { _, _ in }
    let ids = [try pair.request("slow"), try pair.request("slow")]
    pair.endpoint.cut()
    try pair.drive { pair.ends.count == 2 }
    XCTAssertEqual(pair.ends.map(\.id), ids)
    XCTAssertTrue(pair.happenings.contains(.requestFailed(ids[1], .disconnected)))
    XCTAssertThrowsError(try pair.request("slow")) {
      XCTAssertEqual($0 as? PublishError, .notConnected)
    }
  }

  /// A request that was reported as failed is not sent by the next connection.
  func testUnsentRequestsDieWithTheirConnection() throws {
    let pair = try Pair.connected()
    pair.endpoint.link.sendBufferBytes = 0
    try pair.publish("fact", bytes("kept"), expiresIn: .seconds(600))
    for _ in 0..<2 {
      _ = try pair.request(
        "relay.set", [UInt8](repeating: 0x78, count: 4000), timeout: .seconds(60))
    }
    pair.endpoint.cut()
    try pair.drive { pair.disconnects.count == 1 }
    pair.endpoint.link.sendBufferBytes = 1 << 16
    try pair.publish("fact", bytes("later"), expiresIn: .seconds(600))
    try pair.drive { pair.isConnected }
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.server.received.map(\.message.payload.string), ["kept", "later"])
    XCTAssertEqual(pair.ends.count, 2)
  }

  func testRequestsAreBounded() throws {
    var limits = ConnectionLimits()
    limits.requestsMax = 3
    let pair = try Pair.connected(limits: limits)
    pair.server.listen("slow") { _, _ in }
    for _ in 0..<3 { _ = try pair.request("slow") }
    XCTAssertThrowsError(try pair.request("slow")) {
      XCTAssertEqual($0 as? PublishError, .tooManyRequests)
    }
    XCTAssertThrowsError(try pair.request("no subject")) {
      XCTAssertEqual($0 as? PublishError, .tooManyRequests)
    }
    try pair.drive { pair.ends.count == 3 }
    // A request that could not be queued holds no slot.
    for _ in 0..<5 { XCTAssertThrowsError(try pair.request("no subject")) }
    for _ in 0..<3 { _ = try pair.request("slow") }
  }

  // MARK: drain

  func testDrainDeliversWhatWasQueued() throws {
    var limits = ConnectionLimits()
    limits.bulk.bytes = 32 * 1024
    let pair = try Pair.connected(limits: limits)
    pair.endpoint.link.bytesPerSecond = 100_000
    pair.endpoint.link.sendBufferBytes = 2048
    for number in 0..<20 {
      try pair.publish("a", bytes("\(number)") + [UInt8](repeating: 0x20, count: 1000))
    }
    pair.drain()
    XCTAssertFalse(pair.isConnected)
    try pair.drive { pair.endpoint.connection.isStopped }
    XCTAssertEqual(pair.server.received.count, 20)
    XCTAssertEqual(pair.happenings.last, .stopped)
    try pair.drive(for: .seconds(60))
    XCTAssertEqual(pair.server.connected.count, 0)
    XCTAssertEqual(pair.server.clientCount, 1)
    XCTAssertNil(pair.endpoint.connection.deadline)
    // It can be started again.
    pair.start()
    try pair.drive { pair.isConnected }
  }

  /// The PONG of a PING sent before must not pass for the last one.
  func testDrainIsNotEndedByAnEarlierPong() throws {
    let pair = try Pair.connected()
    pair.endpoint.link.latency = .milliseconds(100)
    let pinged = pair.endpoint.bytesSent
    try pair.drive { pair.endpoint.bytesSent > pinged }
    try pair.drive(for: .milliseconds(150))
    // The PONG arrives in 50 ms; this takes 100 ms, and the rest of the batch longer.
    pair.endpoint.link.sendBufferBytes = 1000
    for number in 0..<10 {
      try pair.publish("a", bytes("\(number)") + [UInt8](repeating: 0x20, count: 500))
    }
    pair.drain()
    try pair.drive { pair.endpoint.connection.isStopped }
    XCTAssertEqual(pair.server.received.count, 10)
  }

  func testDrainIsBoundedByItsTimeout() throws {
    let pair = try Pair.draining()
    let begin = pair.now
    try pair.drive { pair.endpoint.connection.isStopped }
    XCTAssertEqual(pair.now - begin, ConnectionLimits().drainTimeout)
    XCTAssertEqual(pair.happenings.last, .stopped)
  }

  func testDrainingAcceptsNothingAndEndsWhateverHappens() throws {
    let refusing = try Pair.draining()
    XCTAssertThrowsError(try refusing.publish("a", bytes("x"))) {
      XCTAssertEqual($0 as? PublishError, .notConnected)
    }
    for nonsense in ["NONSENSE\r\n", "INFO {]\r\n", "-ERR 'Stale Connection'\r\n"] {
      let pair = try Pair.draining()
      pair.server.send(raw: bytes(nonsense), to: pair.server.connected[0])
      try pair.drive { pair.endpoint.connection.isStopped }
      XCTAssertEqual(pair.happenings.last, .stopped, nonsense)
      XCTAssertNil(pair.endpoint.connection.deadline)
    }
  }

  func testDrainEndsRequestsOnce() throws {
    let pair = try Pair.connected()
    pair.server.listen("slow") { _, _ in }
    let id = try pair.request("slow")
    pair.drain()
    try pair.drive { pair.endpoint.connection.isStopped }
    XCTAssertEqual(pair.ends.map(\.id), [id])
  }
}

extension Pair {
  /// The ends of requests, in order.
  var ends: [(id: RequestID, at: Instant)] {
    journal.compactMap {
      switch $0.happening {
      case .response(let id, _), .requestFailed(let id, _): return (id, $0.at)
      default: return nil
      }
    }
  }

  /// What became of the messages of the class that tests publish in.
  var bulk: QueueStatistics { endpoint.connection.queueStatus(of: .bulk).statistics }

  var responses: [String] {
    happenings.compactMap {
      if case .response(_, let message) = $0 { return message.payload.string }
      return nil
    }
  }
}
