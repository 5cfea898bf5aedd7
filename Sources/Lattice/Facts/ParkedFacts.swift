import Transport

/// Kinds of facts that nobody keeps: they stay, hold up no others, and the first of each is tried again
/// from time to time.
struct ParkedFacts {
  struct Kind {
    let name: [UInt8]
    /// Its first fact, which stands for all.
    var attempt: FactAttempt
    var retry: Instant
    var backoff: Backoff
  }

  /// A host has about ten kinds. When there are more that nobody keeps, the next holds up its lane.
  static let kindsMax = 16
  static let pauseFirst = Duration.milliseconds(500)
  static let pauseCap = Duration.seconds(60)

  private(set) var kinds: [Kind] = []
  private var random: RandomGenerator

  init(seed: UInt64) { random = RandomGenerator(seed: seed) }

  var deadline: Instant? {
    var deadline: Instant?
    for kind in kinds { deadline = Instant.earlier(deadline, kind.retry) }
    return deadline
  }

  /// The kind of a subject without the host's prefix: `gpio.edge` of `gpio.door.edge`, and `host` for all
  /// that the host says of itself. Whoever keeps some of a kind is taken to keep all of it.
  static func kind(of subject: [UInt8]) -> [UInt8] {
    let dot = UInt8(ascii: ".")
    guard let first = subject.firstIndex(of: dot), let last = subject.lastIndex(of: dot) else {
      return subject
    }
    if first == last { return Array(subject[..<first]) }
    return Array(subject[..<first]) + Array(subject[last...])
  }

  func contains(_ subject: [UInt8]) -> Bool {
    if kinds.isEmpty { return false }
    let name = ParkedFacts.kind(of: subject)
    return kinds.contains { $0.name == name }
  }

  /// Puts a fact aside, and with it all of its kind. Of two the older one stands for it.
  mutating func park(_ attempt: FactAttempt, at now: Instant) {
    let name = ParkedFacts.kind(of: attempt.fact.subject)
    if let index = kinds.firstIndex(where: { $0.name == name }) {
      if kinds[index].attempt.fact.sequence < attempt.fact.sequence { return }
      kinds[index].attempt = attempt
      kinds[index].retry = now + kinds[index].backoff.next()
      return
    }
    var backoff = Backoff(
      first: ParkedFacts.pauseFirst, cap: ParkedFacts.pauseCap, seed: random.next())
    kinds.append(
      Kind(name: name, attempt: attempt, retry: now + backoff.next(), backoff: backoff))
  }

  /// Whether there is no room for the kind of a subject.
  func isFull(for subject: [UInt8]) -> Bool {
    kinds.count == ParkedFacts.kindsMax && !contains(subject)
  }

  /// The fact to try now, if any: the oldest whose pause is over. Its kind stays parked.
  func next(at now: Instant) -> FactAttempt? {
    var oldest: FactAttempt?
    for kind in kinds where kind.retry <= now {
      if let found = oldest, found.fact.sequence < kind.attempt.fact.sequence { continue }
      oldest = kind.attempt
    }
    return oldest
  }

  /// Somebody keeps facts of this subject's kind; whether it was parked.
  mutating func unpark(_ subject: [UInt8]) -> Bool {
    let name = ParkedFacts.kind(of: subject)
    guard let index = kinds.firstIndex(where: { $0.name == name }) else { return false }
    kinds.remove(at: index)
    return true
  }

  /// The fact of this number is kept; whether it stood for a kind, which is parked no more.
  mutating func remove(_ sequence: UInt64) -> Bool {
    guard let index = kinds.firstIndex(where: { $0.attempt.fact.sequence == sequence }) else {
      return false
    }
    kinds.remove(at: index)
    return true
  }

  /// The link is there again: everything may be tried at once.
  mutating func handleConnected(at now: Instant) {
    for index in kinds.indices {
      kinds[index].retry = now
      kinds[index].backoff.reset()
    }
  }
}
