import Transport

// `Value` and `Record` as JSON texts.

extension JSONWriter {
  @inline(never)
  mutating func value(_ value: Value) {
    switch value {
    case .null: null()
    case .bool(let flag): bool(flag)
    case .integer(let number): integer(number)
    case .double(let number): double(number)
    case .string(let text): string(text)
    case .bytes(let bytes): byteList(bytes)
    case .list(let values):
      beginArray()
      for element in values { self.value(element) }
      endArray()
    case .record(let record): self.record(record)
    }
  }

  @inline(never)
  mutating func record(_ record: Record) {
    beginObject()
    fields(of: record)
    endObject()
  }

  /// What an error says, within an object that is already open.
  @inline(never)
  mutating func fields(of error: InvocationError) {
    field("code", error.code.rawValue)
    field("reason", error.reason)
    fields(of: error.details)
  }

  /// A record's fields within an object that is already open.
  @inline(never)
  mutating func fields(of record: Record) {
    for field in record.fields {
      key(field.name)
      value(field.value)
    }
  }

  @inline(never)
  mutating func field(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  @inline(never)
  mutating func field(_ name: String, _ number: Int64) {
    key(name)
    integer(number)
  }

  /// JSON has no bytes: they are written as a list of numbers.
  private mutating func byteList(_ bytes: [UInt8]) {
    beginArray()
    for byte in bytes { integer(Int64(byte)) }
    endArray()
  }
}

extension Value {
  /// The value as a JSON text.
  public var jsonBytes: [UInt8] {
    var writer = JSONWriter()
    writer.value(self)
    return writer.bytes
  }

  /// Reads any JSON text. As in a `Record`, no object has a name twice or too many fields.
  public init(json bytes: Span<UInt8>) throws(JSONError) {
    var reader = JSONReader(bytes)
    self = try Record.value(of: try reader.next(), &reader)
    _ = try reader.next()
  }
}

extension Record {
  /// Fields that one object may have when it is read. Each is compared with those before it: the
  /// thousands that fit a message would keep a small board busy for long. Arbitrary.
  static let fieldsMax = 128

  /// The record as a JSON object.
  public var jsonBytes: [UInt8] {
    var writer = JSONWriter()
    writer.record(self)
    return writer.bytes
  }

  /// Reads a JSON object; an empty body is a record without fields. A repeated name is refused: two
  /// readers could take different ones.
  public init(json bytes: Span<UInt8>) throws(JSONError) {
    self.init()
    if bytes.isEmpty { return }
    var reader = JSONReader(bytes)
    guard try reader.next() == .beginObject else { throw reader.unexpectedType }
    self = try Record.read(&reader)
    _ = try reader.next()
  }

  /// The fields of an object whose beginning has been read.
  private static func read(_ reader: inout JSONReader) throws(JSONError) -> Record {
    var record = Record()
    while case .key(let key) = try reader.next() {
      let name = reader.text(key)
      if record[name] != nil { throw reader.failure(.repeatedKey) }
      if record.fields.count == fieldsMax { throw reader.failure(.tooManyKeys) }
      let token = try reader.next()
      record.append(name, try value(of: token, &reader))
    }
    return record
  }

  fileprivate static func value(
    of token: JSONToken, _ reader: inout JSONReader
  ) throws(JSONError) -> Value {
    switch token {
    case .beginObject: return .record(try read(&reader))
    case .beginArray: return .list(try list(&reader))
    case .string(let range): return .string(reader.text(range))
    case .bool(let flag): return .bool(flag)
    case .null: return .null
    case .number(let range):
      if let number = reader.integer(range) { return .integer(number) }
      if let number = reader.double(range) { return .double(number) }
      throw reader.failure(.badNumber)
    case .key, .endObject, .endArray, .end: throw reader.unexpectedType
    }
  }

  private static func list(_ reader: inout JSONReader) throws(JSONError) -> [Value] {
    var values: [Value] = []
    while true {
      let token = try reader.next()
      if token == .endArray { return values }
      values.append(try value(of: token, &reader))
    }
  }
}
