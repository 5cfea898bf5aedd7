// Base32, Base64 and base64url (RFC 4648).

/// Writes at most `capacity` bytes of what base32 (RFC 4648, no padding) stands for; bits that are left
/// over are the first of one byte more.
/// - Returns: the offset of a character that is not of its alphabet, or nil.
func decodeBase32(
  _ text: Span<UInt8>, into buffer: UnsafeMutablePointer<UInt8>, capacity: Int
) -> Int? {
  var bits: UInt32 = 0
  var bitCount = 0
  var end = 0
  for index in text.indices {
    let value: UInt8
    switch text[index] {
    case 0x41...0x5A: value = text[index] - 0x41
    case 0x32...0x37: value = text[index] - 0x32 + 26
    default: return index
    }
    bits = (bits << 5 | UInt32(value)) & 0xFFF
    bitCount += 5
    if bitCount >= 8 {
      bitCount -= 8
      if end < capacity { buffer[end] = UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)) }
      end += 1
    }
  }
  if bitCount > 0, end < capacity {
    buffer[end] = UInt8(truncatingIfNeeded: bits << UInt32(8 - bitCount))
  }
  return nil
}

/// RFC 4648, section 6, without padding.
func encodeBase32(_ bytes: Span<UInt8>) -> [UInt8] {
  encode(bytes, bitsEach: 5) { $0 < 26 ? 0x41 + $0 : 0x32 + $0 - 26 }
}

/// RFC 4648, section 5, without padding.
func encodeBase64URL(_ bytes: Span<UInt8>) -> [UInt8] {
  encode(bytes, bitsEach: 6) { value in
    switch value {
    case 0..<26: 0x41 + value
    case 26..<52: 0x61 + value - 26
    case 52..<62: 0x30 + value - 52
    case 62: UInt8(ascii: "-")
    default: UInt8(ascii: "_")
    }
  }
}

private func encode(
  _ bytes: Span<UInt8>, bitsEach: UInt32, _ character: (UInt8) -> UInt8
) -> [UInt8] {
  var text: [UInt8] = []
  var bits: UInt32 = 0
  var bitCount: UInt32 = 0
  let mask: UInt32 = 1 << bitsEach - 1
  for index in bytes.indices {
    bits = bits << 8 | UInt32(bytes[index])
    bitCount += 8
    while bitCount >= bitsEach {
      bitCount -= bitsEach
      text.append(character(UInt8(truncatingIfNeeded: bits >> bitCount & mask)))
    }
  }
  if bitCount > 0 {
    text.append(character(UInt8(truncatingIfNeeded: bits << (bitsEach - bitCount) & mask)))
  }
  return text
}

/// The bytes of a Base64 text with its padding (RFC 4648, section 4); nil when it is none.
func decodeBase64(_ text: Span<UInt8>) -> [UInt8]? {
  if text.count % 4 != 0 { return nil }
  var end = text.count
  while end > 0, text.count - end < 2, text[end - 1] == 0x3D { end -= 1 }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.count / 4 * 3)
  var bits: UInt32 = 0
  var bitCount: UInt32 = 0
  for index in 0..<end {
    guard let value = base64Value(text[index]) else { return nil }
    bits = bits << 6 | UInt32(value)
    bitCount += 6
    if bitCount >= 8 {
      bitCount -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
      bits &= (1 << bitCount) - 1
    }
  }
  // What is left over are zeros, or two texts would stand for the same bytes.
  return bits == 0 ? bytes : nil
}

private func base64Value(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x41...0x5A: byte - 0x41
  case 0x61...0x7A: byte - 0x61 + 26
  case 0x30...0x39: byte - 0x30 + 52
  case 0x2B: 62
  case 0x2F: 63
  default: nil
  }
}
