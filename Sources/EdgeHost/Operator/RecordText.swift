import Lattice
import Transport

// Values as people read them.

extension Text {
  /// The text without what could steer a terminal: what others have named and written is printed.
  /// Control characters, U+0080 to U+009F among them, become '?'.
  var harmless: Text {
    var kept: [UInt8] = []
    kept.reserveCapacity(bytes.count)
    for byte in bytes {
      let isSecondByte = byte >= 0x80 && byte < 0xa0 && kept.last == 0xc2
      if isSecondByte { kept.removeLast() }
      let isControl = byte < 0x20 || byte == 0x7f || isSecondByte
      kept.append(isControl ? UInt8(ascii: "?") : byte)
    }
    var text = Text()
    text.append(kept.span)
    return text
  }

  /// How many characters there are, as Unicode counts its scalars.
  var width: Int { bytes.reduce(0) { $1 & 0xc0 == 0x80 ? $0 : $0 + 1 } }
}

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
