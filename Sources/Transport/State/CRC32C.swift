/// The cyclic redundancy check of 32 bits with Castagnoli's polynomial (RFC 3720, 12.1), which finds every
/// change of up to five bits in a slot of the state file, and every run of damage of up to 32 bits.
///
/// Four bytes are taken at once, each through a table of its own: a full journal of 16 MB is checked at
/// start. The tables are 4 KB, made when they are first needed.
/// - Parameter seed: what else the check is to depend on. The same bytes have another check with another.
func crc32c(_ bytes: Span<UInt8>, seed: UInt32 = 0) -> UInt32 {
  bytes.withUnsafeBufferPointer { bytes in
    tables.withUnsafeBufferPointer { ~remainder(of: bytes, after: ~seed, tables: $0) }
  }
}

private func remainder(
  of bytes: UnsafeBufferPointer<UInt8>, after first: UInt32, tables: UnsafeBufferPointer<UInt32>
) -> UInt32 {
  guard let base = UnsafeRawPointer(bytes.baseAddress), let tables = tables.baseAddress else {
    return first
  }
  var remainder = first
  var offset = 0
  while offset &+ 4 <= bytes.count {
    let word = base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    remainder ^= UInt32(littleEndian: word)
    remainder =
      tables[768 &+ Int(remainder & 0xFF)] ^ tables[512 &+ Int(remainder >> 8 & 0xFF)]
      ^ tables[256 &+ Int(remainder >> 16 & 0xFF)] ^ tables[Int(remainder >> 24)]
    offset &+= 4
  }
  while offset < bytes.count {
    let byte = UInt32(base.load(fromByteOffset: offset, as: UInt8.self))
    remainder = remainder >> 8 ^ tables[Int((remainder ^ byte) & 0xFF)]
    offset &+= 1
  }
  return remainder
}

/// Of 256 entries each: the remainder of a byte, and of a byte that one, two and three zeros follow.
private let tables: [UInt32] = {
  let reversedPolynomial: UInt32 = 0x82F6_3B78
  var tables: [UInt32] = []
  tables.reserveCapacity(1024)
  for byte: UInt32 in 0..<256 {
    var remainder = byte
    for _ in 0..<8 {
      remainder = remainder >> 1 ^ reversedPolynomial & (0 &- (remainder & 1))
    }
    tables.append(remainder)
  }
  for index in 256..<1024 {
    let before = tables[index - 256]
    tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
  }
  return tables
}()
