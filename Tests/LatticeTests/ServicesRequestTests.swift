import Transport
import XCTest

@testable import Lattice

/// Requests of the services dialect: what goes to the provider, and what comes back.
final class ServicesRequestTests: XCTestCase {
  private let get = "edge.wh7.dock-7.gpio.door.get"
  private let set = "edge.wh7.dock-7.gpio.siren.set"

  private func assertRefused(
    _ published: [FakeBus.Published], _ name: String, _ code: Int, _ reason: String,
    file: StaticString = #filePath, line: UInt = #line
  ) {
    let expected = refusal(name, code, reason)
    XCTAssertEqual(published.map { $0.subject }, ["_INBOX.1"], file: file, line: line)
    XCTAssertEqual(published.first?.headers, expected.headers, file: file, line: line)
    XCTAssertEqual(published.first?.payload, expected.payload, file: file, line: line)
  }

  func testSubjects() {
    XCTAssertEqual(
      ServicesHarness().bus.subjects,
      [
        "edge.wh7.dock-7.describe", "edge.wh7.dock-7.gpio.*.get", "edge.wh7.dock-7.gpio.*.set",
        "edge.wh7.dock-7.sensors.*.get", "edge.wh7.dock-7.journal.read", "$SRV.*",
        "$SRV.*.edge-host",
        "$SRV.*.edge-host.K6HEGCYKDMRGFWVDTAZB6O",
      ])
  }

  func testASubscriptionThatDoesNotFitIsReported() {
    let harness = ServicesHarness(prepare: { $0.bus.subscriptionsMax = 7 })
    XCTAssertEqual(
      harness.diagnostics.reports,
      ["not subscribed: cannot subscribe to $SRV.*.edge-host.K6HEGCYKDMRGFWVDTAZB6O"])
  }

  func testGetAndSet() {
    let harness = ServicesHarness()
    harness.pins.answer = { invocation in
      .success(
        Record([
          ("name", .string(invocation.resource)), ("active", .bool(true)), ("level", .integer(1)),
          ("direction", .string("output")), ("value", .double(20.5)), ("last", .null),
        ]))
    }
    let answers = harness.request(get)
    XCTAssertEqual(
      answers,
      [
        FakeBus.Published(
          subject: "_INBOX.1", headers: "",
          payload:
            "{\"name\":\"door\",\"active\":true,\"level\":1,\"direction\":\"output\",\"value\":20.5,"
            + "\"last\":null}",
          expires: harness.time.now + .seconds(10))
      ])
    XCTAssertEqual(harness.pins.invocations.first?.capability, "gpio")
    XCTAssertEqual(harness.pins.invocations.first?.resource, "door")
    XCTAssertEqual(harness.pins.invocations.first?.operation, "get")
    XCTAssertEqual(harness.pins.invocations.first?.arguments, Record())
    XCTAssertNil(harness.pins.invocations.first?.deadline)

    XCTAssertEqual(harness.request(set, "{\"active\":true,\"pulse_ms\":250}").count, 1)
    XCTAssertEqual(harness.pins.invocations.last?.resource, "siren")
    XCTAssertEqual(harness.pins.invocations.last?.operation, "set")
    XCTAssertEqual(
      harness.pins.invocations.last?.arguments,
      Record([("active", .bool(true)), ("pulse_ms", .integer(250))]))
    XCTAssertTrue(harness.meters.invocations.isEmpty)
    XCTAssertEqual(harness.diagnostics.reports, [])
  }

  func testNullArgumentsAreThoseLeftOut() {
    let harness = ServicesHarness()
    harness.pins.answer = { _ in .success(Record()) }
    XCTAssertEqual(
      harness.request(set, "{\"active\":true,\"pulse_ms\":null}").map { $0.payload }, ["{}"])
    assertRefused(
      harness.request(set, "{\"active\":null}"), "siren", 400, "set needs the argument \"active\"")
    XCTAssertEqual(harness.pins.invocations.count, 1)
  }

  func testNoReplySubject() {
    let harness = ServicesHarness()
    harness.pins.answer = { _ in .success(Record()) }
    XCTAssertEqual(harness.request(set, reply: "", "{\"active\":true}"), [])
    XCTAssertEqual(harness.pins.invocations.count, 1, "it is executed all the same")
    XCTAssertEqual(harness.request(set, reply: "", "{"), [])
    XCTAssertEqual(harness.request("edge.wh7.dock-7.describe", reply: ""), [])
    XCTAssertEqual(harness.request("$SRV.PING", reply: ""), [])
  }

  func testAnAnswerThatComesLater() throws {
    let harness = ServicesHarness()
    XCTAssertEqual(harness.request(get), [])
    XCTAssertEqual(harness.request(get, reply: "_INBOX.2"), [])
    harness.time.advance(.seconds(3))
    XCTAssertEqual(harness.pins.replies.count, 2)
    harness.pins.replies[1](.failure(InvocationError(.failed, "the chip is gone")))
    harness.pins.replies[0](.success(Record()))
    let answers = harness.bus.takePublished()
    XCTAssertEqual(answers.map { $0.subject }, ["_INBOX.2", "_INBOX.1"])
    XCTAssertEqual(answers.map { $0.payload }, [refusal("door", 500, "the chip is gone").1, "{}"])
    XCTAssertEqual(answers.last?.expires, harness.time.now + .seconds(10))
  }

  // MARK: refusals

  func testWhatProvidersRefuse() {
    let harness = ServicesHarness()
    let codes: [(InvocationError.Code, Int)] = [
      (.badRequest, 400), (.notFound, 404), (.late, 408), (.conflict, 409), (.tooLarge, 413),
      (.failed, 500), (.unavailable, 503),
    ]
    for (code, number) in codes {
      harness.pins.answer = { _ in .failure(InvocationError(code, "because of \"x\"\u{e9}")) }
      assertRefused(harness.request(get), "door", number, "because of \"x\"\u{e9}")
    }
  }

  /// A line break in a reason must not end its header and begin another.
  func testAReasonForgesNoHeaders() {
    let harness = ServicesHarness()
    harness.pins.answer = { _ in .failure(InvocationError(.failed, "a\r\nNats-Msg-Id: 1")) }
    XCTAssertEqual(
      harness.request(get).first?.headers,
      headerBlock("Nats-Service-Error: a  Nats-Msg-Id: 1", "Nats-Service-Error-Code: 500"))
  }

  func testArguments() {
    let harness = ServicesHarness()
    assertRefused(harness.request(set), "siren", 400, "set needs the argument \"active\"")
    assertRefused(
      harness.request(set, "{\"active\":1}"), "siren", 400,
      "\"active\" must be true or false, not '1'")
    assertRefused(
      harness.request(set, "{\"active\":true,\"pulse_ms\":0}"), "siren", 400,
      "\"pulse_ms\" is 0, but must be 1 to 3600000")
    assertRefused(
      harness.request(get, "{\"active\":true}"), "door", 400, "get takes no argument 'active'")
    XCTAssertTrue(harness.pins.invocations.isEmpty)
    XCTAssertEqual(harness.diagnostics.reports, [], "the caller's mistakes are his to hear of")
  }

  func testMalformedBodies() {
    let harness = ServicesHarness()
    let table: [(String, String)] = [
      ("{\"active\":tru}", "unexpected character at byte 10"),
      ("active=true", "unexpected character at byte 0"),
      ("[true]", "value of an unexpected type at byte 1"),
      ("{\"active\":true,\"active\":false}", "repeated key at byte 23"),
      ("{\"active\":true}}", "something follows the value at byte 15"),
    ]
    for (body, problem) in table {
      let reason = "the body is not the JSON object it must be: \(problem)"
      assertRefused(harness.request(set, body), "siren", 400, reason)
      XCTAssertEqual(harness.diagnostics.takeReports(), ["bad request: '\(set)': \(reason)"])
    }
    XCTAssertTrue(harness.pins.invocations.isEmpty)
  }

  func testABodyOfManyKeysIsRefusedEarly() {
    let harness = ServicesHarness()
    func body(_ count: Int) -> String {
      "{" + (0..<count).map { "\"k\(1000 + $0)\":1" }.joined(separator: ",") + "}"
    }
    assertRefused(harness.request(set, body(128)), "siren", 400, "set takes no argument 'k1000'")
    assertRefused(
      harness.request(set, body(1500)), "siren", 400,
      "the body is not the JSON object it must be: too many keys at byte 1288")
  }

  func testOversized() {
    let harness = ServicesHarness()
    harness.bus.deliver(set, [], oversized: 70_000)
    assertRefused(
      harness.bus.takePublished(), "siren", 413,
      "the message of 70000 bytes is larger than this host's read buffer")
    XCTAssertTrue(harness.pins.invocations.isEmpty)
  }

  /// What a caller puts into the subject goes to the log, but steers no terminal.
  func testNamesFromOutsideAreHarmlessInReports() {
    let harness = ServicesHarness()
    harness.pins.answer = { _ in .success(Record()) }
    _ = harness.request("edge.wh7.dock-7.gpio.\u{1b}[2J.get", "{")
    _ = harness.request(get, reply: "_INBOX.>")
    harness.bus.error = .invalidSubject
    _ = harness.request(get, reply: "a\u{1b}[2J.>")
    for report in harness.diagnostics.reports {
      XCTAssertFalse(report.utf8.contains(0x1b), report)
    }
    XCTAssertEqual(
      harness.diagnostics.reports.last,
      "not published: a message to 'a?[2J.>' was dropped: the subject is not valid")
  }

  // MARK: deadlines

  private func deadline(_ text: String) -> String { headerBlock("Edge-Deadline: \(text)") }

  func testDeadlineAhead() {
    let harness = ServicesHarness()
    harness.pins.answer = { _ in .success(Record()) }
    let table: [(String, Transport.Duration)] = [
      ("2026-11-03T07:54:43Z", .zero), ("2026-11-03T07:54:43.5Z", .milliseconds(500)),
      ("2026-11-03T09:54:44+02:00", .seconds(1)), ("2026-11-03T08:54:43Z", .seconds(3600)),
    ]
    for (text, remaining) in table {
      XCTAssertEqual(
        harness.request(get, headers: deadline(text)).map { $0.payload }, ["{}"], text)
      XCTAssertEqual(harness.pins.invocations.last?.deadline, harness.time.now + remaining, text)
    }
    let mixed = headerBlock("Nats-Msg-Id: 5", "eDGE-dEADLINE:2026-11-03T07:54:44Z ", "x: y")
    XCTAssertEqual(harness.request(get, headers: mixed).map { $0.payload }, ["{}"])
    XCTAssertEqual(harness.pins.invocations.last?.deadline, harness.time.now + .seconds(1))
    // As far as clocks reach.
    XCTAssertEqual(
      harness.request(get, headers: deadline("2262-04-11T23:47:16Z")).map { $0.payload }, ["{}"])
  }

  func testDeadlinePast() {
    let harness = ServicesHarness()
    for operation in [(get, "", "get of 'door'"), (set, "{\"active\":true}", "set of 'siren'")] {
      let name = operation.2.contains("door") ? "door" : "siren"
      assertRefused(
        harness.request(operation.0, headers: deadline("2026-11-03T07:54:41.5Z"), operation.1),
        name, 408, "\(operation.2) came 1500 ms too late")
    }
    assertRefused(
      harness.request(get, headers: deadline("2026-11-03T07:54:42.999999999Z")), "door", 408,
      "get of 'door' came 0 ms too late")
    XCTAssertEqual(harness.request(get, headers: deadline("1700-01-01T00:00:00Z")).count, 1)
    XCTAssertTrue(harness.pins.invocations.isEmpty)
  }

  func testDeadlineMalformed() {
    let harness = ServicesHarness()
    for text in ["", "5s", "2026-11-03", "2026-11-03T07:54:43", "2026-13-03T07:54:43Z", "9999"] {
      assertRefused(
        harness.request(set, headers: deadline(text), "{\"active\":true}"), "siren", 400,
        "Edge-Deadline '\(text)' is no RFC 3339 time")
    }
    XCTAssertTrue(harness.pins.invocations.isEmpty)
  }

  /// A deadline may be among headers that cannot be read: what moves something is not done then.
  func testMalformedHeadersAreRefused() {
    let harness = ServicesHarness()
    for block in ["NATS/1.0", "NATS/2.0\r\nEdge-Deadline: 2020-01-01T00:00:00Z\r\n\r\n", "x"] {
      assertRefused(
        harness.request(set, headers: block, "{\"active\":true}"), "siren", 400,
        "the headers are malformed")
    }
    XCTAssertTrue(harness.pins.invocations.isEmpty)
  }

  // MARK: answers that cannot be sent

  func testAnAnswerThatIsTooLargeIsRefused() {
    let harness = ServicesHarness()
    harness.bus.payloadMax = 200
    let long = String(repeating: "x", count: 300)
    harness.pins.answer = { _ in .success(Record([("text", .string(long))])) }
    assertRefused(
      harness.request(get), "door", 413,
      "the answer is too large: message of 311 bytes is over the limit of 200")
    harness.bus.payloadMax = 10
    XCTAssertEqual(harness.request(get), [])
    XCTAssertEqual(
      harness.diagnostics.reports,
      [
        "not published: a message to '_INBOX.1' was dropped: message of 107 bytes is over the limit of 10"
      ]
    )
  }

  func testAFullOutboxIsReported() {
    let harness = ServicesHarness()
    harness.pins.answer = { _ in .success(Record()) }
    harness.bus.error = .outboxFull
    XCTAssertEqual(harness.request(get), [])
    XCTAssertEqual(
      harness.diagnostics.reports,
      ["not published: a message to '_INBOX.1' was dropped: the queue is full"])
    harness.bus.error = nil
    XCTAssertEqual(harness.request(get).count, 1)
  }
}
