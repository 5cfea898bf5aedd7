import Foundation
import GPIOProvider
import XCTest

@testable import Lattice
@testable import Transport

/// docs/services.md shows real messages: each block behind `<!-- example: NAME -->` is what the code
/// reads or writes. Line breaks and indentation are the page's own.
final class ServicesReferenceTests: XCTestCase {
  private let time = FakeTime()
  private let bus = FakeBus()
  /// What the code wrote, by the example's name.
  private var written: [String: String] = [:]

  func testExamplesAreReal() throws {
    let examples = try ServicesReferenceTests.examples()
    try play(examples)
    for name in Set(examples.keys).union(written.keys).sorted() {
      XCTAssertEqual(examples[name], written[name], name)
    }
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
      presenceInterval: .seconds(30), factCapacity: 64_000, diagnostics: FakeDiagnostics(), seed: 1)
    bus.linkStatus.connects = 1
    bus.linkStatus.bytesOut = 812
    bus.linkStatus.bytesIn = 1307
    host.start([dialect], on: bus)
    host.handleDeadline(at: time.now)
    host.linkChanged(isConnected: true)
    written["status"] = take("edge.wh7.dock-7.status")
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
    let request = try XCTUnwrap(examples["set-request"])
    ask("gpio.siren.set", "set", request)
    written["set-request"] = request
    ask("gpio.dock-door.set", "error", "{\"active\":true}")
    ask("sensors.room.get", "sensors-get")
    ask("describe", "describe")
    for verb in ["PING", "INFO", "STATS"] {
      bus.deliver("$SRV.\(verb)", "")
      written[verb.lowercased()] = take("_INBOX.1")
    }
  }

  private func ask(_ suffix: String, _ name: String, _ body: String = "") {
    bus.deliver("edge.wh7.dock-7." + suffix, body)
    let headers = bus.published.first?.headers ?? ""
    if !headers.isEmpty { written[name + "-headers"] = oneLine(headers) }
    written[name] = take("_INBOX.1")
  }

  private func take(_ subject: String) -> String? {
    bus.takePublished().first { $0.subject == subject }?.payload
  }

  private func oneLine(_ headers: String) -> String { headers.split(separator: "\r\n").joined() }

  private func makeHost() -> LatticeHost {
    let host = LatticeHost(identity: .test(labels: [(key: "site", value: "wh7")]), time: time)
    var door = LineConfiguration(
      name: "dock-door", chip: "gpiochip0", location: .offset(17), kind: .input)
    door.activeLow = true
    door.bias = .pullUp
    door.report = .durable
    door.script = LineScript(
      steps: [LineScript.Step(after: .milliseconds(1500), isActive: true)], repeats: false)
    let siren = LineConfiguration(
      name: "siren", chip: nil, location: .name("GPIO27"), kind: .output)
    let pins = GPIOProvider(
      lines: [door, siren], board: SimulatedBoard(startingAt: time.now), time: time)
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
