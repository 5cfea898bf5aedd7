import GPIOProvider
import Transport
import XCTest

@testable import EdgeHost

/// What a line can be, right and wrong.
final class ManifestLineTests: XCTestCase {
  private func lines(_ lines: String..., board: String = "linux") throws -> [LineConfiguration] {
    let list = lines.map { "    - {\($0)}\n" }.joined()
    let manifest = try goodManifest(
      "capabilities:\n  - builtin: gpio\n    board: \(board)\n    lines:\n\(list)")
    guard case .gpio(_, let found, _)? = manifest.capabilities.first else {
      XCTFail("no lines")
      return []
    }
    XCTAssertEqual(found.count, lines.count)
    return found
  }

  /// Checks the mistakes of one line, or what stands for it. A `¦` in it stands before each place that
  /// is reported, in the order of the messages.
  private func assertMistakes(
    _ text: String, board: String = "linux", interlocks: String? = nil, _ messages: String...,
    file: StaticString = #filePath, line: UInt = #line
  ) {
    var manifest = "capabilities:\n  - builtin: gpio\n    board: \(board)\n    lines:\n\(text)\n"
    if let interlocks { manifest += "    interlocks: \(interlocks)\n" }
    var places: [String] = []
    var plain = ""
    var (row, column) = (1, 1)
    for character in manifest {
      if character == "¦" {
        places.append("\(row):\(column): ")
        continue
      }
      plain.append(character)
      column += 1
      if character == "\n" { (row, column) = (row + 1, 1) }
    }
    XCTAssertEqual(places.count, messages.count, "places", file: file, line: line)
    EdgeHostTests.assertMistakes(
      plain, zip(places, messages).map { $0 + $1 }, file: file, line: line)
  }

  private func assertLine(
    _ text: String, board: String = "linux", _ message: String, file: StaticString = #filePath,
    line: UInt = #line
  ) {
    assertMistakes("    - {name: a, \(text)}", board: board, message, file: file, line: line)
  }

  // MARK: Where a line is

  func testPlacesOnTheHeader() throws {
    let found = try lines(
      "name: a, bcm: 17, kind: input", "name: b, header: 40, kind: output",
      "name: c, chip: pinctrl-rp1, bcm: 0, kind: input", "name: d, header: 3, kind: input")
    XCTAssertEqual(found.map { $0.location }, [.bcm(17), .bcm(21), .bcm(0), .bcm(2)])
    XCTAssertEqual(found.map { $0.chip }, [nil, nil, "pinctrl-rp1", nil])
  }

  func testPlacesThatAreNone() {
    assertLine("bcm: ¦28, kind: input", "'bcm' must be a whole number from 0 to 27, not '28'")
    assertLine(
      "bcm: ¦GPIO2, kind: input", "'bcm' must be a whole number from 0 to 27, not 'GPIO2'")
    for pin in ["0", "41"] {
      assertLine(
        "header: ¦\(pin), kind: input",
        "'header' must be a whole number from 1 to 40, not '\(pin)'")
    }
    for (pin, supply) in [(1, "3.3 V"), (2, "5 V"), (39, "ground")] {
      assertLine(
        "header: ¦\(pin), kind: input", "pin \(pin) of the header is \(supply), not a line")
    }
    assertLine(
      "bcm: 17, ¦header: 11, kind: input", "'header' says where the line is again, after 'bcm'")
    assertLine(
      "line: A, ¦bcm: 17, kind: input", "'bcm' says where the line is again, after 'line'")
    assertMistakes(
      "    - {name: a, bcm: 17, kind: input}\n    - {name: b, header: ¦11, kind: input}",
      "this line of the chip is given twice: first at 5:22")
  }

  func testAnEncoderHasTwoLines() throws {
    let knob = try lines(
      "name: a, chip: c, lines: [5, GPIO6], kind: encoder, every: 50ms, bias: pull-up")[0]
    XCTAssertEqual(knob.location, .offset(5))
    XCTAssertEqual(knob.secondLocation, .name("GPIO6"))
    XCTAssertEqual(knob.every, .milliseconds(50))
    XCTAssertEqual(try lines("name: a, lines: [A, B], kind: encoder")[0].every, .milliseconds(100))
    let two = "a list of two lines such as [GPIO5, GPIO6]"
    assertMistakes("    - ¦{name: a, kind: encoder}", "a line needs 'lines': \(two)")
    assertLine("lines: ¦[A], kind: encoder", "'lines' must be \(two)")
    assertLine("lines: ¦A, kind: encoder", "'lines' must be \(two), not 'A'")
    assertLine("lines: ¦[A, B, C], kind: encoder", "'lines' has 3 entries: at most 2")
    assertLine(
      "lines: [A, ¦A], kind: encoder", "this line of the chip is given twice: first at 5:25")
    assertLine(
      "lines: [A, B], ¦bcm: 4, kind: encoder",
      "'bcm' is for one line; an encoder has 'lines', two of them")
    assertLine(
      "line: A, ¦lines: [A, B], kind: input",
      "'lines' is only for encoders; this line is an input")
  }

  // MARK: Kinds

  func testKinds() throws {
    let found = try lines(
      "name: a, line: A, kind: input", "name: b, line: B, kind: output",
      "name: c, line: C, kind: counter", "name: e, line: E, kind: button",
      "name: f, line: F, kind: pwm")
    XCTAssertEqual(found.map { $0.kind }, [.input, .output, .counter, .button, .pwm])
    XCTAssertEqual(found.map { $0.edges }, [.both, .both, .rising, .both, .both])
    XCTAssertEqual(found[2].every, .seconds(10))
    XCTAssertEqual(found[3].debounce, .milliseconds(10))
    XCTAssertEqual(found[3].button, ButtonConfiguration())
    XCTAssertEqual(found[4].pwm, PWMConfiguration())
    assertLine(
      "line: A, kind: ¦outptu",
      "'kind' must be input, output, counter, encoder, button or pwm, not 'outptu': did you mean "
        + "'output'?")
    assertLine(
      "line: A, kind: input, ¦direction: input",
      "'direction' says what 'kind' says already: leave it out")
  }

  func testCountersAndInputs() throws {
    let found = try lines(
      "name: a, line: A, kind: counter, edges: both, every: 1min, buffer: 256, debounce: 100us",
      "name: b, line: B, kind: input, buffer: 16")
    XCTAssertEqual(found.map { $0.eventBuffer }, [256, 16])
    XCTAssertEqual(found[0].edges, .both)
    XCTAssertEqual(found[0].every, .seconds(60))
    XCTAssertEqual(found[0].debounce, .microseconds(100))
    assertLine(
      "line: A, kind: counter, edges: ¦none", "'edges' must not be none: a counter counts edges")
    for wrong in ["15", "1025", "many"] {
      assertLine(
        "line: A, kind: counter, buffer: ¦\(wrong)",
        "'buffer' must be a whole number from 16 to 1024, not '\(wrong)'")
    }
    for wrong in ["19ms", "25h"] {
      assertLine(
        "line: A, kind: counter, every: ¦\(wrong)",
        "'every' must be between 20ms and 1d, not '\(wrong)'")
    }
    assertLine(
      "line: A, kind: input, ¦every: 1s",
      "'every' is only for counters and encoders; this line is an input")
    assertLine(
      "line: A, kind: output, ¦buffer: 64", "'buffer' is only for inputs; this line is an output")
    assertLine(
      "line: A, kind: button, ¦edges: both",
      "'edges' is only for inputs and counters; this line is a button")
  }

  func testButtons() throws {
    let button = try lines(
      "name: a, line: A, kind: button, double_click: 0s, long_press: 2s, debounce: 0us")[0]
    XCTAssertEqual(button.button.doubleClick, .zero)
    XCTAssertEqual(button.button.longPress, .seconds(2))
    XCTAssertEqual(button.debounce, .zero)
    assertLine(
      "line: A, kind: button, double_click: ¦3s",
      "'double_click' must be between 0us and 2s, not '3s'")
    assertLine(
      "line: A, kind: button, long_press: ¦99ms",
      "'long_press' must be between 100ms and 1min, not '99ms'")
    assertLine(
      "line: A, kind: input, ¦long_press: 1s",
      "'long_press' is only for buttons; this line is an input")
  }

  func testPulseWidthModulation() throws {
    let found = try lines(
      "name: a, kind: pwm, pwm: {chip: fe20c000.pwm, channel: 1}, frequency: 25kHz",
      "name: b, line: B, kind: pwm, frequency: 200Hz, active: low, max_on: 1h")
    XCTAssertEqual(found.map { $0.pwm.chip }, ["fe20c000.pwm", nil])
    XCTAssertEqual(found.map { $0.pwm.channel }, [1, 0])
    XCTAssertEqual(found.map { $0.pwm.frequency }, [25_000, 200])
    XCTAssertEqual(found[1].output.maxOn, .seconds(3_600))
    assertLine(
      "line: A, kind: pwm, frequency: ¦201Hz",
      "'frequency' is at most 200Hz where software switches the line")
    assertLine(
      "kind: pwm, pwm: {chip: c}, frequency: ¦11MHz",
      "'frequency' must be between 1Hz and 10MHz, not '11MHz'")
    assertLine(
      "line: A, kind: pwm, frequency: ¦100", "'frequency' needs a unit: say 100Hz or 100kHz")
    assertLine(
      "kind: pwm, pwm: ¦{channel: 0}",
      "a channel of the kernel's needs 'chip': the name of its device, such as fe20c000.pwm")
    assertLine(
      "kind: pwm, pwm: {chip: c, channel: ¦256}",
      "'channel' must be a whole number from 0 to 255, not '256'")
    assertLine(
      "¦line: A, kind: pwm, pwm: {chip: c}", "'line' is not for a channel of the kernel's ('pwm')")
    assertLine(
      "kind: pwm, pwm: {chip: c}, ¦active: low",
      "'active' is not for a channel of the kernel's ('pwm')")
    assertLine(
      "kind: pwm, pwm: ¦{chip: c}", board: "simulated",
      "'pwm' is the kernel's; a simulated board has none")
    assertLine(
      "line: A, kind: output, ¦frequency: 100Hz",
      "'frequency' is only for pulse-width modulation ('kind: pwm'); this line is an output")
    assertLine(
      "line: A, kind: pwm, ¦safe: active",
      "'safe' is only for outputs; this line is a pulse-width modulated output")
  }

  // MARK: Outputs

  func testOutputs() throws {
    let key = "M" + String(repeating: "A", count: 55)
    let output = try lines(
      "name: a, line: A, kind: output, start: last, safe: active, min_on: 1ms, min_off: 7d, "
        + "max_rate: 6/1min, on_link_loss: {after: 30s, then: safe}, report: durable, allow: [\(key)]"
    )[0]
    var expected = OutputConfiguration()
    expected.start = .last
    expected.safe = .active
    expected.minOn = .milliseconds(1)
    expected.minOff = .seconds(7 * 86_400)
    expected.maxRate = OutputConfiguration.Rate(count: 6, period: .seconds(60))
    expected.linkLoss = .seconds(30)
    XCTAssertEqual(output.output, expected)
    XCTAssertEqual(output.allow, [key])
    XCTAssertEqual(output.report, .durable)
    let kept = try lines(
      "name: a, line: A, kind: output, start: keep, safe: keep, max_on: 5s, "
        + "on_link_loss: {after: 30s, then: keep}")[0].output
    XCTAssertEqual(kept.start, .keep)
    XCTAssertEqual(kept.safe, .keep)
    XCTAssertEqual(kept.maxOn, .seconds(5))
    XCTAssertNil(kept.linkLoss)
    XCTAssertNil(try lines("name: a, line: A, kind: output")[0].output.start)
  }

  func testWrongGuards() {
    let start = "line: A, kind: output"
    assertLine(
      "\(start), start: ¦on", "'start' must be inactive, active, keep or last, not 'on'")
    for guardName in ["max_on", "min_on", "min_off"] {
      assertLine("\(start), \(guardName): ¦5", "'\(guardName)' needs a unit: say 5ms or 5s")
      assertLine(
        "\(start), \(guardName): ¦0s", "'\(guardName)' must be between 1ms and 7d, not '0s'")
      assertLine(
        "line: A, kind: input, ¦\(guardName): 5s",
        "'\(guardName)' is only for outputs; this line is an input")
    }
    let rate = "'max_rate' must be a count and a period such as 6/1min, not"
    for wrong in ["6", "/1min", "6/"] {
      assertLine("\(start), max_rate: ¦\(wrong)", "\(rate) '\(wrong)'")
    }
    assertLine(
      "\(start), max_rate: ¦65/1min", "'max_rate' must be a whole number from 1 to 64, not '65'")
    assertLine("\(start), max_rate: ¦6/1", "'max_rate' needs a unit: say 1ms or 1s")
    assertLine(
      "\(start), max_on: ¦1s, min_on: 2s", "'max_on' must not be shorter than 'min_on'")
    for state in ["safe", "start"] {
      assertLine(
        "\(start), max_on: ¦1s, \(state): active",
        "'max_on' is no guard of a line that is active in its safe state or at start")
    }
  }

  func testWrongLinkLossAndKeys() {
    let start = "line: A, kind: output"
    assertLine(
      "\(start), on_link_loss: ¦30s",
      "'on_link_loss' must be a mapping of keys to values that describes what happens when the "
        + "link is lost, not '30s'")
    assertLine(
      "\(start), on_link_loss: {after: ¦0s, then: safe}",
      "'after' must be between 1s and 7d, not '0s'")
    assertLine(
      "\(start), on_link_loss: {after: 1s, then: ¦off}", "'then' must be safe or keep, not 'off'")
    assertLine(
      "\(start), on_link_loss: ¦{after: 1s}",
      "what happens when the link is lost needs 'then': safe or keep")
    assertLine(
      "\(start), safe: keep, on_link_loss: ¦{after: 1s, then: safe}",
      "'then: safe' does nothing while 'safe' is keep: give 'safe' a state")
    let key = "an entry of 'allow' must be a public key: 56 of A-Z and 2-7"
    assertLine("\(start), allow: [¦abc]", key)
    assertLine("\(start), allow: [¦\(String(repeating: "1", count: 56))]", key)
    assertLine(
      "\(start), allow: [¦\(String(repeating: "A", count: 57))]",
      "an entry of 'allow' is too long: at most 56 bytes")
    assertLine(
      "\(start), allow: ¦everybody",
      "'allow' must be a list of public keys of actors or issuers, not 'everybody'")
  }

  // MARK: Interlocks

  func testInterlocks() throws {
    let manifest = try goodManifest(
      """
      host: {state: /var/lib/edge-host/state}
      capabilities:
        - builtin: gpio
          lines:
            - {name: up, line: A, kind: output}
            - {name: down, line: B, kind: output, safe: keep, start: inactive}
          interlocks:
            - {name: gate, lines: [up, down], dead_time: 500ms}
      """)
    XCTAssertEqual(manifest.host.state, "/var/lib/edge-host/state")
    guard case .gpio(_, _, let interlocks)? = manifest.capabilities.first else {
      return XCTFail("no lines")
    }
    XCTAssertEqual(
      interlocks,
      [InterlockConfiguration(name: "gate", lines: ["up", "down"], deadTime: .milliseconds(500))])
  }

  func testWrongInterlocks() {
    func assertInterlock(_ text: String, _ messages: String..., line: UInt = #line) {
      let lines = """
            - {name: up, line: A, kind: output}
            - {name: down, line: B, kind: output}
            - {name: open, line: C, kind: output, start: active}
            - {name: kept, line: D, kind: output, safe: keep}
            - {name: door, line: E, kind: input}
        """
      for message in messages {
        assertMistakes(lines, interlocks: text, message, line: line)
      }
    }
    assertInterlock(
      "[¦{lines: [up, down]}]", "an interlock needs 'name': what refused commands are told")
    assertInterlock(
      "[¦{name: gate}]", "an interlock needs 'lines': the names of two outputs or more")
    assertInterlock(
      "[{name: gate, lines: ¦[up]}]", "'lines' of an interlock must name two outputs or more")
    assertInterlock("[{name: gate, lines: [up, ¦up]}]", "'up' is given twice")
    assertInterlock("[{name: gate, lines: [up, ¦left]}]", "there is no line 'left'")
    assertInterlock("[{name: gate, lines: [up, ¦door]}]", "'door' is no output")
    for line in ["open", "kept"] {
      assertInterlock(
        "[{name: gate, lines: [up, ¦\(line)]}]",
        "'\(line)' is in an interlock, so it needs 'start: inactive', and 'safe: inactive' or keep")
    }
    assertInterlock(
      "[{name: gate, lines: [up, down], dead_time: ¦2h}]",
      "'dead_time' must be between 0us and 1h, not '2h'")
    assertInterlock(
      "[{name: gate, lines: [up, down]}, {name: ¦gate, lines: [up, down]}]",
      "the interlock 'gate' is given twice: first at 10:25")
    assertInterlock(
      "¦gate",
      "'interlocks' must be a list such as [{name: gate, lines: [up, down], dead_time: 500ms}], "
        + "not 'gate'")
  }

  func testTheStateFile() {
    EdgeHostTests.assertMistakes(
      "host: {state: state}\ncapabilities: []\n",
      ["1:15: 'state' must be a path such as /var/lib/edge-host/state, or none, not 'state'"])
  }
}
