// Byte-wise text handling. Protocol text is ASCII; working on bytes keeps Unicode's tables out of the
// board's binary and never allocates.

/// A view of a literal's bytes.
@_lifetime(immortal)
public func ascii(_ literal: StaticString) -> Span<UInt8> {
  let span = Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount)
  return _overrideLifetime(span, copying: ())
}

/// Copies bytes, also between places that overlap. The typed pointer's `update(from:)` is a loop with
/// a call for each byte in Embedded Swift; this is the C library's memmove.
func moveBytes(
  to target: UnsafeMutablePointer<UInt8>, from source: UnsafePointer<UInt8>, count: Int
) {
  UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
}

/// Copies bytes between places that do not overlap. Subjects and numbers are shorter than a call of the
/// C library is worth: up to 16 bytes go as two words, which may overlap.
func copyBytes(
  to target: UnsafeMutablePointer<UInt8>, from source: UnsafePointer<UInt8>, count: Int
) {
  let target = UnsafeMutableRawPointer(target)
  let source = UnsafeRawPointer(source)
  if count > 16 {
    target.copyMemory(from: source, byteCount: count)
  } else if count >= 8 {
    let last = source.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
    target.storeBytes(of: last, toByteOffset: count - 8, as: UInt64.self)
  } else if count >= 4 {
    let last = source.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
    target.storeBytes(of: source.loadUnaligned(as: UInt32.self), as: UInt32.self)
    target.storeBytes(of: last, toByteOffset: count - 4, as: UInt32.self)
  } else {
    for index in 0..<count {
      target.storeBytes(
        of: source.load(fromByteOffset: index, as: UInt8.self), toByteOffset: index, as: UInt8.self)
    }
  }
}

extension Span where Element == UInt8 {
  /// Whether the bytes are exactly those of `other`.
  @inline(never)
  public func equals(_ other: Span<UInt8>) -> Bool {
    if count != other.count { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }

  @inline(never)
  public func equals(_ literal: StaticString) -> Bool { equals(ascii(literal)) }

  /// Whether the bytes are those of `literal`, upper and lower case ASCII letters being the same.
  @inline(never)
  public func equalsIgnoringCase(_ literal: StaticString) -> Bool {
    let other = ascii(literal)
    if count != other.count { return false }
    for index in indices where lowercased(self[index]) != lowercased(other[index]) { return false }
    return true
  }

  @inline(never)
  public func starts(with literal: StaticString) -> Bool {
    let prefix = ascii(literal)
    return count >= prefix.count && extracting(0..<prefix.count).equals(prefix)
  }

  @inline(never)
  public func startsIgnoringCase(with literal: StaticString) -> Bool {
    let length = literal.utf8CodeUnitCount
    return count >= length && extracting(0..<length).equalsIgnoringCase(literal)
  }

  /// The offset of the first `byte` at or after `start`, or nil.
  @inline(never)
  public func firstOffset(of byte: UInt8, from start: Int = 0) -> Int? {
    var index = max(start, 0)
    while index < count {
      if self[index] == byte { return index }
      index += 1
    }
    return nil
  }

  /// A range without the blanks, tabs and carriage returns at its ends.
  @inline(never)
  func trimmingBlanks(_ range: Range<Int>) -> Range<Int> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    var (lower, upper) = (range.lowerBound, range.upperBound)
    while lower < upper, isBlank(self[upper - 1]) { upper -= 1 }
    while lower < upper, isBlank(self[lower]) { lower += 1 }
    return lower..<upper
  }

  /// A copy as an array.
  public var array: [UInt8] {
    @inline(never) get {
      [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in indices { buffer.initializeElement(at: index, to: self[index]) }
        initialized = count
      }
    }
  }

  /// A copy as text; bytes that are not UTF-8 become replacement characters.
  public var string: String {
    @inline(never) get { withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
  }

  /// The unsigned decimal number that all the bytes spell, or nil when there are none, when one is no
  /// digit, or when it does not fit.
  public var unsignedNumber: UInt64? {
    if count == 0 { return nil }
    var number: UInt64 = 0
    for index in indices {
      let digit = self[index] &- 0x30
      if digit > 9 { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      number = sum
    }
    return number
  }
}

func lowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

// Each of these is some hundred bytes of code where the standard library's own stands.

extension String {
  /// The text as UTF-8.
  public var bytes: [UInt8] { @inline(never) get { Array(utf8) } }
}

extension ArraySlice where Element == UInt8 {
  /// The bytes as text; those that are not UTF-8 become replacement characters.
  public var string: String { @inline(never) get { span.string } }
}

extension Array where Element == UInt8 {
  /// The bytes as text; those that are not UTF-8 become replacement characters.
  public var string: String { @inline(never) get { span.string } }

  @inline(never)
  public mutating func append(_ bytes: Span<UInt8>) {
    for index in bytes.indices { append(bytes[index]) }
  }

  @inline(never)
  public mutating func append(ascii literal: StaticString) { append(Transport.ascii(literal)) }

  @inline(never)
  public mutating func append(decimal number: UInt64) {
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    let first = writeDecimal(number, into: &digits)
    for index in first..<20 { append(digits[index]) }
  }
}

/// Writes a number's digits at the end of `digits`; returns the index of the first.
func writeDecimal(_ number: UInt64, into digits: inout InlineArray<20, UInt8>) -> Int {
  var rest = number
  var index = 20
  while rest > UInt64(UInt32.max) {
    index -= 1
    digits[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
    rest /= 10
  }
  var small = UInt32(truncatingIfNeeded: rest)
  repeat {
    index -= 1
    let tenth = dividedByTen(small)
    digits[index] = 0x30 + UInt8(truncatingIfNeeded: small &- tenth &* 10)
    small = tenth
  } while small > 0
  return index
}

/// A multiplication, as old ARM cannot divide and a compiler that saves bytes makes it a division.
private func dividedByTen(_ number: UInt32) -> UInt32 {
  UInt32(truncatingIfNeeded: (UInt64(number) &* 0xCCCC_CCCD) >> 35)
}

/// How many decimal digits a number has.
func decimalDigits(_ number: UInt64) -> Int {
  var count = 1
  var power: UInt64 = 10
  while count < 20, number >= power {
    count += 1
    power = power &* 10
  }
  return count
}
