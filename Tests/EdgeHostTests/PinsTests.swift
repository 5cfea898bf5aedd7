import GPIOProvider
import Lattice
import Transport
import XCTest

@testable import EdgeHost

/// What the commands for pins print and how they take lines.
final class PinsTests: XCTestCase {
  private func line(
    _ offset: UInt32, _ name: String, _ change: (inout ListedLine) -> Void = { _ in }
  ) -> ListedLine {
    var line = ListedLine(offset: offset, name: name)
    change(&line)
    return line
  }

  private var header: ListedChip {
    ListedChip(
      name: "gpiochip0", label: "pinctrl-bcm2835",
      lines: [
        line(0, "ID_SDA"),
        line(1, "") {
          $0.direction = .output
          $0.isUsed = true
        },
        line(2, "GPIO 2 with a long name") {
          $0.activeLow = true
          $0.bias = .pullUp
          $0.edges = .both
          $0.isUsed = true
          $0.consumer = "door"
        },
        line(100, "RELAY") {
          $0.direction = .output
          $0.drive = .openDrain
        },
      ])
  }

  // MARK: list

  /// As gpioinfo of libgpiod 2 prints it.
  func testListing() {
    XCTAssertEqual(
      header.text.string,
      "gpiochip0 - 4 lines:\n"
        + "\tline   0:\t\"ID_SDA\"        \tinput\n"
        + "\tline   1:\tunnamed         \toutput consumer=\"kernel\"\n"
        + "\tline   2:\t\"GPIO 2 with a long name\"\tinput active-low bias=pull-up edges=both "
        + "consumer=\"door\"\n"
        + "\tline 100:\t\"RELAY\"         \toutput drive=open-drain\n")
  }

  func testListingForMachines() {
    XCTAssertEqual(
      ListedChip(name: "gpiochip1", label: "x", lines: Array(header.lines[1...2])).record.jsonBytes
        .span.string,
      #"{"chip":"gpiochip1","label":"x","lines":[{"offset":1,"name":null,"direction":"output","#
        + #""active_low":false,"used":true,"consumer":"kernel"},{"offset":2,"#
        + #""name":"GPIO 2 with a long name","direction":"input","active_low":true,"#
        + #""bias":"pull-up","edges":"both","used":true,"consumer":"door"}]}"#)
  }

  func testChipsAreChosen() {
    let chips = [header, ListedChip(name: "gpiochip1", label: "expander", lines: [])]
    func names(_ words: String...) -> [String]? {
      ListCommand.chosen(of: chips, words)?.map { $0.name }
    }
    XCTAssertEqual(names(), ["gpiochip0", "gpiochip1"])
    XCTAssertEqual(names("expander", "0"), ["gpiochip1", "gpiochip0"])
    XCTAssertEqual(names("/dev/gpiochip1"), ["gpiochip1"])
    XCTAssertNil(names("gpiochip"))
  }

  // MARK: values and edges

  func testValues() {
    XCTAssertEqual(LineText.value("door", true, isNumeric: false).string, "\"door\"=active")
    XCTAssertEqual(LineText.value("door", false, isNumeric: false).string, "\"door\"=inactive")
    XCTAssertEqual(LineText.value("door", true, isNumeric: true).string, "1")
    XCTAssertEqual(LineText.value("a\u{1b}b", false, isNumeric: false).string, "\"a?b\"=inactive")
  }

  func testEdges() throws {
    let time = Instant(nanoseconds: 1_237_000_056_789)
    XCTAssertEqual(
      LineText.edge("GPIO4", isRising: true, at: time).string, "1237.000056789\trising\t\"GPIO4\"")
    let body = try Record(
      json: Array(#"{"edge":"falling","monotonic_ns":5,"seq":1}"#.utf8).span)
    XCTAssertEqual(
      LineText.event(kind: "edge", "door", body).string, "0.000000005\tfalling\t\"door\"")
    let other = try Record(json: Array(#"{"name":"a","time":"T","cause":"lease"}"#.utf8).span)
    XCTAssertEqual(
      LineText.event(kind: "changed", "a", other).string, "T\tchanged\t\"a\"\tcause=lease")
  }

  // MARK: through the host

  func testRequestsToTheHost() throws {
    let request = GPIORequest(.set)
    request.names = ["a", "b"]
    request.values = [true, false]
    request.lease = .seconds(3)
    XCTAssertEqual(
      LocalCommand.requests(for: request).map { $0.jsonBytes.span.string },
      [
        #"{"id":0,"capability":"gpio","resource":"a","operation":"set","arguments":{"active":true,"lease_ms":3000}}"#,
        #"{"id":1,"capability":"gpio","resource":"b","operation":"set","arguments":{"active":false,"lease_ms":3000}}"#,
      ])
    let pulse = GPIORequest(.pulse)
    pulse.names = ["a"]
    pulse.duration = .milliseconds(20)
    XCTAssertEqual(
      LocalCommand.requests(for: pulse).map { $0.jsonBytes.span.string },
      [
        #"{"id":0,"capability":"gpio","resource":"a","operation":"set","arguments":{"active":true,"pulse_ms":20}}"#
      ])
    XCTAssertEqual(
      LocalCommand.requests(for: GPIORequest(.watch)).map { $0.jsonBytes.span.string },
      [#"{"id":0,"watch":[]}"#])
  }

  // MARK: directly

  private func command(_ request: GPIORequest) throws -> DirectCommand {
    DirectCommand(
      request, try EventLoop(), SimulatedBoard(startingAt: Instant(nanoseconds: 0)))
  }

  func testReadingAnOutputLeavesItAnOutput() throws {
    let request = GPIORequest(.get)
    request.names = ["RELAY"]
    let chips = GPIOChips([header])
    let relay = try command(request).configuration("RELAY", in: chips)
    XCTAssertEqual(relay.kind, .output)
    let input = try command(request).configuration("ID_SDA", in: chips)
    XCTAssertEqual(input.kind, .input)
    XCTAssertEqual(input.location, .name("ID_SDA"))
  }

  func testOffsetsOfAChip() throws {
    let request = GPIORequest(.get)
    request.chip = "0"
    request.isActiveLow = true
    let line = try command(request).configuration("100", in: GPIOChips([header]))
    XCTAssertEqual(line.location, .offset(100))
    XCTAssertEqual(line.chip, "gpiochip0")
    XCTAssertEqual(line.kind, .output)
    XCTAssertTrue(line.activeLow)
    XCTAssertEqual(
      try command(GPIORequest(.set)).configuration("100", in: GPIOChips([header])).location,
      .name("100"))
  }

  func testLinesAreTakenReadSetAndGivenBack() throws {
    let board = SimulatedBoard(startingAt: Instant(nanoseconds: 0))
    let lines = DirectLines(board)
    var edges: [String] = []
    lines.onEdge = { name, edge in edges.append("\(name) \(edge.isRising)") }
    try lines.take(
      LineConfiguration(name: "a", chip: nil, location: .name("a"), kind: .output), active: true)
    try lines.take(
      LineConfiguration(name: "b", chip: nil, location: .name("b"), kind: .input), active: false)
    XCTAssertEqual(try lines.values(), [true, false])
    board.drive("b", active: true, at: Instant(nanoseconds: 5))
    XCTAssertEqual(edges, ["b true"])
    lines.release()
    XCTAssertEqual(try lines.values(), [])
    XCTAssertEqual(board.isActive(named: "a"), true)
  }

  func testTextOfValues() throws {
    let request = GPIORequest(.get)
    request.names = ["a", "b"]
    XCTAssertEqual(
      try command(request).text(of: [true, false]).string, "\"a\"=active \"b\"=inactive\n")
    request.isNumeric = true
    XCTAssertEqual(try command(request).text(of: [true, false]).string, "1 0\n")
    request.json = true
    XCTAssertEqual(
      try command(request).text(of: [true, false]).string,
      "{\"name\":\"a\",\"active\":true}\n{\"name\":\"b\",\"active\":false}\n")
  }

  // MARK: safe

  private func output(
    _ name: String, _ safe: OutputConfiguration.SafeState
  ) -> LineConfiguration {
    var line = LineConfiguration(name: name, chip: nil, location: .name(name), kind: .output)
    line.output.safe = safe
    return line
  }

  func testEveryOutputBecomesSafe() {
    let board = SimulatedBoard(startingAt: Instant(nanoseconds: 0))
    let input = LineConfiguration(name: "in", chip: nil, location: .name("in"), kind: .input)
    let lines = [output("off", .inactive), output("on", .active), output("kept", .keep), input]
    XCTAssertTrue(SafeCommand.makeSafe(lines, on: board, json: true))
    XCTAssertEqual(board.isActive(named: "off"), false)
    XCTAssertEqual(board.isActive(named: "on"), true)
    XCTAssertNil(board.isActive(named: "kept"))
    XCTAssertNil(board.isActive(named: "in"))
  }

  /// One that somebody else has keeps no other from becoming safe.
  func testALineThatIsBusyIsReported() throws {
    let board = SimulatedBoard(startingAt: Instant(nanoseconds: 0))
    XCTAssertNotNil(
      try? board.request([LineRequest(output("busy", .inactive), active: true)])[0].get())
    XCTAssertFalse(
      SafeCommand.makeSafe(
        [output("busy", .inactive), output("on", .active)], on: board, json: true)
    )
    XCTAssertEqual(board.isActive(named: "busy"), true)
    XCTAssertEqual(board.isActive(named: "on"), true)
  }

  func testSafetyIsReported() {
    XCTAssertEqual(SafeCommand.report(output("a", .active), nil, json: false).string, "a: active\n")
    XCTAssertEqual(
      SafeCommand.report(output("a", .keep), nil, json: false).string, "a: left as it is\n")
    XCTAssertEqual(SafeCommand.report(output("a", .active), "busy", json: false).string, "")
    XCTAssertEqual(
      SafeCommand.report(output("a", .active), "busy", json: true).string,
      "{\"name\":\"a\",\"safe\":\"active\",\"done\":false,\"error\":\"busy\"}\n")
  }

  // MARK: scan

  /// As it is, and with every line uncommented, it is a good manifest.
  private func assertGood(_ text: String, lines: Int) throws {
    var manifest = try goodManifest(text)
    XCTAssertEqual(manifest.capabilities.first, .gpio(board: .linux, lines: [], interlocks: []))
    var uncommented = text.replacingOccurrences(of: "    lines: []\n", with: "    lines:\n")
    uncommented = uncommented.replacingOccurrences(of: "# - {", with: "- {")
    guard lines > 0 else { return }
    manifest = try goodManifest(uncommented)
    guard case .gpio(_, let found, _)? = manifest.capabilities.first else { return XCTFail(text) }
    XCTAssertEqual(found.count, lines, uncommented)
  }

  func testStarterManifest() throws {
    let expander = ListedChip(name: "gpiochip1", label: "expander", lines: [line(0, "X1")])
    let text = StarterManifest.text(
      host: "dock-7", [header, expander], zones: ["cpu-thermal", "a b.c"]
    ).string
    XCTAssertEqual(
      text,
      """
      # Made by `edge-host gpio scan`. Check it with `edge-host check FILE`.
      host: {name: dock-7, lattice: default}
      link:
        servers: [nats://127.0.0.1:4222]
      capabilities:
        - builtin: gpio
          # Take away the [] when you uncomment the first line.
          lines: []
            # gpiochip0 [pinctrl-bcm2835]
            # - {name: id_sda, line: ID_SDA, direction: input}
            # GPIO 2 with a long name is in use by door
            # - {name: relay, line: RELAY, direction: input}
        - builtin: sensors
          sensors:
            - {name: cpu-thermal, kind: thermal, zone: cpu-thermal}
            - {name: a-b-c, kind: thermal, zone: "a b.c"}

      """)
    try assertGood(text, lines: 2)
  }

  func testStarterManifestOfLinesWithoutNames() throws {
    let chip = ListedChip(name: "gpiochip0", label: "pl061", lines: [line(0, ""), line(1, "")])
    try assertGood(StarterManifest.text(host: "x", [chip], zones: []).string, lines: 1)
  }

  func testStarterManifestOfNothing() throws {
    try assertGood(StarterManifest.text(host: "x", [], zones: []).string, lines: 0)
  }

  /// A driver may call its lines what it likes.
  func testStarterManifestOfOddNames() throws {
    let chip = ListedChip(
      name: "gpiochip3", label: "odd\n- x",
      lines: [
        line(0, "null"), line(1, "same"), line(2, "same"), line(3, "3V3"), line(4, "17"),
        line(5, "a\"b"), line(6, "{x: #1}"), line(7, "---"), line(8, "true"),
        line(9, "\u{e4}\u{f6}"),
        line(10, "used\nx: y") { $0.isUsed = true },
      ])
    try assertGood(StarterManifest.text(host: "1", [chip], zones: ["1"]).string, lines: 10)
  }
}
