/// When to try again: the first retry after a short jitter, then after a random part of a bound that
/// doubles up to a cap ("full jitter"), so that a fleet cut off together does not return together.
public struct Backoff {
  /// Bound of the first retry.
  public let first: Duration
  /// Bound that later retries grow to.
  public let cap: Duration
  /// Failures since the last reset.
  public private(set) var failures: UInt32 = 0
  private var random: RandomGenerator

  public init(first: Duration, cap: Duration, seed: UInt64) {
    self.first = first
    self.cap = cap
    random = RandomGenerator(seed: seed)
  }

  /// The time to wait after one more failure. From the third on at least a quarter of the bound is
  /// waited, so that a server that fails at once is not hammered.
  public mutating func next() -> Duration {
    let doublings = min(failures, 30)
    failures += failures < .max ? 1 : 0
    let bound = min(first * (Int64(1) << Int64(doublings)), cap)
    let floor = doublings < 2 ? Duration.zero : Duration(nanoseconds: bound.nanoseconds / 4)
    return floor + random.duration(through: bound - floor)
  }

  /// The connection was useful: the next failure counts as the first.
  public mutating func reset() { failures = 0 }
}
