import XCTest

@testable import Transport

/// What JetStream answers, as text, and what is made of it.
final class JetStreamAnswerTests: XCTestCase {
  private func ack(_ json: String) -> Result<PubAck, JetStreamFailure> {
    PubAck.read(bytes(json).span)
  }

  func testPubAcks() {
    let table: [(String, PubAck)] = [
      (#"{"stream":"EDGE","seq":7}"#, PubAck(stream: "EDGE", sequence: 7)),
      (
        #"{"type":"x","stream":"EDGE","seq":7,"domain":"hub","duplicate":true,"val":"9","batch":"b"}"#,
        PubAck(stream: "EDGE", sequence: 7, domain: "hub", isDuplicate: true, batch: "b")
      ),
      (
        #"{"stream":"EDGE","seq":9,"batch":"b","count":3}"#,
        PubAck(stream: "EDGE", sequence: 9, batch: "b", batchCount: 3)
      ),
      (#"{"error":null,"stream":"E","seq":1}"#, PubAck(stream: "E", sequence: 1)),
      (
        #"{"stream":"E","seq":9223372036854775807}"#,
        PubAck(stream: "E", sequence: UInt64(Int64.max))
      ),
    ]
    for (json, expected) in table { XCTAssertEqual(ack(json), .success(expected), json) }
  }

  func testRefusals() {
    let table: [(String, JetStreamError)] = [
      (
        #"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"seq":0}"#,
        JetStreamError(code: 400, errorCode: 10_071, reason: "wrong last sequence: 3")
      ),
      (
        #"{"stream":"E","seq":1,"error":{"code":503,"new":[1]}}"#,
        JetStreamError(code: 503, errorCode: 0, reason: "")
      ),
      (#"{"error":{"code":99999,"err_code":-1}}"#, JetStreamError(code: .max, errorCode: 0)),
    ]
    for (json, expected) in table {
      XCTAssertEqual(ack(json), .failure(.refused(expected)), json)
      XCTAssertEqual(JetStreamError.failure(in: bytes(json).span), .refused(expected), json)
    }
    let long = String(repeating: "é", count: 300)
    guard case .failure(.refused(let error)) = ack(#"{"error":{"description":"\#(long)"}}"#) else {
      return XCTFail("not refused")
    }
    XCTAssertEqual(error.reason.utf8.count, 200)
  }

  func testWhatIsNoPubAck() {
    let table: [(String, JSONError.Reason)] = [
      ("", .unexpectedEnd), ("ok", .unexpectedByte), ("[]", .unexpectedType),
      ("{}", .unexpectedType), (#"{"stream":"E"}"#, .unexpectedType),
      (#"{"seq":1}"#, .unexpectedType), (#"{"stream":"E","seq":0}"#, .unexpectedType),
      (#"{"stream":"E","seq":-1}"#, .unexpectedType),
      (#"{"stream":"E","seq":1.5}"#, .unexpectedType),
      (#"{"stream":"E","seq":1,"batch":1}"#, .unexpectedType),
      (#"{"stream":"E","seq":1,"count":-1}"#, .unexpectedType),
      (#"{"stream":1,"seq":1}"#, .unexpectedType),
      (#"{"stream":"E","seq":1"#, .unexpectedEnd),
      (#"{"stream":"E","seq":1} x"#, .trailingBytes),
      (#"{"error":"disk full"}"#, .unexpectedType), (#"{"error":[]}"#, .unexpectedType),
    ]
    for (json, reason) in table {
      guard case .failure(.malformedAnswer(let error)) = ack(json) else {
        XCTFail(json)
        continue
      }
      XCTAssertEqual(error.reason, reason, json)
    }
  }

  func testConsumerInfo() {
    func info(_ json: String) -> Result<ConsumerInfo, JetStreamFailure> {
      ConsumerInfo.read(bytes(json).span)
    }
    XCTAssertEqual(
      info(
        #"{"stream_name":"E","name":"c","delivered":{"consumer_seq":3,"stream_seq":9},"ack_floor":{},"num_pending":4}"#
      ), .success(ConsumerInfo(streamSequence: 9, pendingCount: 4)))
    XCTAssertEqual(
      info(#"{"error":{"code":404,"err_code":10014,"description":"consumer not found"}}"#),
      .failure(
        .refused(JetStreamError(code: 404, errorCode: 10_014, reason: "consumer not found"))))
    for json in ["{}", #"{"name":"c","delivered":[]}"#, #"{"name":"c","num_pending":-1}"#] {
      guard case .failure(.malformedAnswer) = info(json) else {
        XCTFail(json)
        continue
      }
    }
  }

  func testStoredMessage() throws {
    let json =
      #"{"type":"x","message":{"subject":"$KV.b.k","seq":5,"hdrs":"TkFUUy8xLjANCg0K","data":"YQ==","time":"2026-11-03T07:54:43.5Z"}}"#
    let message = try StoredMessage.read(bytes(json).span).get()
    XCTAssertEqual(message.subject, "$KV.b.k")
    XCTAssertEqual(message.sequence, 5)
    XCTAssertEqual(message.headers.string, "NATS/1.0\r\n\r\n")
    XCTAssertEqual(message.payload.string, "a")
    XCTAssertEqual(message.stored, Timestamp(nanoseconds: 1_793_692_483_500_000_000))
    for bad in [
      #"{"message":{"seq":1,"data":"%%%%"}}"#, #"{"message":{"seq":1,"time":"noon"}}"#,
      #"{"message":{"seq":1,"data":7}}"#, #"{"message":7}"#, "{}",
    ] {
      guard case .failure(.malformedAnswer) = StoredMessage.read(bytes(bad).span) else {
        XCTFail(bad)
        continue
      }
    }
  }

  /// RFC 4648, section 10.
  func testBase64() {
    let table = [
      ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"),
      ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"),
    ]
    for (text, expected) in table {
      XCTAssertEqual(decodeBase64(bytes(text).span)?.string, expected, text)
    }
    XCTAssertEqual(decodeBase64(bytes("+/+/").span), [0xFB, 0xFF, 0xBF])
    for bad in ["Z", "Zg", "Zg=", "Zm9v=", "Z===", "====", "Zh==", "Zg==Zg==", "Zm9-", "Zm 9"] {
      XCTAssertNil(decodeBase64(bytes(bad).span), bad)
    }
  }

  // MARK: deliveries

  func testDeliveries() throws {
    for reply in [
      "$JS.ACK.EDGE.con.2.30.4.1793692483000000000.5",
      "$JS.ACK.hub.HASH.EDGE.con.2.30.4.1793692483000000000.5",
      "$JS.ACK._.HASH.EDGE.con.2.30.4.1793692483000000000.5.RANDOM",
    ] {
      let delivery = try XCTUnwrap(Delivery(replySubject: bytes(reply).span), reply)
      XCTAssertTrue(delivery.isOf(consumer: bytes("con")))
      XCTAssertFalse(delivery.isOf(consumer: bytes("co")))
      XCTAssertEqual(delivery.deliveryCount, 2)
      XCTAssertEqual(delivery.streamSequence, 30)
      XCTAssertEqual(delivery.consumerSequence, 4)
      XCTAssertEqual(delivery.pendingCount, 5)
      XCTAssertEqual(delivery.stored.nanoseconds, 1_793_692_483_000_000_000)
      XCTAssertEqual(delivery.replySubject.string, reply)
    }
    for reply in [
      "", "_INBOX.1", "$JS.ACK.", "$JS.ACK.E.c.1.2.3.4", "$JS.ACK.E.c.1.2.3.4.5.6",
      "$JS.ACK.E.c.1.2.x.4.5", "$JS.ACK.E.c.1.2.3.99999999999999999999.5",
      "$JS.ACK.E.c.1.2.3.18446744073709551615.5", "$JS.ACK.E..1.2.3.4.5",
    ] {
      XCTAssertNil(Delivery(replySubject: bytes(reply).span), reply)
    }
  }

  func testAcknowledgements() {
    let table: [(Acknowledgement, String)] = [
      (.done, "+ACK"), (.never, "+TERM"), (.inProgress, "+WPI"), (.again(after: .zero), "-NAK"),
      (.again(after: .seconds(2)), #"-NAK {"delay":2000000000}"#),
    ]
    for (acknowledgement, payload) in table {
      XCTAssertEqual(acknowledgement.payload.string, payload)
    }
  }

  func testStatuses() {
    let table: [(String, PullStatus?)] = [
      ("100 Idle Heartbeat\r\nNats-Last-Consumer: 7", .heartbeat(consumerSequence: 7)),
      ("100 FlowControl Request", .heartbeat(consumerSequence: nil)),
      ("404 No Messages", .ended), ("408 Request Timeout", .ended),
      ("408 Interest Expired", .ended), ("409 Batch Completed", .ended),
      ("409 Message Size Exceeds MaxBytes\r\nNats-Pending-Messages: 1", .tooLarge),
      ("409 Leadership Change", .interrupted), ("409 Server Shutdown", .interrupted),
      ("409 Consumer Deleted", .gone), ("503", .gone),
      (
        "409 Consumer is push based",
        .refused(JetStreamError(code: 409, reason: "Consumer is push based"))
      ),
      (
        "408 Bad Request - x",
        .refused(JetStreamError(code: 408, reason: "Bad Request - x"))
      ),
      ("423 Nats-Wrong-Pin-Id", .refused(JetStreamError(code: 423, reason: "Nats-Wrong-Pin-Id"))),
      ("", nil),
    ]
    for (line, status) in table {
      let block = line.isEmpty ? "NATS/1.0\r\n\r\n" : "NATS/1.0 \(line)\r\n\r\n"
      XCTAssertEqual(PullStatus(bytes(block).span), status, line)
    }
    XCTAssertNil(PullStatus(bytes("").span))
  }

  // MARK: what is asked

  func testConsumerArguments() throws {
    var durable = ConsumerConfiguration(.durable("D"))
    durable.filter = Subject(bytes("edge.*"), allowsWildcards: true)
    durable.deliveriesMax = 5
    durable.unacknowledgedMax = 5000
    XCTAssertEqual(
      durable.createArgument(stream: "EDGE", name: "D", after: nil).string,
      #"{"stream_name":"EDGE","config":{"durable_name":"D","deliver_policy":"all","#
        + #""filter_subject":"edge.*","replay_policy":"instant","ack_policy":"explicit","#
        + #""ack_wait":60000000000,"max_ack_pending":1000,"max_deliver":5}}"#)
    var ordered = ConsumerConfiguration(.ordered)
    ordered.deliverPolicy = .lastPerSubject
    XCTAssertEqual(
      ordered.createArgument(stream: "E", name: "n", after: nil).string,
      #"{"stream_name":"E","config":{"name":"n","deliver_policy":"last_per_subject","#
        + #""replay_policy":"instant","ack_policy":"none","mem_storage":true,"num_replicas":1,"#
        + #""inactive_threshold":600000000000}}"#)
    let after = ordered.createArgument(stream: "E", name: "n", after: 41)
    XCTAssertEqual(try JSONValue(after)["config"]?["opt_start_seq"], .integer(42))
  }

  func testBatchesFitTheBufferAndTheLink() {
    XCTAssertEqual(PullLimits(readBufferBytes: 16_384, bytesPerSecond: nil).batchBytes, 15_872)
    // 16 kbit/s
    XCTAssertEqual(PullLimits(readBufferBytes: 16_384, bytesPerSecond: 2_000).batchBytes, 10_000)
    XCTAssertEqual(PullLimits(readBufferBytes: 16_384, bytesPerSecond: -1).batchBytes, 512)
    XCTAssertEqual(PullLimits(readBufferBytes: 16_384, bytesPerSecond: .max).batchBytes, 15_872)
    var limits = PullLimits()
    limits.batchMessages = 1000
    limits.heartbeat = .seconds(400)
    XCTAssertEqual(
      limits.pullArgument.string,
      #"{"batch":256,"max_bytes":8192,"expires":300000000000,"idle_heartbeat":150000000000}"#)
  }
}
