/// Spreads the attempts of a whole fleet to connect, without any host knowing of another.
///
/// Time is cut into windows as long as the fleet is large: `windowPerHost` for each host. A host tries
/// at most once in each window, at a random place in it. So at every moment each host tries with the
/// intensity of one in a window, however the losses of the hosts are staggered, and the fleet with at
/// most 20 attempts a second. Those of a second are a sum of independent choices with that mean, whose upper tail lies below Poisson's: `attemptsPerSecondMax` is passed in some second of a
/// whole fleet's return with a probability below one in a million.
///
/// Windows of one host begin with its first attempt and follow each other; they survive a connection
/// that did not last, so that a link which flaps does not draw more often.
public struct Herd {
  /// 50 ms, so that a hub which needs as much for a TLS handshake (a small board with an RSA key) is
  /// just not overrun on average.
  public static let windowPerHost = Duration.milliseconds(50)
  public static let attemptsPerSecondMax: Int64 = 50

  /// Length of a window; zero when there is no fleet to spread.
  public let window: Duration
  /// Of the window that the latest attempt was drawn in, and of the one before.
  private var windowEnd: Instant?
  private var windowEndBefore: Instant?
  private var random: RandomGenerator

  /// - Parameter hosts: how many share the hub; with fewer than two nothing is spread.
  public init(hosts: UInt32, seed: UInt64) {
    window = hosts < 2 ? .zero : Herd.windowPerHost * Int64(hosts)
    random = RandomGenerator(seed: seed)
  }

  /// When the next attempt may be made, at the earliest wanted one: at random in the first window that
  /// begins then and not before the last one ended.
  public mutating func nextAttempt(from earliest: Instant) -> Instant {
    if window == .zero { return earliest }
    let start = windowEnd.map { max($0, earliest) } ?? earliest
    windowEndBefore = windowEnd
    windowEnd = start + window
    return start + random.duration(through: window - .nanoseconds(1))
  }

  /// Moves an attempt that was drawn by `nextAttempt` and not made yet to an earlier time, because the
  /// network came back. An attempt whose window has begun stays where it is.
  public mutating func hasten(_ attempt: Instant, to earliest: Instant) -> Instant {
    if window == .zero { return min(attempt, earliest) }
    guard let end = windowEnd else { return attempt }
    let start = end - window
    let earlier = windowEndBefore.map { max($0, earliest) } ?? earliest
    if earlier >= start { return attempt }
    windowEnd = earlier + window
    return earlier + (attempt - start)
  }
}
