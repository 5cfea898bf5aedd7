import XCTest

@testable import Transport

/// JetStream as a real nats-server does it.
final class JetStreamServerTests: ServerTestCase {
  private func makeStream(_ live: LiveClient, _ jetStream: JetStream) throws {
    XCTAssertNil(
      try jetStream.callForTest(
        live, "STREAM.CREATE.EDGE", #"{"name":"EDGE","subjects":["edge.>"],"storage":"file"}"#))
  }

  private func publish(
    _ live: LiveClient, _ jetStream: JetStream, _ subject: String, _ payload: String,
    id: String? = nil, _ expectations: StreamExpectation...
  ) throws -> Result<PubAck, JetStreamFailure> {
    var headers = HeaderWriter()
    if let id { headers.append(messageID: id) }
    for expectation in expectations { headers.append(expectation) }
    let block = headers.finished()
    return try live.result { done in
      jetStream.publish(
        subject: bytes(subject).span, headers: block.span, payload: bytes(payload).span,
        timeout: .seconds(20), completion: done)
    }
  }

  // MARK: publishing

  func testPublishing() throws {
    let live = try client(try server())
    let jetStream = try JetStream(over: live.client)
    XCTAssertEqual(try publish(live, jetStream, "edge.a", "1"), .failure(.noResponders))
    try makeStream(live, jetStream)
    func ack(_ sequence: UInt64, isDuplicate: Bool = false) -> Result<PubAck, JetStreamFailure> {
      .success(PubAck(stream: "EDGE", sequence: sequence, isDuplicate: isDuplicate))
    }
    XCTAssertEqual(try publish(live, jetStream, "edge.a", "1", id: "x-1"), ack(1))
    XCTAssertEqual(
      try publish(live, jetStream, "edge.a", "1", id: "x-1"), ack(1, isDuplicate: true))
    XCTAssertEqual(try publish(live, jetStream, "edge.b", "2", id: "x-2"), ack(2))

    XCTAssertEqual(
      try publish(live, jetStream, "edge.a", "3", .lastSubjectSequence(1), .stream("EDGE")), ack(3))
    XCTAssertEqual(try publish(live, jetStream, "edge.a", "4", id: "x-4", .lastSequence(3)), ack(4))
    XCTAssertEqual(try publish(live, jetStream, "edge.a", "5", .lastMessageID("x-4")), ack(5))
    XCTAssertEqual(try publish(live, jetStream, "edge.new", "6", .lastSubjectSequence(0)), ack(6))
  }

  func testWrongExpectations() throws {
    let live = try client(try server())
    let jetStream = try JetStream(over: live.client)
    try makeStream(live, jetStream)
    _ = try publish(live, jetStream, "edge.a", "1", id: "x-1")
    let table: [(StreamExpectation, UInt16)] = [
      (.lastSubjectSequence(7), 10_071), (.lastSequence(7), 10_071), (.stream("OTHER"), 10_060),
      (.lastMessageID("x-0"), 10_070),
    ]
    for (expectation, code) in table {
      let result = try publish(live, jetStream, "edge.a", "2", expectation)
      guard case .failure(.refused(let error)) = result else {
        XCTFail("\(expectation): \(result)")
        continue
      }
      XCTAssertEqual(error.errorCode, code)
      XCTAssertEqual(error.code, 400)
      XCTAssertFalse(error.reason.isEmpty)
      XCTAssertEqual(error.isWrongLastSequence, code == 10_071)
    }
  }

  func testDomain() throws {
    let live = try client(try server("domain: hub"))
    let hub = try JetStream(over: live.client, domain: "hub")
    try makeStream(live, hub)
    XCTAssertEqual(
      try publish(live, hub, "edge.a", "1"),
      .success(PubAck(stream: "EDGE", sequence: 1, domain: "hub")))
    let elsewhere = try JetStream(over: live.client, domain: "elsewhere")
    XCTAssertEqual(
      try elsewhere.callForTest(live, "STREAM.INFO.EDGE", ""), .noResponders)
  }

  // MARK: pulling

  private func consumer(
    _ live: LiveClient, _ configuration: ConsumerConfiguration, limits: PullLimits,
    _ handler: @escaping (PullConsumer, borrowing PullEvent) -> Void
  ) throws -> PullConsumer {
    var consumer: PullConsumer?
    let new = try PullConsumer(
      of: "EDGE", on: JetStream(over: live.client), configuration, limits: limits,
      time: SystemTime(), seed: 1
    ) { event in
      if let consumer { handler(consumer, event) }
    }
    consumer = new
    live.consumers.append(new)
    XCTAssertTrue(new.start())
    return new
  }

  private static var smallBatches: PullLimits {
    var limits = PullLimits()
    limits.batchMessages = 3
    limits.batchBytes = 600
    return limits
  }

  private func fill(_ live: LiveClient, _ jetStream: JetStream, _ numbers: ClosedRange<Int>) throws
  {
    for number in numbers { _ = try publish(live, jetStream, "edge.a", "\(number)").get() }
  }

  func testDurableConsumer() throws {
    let live = try client(try server())
    let jetStream = try JetStream(over: live.client)
    try makeStream(live, jetStream)
    try fill(live, jetStream, 1...10)
    var seen: [String] = []
    var events: [String] = []
    _ = try consumer(live, ConsumerConfiguration(.durable("D")), limits: Self.smallBatches) {
      consumer, event in
      switch event {
      case .message(let message, let delivery):
        seen.append("\(message.payload.string)/\(delivery.deliveryCount)")
        // The fourth is not done at first.
        let isAgain = message.payload.string == "4" && delivery.deliveryCount == 1
        try? consumer.acknowledge(delivery, isAgain ? .again(after: .zero) : .done)
      case .current: events.append("current")
      case .restarted: events.append("restarted")
      case .problem(let failure): events.append("\(failure)")
      }
    }
    try live.wait("all messages") { seen.count == 11 }
    XCTAssertEqual(seen.filter { $0.hasSuffix("/1") }, (1...10).map { "\($0)/1" })
    XCTAssertEqual(seen.filter { $0.hasSuffix("/2") }, ["4/2"])
    XCTAssertEqual(events, ["current"])

    // A second start finds the consumer, and nothing that was acknowledged.
    live.consumers[0].stop()
    try fill(live, jetStream, 11...12)
    XCTAssertTrue(live.consumers[0].start())
    try live.wait("new messages") { seen.count == 13 }
    // The request that was given up may have taken them first, to nobody.
    XCTAssertEqual(seen.suffix(2).map { $0.prefix(2) }, ["11", "12"])
  }

  func testTermAndPause() throws {
    let live = try client(try server())
    let jetStream = try JetStream(over: live.client)
    try makeStream(live, jetStream)
    try fill(live, jetStream, 1...5)
    var configuration = ConsumerConfiguration(.durable("D"))
    configuration.acknowledgeWait = .seconds(1)
    var seen: [String] = []
    let pulling = try consumer(live, configuration, limits: Self.smallBatches) { consumer, event in
      guard case .message(let message, let delivery) = event else { return }
      let payload = message.payload.string
      seen.append(payload)
      // The first is refused for ever; the second is not acknowledged the first time.
      if payload == "1" {
        try? consumer.acknowledge(delivery, .never)
      } else if payload != "2" || delivery.deliveryCount > 1 {
        try? consumer.acknowledge(delivery, .done)
      }
      if seen.count == 3 { consumer.pause() }
    }
    try live.wait("one batch") { seen.count == 3 }
    XCTAssertEqual(seen, ["1", "2", "3"])
    // No more comes by the time that an answer takes to come.
    try fill(live, jetStream, 6...7)
    XCTAssertEqual(seen.count, 3)
    pulling.resume()
    try live.wait("the rest") { seen.count == 8 }
    XCTAssertEqual(seen.filter { $0 == "2" }.count, 2)
    XCTAssertEqual(seen.filter { $0 == "1" }.count, 1)
  }

  func testConsumerThatIsDeletedIsMadeAgain() throws {
    let live = try client(try server())
    let jetStream = try JetStream(over: live.client)
    try makeStream(live, jetStream)
    try fill(live, jetStream, 1...2)
    var seen: [String] = []
    _ = try consumer(live, ConsumerConfiguration(.durable("D")), limits: Self.smallBatches) {
      consumer, event in
      guard case .message(let message, let delivery) = event else { return }
      seen.append(message.payload.string)
      try? consumer.acknowledge(delivery, .done)
    }
    try live.wait("messages") { seen.count == 2 }
    XCTAssertNil(try jetStream.callForTest(live, "CONSUMER.DELETE.EDGE.D", ""))
    try live.wait("all again") { seen.count == 4 }
    XCTAssertEqual(seen, ["1", "2", "1", "2"])
  }

  func testMessageLargerThanABatch() throws {
    let live = try client(try server())
    let jetStream = try JetStream(over: live.client)
    try makeStream(live, jetStream)
    try fill(live, jetStream, 1...1)
    _ = try publish(live, jetStream, "edge.a", String(repeating: "x", count: 700)).get()
    try fill(live, jetStream, 3...3)
    var seen: [String] = []
    var problems: [JetStreamFailure] = []
    _ = try consumer(live, ConsumerConfiguration(.ordered), limits: Self.smallBatches) { _, event in
      switch event {
      case .message(let message, _): seen.append(message.payload.string)
      case .problem(let failure): problems.append(failure)
      case .current, .restarted: break
      }
    }
    try live.wait("the problem") { !problems.isEmpty }
    XCTAssertEqual(problems.first, .messageTooLarge(limit: 600))
    XCTAssertEqual(seen, ["1"])
    XCTAssertNil(try jetStream.callForTest(live, "STREAM.MSG.DELETE.EDGE", #"{"seq":2}"#))
    try live.wait("what was behind it") { seen.count == 2 }
    XCTAssertEqual(seen, ["1", "3"])
  }
}
