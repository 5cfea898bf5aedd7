import Transport
import XCTest

@testable import Lattice

final class FactDeliveryTests: XCTestCase {
  private let bus = FakeBus()
  private let time = FakeTime()
  private let diagnostics = FakeDiagnostics()

  private func delivery(capacity: Int = 1000, isConnected: Bool = true) -> FactDelivery {
    let delivery = FactDelivery(
      over: bus, time: time, diagnostics: diagnostics, hostID: "HOST", capacity: capacity, seed: 1)
    if isConnected { delivery.linkChanged(isConnected: true, at: time.now) }
    return delivery
  }

  private func append(_ payload: String, to delivery: FactDelivery) {
    delivery.append(subject: Array("s".utf8), payload: Array(payload.utf8), at: time.now)
  }

  private func counts(_ delivery: FactDelivery) -> [Int64?] {
    ["waiting", "delivered", "dropped"].map { delivery.status[$0]?.integer }
  }

  /// Lets the pause pass after a fact that was not acknowledged.
  private func waitForDeadline(_ delivery: FactDelivery) throws {
    let deadline = try XCTUnwrap(delivery.deadline)
    time.advance(max(deadline - time.now, .zero))
    delivery.handleDeadline(at: time.now)
  }

  func testMessageIDsAndOrder() {
    let delivery = delivery()
    for payload in ["a", "b", "c"] { append(payload, to: delivery) }
    for (index, payload) in ["a", "b", "c"].enumerated() {
      XCTAssertEqual(bus.requests.count, 1, "one at a time")
      XCTAssertEqual(bus.requests.first?.subject, "s")
      XCTAssertEqual(bus.requests.first?.payload, payload)
      XCTAssertEqual(bus.requests.first?.headers, headerBlock("Nats-Msg-Id: HOST-\(index + 1)"))
      XCTAssertEqual(bus.requests.first?.timeout, .seconds(5))
      bus.answer("{\"stream\":\"EDGE\",\"seq\":\(index + 1)}")
    }
    XCTAssertTrue(bus.requests.isEmpty)
    XCTAssertEqual(counts(delivery), [0, 3, 0])
    XCTAssertNil(delivery.deadline)
  }

  func testWhatAcknowledges() {
    let table: [(headers: String, payload: String)] = [
      ("", "{\"stream\":\"EDGE\",\"seq\":7}"),
      ("", "{\"stream\":\"EDGE\",\"seq\":7,\"duplicate\":true}"),
      ("", ""), ("", "ok"), ("", "[\"error\"]"), ("", "\"error\""), ("", "{\"error\":null}"),
      ("", "{\"data\":{\"error\":1}}"), (headerBlock("x: y"), ""), (headerBlock(), ""),
      ("NATS/1.0 200 OK\r\n\r\n", ""),
    ]
    for (headers, payload) in table {
      let delivery = delivery()
      append("a", to: delivery)
      bus.answer(headers: headers, payload)
      XCTAssertEqual(counts(delivery), [0, 1, 0], headers + payload)
    }
  }

  func testWhatDoesNotAcknowledge() throws {
    let pubAckError =
      "{\"type\":\"io.nats.jetstream.api.v1.pub_ack_response\",\"error\":{\"code\":503,"
      + "\"err_code\":10077,\"description\":\"maximum messages exceeded\"},\"stream\":\"EDGE\",\"seq\":0}"
    let table: [(headers: String, payload: String)] = [
      ("", pubAckError), ("", "{\"error\":\"disk full\"}"), ("", "{\"error\":false}"),
      (headerBlock("Nats-Service-Error-Code: 500"), ""),
      (headerBlock("nats-service-error: no room"), "{}"),
      ("NATS/1.0 503\r\n\r\n", ""), ("NATS/1.0 408 Request Timeout\r\n\r\n", ""),
    ]
    for (headers, payload) in table {
      let delivery = delivery()
      append("a", to: delivery)
      bus.answer(headers: headers, payload)
      XCTAssertEqual(counts(delivery), [1, 0, 0], headers + payload)
      try waitForDeadline(delivery)
      XCTAssertEqual(bus.requests.map { $0.headers }, [headerBlock("Nats-Msg-Id: HOST-1")])
      bus.answer()
      XCTAssertEqual(counts(delivery), [0, 1, 0])
    }
  }

  func testWithoutAKeeperTheOldestIsSentAgain() throws {
    let delivery = delivery()
    for payload in ["a", "b"] { append(payload, to: delivery) }
    var pauses: [Transport.Duration] = []
    for _ in 0..<10 {
      XCTAssertEqual(bus.requests.map { $0.headers }, [headerBlock("Nats-Msg-Id: HOST-1")])
      XCTAssertEqual(bus.requests.map { $0.payload }, ["a"])
      bus.fail(.noResponders)
      XCTAssertTrue(bus.requests.isEmpty, "not at once")
      pauses.append(try XCTUnwrap(delivery.deadline) - time.now)
      append("later", to: delivery)
      XCTAssertTrue(bus.requests.isEmpty, "nothing overtakes")
      try waitForDeadline(delivery)
    }
    XCTAssertLessThanOrEqual(pauses[0], FactQueue.retryFirst)
    for pause in pauses { XCTAssertLessThanOrEqual(pause, FactQueue.retryCap) }
    for pause in pauses.suffix(5) { XCTAssertGreaterThanOrEqual(pause * 4, FactQueue.retryCap) }
    bus.answer()
    XCTAssertEqual(bus.requests.map { $0.headers }, [headerBlock("Nats-Msg-Id: HOST-2")])
    XCTAssertEqual(diagnostics.reports, [])
  }

  func testASlowLinkIsGivenMoreTimeWithEachTry() throws {
    let delivery = delivery()
    append("a", to: delivery)
    append("b", to: delivery)
    for seconds in [5, 10, 20, 40, 80, 80] as [Int64] {
      XCTAssertEqual(bus.requests.first?.timeout, .seconds(seconds))
      bus.fail(.timedOut)
      try waitForDeadline(delivery)
    }
    bus.answer()
    XCTAssertEqual(bus.requests.first?.timeout, .seconds(5), "the next fact starts anew")
  }

  func testFactsThatAreLostAtStopAreCounted() {
    let delivery = delivery()
    append("a", to: delivery)
    append("b", to: delivery)
    delivery.stop()
    XCTAssertEqual(
      diagnostics.reports,
      ["facts lost: 2 facts were not acknowledged and are lost with this process"])
  }

  func testEveryFailureKeepsTheFact() throws {
    for failure in [RequestFailure.noResponders, .timedOut, .disconnected] {
      let delivery = delivery()
      for payload in ["a", "b"] { append(payload, to: delivery) }
      bus.fail(failure)
      XCTAssertEqual(counts(delivery), [2, 0, 0])
      if failure == .disconnected {
        delivery.linkChanged(isConnected: false, at: time.now)
        XCTAssertNil(delivery.deadline)
        time.advance(.seconds(100))
        delivery.handleDeadline(at: time.now)
        XCTAssertTrue(bus.requests.isEmpty)
        delivery.linkChanged(isConnected: true, at: time.now)
      } else {
        try waitForDeadline(delivery)
      }
      for (index, payload) in ["a", "b"].enumerated() {
        XCTAssertEqual(bus.requests.map { $0.payload }, [payload])
        XCTAssertEqual(
          bus.requests.map { $0.headers }, [headerBlock("Nats-Msg-Id: HOST-\(index + 1)")])
        bus.answer()
      }
      XCTAssertEqual(counts(delivery), [0, 2, 0])
    }
  }

  func testAPublishErrorIsReportedAndTriedAgain() throws {
    for error in [PublishError.outboxFull, .tooManyRequests, .notConnected] {
      let delivery = delivery()
      bus.error = error
      append("a", to: delivery)
      XCTAssertEqual(
        diagnostics.takeReports(), ["fact not sent: a fact could not be sent and waits: \(error)"])
      bus.error = nil
      try waitForDeadline(delivery)
      XCTAssertEqual(bus.requests.map { $0.headers }, [headerBlock("Nats-Msg-Id: HOST-1")])
      bus.answer()
      XCTAssertEqual(counts(delivery), [0, 1, 0])
    }
  }

  /// What no message can carry must not hold up all that follows.
  func testAFactThatCanNeverBeSentIsDropped() {
    for error in [PublishError.tooLarge(size: 20_000, limit: 16_384), .invalidSubject] {
      let delivery = delivery(isConnected: false)
      for payload in ["a", "b"] { append(payload, to: delivery) }
      bus.error = error
      delivery.linkChanged(isConnected: true, at: time.now)
      XCTAssertEqual(counts(delivery), [0, 0, 2])
      XCTAssertEqual(
        diagnostics.takeReports(),
        [String](repeating: "fact dropped: a fact can never be sent: \(error)", count: 2))
      XCTAssertNil(delivery.deadline)
      bus.error = nil
      append("c", to: delivery)
      XCTAssertEqual(bus.requests.map { $0.headers }, [headerBlock("Nats-Msg-Id: HOST-3")])
      bus.answer()
      XCTAssertEqual(counts(delivery), [0, 1, 2])
    }
  }

  func testFullMemoryIsReported() {
    let delivery = delivery(capacity: 30)
    for payload in ["a", "b", "c"] { append(payload, to: delivery) }
    XCTAssertEqual(diagnostics.reports, [])
    append("d", to: delivery)
    append(String(repeating: "x", count: 100), to: delivery)
    XCTAssertEqual(
      diagnostics.reports,
      [
        "facts dropped: the fact queue is full: 1 facts were dropped so far",
        "facts dropped: the fact queue is full: 2 facts were dropped so far",
      ])
    XCTAssertEqual(counts(delivery), [3, 0, 2])
    bus.answer()
    XCTAssertEqual(bus.requests.map { $0.payload }, ["c"], "the oldest unsent made room")
  }
}
