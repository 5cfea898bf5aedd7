import Transport
import XCTest

@testable import Lattice

/// Commands over the services dialect: who gives them, how often, whether at all; and what is asked
/// of a capability as a whole.
final class ServicesCommandTests: XCTestCase {
  private let get = "edge.wh7.dock-7.gpio.door.get"
  private let set = "edge.wh7.dock-7.gpio.siren.set"
  private let on = "{\"active\":true}"

  private func harness(
    contract: Contract = .pins, commandRate: Int64? = 50
  ) -> ServicesHarness {
    let harness = ServicesHarness(contract: contract, commandRate: commandRate)
    harness.pins.answer = { _ in .success(Record()) }
    return harness
  }

  private func endpoint(_ harness: ServicesHarness, _ name: String) throws -> Record {
    let answer = harness.request("$SRV.STATS").first?.payload ?? ""
    guard case .list(let endpoints)? = json(answer)?["endpoints"] else { return Record() }
    for case .record(let endpoint) in endpoints where endpoint["name"]?.string == name {
      return endpoint
    }
    return try XCTUnwrap(nil, "there is no endpoint \(name)")
  }

  // MARK: operations of a capability

  func testOperationsOfACapability() {
    let harness = harness(contract: .manyPins)
    for subject in ["get-many", "set-many"] {
      XCTAssertTrue(harness.bus.subjects.contains("edge.wh7.dock-7.gpio.\(subject)"))
    }
    let body = "{\"names\":[\"door\",\"siren\"]}"
    XCTAssertEqual(
      harness.request("edge.wh7.dock-7.gpio.get-many", body).map { $0.payload }, ["{}"])
    XCTAssertEqual(harness.pins.invocations.count, 1)
    XCTAssertEqual(harness.pins.invocations.first?.operation, "get-many")
    XCTAssertEqual(harness.pins.invocations.first?.resource, "")
    XCTAssertEqual(
      harness.pins.invocations.first?.arguments["names"],
      .list([.string("door"), .string("siren")]))
    XCTAssertEqual(
      harness.request("edge.wh7.dock-7.gpio.get-many").map { $0.payload },
      [refusal("gpio", 400, "get-many needs the argument \"names\"").payload],
      "the capability is what was asked")
  }

  func testOperationsOfACapabilityAreDescribed() throws {
    let harness = harness(contract: .manyPins)
    let description = harness.request("edge.wh7.dock-7.describe").first?.payload ?? ""
    XCTAssertTrue(
      description.contains(
        "{\"name\":\"get-many\",\"target\":\"capability\",\"parameters\":[{\"name\":\"names\","
          + "\"type\":\"names\",\"minimum\":1,\"maximum\":3,\"required\":true}]},"
          + "{\"name\":\"set-many\",\"target\":\"capability\",\"parameters\":[{\"name\":\"states\","
          + "\"type\":\"states\",\"minimum\":1,\"maximum\":3,\"required\":true}]}"), description)
    XCTAssertTrue(
      (harness.request("$SRV.INFO").first?.payload ?? "").contains(
        "{\"name\":\"gpio-get-many\",\"subject\":\"edge.wh7.dock-7.gpio.get-many\","
          + "\"queue_group\":\"\",\"metadata\":{}}"))
  }

  // MARK: details of errors

  func testDetailsFollowTheReason() {
    let harness = harness()
    let details: [(String, Value)] = [
      ("guard", .string("min_off")), ("allowed_in_ms", .integer(1500)),
    ]
    for (code, number) in [(InvocationError.Code.conflict, 409), (.forbidden, 403)] {
      harness.pins.answer = { _ in
        .failure(InvocationError(code, "not yet", details: Record(details)))
      }
      let expected = refusal("siren", number, "not yet", details: details)
      let answers = harness.request(set, on)
      XCTAssertEqual(answers.map { $0.payload }, [expected.payload])
      XCTAssertEqual(answers.map { $0.headers }, [expected.headers])
      XCTAssertTrue(
        expected.payload.hasSuffix("\"guard\":\"min_off\",\"allowed_in_ms\":1500}"))
    }
  }

  // MARK: callers

  func testCallers() {
    let harness = harness()
    let long = String(repeating: "x", count: 65)
    let table: [(reply: String, headers: String, name: String)] = [
      ("_INBOX.a.1", "", "_INBOX.a"), ("_INBOX.a.b.1", "", "_INBOX.a"), ("_INBOX.1", "", "_INBOX"),
      ("answers", "", "answers"), ("", "", "unnamed"),
      ("_INBOX.a.1", headerBlock("Edge-Caller: ops@laptop"), "ops@laptop"),
      ("_INBOX.a.1", headerBlock("x: y", "edge-caller:  ops "), "ops"),
      ("_INBOX.a.1", headerBlock("Edge-Caller: "), "_INBOX.a"),
      ("_INBOX.a.1", headerBlock("Edge-Caller: a b\u{1b}[2J"), "a?b?[2J"),
      ("_INBOX.a.1", headerBlock("Edge-Caller: t\u{fc}r"), "t??r"),
      ("_INBOX.a.1", headerBlock("Edge-Caller: \(long)"), String(long.dropLast())),
    ]
    for (reply, headers, name) in table {
      _ = harness.request(get, reply: reply, headers: headers)
      let caller = harness.pins.invocations.last?.caller
      XCTAssertEqual(caller?.name, name)
      XCTAssertEqual(caller?.description, "\(name) (services)")
      XCTAssertEqual(caller?.keys, [])
    }
    XCTAssertEqual(harness.pins.invocations.count, table.count)
  }

  // MARK: floods

  func testAFloodIsAnsweredAndCounted() throws {
    let harness = harness()
    let reason = "too many commands from ops: at most 50 a second"
    let expected = refusal("siren", 429, reason, details: [("allowed_in_ms", .integer(20))])
    var answers: [FakeBus.Published] = []
    for _ in 0..<1000 {
      answers += harness.request(set, headers: headerBlock("Edge-Caller: ops"), on)
    }
    XCTAssertEqual(answers.count, 1000)
    XCTAssertEqual(harness.pins.invocations.count, 50)
    XCTAssertEqual(Set(answers.prefix(50).map { $0.payload }), ["{}"])
    XCTAssertEqual(Set(answers.dropFirst(50).map { $0.payload }), [expected.payload])
    XCTAssertEqual(Set(answers.dropFirst(50).map { $0.headers }), [expected.headers])
    let endpoint = try endpoint(harness, "gpio-set")
    XCTAssertEqual(endpoint["num_requests"], .integer(1000))
    XCTAssertEqual(endpoint["num_errors"], .integer(950))
    XCTAssertEqual(endpoint["last_error"], .string("429: \(reason)"))
    XCTAssertEqual(Set(harness.diagnostics.reports), ["too many commands: \(reason)"])

    // Others, and what moves nothing, are unharmed.
    XCTAssertEqual(harness.request(set, reply: "_INBOX.a.1", on).map { $0.payload }, ["{}"])
    XCTAssertEqual(
      harness.request(get, headers: headerBlock("Edge-Caller: ops")).map { $0.payload }, ["{}"])
    harness.time.advance(.milliseconds(20))
    XCTAssertEqual(
      harness.request(set, headers: headerBlock("Edge-Caller: ops"), on).map { $0.payload }, ["{}"])
  }

  func testAFloodOfNewNames() {
    let harness = harness(commandRate: 5)
    for _ in 0..<2 { _ = harness.request(set, reply: "_INBOX.good.1", on) }
    for number in 0..<1000 {
      _ = harness.request(set, reply: "_INBOX.\(number).1", on)
    }
    XCTAssertEqual(harness.pins.invocations.count, 2 + 4 * 5 - 1, "the good one was new, too")
    XCTAssertEqual(
      harness.diagnostics.reports.last,
      "too many commands: too many commands from new callers such as _INBOX.999: at most 5 a second"
    )
    XCTAssertEqual(harness.request(set, reply: "_INBOX.good.9", on).map { $0.payload }, ["{}"])
  }

  /// What has a bound need not be understood, and what is malformed is no way around it.
  func testMalformedCommandsCount() {
    let harness = harness(commandRate: 1)
    XCTAssertTrue(harness.request(set, "{").first?.payload.contains("\"code\":400") ?? false)
    XCTAssertTrue(harness.request(set, "{").first?.payload.contains("\"code\":429") ?? false)
  }

  // MARK: no commands

  func testCommandsOff() throws {
    let harness = harness(contract: .manyPins, commandRate: nil)
    XCTAssertEqual(
      harness.bus.subjects.filter { $0.contains("gpio") },
      ["edge.wh7.dock-7.gpio.*.get", "edge.wh7.dock-7.gpio.get-many"])
    XCTAssertEqual(harness.request(set, on), [], "nobody listens")
    XCTAssertEqual(harness.request(get).map { $0.payload }, ["{}"])
    for subject in ["edge.wh7.dock-7.describe", "$SRV.INFO", "$SRV.STATS"] {
      let document = harness.request(subject).first?.payload ?? ""
      XCTAssertTrue(document.contains("get-many"))
      XCTAssertFalse(document.contains("set"), document)
    }
  }
}
