import Foundation
import GPIOProvider
import XCTest

@testable import Lattice
@testable import Transport

/// docs/services.md shows real messages: each block behind `<!-- example: NAME -->` is what the code
/// reads or writes. Line breaks and indentation are the page's own, and `...` stands for what it leaves
/// out.
final class ServicesReferenceTests: XCTestCase {
  private let time = FakeTime()
  private let bus = FakeBus()
  /// What the code wrote, by the example's name.
  private var written: [String: String] = [:]
  /// What the last command has changed.
  private var changes: [String] = []

  func testExamplesAreReal() throws {
    let examples = try ServicesReferenceTests.examples()
    try play(examples)
    for name in Set(examples.keys).union(written.keys).sorted() {
      let (example, text) = (examples[name], written[name])
      if let example, let text, isShortened(example, text) { continue }
      XCTAssertEqual(example, text, name)
    }
  }

  /// Whether an example is a text without the parts for which it has `...`.
  private func isShortened(_ example: String, _ text: String) -> Bool {
    let parts = example.components(separatedBy: "...")
    guard parts.count > 1, text.hasPrefix(parts[0]), text.hasSuffix(parts[parts.count - 1]) else {
      return false
    }
    var rest = text[...]
    for part in parts where !part.isEmpty {
      guard let range = rest.range(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }

  /// The blocks of the page, each in one line.
  private static func examples() throws -> [String: String] {
    let page = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().appendingPathComponent("../../docs/services.md")
    var examples: [String: String] = [:]
    var name: String?
    var isInside = false
    for line in try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n") {
      if line.hasPrefix("<!-- example: ") {
        name = line.components(separatedBy: " ")[2]
      } else if let current = name, line.hasPrefix("```") {
        if isInside { name = nil } else { examples[current] = "" }
        isInside.toggle()
      } else if let current = name, isInside {
        examples[current]? += line.trimmingCharacters(in: .whitespaces)
      }
    }
    return examples
  }

  /// A host as in the page's introduction, and a day in its life.
  private func play(_ examples: [String: String]) throws {
    let host = makeHost()
    let dialect = ServicesDialect(
      presenceInterval: .seconds(30), journal: .inMemory(for: host),
      diagnostics: FakeDiagnostics(), seed: 1)
    bus.linkStatus.connects = 1
    bus.linkStatus.bytesOut = 812
    bus.linkStatus.bytesIn = 1307
    bus.answerAtOnce = { ServicesReferenceTests.streamAnswer($0) }
    host.start([dialect], on: bus)
    host.handleDeadline(at: time.now)
    host.linkChanged(isConnected: true)
    let published = bus.takePublished()
    for (name, subject) in [("status", "status"), ("state", "gpio.dock-door.state")] {
      written[name] = published.first { $0.subject == "edge.wh7.dock-7." + subject }?.payload
    }
    time.advance(.milliseconds(1500))
    host.handleDeadline(at: time.now)
    let fact = try XCTUnwrap(bus.requests.first)
    XCTAssertEqual(fact.subject, "edge.wh7.dock-7.gpio.dock-door.edge")
    written["edge"] = fact.payload
    written["edge-headers"] = oneLine(fact.headers)
    // The PubAck of the page is one.
    bus.answer(try XCTUnwrap(examples["puback"]))
    written["puback"] = examples["puback"]
    XCTAssertTrue(bus.requests.isEmpty)
    time.advance(.milliseconds(3500))
    host.handleDeadline(at: time.now)
    written["reading"] = take("edge.wh7.dock-7.sensors.room.reading")

    ask("gpio.dock-door.get", "get")
    try command("set", on: "siren.set", examples)
    written["change"] = changes.first
    ask("gpio.dock-door.set", "error", "{\"active\":true}")
    time.advance(.milliseconds(500))
    ask("gpio.siren.set", "refusal", "{\"active\":false}")
    try command("get-many", on: "get-many", examples)
    time.advance(.milliseconds(4500))
    host.handleDeadline(at: time.now)
    written["count"] = take("edge.wh7.dock-7.gpio.water.count")
    try command("set-many", on: "set-many", examples)
    ask("gpio.water.get", "counter")
    ask("gpio.water.reset", "reset")
    ask("sensors.room.get", "sensors-get")
    ask("describe", "describe")
    for verb in ["PING", "INFO", "STATS"] {
      bus.deliver("$SRV.\(verb)", "")
      written[verb.lowercased()] = take("_INBOX.1")
    }
    // Somebody sets the clock, which was a minute behind.
    time.wallClock = time.wallClock + .seconds(60)
    host.readClock()
    written["clock"] = bus.requests.last?.payload
  }

  /// A stream keeps all that the host says of itself, and the lines' events.
  private static func streamAnswer(_ subject: String) -> String? {
    if subject.hasSuffix(".STREAM.NAMES") { return #"{"total":1,"streams":["EDGE"]}"# }
    if subject.contains(".STREAM.MSG.GET.") {
      return #"{"error":{"code":404,"err_code":10037,"description":"no message found"}}"#
    }
    return subject.hasSuffix(".host.started") ? #"{"stream":"EDGE","seq":7}"# : nil
  }

  /// The page says request and answer.
  private func command(
    _ name: String, on suffix: String, _ examples: [String: String]
  ) throws {
    let request = try XCTUnwrap(examples[name + "-request"], name)
    written[name + "-request"] = request
    bus.deliver(
      "edge.wh7.dock-7.gpio." + suffix,
      headers: "NATS/1.0\r\nEdge-Caller: ops@laptop\r\n\r\n", request)
    changes = bus.published.filter { $0.subject.hasSuffix(".change") }.map { $0.payload }
    written[name] = take("_INBOX.1")
  }

  private func ask(_ suffix: String, _ name: String, _ body: String = "") {
    bus.deliver("edge.wh7.dock-7." + suffix, body)
    let headers = bus.published.first?.headers ?? ""
    if !headers.isEmpty && name == "error" { written[name + "-headers"] = oneLine(headers) }
    written[name] = take("_INBOX.1")
  }

  private func take(_ subject: String) -> String? {
    bus.takePublished().first { $0.subject == subject }?.payload
  }

  private func oneLine(_ headers: String) -> String { headers.split(separator: "\r\n").joined() }

  private func makeHost() -> LatticeHost {
    let host = LatticeHost(
      identity: .test(labels: [(key: "site", value: "wh7")]), time: time, boot: .test)
    var door = LineConfiguration(
      name: "dock-door", chip: "gpiochip0", location: .offset(17), kind: .input)
    door.activeLow = true
    door.bias = .pullUp
    door.report = .durable
    door.script = LineScript(
      steps: [LineScript.Step(after: .milliseconds(1500), isActive: true)], repeats: false)
    var siren = LineConfiguration(
      name: "siren", chip: nil, location: .name("GPIO27"), kind: .output)
    siren.output.minOn = .milliseconds(1500)
    let lamp = LineConfiguration(name: "lamp", chip: nil, location: .bcm(22), kind: .output)
    var water = LineConfiguration(name: "water", chip: nil, location: .bcm(5), kind: .counter)
    water.edges = .rising
    water.script = LineScript(
      steps: [
        LineScript.Step(after: .milliseconds(30), isActive: true),
        LineScript.Step(after: .milliseconds(50), isActive: false),
      ], repeats: true)
    let pins = GPIOProvider(
      lines: [door, siren, lamp, water], board: SimulatedBoard(startingAt: time.now), time: time)
    let sensors = SensorsProvider(
      sensors: [
        SensorConfiguration(
          name: "room", kind: .simulated(values: [20.5, 21]), unit: "Cel", every: .seconds(5))
      ], time: time)
    pins.eventSink = host
    sensors.eventSink = host
    host.add(pins)
    host.add(sensors)
    return host
  }
}
