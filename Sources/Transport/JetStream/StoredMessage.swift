/// A message as STREAM.MSG.GET gives it.
struct StoredMessage: Equatable {
  var subject = ""
  var sequence: UInt64 = 0
  var headers: [UInt8] = []
  var payload: [UInt8] = []
  var stored = Timestamp(nanoseconds: 0)

  static func read(_ json: Span<UInt8>) -> Result<StoredMessage, JetStreamFailure> {
    var message = StoredMessage()
    let failure = JetStreamError.failure(in: json, isWhole: { message.sequence > 0 }) {
      (reader, key) throws(JSONError) in
      if reader.matches(key, "message") {
        try message.readMembers(&reader, json)
      } else {
        try reader.skipValue()
      }
    }
    return failure.map { .failure($0) } ?? .success(message)
  }

  private mutating func readMembers(
    _ reader: inout JSONReader, _ json: Span<UInt8>
  ) throws(JSONError) {
    guard try reader.next() == .beginObject else { throw reader.unexpectedType }
    while case .key(let key) = try reader.next() {
      if reader.matches(key, "subject") {
        subject = try reader.nextString()
      } else if reader.matches(key, "seq") {
        sequence = try reader.nextSequence()
      } else if reader.matches(key, "hdrs") {
        headers = try StoredMessage.bytes(&reader, json)
      } else if reader.matches(key, "data") {
        payload = try StoredMessage.bytes(&reader, json)
      } else if reader.matches(key, "time") {
        let text = Array(try reader.nextString().utf8)
        guard let time = Timestamp(rfc3339: text.span) else {
          throw reader.unexpectedType
        }
        stored = time
      } else {
        try reader.skipValue()
      }
    }
  }

  private static func bytes(
    _ reader: inout JSONReader, _ json: Span<UInt8>
  ) throws(JSONError) -> [UInt8] {
    switch try reader.next() {
    case .null: return []
    case .string(let range):
      guard let bytes = decodeBase64(json.extracting(range)) else { throw reader.unexpectedType }
      return bytes
    default: throw reader.unexpectedType
    }
  }
}

/// The bytes of a Base64 text with its padding (RFC 4648, section 4); nil when it is none.
func decodeBase64(_ text: Span<UInt8>) -> [UInt8]? {
  if text.count % 4 != 0 { return nil }
  var end = text.count
  while end > 0, text.count - end < 2, text[end - 1] == 0x3D { end -= 1 }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.count / 4 * 3)
  var bits: UInt32 = 0
  var bitCount: UInt32 = 0
  for index in 0..<end {
    guard let value = base64Value(text[index]) else { return nil }
    bits = bits << 6 | UInt32(value)
    bitCount += 6
    if bitCount >= 8 {
      bitCount -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
      bits &= (1 << bitCount) - 1
    }
  }
  // What is left over are zeros, or two texts would stand for the same bytes.
  return bits == 0 ? bytes : nil
}

private func base64Value(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x41...0x5A: byte - 0x41
  case 0x61...0x7A: byte - 0x61 + 26
  case 0x30...0x39: byte - 0x30 + 52
  case 0x2B: 62
  case 0x2F: 63
  default: nil
  }
}
