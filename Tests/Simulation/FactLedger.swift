@testable import Lattice
@testable import Transport

/// What a host has emitted and what of it the stream has stored: each fact once, of each lane in order,
/// and under an id that was never another's.
struct FactLedger {
  struct Fact {
    let sequence: UInt64
    let factClass: FactClass
    let at: Instant
    var isStored = false
    /// A power cut came so soon after it that it may be lost with it.
    var mayBeLost = false
  }

  /// What the host said of facts that nobody will get.
  private struct Report {
    /// Nil: of a power cut.
    let factClass: FactClass?
    let sequences: Range<UInt64>
    let count: Int
  }

  let host: Int
  /// By number, from 1 on.
  private(set) var facts: [Fact] = []
  private(set) var storedCount = 0
  private(set) var lastStored: Instant?
  private(set) var breach: Breach?
  private(set) var powerCuts = 0
  /// Of live facts that happened from `measuredFrom` on, the slowest's time into the stream.
  private(set) var slowestLive = Duration.zero
  var measuredFrom = Instant(nanoseconds: .max)
  private var reports: [Report] = []
  /// Sequence numbers below are used.
  private var sequenceEnd: UInt64 = 0
  /// The newest that is stored of live facts.
  private var newestLive: UInt64 = 0
  private var lateOrder = LateOrder()
  private var ids: Set<String> = []
  /// Of live facts, which go before others.
  private var liveIDs: Set<String> = []

  init(host: Int) { self.host = host }

  var waitingCount: Int { facts.count - storedCount }

  /// The host takes a fact into its journal, under this sequence number.
  mutating func emitted(_ sequence: UInt64, _ factClass: FactClass, at now: Instant) {
    if sequence < sequenceEnd {
      fail(.sequenceReused, "sequence \(sequence) is used again, after \(sequenceEnd - 1)", at: now)
    }
    sequenceEnd = max(sequenceEnd, sequence + 1)
    facts.append(Fact(sequence: sequence, factClass: factClass, at: now))
  }

  /// The host's machine has lost its power: of what happened within `interval` before, some may be lost.
  mutating func powerCut(losing interval: Duration, at now: Instant) {
    powerCuts += 1
    for index in facts.indices.reversed() {
      if now - facts[index].at > interval { break }
      facts[index].mayBeLost = true
    }
  }

  /// The host sends a fact, before others or as what may wait.
  mutating func sent(_ id: String, isLive: Bool) {
    if isLive { liveIDs.insert(id) } else { liveIDs.remove(id) }
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
    note(message)
    let isLate = !liveIDs.contains(id)
    if isLate, !FactLedger.isLate(message.payload) {
      fail(.protocolRules, "\(id) is late and does not say so", at: now)
    }
    checkOrder(of: sequence, id, message.subject, isLate: isLate, at: now)
  }

  private mutating func checkOrder(
    of sequence: UInt64, _ id: String, _ subject: String, isLate: Bool, at now: Instant
  ) {
    let newer: UInt64?
    if isLate {
      newer = lateOrder.stored(sequence, of: subject)
    } else {
      newer = sequence <= newestLive ? newestLive : nil
      newestLive = max(newestLive, sequence)
    }
    guard let newer else { return }
    fail(
      .factReordered, "\(id) is stored behind \(newer), both \(isLate ? "late" : "live")", at: now)
  }

  /// The host has parked kinds of facts, and the next fact gets this number.
  mutating func parked(_ kinds: [ParkedFacts.Kind], below sequence: UInt64) {
    for kind in kinds {
      lateOrder.parked(kind.name, fact: kind.attempt.fact.sequence, below: sequence)
    }
  }

  private mutating func take(_ number: Int, _ id: String, at now: Instant) {
    guard facts.indices.contains(number - 1) else {
      return fail(.protocolRules, "fact \(number) is stored and was never emitted", at: now)
    }
    if facts[number - 1].isStored {
      return fail(.factDoubled, "fact \(number), \(id)", at: now)
    }
    if ids.contains(id) { fail(.sequenceReused, "fact \(number) has the id \(id) again", at: now) }
    let fact = facts[number - 1]
    if fact.at >= measuredFrom, liveIDs.contains(id) {
      slowestLive = max(slowestLive, now - fact.at)
    }
    facts[number - 1].isStored = true
    storedCount += 1
  }

  /// What the host says of itself.
  private mutating func note(_ message: ModelServer.Message) {
    guard message.subject.hasSuffix(".host.gap") || message.subject.hasSuffix(".host.dropped"),
      let body = try? JSONValue(message.payload), let first = body.number("first_seq")
    else { return }
    if let end = body.number("end_seq") {
      reports.append(Report(factClass: nil, sequences: first..<max(first, end), count: 0))
    } else if let last = body.number("last_seq"), let count = body.number("count") {
      let factClass = FactClass.allCases.first { body["class"] == .string($0.text) }
      reports.append(
        Report(factClass: factClass, sequences: first..<(max(first, last) + 1), count: Int(count)))
    }
  }

  mutating func fail(_ invariant: Invariant, _ text: String, at now: Instant) {
    if breach == nil {
      breach = Breach(invariant: invariant, text: "host \(host): \(text)", at: now)
    }
  }

  // MARK: the end

  /// What is wrong when all has come that will come: a fact that is not there has to be one that a power
  /// cut may take and a gap tells, or one that made room and is told by count and span.
  func verdict(at now: Instant) -> Breach? {
    var missing = [0, 0, 0]
    for (index, fact) in facts.enumerated() where !fact.isStored {
      let isTold = reports.contains { report in
        report.sequences.contains(fact.sequence)
          && (report.factClass == nil ? fact.mayBeLost : report.factClass == fact.factClass)
      }
      let text = "fact \(index + 1), sequence \(fact.sequence), of \(facts.count)"
      let age = "\((now - fact.at).milliseconds) ms before the end"
      if !isTold {
        let isLoss = reports.isEmpty && !fact.mayBeLost
        return Breach(
          invariant: isLoss ? .factLost : .lossUntold,
          text: "host \(host): \(text), of \(age), is missing and not told; told are"
            + " \(reports.filter { $0.factClass == nil || $0.factClass == fact.factClass })",
          at: now)
      }
      if !fact.mayBeLost { missing[Int(fact.factClass.rawValue)] += 1 }
    }
    // A report may be lost in a power cut, and one of the host's own facts may have made room.
    if powerCuts > 0 { return nil }
    for factClass in [FactClass.reading, .event] {
      let told = reports.reduce(0) { $1.factClass == factClass ? $0 + $1.count : $0 }
      let count = missing[Int(factClass.rawValue)]
      // What made room may be in the stream when its acknowledgement was lost.
      if told < count || told > count + FactLedger.doubtMax {
        return Breach(
          invariant: .lossUntold,
          text: "host \(host): \(count) facts of class \(factClass) made room, \(told) are told",
          at: now)
      }
    }
    return nil
  }

  private static let doubtMax = 12

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

extension JSONValue {
  fileprivate func number(_ key: String) -> UInt64? {
    if case .integer(let number)? = self[key] { return UInt64(exactly: number) }
    return nil
  }
}
