// Numbers of fixed width, lowest byte first: the kernel's reports on every machine this runs on, and what
// the state file holds.

extension Span where Element == UInt8 {
  /// The unsigned number of `width` bytes at `offset`; nil when they are not all there.
  func littleEndian(at offset: Int, width: Int) -> UInt64? {
    guard offset >= 0, count - offset >= width else { return nil }
    var number: UInt64 = 0
    for index in 0..<width { number |= UInt64(self[offset + index]) << UInt64(8 * index) }
    return number
  }

  /// A length of 32 bits; nil when it is not there or not to be counted by an `Int`.
  func length32(at offset: Int) -> Int? {
    littleEndian(at: offset, width: 4).flatMap { Int(exactly: $0) }
  }
}

extension Array where Element == UInt8 {
  /// Appends the `width` lowest bytes of a number.
  @inline(never)
  mutating func append(littleEndian number: UInt64, width: Int) {
    for index in 0..<width {
      append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index)))
    }
  }
}
