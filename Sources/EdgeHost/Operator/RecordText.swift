import Lattice
import Transport

// Values as people read them.

extension Value {
  /// Texts as they are, numbers and truths as JSON has them, records and lists as JSON.
  var plainText: String {
    if case .string(let text) = self { return text }
    return jsonBytes.span.string
  }

  var records: [Record] {
    guard case .list(let values) = self else { return [] }
    var records: [Record] = []
    for value in values {
      if case .record(let record) = value { records.append(record) }
    }
    return records
  }
}

extension Record {
  /// `key=value` for every field but those named.
  func pairs(except names: [String]) -> String {
    let rest = fields.filter { !names.includes($0.name) }
    return rest.map { $0.name + "=" + $0.value.plainText }.joined(by: "  ")
  }
}
