// Invariant: any bytes are a JSON text or a JSONError whose place lies in the text; tokens pair, stand in
// order and lie in the text; texts, numbers and their conversions never trap; skipping a value ends where
// reading it ends; and what JSONWriter writes of the tokens is read as the same tokens and values.

@testable import Transport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  let values = read(input)
  require((values == nil) == !skips(input))
  guard let values else { return 0 }
  require(read(write(values)) == values)
  return 0
}

private enum Value: Equatable {
  case token(JSONToken)
  case key(String)
  case string(String)
  case integer(Int64)
  case double(Double)
}

private func read(_ text: [UInt8]) -> [Value]? {
  var reader = JSONReader(text.span)
  var values: [Value] = []
  var end = 0
  func check(_ range: Range<Int>) {
    require(range.lowerBound >= end && range.upperBound <= text.count)
    end = range.upperBound
  }
  do throws(JSONError) {
    while true {
      let token = try reader.next()
      switch token {
      case .end: return values
      case .key(let range):
        check(range)
        values.append(.key(reader.text(range)))
      case .string(let range):
        check(range)
        values.append(.string(reader.text(range)))
      case .number(let range):
        check(range)
        if let number = reader.integer(range) {
          values.append(.integer(number))
        } else if let number = reader.double(range) {
          values.append(.double(number))
        } else {
          // Beyond a Double: JSON allows it, we have no value for it.
          values.append(.token(.null))
        }
      case .beginObject, .endObject, .beginArray, .endArray, .bool, .null:
        values.append(.token(token))
      }
    }
  } catch {
    require(error.offset >= 0 && error.offset <= text.count)
    return nil
  }
}

private func skips(_ text: [UInt8]) -> Bool {
  var reader = JSONReader(text.span)
  do throws(JSONError) {
    try reader.skipValue()
    return try reader.next() == .end
  } catch {
    return false
  }
}

private func write(_ values: [Value]) -> [UInt8] {
  var writer = JSONWriter()
  for value in values {
    switch value {
    case .token(.beginObject): writer.beginObject()
    case .token(.endObject): writer.endObject()
    case .token(.beginArray): writer.beginArray()
    case .token(.endArray): writer.endArray()
    case .token(.bool(let value)): writer.bool(value)
    case .token(_): writer.null()
    case .key(let text): writer.key(text)
    case .string(let text): writer.string(text)
    case .integer(let number): writer.integer(number)
    case .double(let number): writer.double(number)
    }
  }
  return writer.bytes
}
