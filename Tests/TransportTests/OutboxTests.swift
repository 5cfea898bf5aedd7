import XCTest

@testable import Transport

/// The queue of one class, and what the classes are to each other.
final class OutboxTests: XCTestCase {
  private func instant(_ seconds: Int64) -> Instant {
    Instant(nanoseconds: seconds * 1_000_000_000)
  }

  private func queue(_ bytes: Int, _ policy: FullPolicy = .refuse) -> OutboundQueue {
    OutboundQueue(QueueLimits(bytes: bytes, whenFull: policy))
  }

  private func append(
    _ payload: String, to subject: String = "s", expires: Int64 = 9, isRequest: Bool = false,
    at now: Int64 = 0, _ queue: OutboundQueue
  ) -> Bool {
    let subject = bytes(subject)
    let none: [UInt8] = []
    let payload = bytes(payload)
    let message = OutgoingMessage(
      subject: subject.span, reply: none.span, headers: none.span, payload: payload.span)
    return queue.append(
      message, length: message.frameLength, expires: instant(expires), isRequest: isRequest,
      at: instant(now))
  }

  /// What the pieces hold.
  private func contents(_ pieces: OutputPieces) -> [UInt8] {
    var all: [UInt8] = []
    pieces.forEach { all.append($0) }
    XCTAssertEqual(all.count, pieces.byteCount)
    return all
  }

  /// The payloads that are written at a time, all of which the socket takes.
  private func written(
    _ queue: OutboundQueue, at now: Int64 = 0, limit: Int = 4096
  ) throws -> [String] {
    queue.dropExpired(at: instant(now))
    var pieces = OutputPieces()
    queue.append(to: &pieces, limit: limit)
    let payloads = try payloads(contents(pieces))
    XCTAssertEqual(queue.consume(pieces.byteCount), 0)
    return payloads
  }

  private func payloads(_ bytes: [UInt8]) throws -> [String] {
    var reader = ClientOperationReader()
    reader.append(bytes)
    var payloads: [String] = []
    while case .publish(_, _, _, let payload) = try reader.next() {
      payloads.append(payload.string)
    }
    XCTAssertTrue(reader.isEmpty)
    return payloads
  }

  // MARK: one queue

  func testOldestFirst() throws {
    let queue = queue(1000)
    for payload in ["a", "b", "c"] { XCTAssertTrue(append(payload, queue)) }
    XCTAssertEqual(try written(queue), ["a", "b", "c"])
    XCTAssertTrue(queue.isEmpty)
    XCTAssertEqual(queue.byteCount, 0)
    XCTAssertEqual(queue.statistics.accepted, 3)
  }

  func testExpiredAreLeftOutWhereverTheyAre() throws {
    let queue = queue(1000)
    for (payload, expires) in [("a", 1), ("b", 9), ("c", 1), ("d", 5), ("e", 6)] {
      XCTAssertTrue(append(payload, expires: Int64(expires), queue))
    }
    // At its instant of expiry a message is gone.
    XCTAssertEqual(try written(queue, at: 5), ["b", "e"])
    XCTAssertEqual(queue.statistics.expired, 3)
    XCTAssertTrue(queue.isEmpty)
  }

  func testFullByBytes() {
    let queue = queue(32)
    XCTAssertTrue(append("12345", queue))  // PUB s 5, 16 bytes
    XCTAssertTrue(append("12345", queue))
    XCTAssertFalse(append("", queue))
    XCTAssertEqual(queue.count, 2)
    XCTAssertEqual(queue.statistics.refused, 1)
  }

  func testFullByMessagesForgetsTheExpiredFirst() {
    let queue = queue(256)
    for number in 0..<8 { XCTAssertTrue(append("a", expires: number == 3 ? 1 : 9, queue)) }
    XCTAssertFalse(append("b", queue))
    XCTAssertTrue(append("b", at: 1, queue))
    XCTAssertEqual(queue.statistics.expired, 1)
  }

  func testOldestMakesRoom() throws {
    let queue = queue(48, .dropOldest)
    for payload in ["11111", "22222", "33333", "44444"] { XCTAssertTrue(append(payload, queue)) }
    XCTAssertEqual(queue.statistics.dropped, 1)
    XCTAssertEqual(try written(queue), ["22222", "33333", "44444"])
    // Larger than two of the old ones.
    for payload in ["11111", "22222", "33333"] { XCTAssertTrue(append(payload, queue)) }
    XCTAssertTrue(append(String(repeating: "x", count: 20), queue))
    XCTAssertEqual(try written(queue), ["33333", String(repeating: "x", count: 20)])
  }

  func testNewerTakesThePlaceOfTheSameSubject() throws {
    let queue = queue(1000, .newest)
    for (subject, payload) in [("t.1", "a"), ("t.2", "b"), ("t.1", "c"), ("t.10", "d")] {
      XCTAssertTrue(append(payload, to: subject, queue))
    }
    XCTAssertEqual(queue.statistics.replaced, 1)
    XCTAssertEqual(try written(queue), ["b", "c", "d"])
  }

  func testWhatWasBegunIsNeitherReplacedNorDroppedNorExpired() throws {
    let queue = queue(48, .newest)
    XCTAssertTrue(append("11111", expires: 1, queue))
    var pieces = OutputPieces()
    queue.append(to: &pieces, limit: 1000)
    let head = contents(pieces).prefix(10)
    XCTAssertEqual(queue.consume(10), 0)
    XCTAssertEqual(queue.begunRest, 6)
    XCTAssertTrue(append("22222", queue))
    XCTAssertTrue(append("33333", to: "t", queue))
    XCTAssertTrue(append("44444", to: "u", queue))
    queue.dropExpired(at: instant(5))
    pieces = OutputPieces()
    queue.appendBegun(to: &pieces)
    XCTAssertEqual(pieces.byteCount, 6)
    queue.append(to: &pieces, limit: 1000)
    XCTAssertEqual(try payloads(head + contents(pieces)), ["11111", "33333", "44444"])
    XCTAssertEqual(queue.consume(pieces.byteCount), 0)
    XCTAssertTrue(queue.isEmpty)
  }

  /// The next link gets a frame from its first byte.
  func testBegunIsSentWholeOnTheNextLink() throws {
    let queue = queue(1000)
    XCTAssertTrue(append("fact", queue))
    XCTAssertTrue(append("request", isRequest: true, queue))
    XCTAssertEqual(queue.consume(7), 0)
    queue.forgetBegun()
    queue.expireRequests()
    XCTAssertEqual(try written(queue), ["fact"])
  }

  func testLimitIsPassedByOneFrameAtMost() throws {
    let queue = queue(1000)
    for payload in ["11111", "22222", "33333"] { XCTAssertTrue(append(payload, queue)) }
    XCTAssertEqual(try written(queue, limit: 1), ["11111"])
    XCTAssertEqual(try written(queue, limit: 17), ["22222", "33333"])
  }

  func testAgainstModel() throws {
    for seed in UInt64(1)...300 {
      var random = RandomGenerator(seed: seed)
      let policy = random.element(of: [FullPolicy.refuse, .dropOldest, .newest])
      let queue = queue(100, policy)
      var model: [(subject: String, payload: String, expires: Int64)] = []
      func size(_ payload: String) -> Int {
        "PUB s \(payload.count)\r\n\r\n".utf8.count + payload.count
      }
      for now in Int64(0)..<100 {
        let subject = random.element(of: ["s", "t"])
        let payload = "\(now)" + String(repeating: "x", count: random.index(below: 40))
        let expires = now + Int64(random.index(below: 20))
        switch random.index(below: 3) {
        case 0, 1:
          if policy == .newest { model.removeAll { $0.subject == subject } }
          func fits() -> Bool {
            model.count < 8 && model.reduce(size(payload)) { $0 + size($1.payload) } <= 100
          }
          if !fits() { model.removeAll { $0.expires <= now } }
          while policy != .refuse, !fits(), !model.isEmpty { model.removeFirst() }
          let isTaken = append(payload, to: subject, expires: expires, at: now, queue)
          XCTAssertEqual(isTaken, fits(), "seed \(seed)")
          if fits() { model.append((subject, payload, expires)) }
        default:
          let living = model.filter { $0.expires > now }.map(\.payload)
          XCTAssertEqual(try written(queue, at: now), living, "seed \(seed)")
          model = []
        }
      }
    }
  }

  // MARK: all classes

  func testStricterClassesGoFirst() throws {
    let outbox = Outbox(ConnectionLimits())
    for trafficClass in TrafficClass.allCases.reversed() {
      for number in 0..<2 {
        let subject = bytes("s.\(number)")
        let payload = bytes("\(trafficClass)\(number)")
        let none: [UInt8] = []
        let message = OutgoingMessage(
          subject: subject.span, reply: none.span, headers: none.span, payload: payload.span)
        XCTAssertTrue(
          outbox[trafficClass].append(
            message, length: message.frameLength, expires: instant(9), isRequest: false,
            at: instant(0)))
      }
    }
    let expected = TrafficClass.allCases.flatMap { ["\($0)0", "\($0)1"] }
    var seen: [UInt8] = []
    // The socket takes little, and never a whole number of frames.
    while !outbox.isEmpty {
      var pieces = OutputPieces()
      let begun = outbox.begunRest
      outbox.appendBegun(to: &pieces)
      outbox.append(to: &pieces, limit: 40)
      let taken = min(17, pieces.byteCount)
      seen += contents(pieces).prefix(taken)
      outbox.consumeBegun(min(begun, taken))
      outbox.consume(taken - min(begun, taken))
    }
    XCTAssertEqual(try payloads(seen), expected)
  }

  /// Dropping moves the bytes of what stands before.
  func testExpiryBehindAFrameThatWasBegun() throws {
    let pair = try Pair.connected()
    pair.endpoint.link.sendBufferBytes = 0
    try pair.publish("a", bytes("begun"), as: .replies)
    try pair.publish("a", bytes("expires"), as: .replies, expiresIn: .seconds(1))
    pair.endpoint.link.sendBufferBytes = 14
    pair.endpoint.flush(at: pair.now)
    pair.endpoint.link.sendBufferBytes = 0
    try pair.drive(for: .seconds(2))
    pair.endpoint.link.sendBufferBytes = 1 << 16
    pair.endpoint.flush(at: pair.now)
    try pair.drive(for: .seconds(1))
    XCTAssertEqual(pair.server.received.map(\.message.payload.string), ["begun"])
    XCTAssertEqual(pair.server.violations, [])
  }

  func testUrgentOvertakesAllButTheFrameThatWasBegun() throws {
    let pair = try Pair.connected()
    pair.endpoint.link.sendBufferBytes = 0
    for number in 0..<20 {
      try pair.publish("reading.\(number)", bytes("reading"), as: .readings)
    }
    pair.endpoint.link.sendBufferBytes = 10
    pair.endpoint.flush(at: pair.now)
    try pair.publish("answer", bytes("urgent"), as: .replies)
    pair.endpoint.link.sendBufferBytes = 1 << 16
    try pair.drive { pair.server.received.count == 21 }
    XCTAssertEqual(
      pair.server.received.prefix(3).map(\.message.payload.string),
      ["reading", "urgent", "reading"])
    XCTAssertEqual(pair.server.violations, [])
  }
}
