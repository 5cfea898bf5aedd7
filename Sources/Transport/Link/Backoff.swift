/// When to try a server again: the first retry after a short jitter, then after a random part of a
/// bound that doubles up to a cap ("full jitter"), so that clients cut off together do not return
/// together. A server that refuses us by our credentials is asked again after minutes, and for ever:
/// whoever repairs its accounts must not have to visit the boards.
public struct Backoff {
  /// Bounds after a refusal by credentials: the mistake is an operator's, and takes as long to repair.
  /// A server under a herd also answers so when its authentication timed out; hence no cap of hours.
  private static let refusedFirst = Duration.seconds(60)
  private static let refusedCap = Duration.seconds(15 * 60)

  /// Bound of the first retry.
  public let first: Duration
  /// Bound that later retries grow to.
  public let cap: Duration
  /// Failures since the last reset.
  public private(set) var failures: UInt32 = 0
  private var refusals: UInt32 = 0
  private var random: RandomGenerator

  public init(first: Duration, cap: Duration, seed: UInt64) {
    self.first = first
    self.cap = cap
    random = RandomGenerator(seed: seed)
  }

  /// The time to wait after one more failure. From the third on at least a quarter of the bound is
  /// waited, so that a server that fails at once is not hammered.
  public mutating func next() -> Duration {
    let bound = Backoff.bound(after: failures, from: first, to: cap)
    let floor = failures < 2 ? Duration.zero : Duration(nanoseconds: bound.nanoseconds / 4)
    failures += failures < .max ? 1 : 0
    return floor + random.duration(through: bound - floor)
  }

  /// The time to wait after the server refused our credentials: half to all of a bound that doubles
  /// from one minute to fifteen.
  public mutating func nextAfterRefusal() -> Duration {
    let bound = Backoff.bound(after: refusals, from: Backoff.refusedFirst, to: Backoff.refusedCap)
    let floor = Duration(nanoseconds: bound.nanoseconds / 2)
    refusals += refusals < .max ? 1 : 0
    failures += failures < .max ? 1 : 0
    return floor + random.duration(through: bound - floor)
  }

  /// The connection was useful: the next failure counts as the first.
  public mutating func reset() {
    failures = 0
    refusals = 0
  }

  private static func bound(after count: UInt32, from first: Duration, to cap: Duration) -> Duration
  {
    min(first * (Int64(1) << Int64(min(count, 30))), cap)
  }
}
