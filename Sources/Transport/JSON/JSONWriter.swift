/// Writes a JSON text (RFC 8259) without blanks; commas and escapes are its own care. The caller opens
/// and closes objects and arrays in pairs.
public struct JSONWriter {
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// What an event or an answer takes is allocated at once, and not in many steps.
  private static let usualBytes = 256

  public init() { self.init(capacity: JSONWriter.usualBytes) }

  /// - Parameter capacity: bytes that can be written before memory is allocated again.
  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  /// Overwrites what was written, and forgets it. Whoever has taken a copy of `bytes` keeps that.
  mutating func wipe() {
    bytes.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { Transport.wipe(base, buffer.count) }
    }
    self = JSONWriter()
  }

  @inline(never)
  public mutating func beginObject() { begin(0x7B) }
  @inline(never)
  public mutating func endObject() { end(0x7D) }
  @inline(never)
  public mutating func beginArray() { begin(0x5B) }
  @inline(never)
  public mutating func endArray() { end(0x5D) }

  @inline(never)
  public mutating func key(_ name: String) {
    separate()
    appendQuoted(name)
    bytes.append(0x3A)
    needsComma = false
  }

  @inline(never)
  public mutating func string(_ text: String) {
    separate()
    appendQuoted(text)
    needsComma = true
  }

  /// Text given as its bytes, which must be UTF-8.
  @inline(never)
  public mutating func string(_ text: Span<UInt8>) {
    separate()
    text.withUnsafeBufferPointer { appendQuoted($0) }
    needsComma = true
  }

  @inline(never)
  public mutating func bool(_ value: Bool) { word(value ? "true" : "false") }
  @inline(never)
  public mutating func null() { word("null") }

  @inline(never)
  public mutating func integer(_ number: Int64) {
    separate()
    if number < 0 { bytes.append(0x2D) }
    bytes.append(decimal: number.magnitude)
    needsComma = true
  }

  /// JSON has no infinities and no NaN: these are written as null.
  @inline(never)
  public mutating func double(_ number: Double) {
    guard number.isFinite else { return null() }
    separate()
    var text = number.description
    text.withUTF8 { bytes.append(contentsOf: $0) }
    needsComma = true
  }

  /// A value that is a JSON text already.
  @inline(never)
  public mutating func raw(_ text: [UInt8]) {
    separate()
    bytes.append(text.span)
    needsComma = true
  }

  private mutating func begin(_ byte: UInt8) {
    separate()
    bytes.append(byte)
    needsComma = false
  }

  private mutating func end(_ byte: UInt8) {
    bytes.append(byte)
    needsComma = true
  }

  private mutating func word(_ literal: StaticString) {
    separate()
    bytes.append(ascii: literal)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(0x2C) }
  }

  @inline(never)
  private mutating func appendQuoted(_ text: String) {
    var text = text
    text.withUTF8 { appendQuoted($0) }
  }

  /// Nearly no text has anything to escape: then it is copied as a whole.
  @inline(never)
  private mutating func appendQuoted(_ text: UnsafeBufferPointer<UInt8>) {
    bytes.append(0x22)
    if text.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) {
      for byte in text { append(escaping: byte) }
    } else {
      bytes.append(contentsOf: text)
    }
    bytes.append(0x22)
  }

  private mutating func append(escaping byte: UInt8) {
    switch byte {
    case 0x22, 0x5C:
      bytes.append(0x5C)
      bytes.append(byte)
    case 0x0A: bytes.append(ascii: "\\n")
    case 0x0D: bytes.append(ascii: "\\r")
    case 0x09: bytes.append(ascii: "\\t")
    case 0..<0x20:
      bytes.append(ascii: "\\u00")
      bytes.append(0x30 + byte >> 4)
      let low = byte & 0x0F
      bytes.append(low < 10 ? 0x30 + low : 0x57 + low)
    default: bytes.append(byte)
    }
  }
}
