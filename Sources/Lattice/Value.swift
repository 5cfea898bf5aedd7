import Transport

/// A value as operations take and return it, whatever the dialect that carried it: JSON,
/// MessagePack or another encoding is only its outside.
public enum Value: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case list([Value])
  case record(Record)
}

extension Value {
  // Written out, for what the compiler makes of it is five times as large.
  @inline(never)
  public static func == (left: Value, right: Value) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.double(let left), .double(let right)): left == right
    case (.string(let left), .string(let right)): left == right
    case (.bytes(let left), .bytes(let right)): left == right
    case (.list(let left), .list(let right)):
      left.count == right.count && left.indices.allSatisfy { left[$0] == right[$0] }
    case (.record(let left), .record(let right)): left == right
    default: false
    }
  }

  public var bool: Bool? {
    if case .bool(let flag) = self { return flag }
    return nil
  }

  public var integer: Int64? {
    if case .integer(let number) = self { return number }
    return nil
  }

  public var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  /// A number, whole or not.
  public var double: Double? {
    switch self {
    case .double(let number): number
    case .integer(let number): Double(number)
    default: nil
    }
  }

  public var list: [Value]? {
    if case .list(let values) = self { return values }
    return nil
  }

  public var record: Record? {
    if case .record(let record) = self { return record }
    return nil
  }
}

/// Named values in a fixed order, as encoders write them.
public struct Record: Equatable, Sendable {
  public struct Field: Equatable, Sendable {
    public let name: String
    public var value: Value

    @inline(never)
    public static func == (left: Field, right: Field) -> Bool {
      left.name == right.name && left.value == right.value
    }
  }

  public private(set) var fields: [Field] = []

  public init() {}

  @inline(never)
  public static func == (left: Record, right: Record) -> Bool {
    let (left, right) = (left.fields, right.fields)
    return left.count == right.count && left.indices.allSatisfy { left[$0] == right[$0] }
  }

  /// The value of a field, or nil when the record has none of that name.
  public subscript(name: String) -> Value? {
    for field in fields where field.name == name { return field.value }
    return nil
  }

  /// Adds a field at the end. The caller sees to it that names differ.
  @inline(never)
  public mutating func append(_ name: String, _ value: Value) {
    fields.append(Field(name: name, value: value))
  }

  /// Makes it empty, and keeps its memory for what comes next.
  public mutating func removeAll() { fields.removeAll(keepingCapacity: true) }

  /// Adds the fields of another record at the end.
  public mutating func append(contentsOf other: Record) { fields += other.fields }
}
