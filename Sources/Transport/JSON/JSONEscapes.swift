/// JSON's backslash escapes (RFC 8259, section 7).
enum JSONEscapes {
  /// The length of the escape whose backslash is at `offset`, a surrogate pair being one; nil when it
  /// is malformed or a surrogate stands alone.
  static func length(in bytes: Span<UInt8>, at offset: Int) -> Int? {
    guard offset + 1 < bytes.count else { return nil }
    if simple(bytes[offset + 1]) != nil { return 2 }
    guard bytes[offset + 1] == 0x75, let unit = hexadecimal(bytes, at: offset + 2) else {
      return nil
    }
    if unit & 0xF800 != 0xD800 { return 6 }
    guard unit & 0xFC00 == 0xD800, offset + 7 < bytes.count, bytes[offset + 6] == 0x5C,
      bytes[offset + 7] == 0x75, let low = hexadecimal(bytes, at: offset + 8),
      low & 0xFC00 == 0xDC00
    else { return nil }
    return 12
  }

  /// The text with every escape replaced. What is malformed is left out; the reader has refused it.
  static func resolved(_ bytes: Span<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var offset = 0
    while offset < bytes.count {
      if bytes[offset] != 0x5C {
        result.append(bytes[offset])
        offset += 1
        continue
      }
      guard let length = length(in: bytes, at: offset) else { return result }
      append(bytes, at: offset, length: length, to: &result)
      offset += length
    }
    return result
  }

  private static func append(
    _ bytes: Span<UInt8>, at offset: Int, length: Int, to result: inout [UInt8]
  ) {
    if length == 2 {
      if let byte = simple(bytes[offset + 1]) { result.append(byte) }
      return
    }
    guard let unit = hexadecimal(bytes, at: offset + 2) else { return }
    var scalar = unit
    if length == 12, let low = hexadecimal(bytes, at: offset + 8) {
      scalar = 0x10000 + ((unit & 0x3FF) << 10 | low & 0x3FF)
    }
    appendUTF8(scalar, to: &result)
  }

  private static func appendUTF8(_ scalar: UInt32, to result: inout [UInt8]) {
    func continuation(_ shift: UInt32) -> UInt8 {
      0x80 | UInt8(truncatingIfNeeded: scalar >> shift) & 0x3F
    }
    switch scalar {
    case 0..<0x80:
      result.append(UInt8(truncatingIfNeeded: scalar))
    case 0x80..<0x800:
      result.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
      result.append(continuation(0))
    case 0x800..<0x10000:
      result.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
      result.append(continuation(6))
      result.append(continuation(0))
    default:
      result.append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
      result.append(continuation(12))
      result.append(continuation(6))
      result.append(continuation(0))
    }
  }

  private static func simple(_ letter: UInt8) -> UInt8? {
    switch letter {
    case 0x22, 0x5C, 0x2F: letter
    case 0x62: 0x08
    case 0x66: 0x0C
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    default: nil
    }
  }

  private static func hexadecimal(_ bytes: Span<UInt8>, at offset: Int) -> UInt32? {
    if offset + 4 > bytes.count { return nil }
    var number: UInt32 = 0
    for index in offset..<(offset + 4) {
      let digit: UInt8
      switch bytes[index] {
      case 0x30...0x39: digit = bytes[index] - 0x30
      case 0x41...0x46: digit = bytes[index] - 0x41 + 10
      case 0x61...0x66: digit = bytes[index] - 0x61 + 10
      default: return nil
      }
      number = number << 4 | UInt32(digit)
    }
    return number
  }
}
