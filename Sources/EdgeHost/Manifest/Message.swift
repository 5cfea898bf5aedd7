/// Text in the making, as bytes.
///
/// It is written as an interpolated string. Each part is one call here, where a `String`'s
/// interpolation is compiled into some hundred bytes at every place: with the many messages of a
/// strict schema that was a third of the manifest's code.
struct Message {
  private(set) var bytes: [UInt8] = []

  /// The text as a `String`.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  static func += (left: inout Message, right: Message) { left.append(right) }
}

extension Message {
  @inline(never)
  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  @inline(never)
  mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  @inline(never)
  mutating func append(_ message: Message) {
    message.bytes.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
  }

  @inline(never)
  mutating func append(_ number: Int64) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = number.magnitude
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  /// Text from outside: in quotes, short, and without bytes that could steer a terminal.
  @inline(never)
  mutating func append(quoted text: [UInt8]) {
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

extension Message: ExpressibleByStringInterpolation {
  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var message = Message()

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: StaticString) { message.append(literal) }
    mutating func appendInterpolation(_ text: StaticString) { message.append(text) }
    mutating func appendInterpolation(_ text: String) { message.append(text) }
    mutating func appendInterpolation(_ other: Message) { message.append(other) }
    mutating func appendInterpolation(_ number: Int) { message.append(Int64(number)) }
    mutating func appendInterpolation(_ number: Int64) { message.append(number) }
    mutating func appendInterpolation(quoted text: [UInt8]) { message.append(quoted: text) }
    mutating func appendInterpolation(_ mark: Mark) {
      message.append(Int64(mark.line))
      message.append(":")
      message.append(Int64(mark.column))
    }
  }

  init(stringInterpolation: StringInterpolation) { self = stringInterpolation.message }
  init(stringLiteral text: StaticString) { append(text) }
}
