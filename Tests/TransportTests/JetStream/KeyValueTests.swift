import XCTest

@testable import Transport

/// What buckets ask, and what they make of answers; real servers have their own tests.
final class KeyValueTests: XCTestCase {
  private let bus = FakeBus()
  private var results: [String] = []

  override func setUp() { bus.hasJetStream = true }

  private func keyValue(domain: String? = nil) throws -> KeyValue {
    try KeyValue("cache", on: try JetStream(over: bus, domain: domain))
  }

  private func note(_ result: Result<UInt64, JetStreamFailure>) {
    switch result {
    case .success(let revision): results.append("\(revision)")
    case .failure(let failure): results.append("\(failure)")
    }
  }

  func testSubjectsAndHeaders() throws {
    let value = bytes("v")
    let local = try keyValue()
    local.put("a.b", value.span, timeout: .seconds(1), completion: note)
    try keyValue(domain: "hub").put("a.b", value.span, timeout: .seconds(2), completion: note)
    local.update("a", value.span, revision: 7, timeout: .seconds(1), completion: note)
    local.delete("a", timeout: .seconds(1), completion: note)
    local.purge("a", revision: 9, timeout: .seconds(1), completion: note)
    XCTAssertEqual(
      bus.requests.map { $0.subject },
      ["$KV.cache.a.b", "$JS.hub.API.$KV.cache.a.b"] + Array(repeating: "$KV.cache.a", count: 3))
    XCTAssertEqual(
      bus.requests.map { $0.headers },
      [
        "", "", "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 7\r\n\r\n",
        "NATS/1.0\r\nKV-Operation: DEL\r\n\r\n",
        "NATS/1.0\r\nKV-Operation: PURGE\r\nNats-Rollup: sub\r\n"
          + "Nats-Expected-Last-Subject-Sequence: 9\r\n\r\n",
      ])
    XCTAssertEqual(bus.requests.map { $0.timeout }.prefix(2), [.seconds(1), .seconds(2)])
  }

  /// Exactly once, whatever comes.
  func testEveryEnd() throws {
    let keyValue = try keyValue()
    func put() {
      keyValue.put("a", bytes("v").span, timeout: .seconds(1), completion: note)
    }
    for failure in [RequestFailure.noResponders, .timedOut, .disconnected] {
      put()
      bus.fail(failure)
    }
    put()
    bus.answer("no json")
    put()
    bus.answer(headers: "NATS/1.0 503\r\n\r\n")
    put()
    bus.answer(#"{"stream":"KV_cache","seq":4}"#)
    bus.error = .notConnected
    put()
    XCTAssertEqual(
      results,
      [
        "no JetStream answers there", "no answer in time",
        "the connection went before the answer came",
        "the answer is not JetStream's: unexpected character at byte 0",
        "JetStream refused:  (503, 0)", "4", "not sent: not connected",
      ])
    XCTAssertTrue(bus.requests.isEmpty)
  }

  func testWhatIsSurelyNotDone() {
    let table: [(JetStreamFailure, Bool)] = [
      (.noResponders, true), (.notSent(.outboxFull), true), (.invalidName("x"), true),
      (.refused(JetStreamError(code: 400)), true), (.timedOut, false), (.disconnected, false),
      (.oversizedAnswer(1), false), (.messageTooLarge(limit: 1), true),
    ]
    for (failure, isSure) in table { XCTAssertEqual(failure.isSurelyNotDone, isSure, "\(failure)") }
  }

  /// Between the reading and the second try somebody else made the key.
  func testCreateThatLosesARace() throws {
    try keyValue().create("a", bytes("v"), timeout: .seconds(1), completion: note)
    let conflict = #"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence"}}"#
    bus.answer(conflict)
    XCTAssertEqual(bus.requests.map { $0.subject }, ["$JS.API.STREAM.MSG.GET.KV_cache"])
    XCTAssertEqual(bus.requests.first?.payload, #"{"last_by_subj":"$KV.cache.a"}"#)
    // KV-Operation: DEL
    bus.answer(
      #"{"message":{"subject":"$KV.cache.a","seq":3,"hdrs":"TkFUUy8xLjANCktWLU9wZXJhdGlvbjogREVMDQoNCg=="}}"#
    )
    XCTAssertEqual(
      bus.requests.map { $0.headers },
      ["NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 3\r\n\r\n"])
    bus.answer(conflict)
    XCTAssertEqual(results, ["JetStream refused: wrong last sequence (400, 10071)"])
  }

  func testKeysAndBuckets() throws {
    for good in ["a", "a.b", "A-Z_0/9=x.y"] {
      XCTAssertTrue(KeyValue.isValidKey(bytes(good).span), good)
    }
    for bad in ["", ".a", "a.", "a..b", "a b", "a*", "*", "a.>", "é", "a\r\n", "$a", "a:b"] {
      XCTAssertFalse(KeyValue.isValidKey(bytes(bad).span), bad)
      try keyValue().put(bad, bytes("v").span, timeout: .seconds(1), completion: note)
      XCTAssertEqual(results.popLast().map { $0.contains("is no name") }, true, bad)
    }
    for good in ["*", ">", "a.*", "a.>", "a.*.b"] {
      XCTAssertTrue(KeyValue.isValidKey(bytes(good).span, allowsWildcards: true), good)
    }
    for bad in ["", "a.b", "a b", "*", "a/b", String(repeating: "x", count: 253)] {
      XCTAssertThrowsError(try KeyValue(bad, on: JetStream(over: bus))) {
        XCTAssertEqual($0 as? JetStreamFailure, .invalidName(bad))
      }
    }
    XCTAssertThrowsError(
      try keyValue().watch("a..b", time: FakeTime(), seed: 1) { _ in })
    XCTAssertTrue(bus.requests.isEmpty)
  }

  func testABucketThatIsThereIsFine() throws {
    var outcomes: [JetStreamFailure?] = []
    for answer in [
      #"{"type":"x","config":{},"state":{},"did_create":true}"#,
      #"{"error":{"code":400,"err_code":10058,"description":"stream name already in use"}}"#,
      #"{"error":{"code":503,"err_code":10023,"description":"insufficient resources"}}"#,
    ] {
      try keyValue().createBucket(timeout: .seconds(1)) { result in
        if case .failure(let failure) = result {
          outcomes.append(failure)
        } else {
          outcomes.append(nil)
        }
      }
      XCTAssertEqual(bus.requests.first?.subject, "$JS.API.STREAM.CREATE.KV_cache")
      bus.answer(answer)
    }
    XCTAssertEqual(
      outcomes,
      [
        nil, nil,
        .refused(JetStreamError(code: 503, errorCode: 10_023, reason: "insufficient resources")),
      ])
  }
}
