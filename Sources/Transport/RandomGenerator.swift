import CLinux

/// A small, fast generator (SplitMix64) for jitter and identifiers: the same seed gives the same
/// numbers, so a simulation can be replayed. Not for secrets.
public struct RandomGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// A seed from the kernel.
  public static var systemSeed: UInt64 {
    var seed: UInt64 = 0
    if linux_random(&seed, 8) < 0 { seed = UInt64(bitPattern: linux_monotonic_nanoseconds()) }
    return seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// A number from 0 through `maximum`. The bias of the remainder is far below what jitter notices.
  public mutating func next(through maximum: UInt64) -> UInt64 {
    maximum == .max ? next() : next() % (maximum + 1)
  }

  /// A time from zero through `maximum`.
  public mutating func duration(through maximum: Duration) -> Duration {
    Duration(nanoseconds: Int64(next(through: UInt64(max(maximum.nanoseconds, 0)))))
  }

  /// Letters and digits (base 32, five bits each) for names that must not collide.
  public mutating func token(length: Int) -> [UInt8] {
    let alphabet = ascii("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    var token: [UInt8] = []
    for _ in 0..<length { token.append(alphabet[Int(next() >> 59)]) }
    return token
  }
}
