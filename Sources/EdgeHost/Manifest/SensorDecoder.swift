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
    let keys = "name" + SensorKindDecoder.keys + SamplingDecoder.keys
    guard let reader = field.mapping("a sensor", keys: keys) else { return nil }
    let name = name(reader)
    let kind = SensorKindDecoder(reader, isSimulated: board == .simulated).decode()
    // SenML's unit of a plain number (RFC 8428, section 12.1).
    var sensor = SensorConfiguration(
      name: name ?? "", kind: kind ?? .simulated(values: []), unit: "/", every: .seconds(60))
    SamplingDecoder(reader).decode(&sensor, knowsKind: kind != nil)
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
