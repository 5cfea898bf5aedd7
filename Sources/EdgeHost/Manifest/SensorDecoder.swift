import GPIOProvider
import Transport

/// Decodes the sensors of one board, and refuses two of one name.
struct SensorDecoder {
  private let board: Manifest.Board
  private let problems: ProblemList
  private var names = FirstPlaces()

  init(board: Manifest.Board, problems: ProblemList) {
    self.board = board
    self.problems = problems
  }

  /// Returns a sensor also when parts of it are wrong and reported; nil when nothing can be said.
  mutating func sensor(_ field: Field) -> SensorConfiguration? {
    guard
      let reader = field.mapping(
        "a sensor", keys: ["name", "unit", "every", "report"] + SensorKindDecoder.keys)
    else { return nil }
    let name = name(reader)
    let every = reader.field("every")?.duration(in: ManifestLimits.every) ?? .seconds(60)
    let kind = SensorKindDecoder(reader, isSimulated: board == .simulated).decode()
    let unit = unit(reader, of: kind)
    var sensor = SensorConfiguration(
      name: name ?? "", kind: kind ?? .simulated(values: []), unit: unit, every: every)
    if let report = reader.field("report")?.choice([
      "durable": SensorConfiguration.Report.durable, "latest": .latest,
    ]) {
      sensor.report = report
    }
    return sensor
  }

  private mutating func name(_ reader: MappingReader) -> String? {
    guard let field = reader.required("name", "what actors call it"), let name = field.name() else {
      return nil
    }
    if let first = names.insert(name, at: field.mark) {
      field.report("the sensor '\(name)' is given twice: first at \(first)")
    }
    return name
  }
}

// MARK: - Units

extension SensorDecoder {
  /// - Parameter kind: nil when it is not known.
  private func unit(_ reader: MappingReader, of kind: SensorKind?) -> String {
    let field = reader.field("unit")
    let unit = field.flatMap(unit)
    // SenML's unit of a plain number (RFC 8428, section 12.1).
    guard let kind, let expected = kind.quantity?.unit else { return unit ?? "/" }
    if let unit, unit != expected {
      field?.report("'unit' of a \(kind.text) sensor is \(expected): leave it out")
    }
    return expected
  }

  /// The names of SenML's units are printable ASCII without blanks (RFC 8428, section 4.5.1).
  private func unit(_ field: Field) -> String? {
    let expected: StaticString = "a SenML unit such as Cel, %RH or V"
    guard let unit = field.text(expected, bytesMax: ManifestLimits.unitBytesMax) else { return nil }
    guard Array(unit.utf8).allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      field.reportMismatch("\(expected)")
      return nil
    }
    return unit
  }
}
