import GPIOProvider
import Lattice
import Transport

/// Lines and their states as libgpiod's tools print them, whose users' scripts read them.
enum LineText {
  /// `"dock-door"=active`, or `1`.
  static func value(_ name: String, _ isActive: Bool, isNumeric: Bool) -> Text {
    if isNumeric { return isActive ? "1" : "0" }
    return "\"\(Text(name).harmless)\"=\(isActive ? "active" : "inactive")"
  }

  /// `1237.000056789`, tab, `rising`, tab, `"dock-door"`, as gpiomon prints an edge.
  static func edge(_ name: String, isRising: Bool, at time: Instant) -> Text {
    "\(seconds(time))\t\(isRising ? "rising" : "falling")\t\"\(Text(name).harmless)\""
  }

  /// The instant in seconds with nine decimals.
  static func seconds(_ time: Instant) -> Text {
    let (whole, rest) = max(time.nanoseconds, 0).quotientAndRemainder(dividingBy: 1_000_000_000)
    var text: Text = "\(whole)."
    // A leading 1 keeps the zeros.
    let digits: Text = "\(rest + 1_000_000_000)"
    text.append(digits.bytes.span.extracting(1..<digits.bytes.count))
    return text
  }

  /// An event of the running host: an edge as above, anything else with what it says.
  static func event(kind: String, _ name: String, _ body: Record) -> Text {
    if let edge = body["edge"]?.string, let time = body["monotonic_ns"]?.integer {
      return LineText.edge(
        name, isRising: edge == "rising", at: Instant(nanoseconds: time))
    }
    let time = Text(body["time"]?.plainText ?? "-").harmless
    let rest = Text(body.pairs(except: ["time", "name"])).harmless
    return "\(time)\t\(Text(kind).harmless)\t\"\(Text(name).harmless)\"\t\(rest)"
  }

  /// What `set` takes, also as gpioset's users write it.
  static func state(_ text: String) -> Bool? {
    switch text {
    case "active", "on", "1", "true": true
    case "inactive", "off", "0", "false": false
    default: nil
    }
  }
}

/// Chips and lines as gpioinfo prints them.
extension ListedChip {
  var text: Text {
    var text: Text = "\(name) - \(lines.count) lines:\n"
    for line in lines {
      let offset: Text = "\(line.offset)"
      text.append("\tline ")
      text.pad(3 - offset.bytes.count)
      text += "\(offset):\t"
      let quoted: Text = line.name.utf8.isEmpty ? "unnamed" : "\"\(line.name)\""
      text += quoted.harmless
      text.pad(16 - quoted.width)
      text += "\t\(line.attributes.harmless)\n"
    }
    return text
  }

  var record: Record {
    var record = Record()
    record.append("chip", .string(name))
    record.append("label", .string(label))
    record.append("lines", .list(lines.map { .record($0.record) }))
    return record
  }
}

extension ListedLine {
  /// `input active-low bias=pull-up consumer="x"`
  var attributes: Text {
    var text = Text(direction.text)
    if activeLow { text.append(" active-low") }
    if let drive = drive.text { text += " drive=\(drive)" }
    if let bias = bias.text { text += " bias=\(bias)" }
    if let edges = edgesText { text += " edges=\(edges)" }
    if isUsed { text += " consumer=\"\(holder)\"" }
    return text
  }

  /// Who has a line that is in use; the kernel itself gives no name.
  var holder: String { consumer.utf8.isEmpty ? "kernel" : consumer }

  var record: Record {
    var record = Record()
    record.append("offset", .integer(Int64(offset)))
    record.append("name", name.utf8.isEmpty ? .null : .string(name))
    record.append("direction", .string(direction.text))
    record.append("active_low", .bool(activeLow))
    if let drive = drive.text { record.append("drive", .string(drive)) }
    if let bias = bias.text { record.append("bias", .string(bias)) }
    if let edges = edgesText { record.append("edges", .string(edges)) }
    record.append("used", .bool(isUsed))
    if isUsed { record.append("consumer", .string(holder)) }
    return record
  }

  /// Nil for none.
  private var edgesText: String? { edges == .none ? nil : edges.text }
}
