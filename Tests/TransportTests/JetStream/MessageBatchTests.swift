import XCTest

@testable import Transport

/// What batches ask of a stream, and what they make of its answers.
final class MessageBatchTests: XCTestCase {
  private let bus = FakeBus()
  private let now = Instant(nanoseconds: 5_000_000_000)
  private var results: [Result<PubAck, JetStreamFailure>] = []

  override func setUp() { bus.hasJetStream = true }

  private func batch(_ count: Int, id: String = "b") -> MessageBatch {
    var batch = MessageBatch(id: id)
    for number in 0..<count {
      var headers = HeaderWriter()
      headers.append(messageID: "x-\(number)")
      XCTAssertTrue(
        batch.append(subject: bytes("edge.a"), headers: headers, payload: bytes("\(number)")))
    }
    return batch
  }

  private func publish(_ batch: MessageBatch) throws {
    try JetStream(over: bus).publish(batch, timeout: .seconds(3), at: now) {
      self.results.append($0)
    }
  }

  func testFrames() throws {
    try publish(batch(3))
    let begin = "NATS/1.0\r\nNats-Msg-Id: x-"
    XCTAssertEqual(
      bus.takePublished(),
      (0...1).map { number in
        FakeBus.Published(
          subject: "edge.a",
          headers: "\(begin)\(number)\r\nNats-Batch-Id: b\r\n"
            + "Nats-Batch-Sequence: \(number + 1)\r\n\r\n",
          payload: "\(number)", expires: now + .seconds(3))
      })
    XCTAssertEqual(bus.requests.map(\.subject), ["edge.a"])
    XCTAssertEqual(
      bus.requests[0].headers,
      begin + "2\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: 3\r\nNats-Batch-Commit: 1\r\n\r\n")
    XCTAssertEqual(bus.requests[0].timeout, .seconds(3))
    bus.answer(#"{"stream":"E","seq":9,"batch":"b","count":3}"#)
    XCTAssertEqual(
      results, [.success(PubAck(stream: "E", sequence: 9, batch: "b", batchCount: 3))])
  }

  /// Each once; and whether all of it may be sent again as it was.
  func testEveryEnd() throws {
    let answers: [(String, JetStreamFailure, Bool)] = [
      (
        #"{"error":{"code":400,"err_code":10201,"description":"x"},"stream":"E","seq":0}"#,
        .refused(JetStreamError(code: 400, errorCode: 10_201, reason: "x")), true
      ),
      // What is kept by a server that knows no batches.
      (#"{"stream":"E","seq":9}"#, .notKeptAsBatch, false),
      (#"{"stream":"E","seq":9,"duplicate":true}"#, .notKeptAsBatch, false),
      (#"{"stream":"E","seq":9,"batch":"c","count":3}"#, .notKeptAsBatch, false),
      (#"{"stream":"E","seq":9,"batch":"b","count":2}"#, .notKeptAsBatch, false),
    ]
    for (answer, failure, isSurelyNotDone) in answers {
      try publish(batch(3))
      bus.answer(answer)
      XCTAssertEqual(results.popLast(), .failure(failure))
      XCTAssertEqual(failure.isSurelyNotDone, isSurelyNotDone)
    }
    for (failure, isSurelyNotDone) in [
      (RequestFailure.noResponders, true), (.timedOut, false), (.disconnected, false),
    ] {
      try publish(batch(1))
      bus.fail(failure)
      XCTAssertEqual(results.popLast(), .failure(JetStreamFailure(failure)))
      XCTAssertEqual(JetStreamFailure(failure).isSurelyNotDone, isSurelyNotDone)
    }
    XCTAssertTrue(results.isEmpty)
  }

  func testWhatIsNotSent() throws {
    try publish(batch(0))
    try publish(batch(1, id: ""))
    try publish(batch(1, id: String(repeating: "b", count: 65)))
    bus.error = .outboxFull
    try publish(batch(2))
    bus.error = nil
    bus.isConnected = false
    try publish(batch(2))
    XCTAssertTrue(bus.takePublished().isEmpty)
    XCTAssertTrue(bus.requests.isEmpty)
    XCTAssertEqual(
      results,
      [
        .failure(.notSent(.invalidSubject)), .failure(.invalidName("")),
        .failure(.invalidName(String(repeating: "b", count: 65))), .failure(.notSent(.outboxFull)),
        .failure(.notSent(.notConnected)),
      ])
  }

  /// A full batch fits the queue of bulk, whatever it is full of.
  func testBounds() throws {
    for size in [0, 1, 100, 300, 1000, 3500, 7700] {
      var batch = MessageBatch(id: String(repeating: "b", count: 64))
      var headers = HeaderWriter()
      headers.append(messageID: "0123456789012345678901-18446744073709551615")
      while batch.append(
        subject: bytes("edge.lattice.dock-7.gpio.door.edge"), headers: headers,
        payload: [UInt8](repeating: 0x78, count: size))
      {}
      XCTAssertGreaterThan(batch.count, 0, "\(size)")
      XCTAssertLessThanOrEqual(batch.count, MessageBatch.messagesMax)
      XCTAssertTrue(
        batch.count == MessageBatch.messagesMax || batch.byteCount + size + 300 > 8 * 1024)
      let pair = try Pair.connected()
      try JetStream(over: bus).publish(batch, timeout: .seconds(3), at: now) { _ in }
      for message in bus.takePublished() {
        try pair.endpoint.connection.publish(
          OutgoingMessage(
            subject: bytes(message.subject).span, reply: bytes("").span,
            headers: bytes(message.headers).span, payload: bytes(message.payload).span),
          as: .bulk, expires: Instant(nanoseconds: .max), at: now)
      }
      let last = bus.requests[0]
      _ = try pair.endpoint.connection.request(
        subject: bytes(last.subject).span, headers: bytes(last.headers).span,
        payload: bytes(last.payload).span, as: .bulk, timeout: .seconds(3), at: now)
      bus.fail(.timedOut)
    }
    var batch = MessageBatch(id: "b")
    XCTAssertFalse(
      batch.append(
        subject: bytes("a"), headers: HeaderWriter(),
        payload: [UInt8](repeating: 0, count: MessageBatch.bytesMax)))
  }

  /// Links that break within a batch, answers that are lost, parts that come however late: every fact is
  /// kept once, in order, and the stream need not know a single id.
  func testEveryFactIsKeptOnceAndInOrder() throws {
    var (batches, found) = (0, 0)
    for seed in UInt64(1)...600 {
      var random = RandomGenerator(seed: seed)
      var stream = ModelBatchStream(takesBatches: seed % 3 > 0)
      let bus = FakeBus()
      bus.hasJetStream = true
      let sender = BatchSender(
        on: try JetStream(over: bus), count: 60, batchMax: stream.takesBatches ? 32 : 1
      ) { random.index(below: $0) }
      var stray: [FakeBus.Published] = []
      var steps = 0
      while !sender.isDone, steps < 2000 {
        steps += 1
        sender.step(at: now) {}
        var wire = bus.takePublished()
        for request in bus.requests {
          wire.append(
            FakeBus.Published(
              subject: request.subject, headers: request.headers, payload: request.payload,
              expires: now))
        }
        if random.oneIn(3) {
          for late in stray { _ = stream.take(late.subject, late.headers, late.payload) }
          stray = []
        }
        if random.oneIn(8) { stream.forgetOpenBatches() }
        let arrived = random.oneIn(3) ? random.index(below: wire.count + 1) : wire.count
        var answer = ""
        for message in wire.prefix(arrived) {
          answer = stream.take(message.subject, message.headers, message.payload)
        }
        if arrived == wire.count, !random.oneIn(6) {
          bus.answer(answer)
        } else if random.oneIn(2) {
          bus.fail(.disconnected)
        } else {
          // A leaf node holds the rest.
          stray += wire.dropFirst(arrived)
          bus.fail(.timedOut)
        }
      }
      XCTAssertTrue(sender.isDone, "seed \(seed)")
      XCTAssertEqual(stream.kept, (1...60).map { "\($0)" }, "seed \(seed)")
      batches += sender.batches
      found += sender.found
    }
    XCTAssertGreaterThan(batches, 200)
    XCTAssertGreaterThan(found, 200)
  }

  func testStreamInfo() throws {
    func info(_ json: String) -> Result<StreamInfo, JetStreamFailure> {
      StreamInfo.read(bytes(json).span)
    }
    var expected = StreamInfo()
    expected.duplicateWindow = .seconds(120)
    XCTAssertEqual(
      info(#"{"config":{"name":"E","duplicate_window":120000000000,"metadata":{}},"state":{}}"#),
      .success(expected))
    expected.allowsBatches = true
    XCTAssertEqual(
      info(#"{"x":1,"config":{"duplicate_window":120000000000,"allow_atomic":true}}"#),
      .success(expected))
    for bad in ["{}", #"{"config":[]}"#, #"{"config":{"allow_atomic":1}}"#, #"{"config":{"#] {
      guard case .failure(.malformedAnswer) = info(bad) else {
        XCTFail(bad)
        continue
      }
    }
    XCTAssertEqual(
      info(#"{"error":{"code":404,"err_code":10059,"description":"stream not found"}}"#),
      .failure(.refused(JetStreamError(code: 404, errorCode: 10_059, reason: "stream not found"))))
    var answers: [Result<StreamInfo, JetStreamFailure>] = []
    try JetStream(over: bus).info(of: "a.b", timeout: .seconds(1)) { answers.append($0) }
    try JetStream(over: bus, domain: "hub").info(of: "E", timeout: .seconds(1)) {
      answers.append($0)
    }
    XCTAssertEqual(bus.requests.map(\.subject), ["$JS.hub.API.STREAM.INFO.E"])
    bus.fail(.noResponders)
    XCTAssertEqual(answers, [.failure(.invalidName("a.b")), .failure(.noResponders)])
  }
}
