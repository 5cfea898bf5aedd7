import Transport

/// How many commands each caller may give: a token bucket for each, kept for the 16 callers that a
/// board can be expected to have.
///
/// Names are self-asserted, so a flood may come under one name or under a new one each time:
///
/// - A *known* caller has a bucket of its own and nothing else decides: others cannot harm it, nor
///   it them.
/// - A *stranger* takes from one of four shared buckets, sorted by its name, so that all new names
///   together get at most four times the rate. Once admitted it becomes known, if there is a place,
///   and its own bucket begins as full as the shared one was left.
/// - A place is free when nobody has it, when its caller came only once, or when its caller has not
///   come for ten minutes. Of those the least recently used is forgotten.
///
/// Forgetting grants nothing: who came once took from the shared bucket only, to which its name leads
/// again; after ten minutes a bucket is as full as any. So under one name nobody ever gets more than
/// `rate x time + burst`, and everybody together at most 20 times that.
public struct CallerLimit {
  public static let knownMax = 16
  static let strangerBuckets = 4
  /// How long one that came again is known. A caller that commands more seldom may find itself a
  /// stranger among a flood of new names.
  static let keptFor = Duration.seconds(600)

  /// Why a command is not admitted.
  public struct Refusal: Equatable {
    /// When it would be, if nobody else came.
    public let wait: Duration
    /// The bucket is that of strangers.
    public let isShared: Bool
  }

  /// A token bucket, by the instant at which it is full again.
  private struct Bucket {
    var fullAt = Instant(nanoseconds: .min)
  }

  private struct Known {
    let key: UInt64
    var bucket: Bucket
    var lastAt: Instant
    var cameAgain = false
  }

  /// In which a token comes back.
  private let interval: Duration
  /// In which an empty bucket is full again.
  private let depth: Duration
  private let seed: UInt64
  private var known: [Known] = []
  private var strangers = [Bucket](repeating: Bucket(), count: strangerBuckets)

  /// - Parameters:
  ///   - interval: one command in each, on average.
  ///   - burst: how many at once after a pause; together they take less than ten minutes.
  ///   - seed: keeps outsiders from choosing names that share a bucket with others.
  public init(interval: Duration, burst: Int64, seed: UInt64) {
    self.interval = interval
    depth = interval * max(burst, 1)
    self.seed = seed
    assert(depth <= CallerLimit.keptFor, "a bucket is full when its caller is forgotten")
  }

  /// `rate` commands a second, and as many at once.
  public init(perSecond rate: Int64, seed: UInt64) {
    // Rounded up: never more than the rate.
    let nanoseconds = (1_000_000_000 - 1) / max(rate, 1) + 1
    self.init(interval: .nanoseconds(nanoseconds), burst: rate, seed: seed)
  }

  /// Nil when the caller may go on, and has used up a token.
  public mutating func admit(_ name: String, at now: Instant) -> Refusal? {
    let key = key(of: name)
    if let index = known.firstIndex(where: { $0.key == key }) {
      known[index].lastAt = now
      known[index].cameAgain = true
      let wait = take(from: &known[index].bucket, at: now)
      return wait.map { Refusal(wait: $0, isShared: false) }
    }
    let group = Int(clamping: key % UInt64(CallerLimit.strangerBuckets))
    if let wait = take(from: &strangers[group], at: now) {
      return Refusal(wait: wait, isShared: true)
    }
    remember(Known(key: key, bucket: strangers[group], lastAt: now), at: now)
    return nil
  }

  /// Nil when there was a token, else the time until there is one.
  @inline(never)
  private func take(from bucket: inout Bucket, at now: Instant) -> Duration? {
    let start = max(bucket.fullAt, now)
    let wait = (start - now) + interval - depth
    if wait > .zero { return wait }
    bucket.fullAt = start + interval
    return nil
  }

  private mutating func remember(_ caller: Known, at now: Instant) {
    if known.count < CallerLimit.knownMax { return known.append(caller) }
    var place: Int?
    for index in known.indices where isForgettable(known[index], at: now) {
      if let best = place, known[best].lastAt <= known[index].lastAt { continue }
      place = index
    }
    if let place { known[place] = caller }
  }

  private func isForgettable(_ caller: Known, at now: Instant) -> Bool {
    !caller.cameAgain || now - caller.lastAt >= CallerLimit.keptFor
  }

  /// A hash, mixed: two names of the same key merely share a bucket.
  private func key(of name: String) -> UInt64 {
    var hash = FNV1a(seed: seed)
    hash.mix(Text(name).bytes.span)
    var mixer = RandomGenerator(seed: hash.value)
    return mixer.next()
  }
}
