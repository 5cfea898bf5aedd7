import XCTest

@testable import Transport

/// Batches as real servers keep them: one that has them, and one that does not.
final class BatchServerTests: ServerTestCase {
  /// The newest server; older ones know no batches.
  private func startNewest() throws -> (NATSServer, LiveClient, JetStream) {
    guard let newest = NATSServer.newest else {
      throw XCTSkip("there is no newer nats-server: Tests/Support/nats_servers fetches it")
    }
    return try start(newest)
  }

  private func start(_ executable: String? = nil) throws -> (NATSServer, LiveClient, JetStream) {
    let server = try server(executable: executable)
    let live = try client(server)
    let jetStream = try JetStream(over: live.client)
    XCTAssertNil(
      try jetStream.callForTest(
        live, "STREAM.CREATE.EDGE",
        #"{"name":"EDGE","subjects":["edge.>"],"storage":"file","allow_atomic":true}"#))
    return (server, live, jetStream)
  }

  private func batch(_ id: String, _ messages: (id: String, subject: String)...) -> MessageBatch {
    var batch = MessageBatch(id: id)
    for message in messages {
      var headers = HeaderWriter()
      headers.append(messageID: message.id)
      XCTAssertTrue(
        batch.append(subject: bytes(message.subject), headers: headers, payload: bytes(message.id)))
    }
    return batch
  }

  private func publish(
    _ live: LiveClient, _ jetStream: JetStream, _ batch: MessageBatch
  ) throws -> Result<PubAck, JetStreamFailure> {
    try live.result { done in
      jetStream.publish(batch, timeout: .seconds(20), at: EventLoop.now, completion: done)
    }
  }

  /// The payloads of a stream, oldest first.
  private func kept(_ live: LiveClient, _ jetStream: JetStream) throws -> [String] {
    var payloads: [String] = []
    while true {
      let json = #"{"seq":\#(payloads.count + 1)}"#
      let message: Result<StoredMessage, JetStreamFailure> = try live.result { done in
        jetStream.call("STREAM.MSG.GET.EDGE", bytes(json), timeout: .seconds(20)) { answer in
          switch answer {
          case .failed(let failure): done(.failure(failure))
          case .body(let json): done(StoredMessage.read(json))
          }
        }
      }
      guard case .success(let stored) = message else { return payloads }
      payloads.append(stored.payload.string)
    }
  }

  private func code(_ result: Result<PubAck, JetStreamFailure>) -> UInt16? {
    guard case .failure(let failure) = result else { return nil }
    XCTAssertTrue(failure.isSurelyNotDone)
    return failure.refusal?.errorCode
  }

  func testABatchIsKeptWholeOrNotAtAll() throws {
    let (_, live, jetStream) = try startNewest()
    let first = batch("b1", ("m1", "edge.a"), ("m2", "edge.b"), ("m3", "edge.a"))
    XCTAssertEqual(
      try publish(live, jetStream, first),
      .success(PubAck(stream: "EDGE", sequence: 3, batch: "b1", batchCount: 3)))
    // All of it again, as after an answer that was lost; and with one that is known.
    let again = batch("b2", ("m1", "edge.a"), ("m2", "edge.b"), ("m3", "edge.a"))
    XCTAssertEqual(code(try publish(live, jetStream, again)), 10_201)
    let mixed = batch("b3", ("m4", "edge.a"), ("m3", "edge.a"))
    XCTAssertEqual(code(try publish(live, jetStream, mixed)), 10_201)
    // One that no stream keeps.
    let strange = batch("b4", ("m4", "edge.a"), ("m5", "other"), ("m6", "edge.a"))
    XCTAssertEqual(code(try publish(live, jetStream, strange)), 10_176)
    // Nothing of these was kept.
    XCTAssertEqual(
      try publish(live, jetStream, batch("b5", ("m4", "edge.a"))),
      .success(PubAck(stream: "EDGE", sequence: 4, batch: "b5", batchCount: 1)))
    XCTAssertEqual(try kept(live, jetStream), ["m1", "m2", "m3", "m4"])

    // A message by itself is known from the batch.
    var headers = HeaderWriter()
    headers.append(messageID: "m2")
    let block = headers.finished()
    let single: Result<PubAck, JetStreamFailure> = try live.result { done in
      jetStream.publish(
        subject: bytes("edge.b").span, headers: block.span, payload: bytes("m2").span,
        timeout: .seconds(20), completion: done)
    }
    XCTAssertEqual(
      single, .success(PubAck(stream: "EDGE", sequence: 2, isDuplicate: true)))
  }

  func testWhetherAStreamTakesBatches() throws {
    let (_, live, jetStream) = try startNewest()
    func info() throws -> Result<StreamInfo, JetStreamFailure> {
      try live.result { done in
        jetStream.info(of: "EDGE", timeout: .seconds(20), completion: done)
      }
    }
    XCTAssertTrue(try info().get().allowsBatches)
    XCTAssertEqual(try info().get().duplicateWindow, .seconds(120))
    XCTAssertNil(
      try jetStream.callForTest(
        live, "STREAM.UPDATE.EDGE",
        #"{"name":"EDGE","subjects":["edge.>"],"storage":"file","duplicate_window":1000000000}"#))
    XCTAssertFalse(try info().get().allowsBatches)
    XCTAssertEqual(try info().get().duplicateWindow, .seconds(1))
    let result = try publish(live, jetStream, batch("b", ("m1", "edge.a"), ("m2", "edge.a")))
    XCTAssertEqual(code(result), 10_174)
    guard case .failure(.refused(let error)) = result else { return XCTFail("\(result)") }
    XCTAssertTrue(error.isBatchDisabled)
    XCTAssertEqual(try kept(live, jetStream), [])
  }

  /// It keeps each message by itself, and says so of the last alone.
  func testAServerWithoutBatches() throws {
    let (_, live, jetStream) = try start()
    let info: Result<StreamInfo, JetStreamFailure> = try live.result { done in
      jetStream.info(of: "EDGE", timeout: .seconds(20), completion: done)
    }
    XCTAssertFalse(try info.get().allowsBatches)
    XCTAssertEqual(
      try publish(live, jetStream, batch("b", ("m1", "edge.a"), ("m2", "edge.a"))),
      .failure(.notKeptAsBatch))
    XCTAssertEqual(try kept(live, jetStream), ["m1", "m2"])
  }

  /// The server is killed again and again while a backlog goes to it, and knows ids for no longer than it
  /// must.
  func testABacklogSurvivesTheServersCrashes() throws {
    let seed = RandomGenerator.systemSeed
    print("batches and crashes: seed \(seed)")
    var random = RandomGenerator(seed: seed)
    let (server, live, jetStream) = try startNewest()
    XCTAssertNil(
      try jetStream.callForTest(
        live, "STREAM.UPDATE.EDGE",
        #"{"name":"EDGE","subjects":["edge.>"],"storage":"file","allow_atomic":true,"duplicate_window":100000000}"#
      ))
    let sender = BatchSender(on: jetStream, count: 3000) { random.index(below: $0) }
    var isUnderWay = false
    func send() {
      isUnderWay = true
      sender.step(at: EventLoop.now) { isUnderWay = false }
      live.loop.endOfTurn?(EventLoop.now)
    }
    func send(until number: Int) throws {
      try live.wait("fact \(number)") {
        if isUnderWay { return false }
        if sender.isDone || sender.next >= number { return true }
        if live.client.isConnected { send() }
        return false
      }
    }
    for crash in 1...10 {
      try send(until: crash * 250 + random.index(below: 100))
      // What is sent now is on its way, in the server, or kept; its answer is not read.
      send()
      usleep(UInt32(random.index(below: 4000)))
      server.kill()
      try server.start()
    }
    try send(until: 3001)
    XCTAssertGreaterThan(sender.batches, 50)
    XCTAssertEqual(try kept(live, jetStream), (1...3000).map { "\($0)" }, "seed \(seed)")
    print("batches and crashes: \(sender.batches) batches, \(sender.found) found")
  }
}
