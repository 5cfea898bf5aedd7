import CLinux
import GPIOProvider
import Lattice
import Transport

/// `edge-host gpio scan`: a manifest to start from, of what this board has.
enum ScanCommand {
  static func run(_ request: GPIORequest) -> Int32 {
    let found = GPIOChips.list()
    for path in found.deniedPaths {
      OperatorSession.complain("\(BoardError.denied(path))")
    }
    let text = StarterManifest.text(
      host: HostProgram.kernelHostName(), found.chips, zones: GPIOChips.thermalZones())
    guard let path = request.manifest else {
      return StandardStream.output.write(text) ? 0 : 1
    }
    let file = linux_create_new(path)
    if file < 0 {
      // What is there may be in use, and somebody's work.
      OperatorSession.complain("\(path): \(SystemError("open", file).reason): nothing was written")
      return 1
    }
    let bytes = text.bytes
    let written = linux_write(file, bytes, bytes.count)
    _ = linux_close(file)
    if written != Int64(bytes.count) {
      _ = linux_remove_file(path)
      let reason = SystemError("write", Int32(clamping: min(written, 0))).reason
      OperatorSession.complain("\(path): \(reason): nothing was written")
      return 1
    }
    OperatorSession.complain("\(path) is written: uncomment the lines that you use")
    return 0
  }
}

/// A manifest that is good as it is: lines are comments, for which of them is an output only people
/// know, and a wrong guess would drive one.
enum StarterManifest {
  static func text(host: String, _ chips: [ListedChip], zones: [String]) -> Text {
    var text: Text = """
      # Made by `edge-host gpio scan`. Check it with `edge-host check FILE`.
      host: {name: \(yaml(host)), lattice: default}
      link:
        servers: [nats://127.0.0.1:4222]
      capabilities:
        - builtin: gpio
          # Take away the [] when you uncomment the first line.
          lines: []

      """
    let headers = chips.filter { $0.isRaspberryPiHeader }
    let listed = headers.isEmpty ? chips : headers
    if listed.isEmpty { text.append("      # No GPIO chip was found.\n") }
    for chip in listed { text += lines(of: chip, among: chips) }
    if !zones.isEmpty {
      text.append("  - builtin: sensors\n    sensors:\n")
      var names: [String] = []
      for zone in zones {
        text += """
                - {name: \(yaml(name(for: zone, &names))), kind: thermal, zone: \(yaml(zone))}

          """
      }
    }
    return text
  }

  private static func lines(of chip: ListedChip, among chips: [ListedChip]) -> Text {
    var text = comment("\(chip.name) [\(chip.label)]")
    let hasNames = chip.lines.contains { !$0.name.utf8.isEmpty }
    if !hasNames && !chip.lines.isEmpty {
      text += comment("its lines have no names: take them by number, such as")
      text += """
              # - {name: line-0, chip: \(yaml(chip.name)), line: 0, direction: input}

        """
    }
    var names: [String] = []
    for line in chip.lines where !line.name.utf8.isEmpty {
      if line.isUsed {
        text += comment("\(line.name) is in use by \(line.holder)")
        continue
      }
      var same = 0
      for other in chips {
        for candidate in other.lines where candidate.name == line.name { same += 1 }
      }
      let place: Text =
        same == 1
        ? "line: \(yaml(line.name))" : "chip: \(yaml(chip.name)), line: \(line.offset)"
      text += """
              # - {name: \(yaml(name(for: line.name, &names))), \(place), direction: input}

        """
    }
    return text
  }

  /// One line, whatever a driver calls its lines.
  private static func comment(_ text: Text) -> Text { "      # \(text.harmless)\n" }

  /// A name that is one token and not given yet.
  static func name(for kernelName: String, _ taken: inout [String]) -> String {
    let lower = lowercased(kernelName.bytes)
    let name = Name.suggestion(for: lower) ?? "line"
    var free = name
    var number = 2
    while taken.includes(free) {
      free = ("\(name)-\(number)" as Text).string
      number += 1
    }
    taken.append(free)
    return free
  }

  /// A scalar as YAML takes it for a text, in quotes where it might be more than letters.
  static func yaml(_ text: String) -> String {
    let bytes = text.bytes
    let isPlain = bytes.allSatisfy {
      isDigit($0) || $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z")
        || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
    if isPlain, let first = bytes.first, first >= UInt8(ascii: "A"), text != "null" { return text }
    return Value.string(text).jsonBytes.span.string
  }
}
