/// One token of a JSON text. Ranges are offsets of the text between the quotes, or of the number.
public enum JSONToken: Equatable {
  case beginObject
  case endObject
  case beginArray
  case endArray
  case key(Range<Int>)
  case string(Range<Int>)
  case number(Range<Int>)
  case bool(Bool)
  case null
  /// The text ended after one whole value.
  case end
}

/// Where and why a text is not JSON.
public struct JSONError: Error, Equatable {
  public enum Reason: Equatable, Sendable {
    case unexpectedEnd, unexpectedByte, badNumber, badEscape, badUTF8, controlCharacter
    case tooDeep, trailingBytes, unexpectedType, repeatedKey, tooManyKeys
  }
  public let reason: Reason
  /// Byte offset in the text.
  public let offset: Int
}

extension JSONError: TextConvertible {
  public var text: Text {
    let text: Text =
      switch reason {
      case .unexpectedEnd: "the text ends too early"
      case .unexpectedByte: "unexpected character"
      case .badNumber: "malformed number"
      case .badEscape: "malformed escape"
      case .badUTF8: "malformed UTF-8"
      case .controlCharacter: "control character in a string"
      case .tooDeep: "nested too deeply"
      case .trailingBytes: "something follows the value"
      case .unexpectedType: "value of an unexpected type"
      case .repeatedKey: "repeated key"
      case .tooManyKeys: "too many keys"
      }
    return "\(text) at byte \(offset)"
  }
}

/// Reads a JSON text (RFC 8259) token by token: strict, bounded in depth, without allocation. Ask for
/// tokens until `.end`; after an error the reader must not be used again.
public struct JSONReader: ~Escapable {
  /// Deepest nesting accepted.
  public static let depthMax = 32

  private enum Expectation { case value, firstKey, key, colonValue, firstElement, commaOrEnd, end }

  private let bytes: Span<UInt8>
  private(set) var offset = 0
  private var expectation = Expectation.value
  private var depth = 0
  /// Bit n tells whether container n is an object.
  private var objects: UInt32 = 0

  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  @inline(never)
  public mutating func next() throws(JSONError) -> JSONToken {
    skipBlanks()
    switch expectation {
    case .end:
      if offset < bytes.count { throw failure(.trailingBytes) }
      return .end
    case .value:
      return try value()
    case .colonValue:
      try take(0x3A)
      skipBlanks()
      return try value()
    case .firstKey:
      if peek() == 0x7D { return endContainer(.endObject) }
      return try key()
    case .key:
      return try key()
    case .firstElement:
      if peek() == 0x5D { return endContainer(.endArray) }
      return try value()
    case .commaOrEnd:
      return try commaOrEnd()
    }
  }

  /// Passes over the value that follows (after a key: that key's value).
  @inline(never)
  public mutating func skipValue() throws(JSONError) {
    let start = depth
    repeat {
      if try next() == .end { throw failure(.unexpectedEnd) }
    } while depth > start
  }

  /// The text of a `.key` or `.string` token, escapes resolved.
  @inline(never)
  public func text(_ range: Range<Int>) -> String {
    if bytes.extracting(range).firstOffset(of: 0x5C) == nil {
      return bytes.extracting(range).string
    }
    return JSONEscapes.resolved(bytes.extracting(range)).span.string
  }

  /// Whether a `.key` or `.string` token spells `literal` (texts with escapes never do).
  @inline(never)
  public func matches(_ range: Range<Int>, _ literal: StaticString) -> Bool {
    bytes.extracting(range).equals(literal)
  }

  /// The integer a `.number` token spells, or nil when it has a fraction, an exponent, or is too large.
  @inline(never)
  public func integer(_ range: Range<Int>) -> Int64? {
    let digits = bytes.extracting(range)
    let isNegative = digits.count > 0 && digits[0] == 0x2D
    guard let size = digits.extracting((isNegative ? 1 : 0)..<digits.count).unsignedNumber else {
      return nil
    }
    if isNegative { return size <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- size) : nil }
    return Int64(exactly: size)
  }

  /// The number a `.number` token spells, or nil when it is beyond a Double.
  @inline(never)
  public func double(_ range: Range<Int>) -> Double? {
    parseDecimal(bytes.extracting(range))
  }

  // MARK: values of a known type

  @inline(never)
  public mutating func nextString() throws(JSONError) -> String {
    guard case .string(let range) = try next() else { throw unexpectedType }
    return text(range)
  }

  @inline(never)
  public mutating func nextBool() throws(JSONError) -> Bool {
    guard case .bool(let value) = try next() else { throw unexpectedType }
    return value
  }

  @inline(never)
  public mutating func nextInteger() throws(JSONError) -> Int64 {
    guard case .number(let range) = try next(), let number = integer(range) else {
      throw unexpectedType
    }
    return number
  }

  /// The error for a token of another type than the caller needs.
  public var unexpectedType: JSONError { failure(.unexpectedType) }

  // MARK: grammar

  private mutating func value() throws(JSONError) -> JSONToken {
    guard let byte = peek() else { throw failure(.unexpectedEnd) }
    switch byte {
    case 0x7B:
      try beginContainer(isObject: true)
      return .beginObject
    case 0x5B:
      try beginContainer(isObject: false)
      return .beginArray
    case 0x22:
      let range = try string()
      endValue()
      return .string(range)
    case 0x74: return try word("true", .bool(true))
    case 0x66: return try word("false", .bool(false))
    case 0x6E: return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func key() throws(JSONError) -> JSONToken {
    let range = try string()
    expectation = .colonValue
    return .key(range)
  }

  private mutating func commaOrEnd() throws(JSONError) -> JSONToken {
    guard let byte = peek() else { throw failure(.unexpectedEnd) }
    let isObject = objects & (1 << UInt32(depth - 1)) != 0
    if byte == (isObject ? 0x7D : 0x5D) { return endContainer(isObject ? .endObject : .endArray) }
    try take(0x2C)
    skipBlanks()
    return isObject ? try key() : try value()
  }

  private mutating func beginContainer(isObject: Bool) throws(JSONError) {
    if depth == JSONReader.depthMax { throw failure(.tooDeep) }
    let bit = UInt32(1) << UInt32(depth)
    objects = isObject ? objects | bit : objects & ~bit
    depth += 1
    offset += 1
    expectation = isObject ? .firstKey : .firstElement
  }

  private mutating func endContainer(_ token: JSONToken) -> JSONToken {
    depth -= 1
    offset += 1
    endValue()
    return token
  }

  private mutating func endValue() { expectation = depth == 0 ? .end : .commaOrEnd }

  // MARK: scalars

  private mutating func word(
    _ literal: StaticString, _ token: JSONToken
  ) throws(JSONError) -> JSONToken {
    let end = offset + literal.utf8CodeUnitCount
    guard end <= bytes.count, bytes.extracting(offset..<end).equals(literal) else {
      throw failure(.unexpectedByte)
    }
    offset = end
    endValue()
    return token
  }

  private mutating func number() throws(JSONError) -> JSONToken {
    let start = offset
    if peek() == 0x2D { offset += 1 }
    if peek() == 0x30 {
      offset += 1
    } else if try digits() == 0 {
      throw failure(offset == start ? .unexpectedByte : .badNumber)
    }
    if peek() == 0x2E {
      offset += 1
      if try digits() == 0 { throw failure(.badNumber) }
    }
    if let byte = peek(), byte | 0x20 == 0x65 {
      offset += 1
      if let sign = peek(), sign == 0x2B || sign == 0x2D { offset += 1 }
      if try digits() == 0 { throw failure(.badNumber) }
    }
    endValue()
    return .number(start..<offset)
  }

  private mutating func digits() throws(JSONError) -> Int {
    let start = offset
    while let byte = peek(), byte >= 0x30, byte <= 0x39 { offset += 1 }
    return offset - start
  }

  /// A string with its quotes; returns the range between them.
  private mutating func string() throws(JSONError) -> Range<Int> {
    try take(0x22)
    let start = offset
    while let byte = peek() {
      switch byte {
      case 0x22:
        offset += 1
        return start..<(offset - 1)
      case 0x5C:
        guard let length = JSONEscapes.length(in: bytes, at: offset) else {
          throw failure(.badEscape)
        }
        offset += length
      case 0x00..<0x20:
        throw failure(.controlCharacter)
      case 0x20..<0x80:
        offset += 1
      default:
        guard let length = utf8SequenceLength(bytes, at: offset) else { throw failure(.badUTF8) }
        offset += length
      }
    }
    throw failure(.unexpectedEnd)
  }

  // MARK: bytes

  private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func take(_ byte: UInt8) throws(JSONError) {
    guard let next = peek() else { throw failure(.unexpectedEnd) }
    if next != byte { throw failure(.unexpectedByte) }
    offset += 1
  }

  private mutating func skipBlanks() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  /// An error at the reader's present place.
  @inline(never)
  public func failure(_ reason: JSONError.Reason) -> JSONError {
    JSONError(reason: reason, offset: offset)
  }
}

/// The length of the well-formed UTF-8 sequence at `offset`, or nil (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
func utf8SequenceLength(_ bytes: Span<UInt8>, at offset: Int) -> Int? {
  let first = bytes[offset]
  let length: Int
  var second: ClosedRange<UInt8> = 0x80...0xBF
  switch first {
  case 0x00...0x7F: return 1
  case 0xC2...0xDF: length = 2
  case 0xE0:
    length = 3
    second = 0xA0...0xBF
  case 0xED:
    length = 3
    second = 0x80...0x9F
  case 0xE1...0xEF: length = 3
  case 0xF0:
    length = 4
    second = 0x90...0xBF
  case 0xF4:
    length = 4
    second = 0x80...0x8F
  case 0xF1...0xF3: length = 4
  default: return nil
  }
  if bytes.count - offset < length || !second.contains(bytes[offset + 1]) { return nil }
  var index = 2
  while index < length {
    if bytes[offset + index] & 0xC0 != 0x80 { return nil }
    index += 1
  }
  return length
}
