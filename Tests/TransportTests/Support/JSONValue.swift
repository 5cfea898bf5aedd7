@testable import Transport

/// A JSON text as a tree, read with `JSONReader` and written with `JSONWriter`.
indirect enum JSONValue: Equatable {
  struct Member: Equatable {
    var key: String
    var value: JSONValue
  }

  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  init(_ text: [UInt8]) throws(JSONError) {
    var reader = JSONReader(text.span)
    self = try JSONValue.read(try reader.next(), &reader)
    if try reader.next() != .end { throw reader.unexpectedType }
  }

  subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .integer(let number): writer.integer(number)
    case .double(let number): writer.double(number)
    case .string(let text): writer.string(text)
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for member in members {
        writer.key(member.key)
        member.value.write(to: &writer)
      }
      writer.endObject()
    }
  }

  private static func read(
    _ token: JSONToken, _ reader: inout JSONReader
  ) throws(JSONError) -> JSONValue {
    switch token {
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .string(let range): return .string(reader.text(range))
    case .number(let range):
      if let number = reader.integer(range) { return .integer(number) }
      guard let number = reader.double(range) else { throw reader.unexpectedType }
      return .double(number)
    case .beginArray:
      var elements: [JSONValue] = []
      while true {
        let token = try reader.next()
        if token == .endArray { return .array(elements) }
        elements.append(try read(token, &reader))
      }
    case .beginObject:
      var members: [Member] = []
      while case .key(let range) = try reader.next() {
        members.append(
          Member(key: reader.text(range), value: try read(try reader.next(), &reader)))
      }
      return .object(members)
    case .endObject, .endArray, .key, .end: throw reader.unexpectedType
    }
  }
}
