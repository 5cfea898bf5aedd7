import GPIOProvider
import Transport

/// Decodes the sensors of one board, and refuses two of one name.
struct SensorDecoder {
  private enum Kind { case thermal, simulated }

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
        "a sensor", keys: ["name", "kind", "zone", "unit", "every", "report", "script"])
    else { return nil }
    let name = name(reader)
    let every = reader.field("every")?.duration(in: ManifestLimits.every) ?? .seconds(60)
    let (kind, unit) = kindAndUnit(reader)
    var sensor = SensorConfiguration(name: name ?? "", kind: kind, unit: unit, every: every)
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

// MARK: - Kinds

extension SensorDecoder {
  private func kindAndUnit(
    _ reader: MappingReader
  ) -> (SensorConfiguration.Kind, unit: String) {
    let field = reader.required("kind", "thermal or simulated")
    let kind = field?.choice(["thermal": Kind.thermal, "simulated": .simulated])
    switch kind {
    case .thermal:
      if board == .simulated {
        field?.report("a simulated board has only simulated sensors: say 'kind: simulated'")
      }
      return thermal(reader)
    case .simulated:
      reader.refuse("zone", "is only for thermal sensors; this one is simulated")
      let values = reader.field("script").flatMap(values) ?? Self.defaultValues
      // SenML's unit of a plain number (RFC 8428, section 12.1).
      return (.simulated(values: values), reader.field("unit").flatMap(unit) ?? "/")
    case nil:
      _ = reader.field("unit").flatMap(unit)
      return (.simulated(values: []), "/")
    }
  }

  private func thermal(_ reader: MappingReader) -> (SensorConfiguration.Kind, unit: String) {
    let zone = reader.required("zone", "the zone's type, as in /sys/class/thermal/*/type")?
      .text("a thermal zone's type such as cpu-thermal", bytesMax: ManifestLimits.zoneBytesMax)
    if let field = reader.field("unit"), let unit = unit(field),
      !matches(Array(unit.utf8), "Cel")
    {
      field.report("'unit' of a thermal sensor is Cel: leave it out")
    }
    reader.refuse("script", "is only for simulated sensors; this one is thermal")
    return (.thermal(zone: zone ?? ""), "Cel")
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

  private func values(_ field: Field) -> [Double]? {
    guard let reader = field.mapping("a sensor's script", keys: ["values"]) else { return nil }
    let example: StaticString = "a list of numbers such as [20.5, 21, 21.5]"
    guard let list = reader.required("values", example),
      let items = list.items(example, max: ManifestLimits.scriptValuesMax)
    else { return nil }
    if items.isEmpty { list.report("'values' must have at least one number") }
    return items.map { $0.decimal() ?? 0 }
  }

  /// A room over a quiet day.
  private static var defaultValues: [Double] {
    [20, 20.4, 20.9, 21.3, 21.6, 21.3, 20.9, 20.4]
  }
}
