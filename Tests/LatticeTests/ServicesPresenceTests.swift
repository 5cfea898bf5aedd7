import Transport
import XCTest

@testable import Lattice

/// What a host says by itself: that it is there, who it is, and what happens on it.
final class ServicesPresenceTests: XCTestCase {
  private let labels = [(key: "site", value: "wh7"), (key: "gpio", value: "true")]

  // MARK: discovery

  private let service =
    "\"name\":\"edge-host\",\"id\":\"K6HEGCYKDMRGFWVDTAZB6O\",\"version\":\"0.1.0\","
    + "\"metadata\":{\"host\":\"dock-7\",\"lattice\":\"wh7\"}"

  func testPing() {
    let harness = ServicesHarness()
    let expected = "{\"type\":\"io.nats.micro.v1.ping_response\",\(service)}"
    for suffix in ["", ".edge-host", ".edge-host.K6HEGCYKDMRGFWVDTAZB6O"] {
      let answers = harness.request("$SRV.PING" + suffix)
      XCTAssertEqual(answers.map { $0.subject }, ["_INBOX.1"], suffix)
      XCTAssertEqual(answers.map { $0.payload }, [expected], suffix)
      XCTAssertEqual(answers.map { $0.headers }, [""], suffix)
    }
  }

  func testOthersAreMeant() {
    let harness = ServicesHarness()
    for subject in [
      "$SRV.PING.other", "$SRV.PING.edge-host.OTHER", "$SRV.SCHEMA", "$SRV.ping",
      "$SRV.PING.edge-host.K6HEGCYKDMRGFWVDTAZB6O.x", "edge.wh7.dock-8.gpio.door.get",
      "edge.wh8.dock-7.gpio.door.get", "edge.wh7.dock-7.gpio.door.toggle", "edge.wh7.dock-7.status",
    ] {
      XCTAssertEqual(harness.request(subject), [], subject)
    }
    XCTAssertEqual(harness.diagnostics.reports, [])
  }

  func testInfo() {
    let harness = ServicesHarness()
    let expected =
      "{\"type\":\"io.nats.micro.v1.info_response\",\(service),"
      + "\"description\":\"Pins and sensors of dock-7\",\"endpoints\":["
      + "{\"name\":\"describe\",\"subject\":\"edge.wh7.dock-7.describe\",\"queue_group\":\"\","
      + "\"metadata\":{}},"
      + "{\"name\":\"gpio-get\",\"subject\":\"edge.wh7.dock-7.gpio.*.get\",\"queue_group\":\"\","
      + "\"metadata\":{\"names\":\"door,siren\"}},"
      + "{\"name\":\"gpio-set\",\"subject\":\"edge.wh7.dock-7.gpio.*.set\",\"queue_group\":\"\","
      + "\"metadata\":{\"names\":\"siren\"}},"
      + "{\"name\":\"sensors-get\",\"subject\":\"edge.wh7.dock-7.sensors.*.get\","
      + "\"queue_group\":\"\",\"metadata\":{\"names\":\"cpu\"}}]}"
    for suffix in ["", ".edge-host", ".edge-host.K6HEGCYKDMRGFWVDTAZB6O"] {
      XCTAssertEqual(harness.request("$SRV.INFO" + suffix).map { $0.payload }, [expected])
    }
  }

  func testLabelsAreMetadataButDoNotReplaceIt() {
    let labels = [
      (key: "host", value: "x"), (key: "site", value: "wh7"), (key: "lattice", value: ""),
    ]
    let harness = ServicesHarness(identity: .test(labels: labels))
    let answer = json(harness.request("$SRV.PING").first?.payload ?? "")
    XCTAssertEqual(
      answer?["metadata"],
      .record(
        Record([
          ("host", .string("dock-7")), ("lattice", .string("wh7")), ("site", .string("wh7")),
        ])))
  }

  /// The bound of a message holds for hosts with hundreds of lines, too.
  func testInfoOfAHostWithManyLines() throws {
    let names = (0..<256).map { "line-\($0)-" + String(repeating: "x", count: 54) }
    let harness = ServicesHarness(prepare: { harness in
      harness.pins.resources = names.map { .pin($0, "output") }
    })
    let answers = harness.request("$SRV.INFO")
    XCTAssertEqual(harness.diagnostics.reports, [])
    let listed = try XCTUnwrap(answers.first).payload
    XCTAssertTrue(listed.contains(names[0] + "," + names[1]))
    XCTAssertTrue(listed.contains(",...\""), "the rest is left out, and one can tell")
    XCTAssertLessThan(listed.utf8.count, 8000)

    XCTAssertEqual(
      harness.request("edge.wh7.dock-7.describe").map { $0.payload }.first?.prefix(70),
      "{\"name\":\"dock-7\",\"code\":413,\"reason\":\"the answer is too large: message")
  }

  func testStatistics() {
    let harness = ServicesHarness()
    func endpoint(_ name: String, _ subject: String, _ counts: String) -> String {
      "{\"name\":\"\(name)\",\"subject\":\"edge.wh7.dock-7.\(subject)\",\"queue_group\":\"\",\(counts)}"
    }
    let none =
      "\"num_requests\":0,\"num_errors\":0,\"last_error\":\"\",\"processing_time\":0,"
      + "\"average_processing_time\":0"
    func expected(_ describe: String, _ get: String, _ set: String) -> [String] {
      [
        "{\"type\":\"io.nats.micro.v1.stats_response\",\(service),"
          + "\"started\":\"2026-11-03T07:53:20.000000000Z\",\"endpoints\":["
          + [
            endpoint("describe", "describe", describe), endpoint("gpio-get", "gpio.*.get", get),
            endpoint("gpio-set", "gpio.*.set", set), endpoint("sensors-get", "sensors.*.get", none),
          ].joined(separator: ",")
          + "],\"link\":{\"connects\":0,\"sent_bytes\":0,\"received_bytes\":0}}"
      ]
    }
    XCTAssertEqual(harness.request("$SRV.STATS").map { $0.payload }, expected(none, none, none))

    _ = harness.request("edge.wh7.dock-7.describe")
    harness.pins.answer = { [time = harness.time] invocation in
      time.advance(.milliseconds(3))
      return invocation.resource == "door"
        ? .success(Record()) : .failure(InvocationError(.notFound, "no line \"x\""))
    }
    for name in ["door", "x", "door"] { _ = harness.request("edge.wh7.dock-7.gpio.\(name).get") }
    _ = harness.request("edge.wh7.dock-7.gpio.siren.set", "{")
    _ = harness.request("edge.wh7.dock-7.gpio.siren.set", headers: "x")
    XCTAssertEqual(
      harness.request("$SRV.STATS.edge-host").map { $0.payload },
      expected(
        none.replacing("num_requests\":0", with: "num_requests\":1"),
        "\"num_requests\":3,\"num_errors\":1,\"last_error\":\"404: no line \\\"x\\\"\","
          + "\"processing_time\":9000000,\"average_processing_time\":3000000",
        "\"num_requests\":2,\"num_errors\":2,\"last_error\":\"400: the headers are malformed\","
          + "\"processing_time\":0,\"average_processing_time\":0"))
  }

  func testAnAnswerThatComesLaterCountsThen() {
    let harness = ServicesHarness()
    _ = harness.request("edge.wh7.dock-7.gpio.door.get")
    harness.time.advance(.seconds(2))
    func statistics() -> String { harness.request("$SRV.STATS").first?.payload ?? "" }
    XCTAssertTrue(statistics().contains("gpio.*.get\",\"queue_group\":\"\",\"num_requests\":0"))
    harness.pins.replies.first?(.success(Record()))
    _ = harness.bus.takePublished()
    XCTAssertTrue(statistics().contains("\"processing_time\":2000000000"))
  }

  func testDescribe() {
    let harness = ServicesHarness(identity: .test(labels: labels))
    let answers = harness.request("edge.wh7.dock-7.describe")
    XCTAssertEqual(answers.map { $0.subject }, ["_INBOX.1"])
    XCTAssertEqual(
      answers.first?.payload,
      "{\"host\":\"dock-7\",\"lattice\":\"wh7\",\"id\":\"K6HEGCYKDMRGFWVDTAZB6O\","
        + "\"version\":\"0.1.0\",\"labels\":{\"site\":\"wh7\",\"gpio\":\"true\"},\"capabilities\":["
        + "{\"name\":\"gpio\",\"contract\":\"edge:gpio\",\"operations\":["
        + "{\"name\":\"get\",\"parameters\":[]},{\"name\":\"set\",\"parameters\":["
        + "{\"name\":\"active\",\"type\":\"bool\",\"required\":true},"
        + "{\"name\":\"pulse_ms\",\"type\":\"integer\",\"minimum\":1,\"maximum\":3600000,"
        + "\"required\":false}]}],\"resources\":["
        + "{\"name\":\"door\",\"operations\":[\"get\"],\"direction\":\"input\"},"
        + "{\"name\":\"siren\",\"operations\":[\"get\",\"set\"],\"direction\":\"output\"}]},"
        + "{\"name\":\"sensors\",\"contract\":\"edge:sensors\",\"operations\":["
        + "{\"name\":\"get\",\"parameters\":[]}],\"resources\":["
        + "{\"name\":\"cpu\",\"operations\":[\"get\"],\"kind\":\"thermal\",\"unit\":\"Cel\"}]}]}")
  }

  func testDescribeNamesEveryKindOfParameter() {
    let contract = Contract(
      id: "x", name: "x",
      operations: [
        Operation(
          name: "do",
          parameters: [
            Parameter("text", .string), Parameter("factor", .double(0...1), isRequired: true),
          ])
      ], events: [])
    let harness = ServicesHarness(prepare: { $0.host.add(FakeProvider(contract)) })
    let text = harness.request("edge.wh7.dock-7.describe").first?.payload ?? ""
    XCTAssertTrue(
      text.hasSuffix(
        "{\"name\":\"do\",\"parameters\":[{\"name\":\"text\",\"type\":\"string\",\"required\":false},"
          + "{\"name\":\"factor\",\"type\":\"double\",\"minimum\":0.0,"
          + "\"maximum\":1.0,\"required\":true}]}],\"resources\":[]}]}"),
      text)
  }

  // MARK: presence

  /// A status as `withoutBytes` leaves it. The only fact so far is that the host has started.
  private func status(
    _ state: String, _ time: String, problems: Int = 0, delivered: Int = 1
  ) -> String {
    "{\"host\":\"dock-7\",\"lattice\":\"wh7\",\"id\":\"K6HEGCYKDMRGFWVDTAZB6O\","
      + "\"version\":\"0.1.0\",\"labels\":{},\"state\":\"\(state)\",\"time\":\"\(time)\","
      + "\"started\":\"2026-11-03T07:53:20.000000000Z\",\"gpio\":2,\"sensors\":1,"
      + "\"problems\":\(problems),"
      + "\"facts\":{\"waiting\":0,\"delivered\":\(delivered),\"dropped\":0,"
      + "\"delivery\":\"consumer\",\"capacity_bytes\":65536},"
      + "\"link\":{\"connects\":0,\"sent_bytes\":0,\"received_bytes\":0}}"
  }

  /// How much memory a fact takes is the journal's matter.
  private func withoutBytes(_ status: String) -> String {
    status.replacing(/"bytes":\d+,/, with: "")
  }

  func testStatusAtConnectAndEveryInterval() throws {
    let harness = ServicesHarness(isConnected: false)
    XCTAssertEqual(harness.bus.takePublished(), [], "nobody would hear it")
    XCTAssertNil(harness.host.deadline)
    harness.host.linkChanged(isConnected: true)
    var announced = harness.bus.takePublished()
    announced[0].payload = withoutBytes(announced[0].payload)
    XCTAssertEqual(
      announced,
      [
        FakeBus.Published(
          subject: "edge.wh7.dock-7.status", headers: "",
          payload: status("running", "2026-11-03T07:54:43.000000000Z"),
          expires: harness.time.now + .seconds(5))
      ])
    for time in ["2026-11-03T07:55:13.000000000Z", "2026-11-03T07:55:43.000000000Z"] {
      let begin = harness.time.now
      harness.time.advance(.seconds(29))
      harness.host.handleDeadline(at: harness.time.now)
      XCTAssertEqual(harness.bus.takePublished(), [], "too early")
      try harness.waitForDeadline()
      XCTAssertEqual(harness.time.now, begin + .seconds(30))
      XCTAssertEqual(
        harness.bus.takePublished().map { withoutBytes($0.payload) }, [status("running", time)])
    }
  }

  func testStatusOnChange() {
    let harness = ServicesHarness()
    harness.time.advance(.seconds(7))
    harness.pins.resources[1] = Resource(
      name: "siren", operations: ["get", "set"],
      properties: Record([("direction", .string("output")), ("error", .string("it is gone"))]))
    harness.host.statusChanged()
    XCTAssertEqual(harness.host.deadline, harness.time.now)
    harness.host.handleDeadline(at: harness.time.now)
    XCTAssertEqual(
      harness.bus.takePublished().map { withoutBytes($0.payload) },
      [status("running", "2026-11-03T07:54:50.000000000Z", problems: 1)])
    XCTAssertEqual(
      harness.host.deadline, harness.time.now + .seconds(30), "the interval begins anew")
  }

  func testNoStatusWithoutALink() {
    let harness = ServicesHarness()
    harness.host.linkChanged(isConnected: false)
    XCTAssertNil(harness.host.deadline)
    harness.host.statusChanged()
    harness.time.advance(.seconds(60))
    harness.host.handleDeadline(at: harness.time.now)
    harness.host.stop()
    XCTAssertEqual(harness.bus.takePublished(), [])
  }

  func testStatusAtStop() {
    let harness = ServicesHarness()
    harness.host.stop()
    XCTAssertEqual(
      harness.bus.takePublished().map { withoutBytes($0.payload) },
      [status("stopping", "2026-11-03T07:54:43.000000000Z", delivered: 2)])
    XCTAssertNil(harness.host.deadline)
    harness.host.statusChanged()
    harness.host.linkChanged(isConnected: false)
    harness.host.linkChanged(isConnected: true)
    XCTAssertNil(harness.host.deadline, "a deadline that has passed would be a loop")
    XCTAssertEqual(harness.bus.takePublished(), [], "it has said good-bye")
  }

  // MARK: events

  func testTheLatestCounts() {
    let harness = ServicesHarness()
    harness.emit("door", .latest, [("name", .string("door")), ("active", .bool(true))])
    XCTAssertEqual(
      harness.bus.takePublished(),
      [
        FakeBus.Published(
          subject: "edge.wh7.dock-7.gpio.door.edge", headers: "",
          payload: #"{"name":"door","active":true,"time":"2026-11-03T07:54:43.000000000Z","#
            + #""monotonic_ns":100000000000,"time_quality":"synced"}"#,
          expires: harness.time.now + .seconds(5))
      ])
    XCTAssertTrue(harness.bus.requests.isEmpty)
    harness.host.linkChanged(isConnected: false)
    harness.emit("door", .latest)
    harness.host.linkChanged(isConnected: true)
    XCTAssertEqual(
      harness.bus.takePublished().map { $0.subject }, ["edge.wh7.dock-7.status"],
      "what nobody could receive is no news any more")
  }

  func testABudgetIsShown() {
    let harness = ServicesHarness(isConnected: false)
    for (waiting, text) in [
      (TrafficClass?.none, ""), (.facts, ",\"waiting\":\"facts\""),
      (.readings, ",\"waiting\":\"readings\""), (.bulk, ",\"waiting\":\"bulk\""),
    ] {
      harness.bus.linkStatus.budget = LinkStatus.Budget(
        allowance: DataAllowance(bytes: 5_000_000, period: .seconds(86_400)), bytesLeft: -3,
        waiting: waiting)
      harness.host.linkChanged(isConnected: true)
      let payload = harness.bus.takePublished()[0].payload
      XCTAssertTrue(
        payload.hasSuffix(
          ",\"budget_bytes\":5000000,\"budget_period_s\":86400,\"budget_left_bytes\":-3\(text)}}"),
        payload)
    }
  }

  func testWhatWasNotSentIsShown() {
    let harness = ServicesHarness(isConnected: false)
    harness.bus.linkStatus.queues[3].replaced = 20
    harness.bus.linkStatus.queues[3].expired = 3
    harness.bus.linkStatus.queues[4].dropped = 1
    harness.bus.linkStatus.queues[0].refused = 2
    harness.host.linkChanged(isConnected: true)
    let payload = harness.bus.takePublished()[0].payload
    XCTAssertTrue(
      payload.hasSuffix(
        ",\"queues\":{\"replies\":{\"refused\":2},\"commands\":{},\"facts\":{},"
          + "\"readings\":{\"replaced\":20,\"expired\":3},\"bulk\":{\"dropped\":1}}}}"),
      payload)
  }

  func testFactsWait() {
    let harness = ServicesHarness(isConnected: false)
    harness.emit("door", .durable, [("seq", .integer(1))])
    XCTAssertTrue(harness.bus.requests.isEmpty)
    harness.host.linkChanged(isConnected: true)
    XCTAssertEqual(harness.bus.requests.map { $0.subject }, ["edge.wh7.dock-7.gpio.door.edge"])
    let payload = harness.bus.requests.first?.payload ?? ""
    XCTAssertTrue(payload.hasPrefix(#"{"seq":1,"time":""#), payload)
    let status = harness.bus.takePublished()
    XCTAssertEqual(status.map { $0.subject }, ["edge.wh7.dock-7.status"])
    XCTAssertTrue(
      status[0].payload.contains(
        "\"facts\":{\"waiting\":1,\"delivered\":1,\"dropped\":0,\"delivery\":\"consumer\","),
      status[0].payload)
    harness.bus.answer()
    harness.host.stop()
    XCTAssertTrue(
      harness.bus.takePublished()[0].payload.contains("\"waiting\":0,\"delivered\":3,"))
  }
}
