/// The hash FNV-1a of 64 bits (draft-eastlake-fnv): small, and no defence against bytes that somebody
/// chose to collide.
public struct FNV1a {
  public private(set) var value: UInt64

  /// - Parameter seed: with another one, other bytes collide.
  public init(seed: UInt64 = 0) { value = 0xCBF2_9CE4_8422_2325 ^ seed }

  public mutating func mix(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

  @inline(never)
  public mutating func mix(_ bytes: Span<UInt8>) {
    for index in bytes.indices { mix(bytes[index]) }
  }
}
