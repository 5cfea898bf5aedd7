import GPIOProvider
import Transport

/// Decodes what a sensor is: its kind, and the keys that only some kinds have.
struct SensorKindDecoder {
  private enum Kind { case thermal, simulated }

  /// All keys that some kind has, `kind` among them.
  static var keys: [StaticString] { ["kind", "zone", "script"] }

  private let reader: MappingReader
  private let isSimulated: Bool

  /// - Parameters:
  ///   - reader: of a sensor.
  ///   - isSimulated: the board has only simulated sensors.
  init(_ reader: MappingReader, isSimulated: Bool) {
    self.reader = reader
    self.isSimulated = isSimulated
  }

  /// Returns a kind also when parts of it are wrong and reported; nil when it is not known which.
  func decode() -> SensorKind? {
    let field = reader.required("kind", "thermal or simulated")
    guard let kind = field?.choice(["thermal": Kind.thermal, "simulated": .simulated]) else {
      return nil
    }
    if isSimulated && kind != .simulated {
      field?.report("a simulated board has only simulated sensors: say 'kind: simulated'")
    }
    switch kind {
    case .thermal:
      reader.refuse("script", "is only for simulated sensors; this one is thermal")
      return thermal()
    case .simulated:
      reader.refuse("zone", "is only for thermal sensors; this one is simulated")
      return .simulated(values: reader.field("script").flatMap(values) ?? Self.defaultValues)
    }
  }

  private func thermal() -> SensorKind {
    let zone = reader.required("zone", "the zone's type, as in /sys/class/thermal/*/type")?
      .text("a thermal zone's type such as cpu-thermal", bytesMax: ManifestLimits.zoneBytesMax)
    return .thermal(zone: zone ?? "")
  }

  private func values(_ field: Field) -> [Double]? {
    guard let reader = field.mapping("a sensor's script", keys: ["values"]) else { return nil }
    let example: StaticString = "a list of numbers such as [20.5, 21, 21.5]"
    guard let list = reader.required("values", example),
      let items = list.items(example, max: ManifestLimits.scriptValuesMax)
    else { return nil }
    if items.isEmpty { list.report("'values' must have at least one number") }
    return items.map { item in
      if case .scalar(let scalar) = item.node.content, matches(scalar.bytes, "bad") { return .nan }
      return item.decimal() ?? 0
    }
  }

  /// A room over a quiet day.
  private static var defaultValues: [Double] {
    [20, 20.4, 20.9, 21.3, 21.6, 21.3, 20.9, 20.4]
  }
}
