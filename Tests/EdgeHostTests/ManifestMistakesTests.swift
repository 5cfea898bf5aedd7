import XCTest

@testable import EdgeHost

/// Each kind of mistake, with its place and what the operator is told.
final class ManifestMistakesTests: XCTestCase {
  private func assertLine(
    _ line: String, board: String = "linux", _ expected: String..., file: StaticString = #filePath,
    at: UInt = #line
  ) {
    // The line's text begins at column 7 of line 5.
    assertMistakes(
      "capabilities:\n  - builtin: gpio\n    board: \(board)\n    lines:\n    - \(line)\n",
      expected,
      file: file, line: at)
  }

  private func assertSensor(
    _ sensor: String, board: String = "linux", _ expected: String...,
    file: StaticString = #filePath, at: UInt = #line
  ) {
    assertMistakes(
      "capabilities:\n  - builtin: sensors\n    board: \(board)\n    sensors:\n    - \(sensor)\n",
      expected, file: file, line: at)
  }

  // MARK: the whole

  func testShape() {
    let empty =
      "1:1: the manifest is empty: it needs at least 'capabilities', the list of what the board "
      + "offers"
    assertMistakes("", ["\(empty)"])
    assertMistakes("---\n...\n", [empty])
    assertMistakes("~", [empty])
    assertMistakes(
      "# nothing\n", ["2:1" + empty.dropFirst(3)])
    assertMistakes(
      "- a",
      ["1:1: the file must be a mapping of keys to values that describes a manifest, not a list"])
    assertMistakes(
      "hello",
      ["1:1: the file must be a mapping of keys to values that describes a manifest, not 'hello'"])
    assertMistakes(
      "host: {name: a}",
      ["1:1: a manifest needs 'capabilities': a list of what the board offers, or [] for nothing"])
  }

  func testUnknownKeys() {
    assertMistakes(
      "capabilites: []", ["1:1: unknown key 'capabilites': did you mean 'capabilities'?"])
    assertMistakes(
      "capabilities: []\nHosts: {}\n", ["2:1: unknown key 'Hosts': did you mean 'host'?"])
    assertMistakes(
      "capabilities: []\nplugins: []\n",
      [
        "2:1: unknown key 'plugins': the keys of a manifest are host, labels, link, requests, "
          + "services, journal, capabilities, actors and bindings"
      ])
    assertMistakes(
      "capabilities: []\nlink: {server: [a]}\n",
      ["2:8: unknown key 'server': did you mean 'servers'?"])
    assertMistakes(
      "capabilities: []\n\"a\\e[2J\\x9b\u{fc}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": 1\n",
      [
        "2:1: unknown key 'a?[2J?\u{fc}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...': the keys of a "
          + "manifest are "
          + "host, labels, link, requests, services, journal, capabilities, actors and bindings"
      ])
    assertLine(
      "{name: a, chip: c, line: 1, directoin: input, debuonce: 5ms}",
      "5:35: unknown key 'directoin': did you mean 'direction'?",
      "5:53: unknown key 'debuonce': did you mean 'debounce'?")
  }

  func testHost() {
    func assertHost(_ host: String, _ expected: String..., line: UInt = #line) {
      assertMistakes("host: \(host)\ncapabilities: []", expected, line: line)
    }
    assertHost(
      "x", "1:7: 'host' must be a mapping of keys to values that describes the host, not 'x'")
    assertHost(
      "", "1:6: 'host' must be a mapping of keys to values that describes the host, not empty")
    assertHost(
      "{name: dock.7}",
      "1:14: 'name' becomes part of NATS subjects: no blanks, '.', '*', '>' or non-ASCII; say "
        + "'dock-7'"
    )
    assertHost(
      "{name: \"*> dock  seven.\"}",
      "1:14: 'name' becomes part of NATS subjects: no blanks, '.', '*', '>' or non-ASCII; "
        + "say 'dock-seven'")
    assertHost(
      "{name: \"*\"}",
      "1:14: 'name' becomes part of NATS subjects: no blanks, '.', '*', '>' or non-ASCII")
    assertHost(
      "{lattice: \(String(repeating: "w", count: 64))}",
      "1:17: 'lattice' is too long: at most 63 bytes; say '\(String(repeating: "w", count: 63))'")
    assertHost("{name: }", "1:14: 'name' must be a name, not empty")
    assertHost("{name: ''}", "1:14: 'name' must be a name, not empty")
    assertHost("{name: [a]}", "1:14: 'name' must be a name, not a list")
    assertHost(
      "{log: warn}", "1:13: 'log' must be error, warning, info or debug, not 'warn'")
    assertHost(
      "{log: inof}",
      "1:13: 'log' must be error, warning, info or debug, not 'inof': did you mean 'info'?")
    assertHost("{presence: 0s}", "1:18: 'presence' must be between 1s and 1h, not '0s'")
    assertHost("{presence: 61min}", "1:18: 'presence' must be between 1s and 1h, not '61min'")
    assertHost(
      "{presence: 99999999999999999999d}",
      "1:18: 'presence' must be between 1s and 1h, not '99999999999999999999d'")
  }

  func testDurations() {
    func assertPresence(_ value: String, _ message: String, line: UInt = #line) {
      assertMistakes(
        "host: {presence: \(value)}\ncapabilities: []", ["1:18: 'presence' \(message)"], line: line)
    }
    let expected = "must be a duration such as 500ms, 30s, 5min or 1h"
    assertPresence("30", "needs a unit: say 30ms or 30s")
    assertPresence("'30'", "needs a unit: say 30ms or 30s")
    assertPresence("5m", "\(expected), not '5m': the units are us, ms, s, min, h and d")
    assertPresence("5S", "\(expected), not '5S': the units are us, ms, s, min, h and d")
    assertPresence("1h30min", "\(expected), not '1h30min': the units are us, ms, s, min, h and d")
    assertPresence("1.5s", "\(expected), not '1.5s': use a smaller unit, not a fraction")
    assertPresence("30 s", "\(expected), not '30 s': leave out the blank")
    assertPresence("-30s", "\(expected), not '-30s'")
    assertPresence("soon", "\(expected), not 'soon'")
    assertPresence("[30s]", "\(expected), not a list")
    assertPresence("{s: 30}", "\(expected), not a mapping")
  }

  func testJournal() {
    func assertJournal(_ text: String, _ message: String, column: Int, line: UInt = #line) {
      assertMistakes(
        "journal: {\(text)}\ncapabilities: []", ["1:\(column): \(message)"], line: line)
    }
    assertJournal(
      "memory: 3999B", "'memory' must be between 16384B and 1MB, not '3999B'", column: 19)
    assertJournal("memory: 64", "'memory' needs a unit: say 64kB or 64MB", column: 19)
    assertJournal("size: 1GB", "'size' must be between 0B and 250MB, not '1GB'", column: 17)
    assertJournal(
      "size: 64kB", "'size' must be 0B, for none, or a size from 500kB to 250MB, not '64kB'",
      column: 17)
    assertJournal("sync: 1ms", "'sync' must be between 100ms and 10min, not '1ms'", column: 17)
    assertJournal(
      "path: journal", "'path' must be a path such as /var/lib/edge-host/journal, not 'journal'",
      column: 17)
    assertJournal(
      "delivery: twice", "'delivery' must be acknowledged or at_most_once, not 'twice'", column: 21)
    assertJournal(
      "size: 0B, sync: 5s",
      "'sync' makes no sense with 'size: 0B': nothing is on the disk", column: 21)
    assertJournal(
      "bytes: 1", "unknown key 'bytes': the keys of the journal are size, sync, memory, path and "
        + "delivery", column: 11)
  }

  func testLabels() {
    func assertLabels(_ labels: String, _ expected: String..., line: UInt = #line) {
      assertMistakes("labels: \(labels)\ncapabilities: []", expected, line: line)
    }
    assertLabels("[a]", "1:9: 'labels' must be a mapping such as {site: wh7}, not a list")
    assertLabels("{a: [b]}", "1:13: the label 'a' must be text, not a list")
    assertLabels("{a: }", "1:13: the label 'a' must be text, not empty")
    assertLabels(#"{a: "\n"}"#, "1:13: the label 'a' must not contain control characters")
    assertLabels(
      "{a: \(String(repeating: "x", count: 256))}",
      "1:13: the label 'a' is too long: at most 255 bytes")
    assertLabels(
      "{\(String(repeating: "x", count: 64)): a}",
      "1:10: the name of a label is too long: at most 63 bytes")
    assertLabels(
      "{hostcore.os: linux}",
      "1:10: labels that begin with 'hostcore.' are set by the host itself")
    let many = (0..<65).map { "l\($0): x" }.joined(separator: ", ")
    assertLabels("{\(many)}", "1:9: 'labels' has 65 entries: at most 64")
  }

  func testServers() {
    func assertServers(_ servers: String, _ expected: String..., line: UInt = #line) {
      assertMistakes("link: {servers: \(servers)}\ncapabilities: []", expected, line: line)
    }
    assertServers(
      "hub", "1:17: 'servers' must be a list such as [nats://127.0.0.1:4222], not 'hub'")
    assertServers("[]", "1:17: 'servers' must name at least one server")
    assertServers(
      "[hub, nats://hub:x, ws://hub]",
      "1:23: an entry of 'servers': 'x' is not a port: say a number from 1 to 65535",
      "1:37: an entry of 'servers': the scheme 'ws' is not supported: say nats://HOST:PORT")
    assertServers(
      "[nats://ann:secret@hub]",
      "1:18: an entry of 'servers': user names, passwords and tokens do not belong in the address: "
        + "name a file with them in 'auth' of the manifest")
    assertServers(
      "[[hub]]",
      "1:18: an entry of 'servers' must be a server address such as nats://127.0.0.1:4222, not "
        + "a list"
    )
    let many = (0..<17).map { "h\($0)" }.joined(separator: ", ")
    assertServers("[\(many)]", "1:17: 'servers' has 17 entries: at most 16")
  }

  func testCapabilities() {
    assertMistakes(
      "capabilities:",
      [
        "1:14: 'capabilities' must be a list of capabilities such as '- builtin: gpio', or [] for "
          + "nothing, not empty"
      ])
    assertMistakes(
      "capabilities: [gpio]",
      [
        "1:16: an entry of 'capabilities' must be a mapping such as {builtin: gpio, lines: []}, "
          + "not 'gpio'"
      ])
    assertMistakes(
      "capabilities:\n- board: linux\n", ["2:3: a capability needs 'builtin': gpio or sensors"])
    assertMistakes(
      "capabilities:\n- builtin: gpoi\n",
      ["2:12: 'builtin' must be gpio or sensors, not 'gpoi': did you mean 'gpio'?"])
    assertMistakes(
      "capabilities:\n- builtin: gpio\n- builtin: sensors\n",
      [
        "2:3: gpio needs 'lines': a list of lines, or [] for none",
        "3:3: sensors needs 'sensors': a list of sensors, or [] for none",
      ])
    assertMistakes(
      "capabilities:\n- {builtin: gpio, lines: []}\n- {builtin: gpio, lines: []}\n",
      ["3:13: this builtin is given twice: first at 2:13"])
    assertMistakes(
      "capabilities:\n- {builtin: gpio, board: pi, lines: {}}\n",
      [
        "2:26: 'board' must be linux or simulated, not 'pi'",
        "2:37: 'lines' must be a list of lines, or [] for none, not a mapping",
      ])
    assertMistakes(
      "capabilities: []\nactors: {}\nbindings: yes\n",
      [
        "2:9: 'actors' must be a list, or [] for nothing, not a mapping",
        "3:11: 'bindings' must be a list, or [] for nothing, not 'yes'",
      ])
  }

  // MARK: lines

  func testWhereALineIs() {
    assertLine(
      "{}", "5:7: a line needs 'name': what actors call it",
      "5:7: a line needs 'direction': input or output; or 'kind'",
      "5:7: a line needs 'line': its number on the chip, or its kernel name such as GPIO17; or 'bcm' "
        + "or 'header'")
    assertLine(
      "door",
      "5:7: an entry of 'lines' must be a mapping of keys to values that describes a line, not "
        + "'door'"
    )
    assertLine(
      "{name: a, line: 17, direction: input}",
      "5:23: 'line' is a number, so it needs 'chip': the chip's name or label")
    let number = "must be a whole number from 0 to 65535, not"
    for wrong in ["-1", "1.5", "017", "0x11", "1_000", "65536", "99999999999", "+1"] {
      assertLine(
        "{name: a, chip: c, line: \(wrong), direction: input}", "5:32: 'line' \(number) '\(wrong)'")
    }
    assertLine(
      "{name: a, line: [1], direction: input}",
      "5:23: 'line' must be a number from 0 to 65535 or a kernel line name such as GPIO17, not "
        + "a list"
    )
    assertLine(
      "{name: a, line: \(String(repeating: "x", count: 32)), direction: input}",
      "5:23: 'line' is too long: at most 31 bytes")
    assertLine(
      "{name: a, chip: /dev/gpiochip0, line: 1, direction: input}",
      "5:23: 'chip' must be a chip's name or label: leave out '/dev/'")
    assertLine(
      "{name: a, chip: 0, line: 1, direction: input}",
      "5:23: 'chip' must be a chip's name or label: say 'gpiochip0'")
    assertLine(
      "{name: a, chip: '', line: 1, direction: input}",
      "5:23: 'chip' must be a chip's name or label such as gpiochip0, not empty")
  }

  func testLinesGivenTwice() {
    assertLine(
      "{name: a, line: A, direction: input}\n    - {name: a, line: B, direction: input}",
      "6:14: the line 'a' is given twice: first at 5:14")
    assertLine(
      "{name: a, line: A, direction: input}\n    - {name: b, line: A, direction: input}",
      "6:23: this line of the chip is given twice: first at 5:23")
    assertLine(
      "{name: a, chip: c, line: 1, direction: input}\n"
        + "    - {name: b, chip: c, line: 1, direction: output}\n"
        + "    - {name: d, chip: e, line: 1, direction: output}\n"
        + "    - {name: f, chip: c, line: '1', direction: output}",
      "6:32: this line of the chip is given twice: first at 5:32")
  }

  func testHowALineBehaves() {
    let start = "{name: a, line: A, direction:"
    assertLine(
      "\(start) in}", "5:37: 'direction' must be input or output, not 'in'")
    assertLine(
      "\(start) inptu}",
      "5:37: 'direction' must be input or output, not 'inptu': did you mean 'input'?")
    assertLine("\(start) input, active: on}", "5:52: 'active' must be high or low, not 'on'")
    assertLine(
      "\(start) input, bias: pullup}",
      "5:50: 'bias' must be pull-up, pull-down, disabled or as-is, not 'pullup': "
        + "did you mean 'pull-up'?")
    assertLine(
      "\(start) input, edges: any}",
      "5:51: 'edges' must be none, rising, falling or both, not 'any'")
    assertLine("\(start) input, debounce: 5}", "5:54: 'debounce' needs a unit: say 5ms or 5s")
    assertLine(
      "\(start) input, debounce: 2h}", "5:54: 'debounce' must be between 0us and 1h, not '2h'")
    assertLine(
      "\(start) input, report: always}",
      "5:52: 'report' must be durable or latest, not 'always'")
    assertLine(
      "\(start) output, drive: [x]}",
      "5:52: 'drive' must be push-pull, open-drain or open-source, not a list")
    assertLine(
      "\(start) output, safe: off}",
      "5:51: 'safe' must be inactive, active or keep, not 'off'")
  }

  func testKeysOfTheOtherDirection() {
    assertLine(
      "{name: a, line: A, direction: input, drive: push-pull, safe: keep, bias: pull-up}",
      "5:44: 'drive' is only for outputs; this line is an input",
      "5:62: 'safe' is only for outputs; this line is an input")
    assertLine(
      "{name: a, line: A, direction: output, edges: both, debounce: 5ms, report: latest}",
      "5:45: 'edges' is only for inputs and counters; this line is an output",
      "5:58: 'debounce' is only for inputs; this line is an output")
    assertLine(
      "{name: a, direction: output, script: {steps: [{after: 1s, active: true}]}}",
      board: "simulated", "5:36: 'script' is only for inputs; this line is an output")
    assertLine(
      "{name: a, line: A, direction: input, script: {steps: [{after: 1s, active: true}]}}",
      "5:44: 'script' is only for inputs of a simulated board ('board: simulated')")
  }

  func testLineScripts() {
    func assertScript(_ script: String, _ expected: String..., line: UInt = #line) {
      assertMistakes(
        "capabilities:\n- builtin: gpio\n  board: simulated\n  lines:\n  - name: a\n"
          + "    direction: input\n    script: \(script)\n", expected, line: line)
    }
    assertScript(
      "[]",
      "7:13: 'script' must be a mapping of keys to values that describes a line's script, "
        + "not a list")
    assertScript(
      "{repeat: true}",
      "7:13: a line's script needs 'steps': a list such as [{after: 2s, active: true}]")
    assertScript("{steps: []}", "7:21: 'steps' must have at least one step")
    assertScript(
      "{steps: [{}], repeat: yes}",
      "7:22: a step needs 'after': a duration such as 2s, counted from the step before",
      "7:22: a step needs 'active': true or false",
      "7:35: 'repeat' must be true or false, not 'yes': say true")
    assertScript(
      "{steps: [{after: 0s, active: \"true\"}, {after: 1s, active: Off}], repeat: maybe}",
      "7:30: 'after' must be between 1ms and 1d, not '0s'",
      "7:42: 'active' must be true or false, not 'true': leave out the quotes",
      "7:71: 'active' must be true or false, not 'Off': say false",
      "7:86: 'repeat' must be true or false, not 'maybe'")
  }

  // MARK: sensors

  func testSensors() {
    assertSensor(
      "{}", "5:7: a sensor needs 'name': what actors call it",
      "5:7: a sensor needs 'kind': thermal or simulated")
    assertSensor(
      "{name: a, kind: iio}", "5:23: 'kind' must be thermal or simulated, not 'iio'")
    assertSensor(
      "{name: a, kind: thermal}",
      "5:7: a sensor needs 'zone': the zone's type, as in /sys/class/thermal/*/type")
    assertSensor(
      "{name: a, kind: thermal, zone: z, unit: K, script: {values: [1]}}",
      "5:47: 'unit' of a thermal sensor is Cel: leave it out",
      "5:50: 'script' is only for simulated sensors; this one is thermal")
    assertSensor("{name: a, kind: thermal, zone: z, unit: Cel}")
    assertSensor(
      "{name: a, kind: thermal, zone: z}", board: "simulated",
      "5:23: a simulated board has only simulated sensors: say 'kind: simulated'")
    assertSensor(
      "{name: a, kind: simulated, zone: z, every: 10ms, report: never, unit: a b}",
      "5:34: 'zone' is only for thermal sensors; this one is simulated",
      "5:50: 'every' must be between 100ms and 1d, not '10ms'",
      "5:64: 'report' must be durable or latest, not 'never'",
      "5:77: 'unit' must be a SenML unit such as Cel, %RH or V, not 'a b'")
    assertSensor(
      "{name: a, kind: simulated}\n    - {name: a, kind: simulated}",
      "6:14: the sensor 'a' is given twice: first at 5:14")
    let number = "must be a number such as 21.5, not"
    assertSensor(
      "{name: a, kind: simulated, script: {values: [1, nan, 1ee, 0x1p3, 1., .5, -, 1.2.3]}}",
      "5:55: an entry of 'values' \(number) 'nan'", "5:60: an entry of 'values' \(number) '1ee'",
      "5:65: an entry of 'values' \(number) '0x1p3'", "5:72: an entry of 'values' \(number) '1.'",
      "5:76: an entry of 'values' \(number) '.5'", "5:80: an entry of 'values' \(number) '-'",
      "5:83: an entry of 'values' \(number) '1.2.3'")
    assertSensor(
      "{name: a, kind: simulated, script: {values: []}}",
      "5:51: 'values' must have at least one number")
    assertSensor(
      "{name: a, kind: simulated, script: {}}",
      "5:42: a sensor's script needs 'values': a list of numbers such as [20.5, 21, 21.5]")
  }

  // MARK: several

  func testTheFirstTwentyMistakesByPlace() {
    let lines = (0..<30).map { "k\($0)zzzzzzzzz: 1\n" }.joined()
    let found = mistakes(Array((lines + "capabilities: []\n").utf8))
    XCTAssertEqual(found.count, 21)
    XCTAssertTrue(found[0].hasPrefix("1:1: unknown key 'k0zzzzzzzzz'"), found[0])
    XCTAssertTrue(found[19].hasPrefix("20:1: unknown key"), found[19])
    XCTAssertEqual(found[20], " and 10 more")
  }

  func testMistakesOfAllPartsAreFoundAtOnce() {
    assertMistakes(
      """
      host: {name: a b}
      host: {name: c}
      labels: &x {}
      capabilities:
        - builtin: gpio
          lines: [{name: d, line: 1, direction: out}]
      """,
      [
        "1:14: 'name' becomes part of NATS subjects: no blanks, '.', '*', '>' or non-ASCII; say "
          + "'a-b'",
        "2:1: 'host' is given twice: first at 1:1",
        "3:9: anchors (&name) are not supported: write the values out",
        "6:29: 'line' is a number, so it needs 'chip': the chip's name or label",
        "6:43: 'direction' must be input or output, not 'out'",
      ])
  }
}
