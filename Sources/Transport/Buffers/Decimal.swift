/// The number that a decimal spells: `-12.5`, `4e-3`; nil when the bytes are anything else, or when
/// the number is too large for a Double.
///
/// Up to 15 digits and 22 powers of ten it is the nearest Double; beyond, it may be off by some tens of
/// units in the last place. The C library's exact conversion brings 128-bit arithmetic and some 30 KB.
public func parseDecimal(_ bytes: Span<UInt8>) -> Double? {
  var reader = DecimalReader(bytes)
  let isNegative = reader.take(0x2D)
  guard reader.digits() > 0 else { return nil }
  if reader.take(0x2E) {
    reader.isFraction = true
    guard reader.digits() > 0 else { return nil }
  }
  guard let exponent = reader.exponent() else { return nil }
  let value = scaled(reader.mantissa, by: reader.scale + exponent)
  guard value.isFinite else { return nil }
  return isNegative ? -value : value
}

/// `mantissa` times ten to the power of `exponent`.
private func scaled(_ mantissa: UInt64, by exponent: Int) -> Double {
  var value = Double(mantissa)
  if mantissa == 0 { return value }
  var power = 1.0
  for _ in 0..<min(exponent.magnitude, 22) { power *= 10 }
  value = exponent < 0 ? value / power : value * power
  // Below 10^-400 and above 10^400 nothing but zero and infinity is left.
  for _ in 22..<max(min(exponent.magnitude, 400), 22) {
    value = exponent < 0 ? value / 10 : value * 10
  }
  return value
}

private struct DecimalReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var offset = 0
  /// The first 19 digits; they fit 64 bits.
  private(set) var mantissa: UInt64 = 0
  private var digitCount = 0
  /// Power of ten that the mantissa is to be multiplied by.
  private(set) var scale = 0
  var isFraction = false

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  mutating func take(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  /// Reads digits and returns how many there were.
  mutating func digits() -> Int {
    let start = offset
    while offset < bytes.count {
      let digit = bytes[offset] &- 0x30
      if digit > 9 { break }
      offset += 1
      if digitCount < 19 {
        mantissa = mantissa * 10 + UInt64(digit)
        if mantissa > 0 { digitCount += 1 }
        if isFraction { scale -= 1 }
      } else if !isFraction {
        scale += 1
      }
    }
    return offset - start
  }

  /// The exponent at the end, 0 when there is none; nil when something else follows.
  mutating func exponent() -> Int? {
    if offset == bytes.count { return 0 }
    if !take(0x65) && !take(0x45) { return nil }
    let isNegative = take(0x2D)
    if !isNegative { _ = take(0x2B) }
    guard offset < bytes.count else { return nil }
    var number = 0
    while offset < bytes.count {
      let digit = bytes[offset] &- 0x30
      if digit > 9 { return nil }
      offset += 1
      number = min(number * 10 + Int(digit), 100_000)
    }
    return isNegative ? -number : number
  }
}
