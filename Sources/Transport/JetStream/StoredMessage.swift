/// A message as STREAM.MSG.GET gives it.
public struct StoredMessage: Equatable {
  public var subject = ""
  public var sequence: UInt64 = 0
  public var headers: [UInt8] = []
  public var payload: [UInt8] = []
  public var stored = Timestamp(nanoseconds: 0)

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
