import Foundation
import GPIOProvider
import Transport
import XCTest

@testable import EdgeHost

final class ManifestTests: XCTestCase {
  func testAWarehouseDock() throws {
    let manifest = try goodManifest(
      """
      host: {name: dock-7, lattice: wh7}
      labels: {site: wh7, gpio: "true"}
      link:
        servers: [nats://127.0.0.1:4222]
      capabilities:
        - builtin: gpio
          board: linux            # or: simulated
          lines:
            - {name: dock-door, chip: gpiochip0, line: 17, direction: input, active: low, bias: pull-up, debounce: 5ms, report: durable}
            - {name: siren, line: GPIO27, direction: output, safe: inactive}
        - builtin: sensors
          sensors:
            - {name: cpu, kind: thermal, zone: cpu-thermal, every: 60s}
      actors: []
      bindings: []
      """)
    var expected = Manifest()
    expected.host.name = "dock-7"
    expected.host.lattice = "wh7"
    expected.labels = [.init(name: "site", value: "wh7"), .init(name: "gpio", value: "true")]
    expected.link.servers = [try ServerURL(parsing: "nats://127.0.0.1:4222")]
    var door = LineConfiguration(
      name: "dock-door", chip: "gpiochip0", location: .offset(17), kind: .input)
    door.activeLow = true
    door.bias = .pullUp
    door.debounce = .milliseconds(5)
    door.report = .durable
    let siren = LineConfiguration(
      name: "siren", chip: nil, location: .name("GPIO27"), kind: .output)
    let cpu = SensorConfiguration(
      name: "cpu", kind: .thermal(zone: "cpu-thermal"), unit: "Cel", every: .seconds(60))
    expected.capabilities = [
      .gpio(board: .linux, lines: [door, siren], interlocks: []), .sensors([cpu]),
    ]
    XCTAssertEqual(manifest, expected)
    XCTAssertEqual(
      CheckCommand.summary(of: manifest).string, "host dock-7 in lattice wh7, 2 lines, 1 sensor")
  }

  func testTheLeastManifestHasDefaults() throws {
    let manifest = try goodManifest("capabilities: []")
    XCTAssertNil(manifest.host.name)
    XCTAssertEqual(manifest.host.lattice, "default")
    XCTAssertEqual(manifest.host.log, .info)
    XCTAssertEqual(manifest.host.presence, .seconds(30))
    XCTAssertEqual(manifest.labels, [])
    XCTAssertEqual(manifest.link.servers, [try ServerURL(parsing: "nats://127.0.0.1:4222")])
    XCTAssertEqual(manifest.journal, Manifest.Journal())
    XCTAssertEqual(manifest.journal.configuration.size, 16_000_000)
    XCTAssertEqual(manifest.journal.configuration.memory, 64_000)
    XCTAssertEqual(manifest.capabilities, [])
    XCTAssertEqual(
      CheckCommand.summary(of: manifest).string, "host (named by the kernel) in lattice default")
  }

  func testEveryKey() throws {
    let manifest = try goodManifest(Self.everyKey)
    XCTAssertEqual(
      manifest.host,
      .init(name: "7", lattice: "wh_7-a", log: .debug, presence: .seconds(3_600)))
    XCTAssertEqual(
      manifest.labels,
      [
        .init(name: "zone", value: "b"), .init(name: "a.b", value: "1"),
        .init(name: "c", value: "T\u{fc}r 1"), .init(name: "d", value: "yes"),
      ])
    XCTAssertEqual(
      manifest.link.servers.map(\.description),
      ["nats://leaf.wh7.example:4222", "nats://10.0.0.7:5222", "nats://[fd00::7]:4222"])
    var journal = Manifest.Journal()
    journal.configuration.size = 2_097_152
    journal.configuration.sync = .seconds(30)
    journal.configuration.memory = 131_072
    journal.path = "/var/lib/edge/journal"
    journal.guarantee = .atMostOnce
    XCTAssertEqual(manifest.journal, journal)
    guard manifest.capabilities.count == 2,
      case .gpio(.simulated, let lines, _) = manifest.capabilities[0],
      case .sensors(let sensors) = manifest.capabilities[1]
    else { return XCTFail("\(manifest.capabilities)") }

    var door = LineConfiguration(
      name: "door", chip: "pinctrl-bcm2711", location: .name("17"), kind: .input)
    door.bias = .pullDown
    door.edges = .rising
    door.debounce = .microseconds(100)
    door.report = .latest
    door.script = LineScript(
      steps: [
        .init(after: .seconds(2), isActive: true), .init(after: .milliseconds(1), isActive: false),
      ], repeats: true)
    var tap = LineConfiguration(name: "tap", chip: nil, location: .name("tap"), kind: .input)
    tap.edges = .none
    tap.bias = .disabled
    tap.script = LineScript(steps: [.init(after: .seconds(86_400), isActive: true)], repeats: false)
    var fan = LineConfiguration(name: "fan", chip: nil, location: .offset(0), kind: .output)
    fan.drive = .openDrain
    fan.output.safe = .keep
    fan.activeLow = true
    var lamp = LineConfiguration(
      name: "lamp", chip: nil, location: .name("3V3_EN"), kind: .output)
    lamp.drive = .openSource
    lamp.output.safe = .active
    XCTAssertEqual(lines, [door, tap, fan, lamp])

    var room = SensorConfiguration(
      name: "room", kind: .simulated(values: [-0.25, 21, 1e13 + 0.5]), unit: "%RH",
      every: .milliseconds(100))
    room.report = .durable
    let course = SensorConfiguration(
      name: "course", kind: .simulated(values: [20, 20.4, 20.9, 21.3, 21.6, 21.3, 20.9, 20.4]),
      unit: "/", every: .seconds(60))
    XCTAssertEqual(sensors, [room, course])
  }

  /// Every key and each kind of value at least once; also what the robustness tests cut and change.
  static let everyKey = """
    %YAML 1.1
    ---
    # Comments, quotes and blocks in between.
    host:
      name: 7
      lattice: "wh_7-a"
      log: debug
      presence: 1h
    labels: {zone: b, "a.b": 1, c: 'T\u{fc}r 1', d: yes}
    link:
      servers:
        - leaf.wh7.example
        - nats://10.0.0.7:5222/
        - "nats://[fd00::7]"
    journal:
      {size: 2MiB, sync: 30s, memory: 128KiB, path: /var/lib/edge/journal, delivery: at_most_once}
    capabilities:
      - builtin: gpio
        board: simulated
        lines:
          - name: door
            chip: pinctrl-bcm2711
            line: "17"
            direction: input
            active: high
            bias: pull-down
            edges: rising
            debounce: 100us
            report: latest
            script:
              steps:
                - {after: 2s, active: true}
                - {after: 1ms, active: false}
              repeat: true
          - {name: tap, direction: input, edges: none, bias: disabled, script: {steps: [{after: 1d, active: true}]}}
          - {name: fan, line: 0, direction: output, drive: open-drain, safe: keep, active: low}
          - {name: lamp, line: 3V3_EN, direction: output, drive: open-source, safe: active, bias: as-is}
      - builtin: sensors
        board: simulated
        sensors:
          - {name: room, kind: simulated, unit: "%RH", every: 100ms, report: durable, script: {values: [-0.25, 21, 10000000000000.5]}}
          - {name: course, kind: simulated}
    actors: []
    bindings: []

    """

  // MARK: - Manifests of waSCC

  /// The files of waSCC's example begin with `---`, are indented, and end in a line of blanks.
  func testAHostOfWaSCCWithNothingToRun() throws {
    let manifest = try goodManifest(
      "---\n    actors: []   \n    capabilities: []\n    bindings: []\n    ")
    XCTAssertEqual(manifest.capabilities, [])
  }

  func testAProviderOfWaSCCIsRefusedWithTheReason() {
    assertMistakes(
      "---\n    actors: []   \n    capabilities:\n        - path: "
        + "./examples/.assets/libwascc_httpsrv.so\n    bindings: []\n    \n",
      [
        "4:11: a capability provider from a file comes with a later version, with running actors: "
          + "say 'builtin: gpio' or 'builtin: sensors'"
      ])
  }

  func testActorsAndBindingsOfWaSCCAreRefusedWithTheReason() {
    assertMistakes(
      """
      # Nothing but an actor.
      ---
          actors:
              - ./examples/.assets/echo.wasm
          capabilities: []
          bindings:
              - actor: MB4OLDIC3TCZ4Q4TGGOVAZC43VXFE2JQVRAXQMQFXUCREOOFEKOKZTY2
                capability: "wascc:http_server"
                values:
                  PORT: "8081"
              - actor: MB4OLDIC3TCZ4Q4TGGOVAZC43VXFE2JQVRAXQMQFXUCREOOFEKOKZTY2
                capability: "wascc:http_server"
                values:
                  PORT: "8082"
          \("")
      """,
      [
        "4:11: running actors comes with a later version: leave 'actors' empty ([])",
        "7:11: bindings come with a later version, with running actors: leave 'bindings' empty "
          + "([])",
      ])
  }

  // MARK: - Files

  private var documentation: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("docs")
  }

  func testTheExamplesAreGood() throws {
    let folder = documentation.appendingPathComponent("examples")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".yaml") }
    XCTAssertGreaterThanOrEqual(names.count, 2)
    for name in names {
      let path = folder.appendingPathComponent(name).path
      XCTAssertNoThrow(try ManifestFile.load(path, lookUp: { _ in nil }), name)
    }
  }

  func testTheReferenceBeginsWithAGoodManifest() throws {
    let page = try String(
      contentsOf: documentation.appendingPathComponent("manifest.md"), encoding: .utf8)
    let parts = page.components(separatedBy: "```")
    XCTAssertGreaterThanOrEqual(parts.count, 3)
    let manifest = try goodManifest(String(parts[1].dropFirst("yaml\n".count)))
    XCTAssertEqual(manifest.capabilities.count, 2)
  }

  func testCheckSaysWhetherAFileIsGood() throws {
    let path = try temporaryFile("capabilities: []")
    XCTAssertEqual(CheckCommand.run(ManifestPath(path: path), showsLimits: false), 0)
    XCTAssertEqual(
      CheckCommand.run(ManifestPath(path: try temporaryFile("")), showsLimits: false), 2)
    XCTAssertEqual(CheckCommand.run(ManifestPath(path: path + ".missing"), showsLimits: false), 2)
    XCTAssertEqual(CheckCommand.run(ManifestPath(path: "/"), showsLimits: false), 2)
  }

  func testAFileThatCannotBeReadIsNamed() throws {
    XCTAssertThrowsError(try ManifestFile.load("/nonexistent/m.yaml")) {
      XCTAssertEqual("\($0)", "/nonexistent/m.yaml: No such file or directory\n")
    }
  }

  func testALargeFileIsRefused() throws {
    let text = "capabilities: [] #"
    let full = text + String(repeating: "x", count: 256_000 - text.utf8.count)
    XCTAssertNoThrow(try ManifestFile.load(temporaryFile(full), lookUp: { _ in nil }))
    let path = try temporaryFile(full + "x")
    XCTAssertThrowsError(try ManifestFile.load(path, lookUp: { _ in nil })) {
      XCTAssertEqual("\($0)", "\(path): the manifest is too large: at most 256kB\n")
    }
    let referring = try temporaryFile("capabilities: [] # ${X}")
    XCTAssertThrowsError(
      try ManifestFile.load(referring, expandingEnvironment: true, lookUp: { _ in full })
    ) {
      XCTAssertEqual("\($0)", "\(referring): the manifest is too large: at most 256kB\n")
    }
  }

  private func temporaryFile(_ text: String) throws -> String {
    let path = NSTemporaryDirectory() + "edge-host-test-\(UUID().uuidString).yaml"
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
    return path
  }

  // MARK: the local socket

  func testSocket() throws {
    func socket(_ host: String) throws -> String? {
      try goodManifest("host: \(host)\ncapabilities: []").host.socket
    }
    XCTAssertEqual(try socket("{}"), "/run/edge-host/edge-host.sock")
    XCTAssertEqual(try socket("{socket: /tmp/x.sock}"), "/tmp/x.sock")
    XCTAssertNil(try socket("{socket: none}"))
    let path = "/" + String(repeating: "x", count: 106)
    XCTAssertEqual(try socket("{socket: \(path)}"), path)
    assertMistakes(
      "host: {socket: x.sock}\ncapabilities: []",
      [
        "1:16: 'socket' must be a path such as /run/edge-host/edge-host.sock, or none, not 'x.sock'"
      ])
    assertMistakes(
      "host: {socket: \(path)x}\ncapabilities: []",
      ["1:16: 'socket' is too long: at most 107 bytes"])
  }
}
