/// Text in the making, as bytes.
///
/// It is written as an interpolated string. Each part is one call here, where a `String`'s
/// interpolation is compiled into some hundred bytes at every place: over all messages of the program
/// that was a tenth of a board's binary.
public struct Text: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// The text as a `String`.
  public var string: String { bytes.string }

  public init(_ string: String) { append(string) }

  public static func += (left: inout Text, right: Text) { left.append(right) }
}

/// What has a text for people: an error, an address.
public protocol TextConvertible: CustomStringConvertible {
  var text: Text { get }
}

extension TextConvertible {
  public var description: String { text.string }
}

extension Text {
  @inline(never)
  public mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  @inline(never)
  public mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  @inline(never)
  public mutating func append(_ text: Span<UInt8>) { bytes.append(text) }

  @inline(never)
  public mutating func append(_ other: Text) {
    other.bytes.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
  }

  @inline(never)
  public mutating func append(_ number: Int64) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    bytes.append(decimal: number.magnitude)
  }

  /// Text from outside: in quotes, short, and without bytes that could steer a terminal.
  @inline(never)
  public mutating func append(quoted text: [UInt8]) {
    let lengthMax = 40
    var end = min(text.count, lengthMax)
    if end < text.count {
      // Not in the middle of a character.
      while end > 0 && text[end] & 0xc0 == 0x80 { end -= 1 }
    }
    bytes.append(UInt8(ascii: "'"))
    for index in 0..<end {
      let byte = text[index]
      // The control characters U+0080 to U+009F are 0xC2 and a byte below 0xA0.
      let isSecondByte = byte < 0xa0 && index > 0 && text[index - 1] == 0xc2
      if isSecondByte { bytes.removeLast() }
      let isControl = byte < 0x20 || byte == 0x7f || isSecondByte
      bytes.append(isControl ? UInt8(ascii: "?") : byte)
    }
    append(end < text.count ? "...'" : "'")
  }
}

extension Text: ExpressibleByStringInterpolation {
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = Text()

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: StaticString) { text.append(literal) }
    public mutating func appendInterpolation(_ part: StaticString) { text.append(part) }
    public mutating func appendInterpolation(_ part: String) { text.append(part) }
    public mutating func appendInterpolation(_ part: Text) { text.append(part) }
    public mutating func appendInterpolation(_ number: Int64) { text.append(number) }
    public mutating func appendInterpolation(_ number: some FixedWidthInteger) {
      text.append(Int64(clamping: number))
    }
    public mutating func appendInterpolation(_ part: some TextConvertible) {
      text.append(part.text)
    }
    public mutating func appendInterpolation(_ part: Span<UInt8>) { text.append(part) }
    public mutating func appendInterpolation(quoted part: [UInt8]) { text.append(quoted: part) }
    public mutating func appendInterpolation(quoted part: String) {
      text.append(quoted: part.bytes)
    }
  }

  public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }
  public init(stringLiteral text: StaticString) { append(text) }
}
