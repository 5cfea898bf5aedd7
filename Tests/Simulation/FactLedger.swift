@testable import Transport

/// What a host has emitted and what of it the stream has stored: each fact once, of each lane in order,
/// and under an id that was never another's.
struct FactLedger {
  struct Fact {
    let sequence: UInt64
    let at: Instant
    var isStored = false
    /// A power cut came so soon after it that it may be lost with it.
    var mayBeLost = false
  }

  let host: Int
  /// By number, from 1 on.
  private(set) var facts: [Fact] = []
  private(set) var storedCount = 0
  private(set) var lastStored: Instant?
  private(set) var breach: Breach?
  /// Sequence numbers below are used.
  private var sequenceEnd: UInt64 = 0
  /// Of each lane, the newest that is stored.
  private var newestLive: UInt64 = 0
  private var newestLate: UInt64 = 0
  /// By id: the sequence in the stream.
  private var ids: Set<String> = []

  init(host: Int) { self.host = host }

  var emittedCount: Int { facts.count }
  var waitingCount: Int { facts.count - storedCount }

  /// The host has taken a fact into its journal, under this sequence number.
  mutating func emitted(_ sequence: UInt64, at now: Instant) {
    if sequence < sequenceEnd {
      fail(.sequenceReused, "sequence \(sequence) is used again, after \(sequenceEnd - 1)", at: now)
    }
    sequenceEnd = max(sequenceEnd, sequence + 1)
    facts.append(Fact(sequence: sequence, at: now))
  }

  /// The stream has stored a message.
  mutating func stored(_ message: ModelServer.Message, at now: Instant) {
    lastStored = now
    guard let id = message.header("Nats-Msg-Id"), let sequence = FactLedger.sequence(in: id) else {
      return fail(.protocolRules, "\(message.subject) is stored without an id", at: now)
    }
    if let number = FactLedger.number(in: message.payload) {
      take(number, id, at: now)
    } else if ids.contains(id) {
      fail(.factDoubled, "\(message.subject), \(id)", at: now)
    }
    ids.insert(id)
    let isLate = FactLedger.isLate(message.payload)
    let newest = isLate ? newestLate : newestLive
    if sequence <= newest {
      fail(
        .factReordered, "\(id) is stored behind \(newest), both \(isLate ? "late" : "live")",
        at: now)
    }
    if isLate { newestLate = sequence } else { newestLive = sequence }
  }

  private mutating func take(_ number: Int, _ id: String, at now: Instant) {
    guard facts.indices.contains(number - 1) else {
      return fail(.protocolRules, "fact \(number) is stored and was never emitted", at: now)
    }
    if facts[number - 1].isStored {
      return fail(.factDoubled, "fact \(number), \(id)", at: now)
    }
    if ids.contains(id) { fail(.sequenceReused, "fact \(number) has the id \(id) again", at: now) }
    facts[number - 1].isStored = true
    storedCount += 1
  }

  mutating func fail(_ invariant: Invariant, _ text: String, at now: Instant) {
    if breach == nil {
      breach = Breach(invariant: invariant, text: "host \(host): \(text)", at: now)
    }
  }

  // MARK: what stands in a message

  /// The digits behind the last hyphen.
  private static func sequence(in id: String) -> UInt64? {
    id.split(separator: "-").last.flatMap { UInt64($0) }
  }

  /// The number in `{"n":12`.
  private static func number(in payload: [UInt8]) -> Int? {
    guard payload.starts(with: bytes("{\"n\":")) else { return nil }
    var number = 0
    for byte in payload.dropFirst(5) {
      if byte < 0x30 || byte > 0x39 { break }
      number = number * 10 + Int(byte - 0x30)
    }
    return number
  }

  private static func isLate(_ payload: [UInt8]) -> Bool {
    payload.string.contains("\"age_ms\":")
  }
}
