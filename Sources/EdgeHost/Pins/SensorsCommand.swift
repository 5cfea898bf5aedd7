import GPIOProvider
import Lattice
import Transport

/// `edge-host sensors list`: what sensors this board has, as lines for a manifest, with what they measure
/// now. It needs no manifest and no host.
enum SensorsCommand {
  /// Over which the load of the processor is measured.
  private static let settle = Duration.milliseconds(250)

  static func run(json: Bool) throws(SystemError) -> Int32 {
    let loop = try EventLoop()
    let kinds = SensorInventory().kinds()
    let survey = SensorSurvey(kinds, SensorEnvironment(loop: loop, time: SystemTime()))
    var isWritten = false
    let timer = Timer(on: loop) { now in
      survey.measure(at: now) { findings in
        isWritten = StandardStream.output.write(
          json ? SensorLines.json(findings) : SensorLines.text(findings))
        loop.stop()
      }
    }
    timer.set(EventLoop.now + settle)
    try loop.run()
    if !isWritten { OperatorSession.complain("cannot write the output") }
    return isWritten ? 0 : 1
  }
}

/// Sensors as lines that a manifest may have.
enum SensorLines {
  static func text(_ findings: [SensorSurvey.Finding]) -> Text {
    var table = Table()
    var names: [String] = []
    for finding in findings {
      table.append([line(finding.kind, &names).string, ("# \(outcome(finding))" as Text).string])
    }
    return table.text
  }

  static func json(_ findings: [SensorSurvey.Finding]) -> Text {
    var text = Text()
    var names: [String] = []
    for finding in findings {
      var record = head(finding.kind, &names)
      record.append("value", finding.value.map { .double($0) } ?? .null)
      if let unit = finding.kind.quantity?.unit { record.append("unit", .string(unit)) }
      if let reason = finding.reason { record.append("reason", .string(reason)) }
      text += "\(record.jsonBytes.span)\n"
    }
    return text
  }

  /// `- {name: room, kind: iio, device: bme280, channel: temp}`
  private static func line(_ kind: SensorKind, _ names: inout [String]) -> Text {
    var text: Text = "- {"
    for (index, field) in head(kind, &names).fields.enumerated() {
      if index > 0 { text.append(", ") }
      text += "\(field.name): "
      if let value = field.value.string {
        text.append(StarterManifest.yaml(value))
      } else {
        text += "\(field.value.jsonBytes.span)"
      }
    }
    text.append("}")
    return text
  }

  /// The keys of a manifest, which are those that a host tells of its sensors.
  private static func head(_ kind: SensorKind, _ names: inout [String]) -> Record {
    var record = Record()
    record.append("name", .string(StarterManifest.name(for: kind.proposedName, &names)))
    record.append("kind", .string(kind.text))
    kind.appendProperties(to: &record)
    return record
  }

  private static func outcome(_ finding: SensorSurvey.Finding) -> Text {
    var text = Text()
    if let value = finding.value {
      text += "\(Value.double(value).jsonBytes.span)"
      if let unit = finding.kind.quantity?.unit { text += " \(unit)" }
      if let reason = finding.reason { text += ", uncertain: \(reason)" }
    } else {
      text += "bad: \(finding.reason ?? "")"
    }
    return text
  }
}
