import Transport

/// Answers who asks a host for facts that it has told before, as far as its journal still has them: in
/// bounded parts, each of which says where the next begins.
enum JournalReading {
  /// Of one answer; a message of 16 kB is what every reader takes, and a fact has at most 8 kB.
  static let answerBytesMax = 15_000
  /// Arbitrary: what an answer of that size holds is fewer.
  static let factsMax: Int64 = 500

  /// - Parameters:
  ///   - request: `from`, a number, or `since`, a time of day; and `max`, of facts.
  ///   - prefix: what all of the host's subjects begin with.
  static func answer(
    _ request: Record, from journal: Journal, of host: LatticeHost, subjectPrefix prefix: [UInt8]
  ) throws(InvocationError) -> [UInt8] {
    var sequence = try start(request, journal, host)
    let max = try count(request)
    host.readClock()
    var json = JSONWriter()
    json.beginObject()
    json.key("facts")
    json.beginArray()
    var told: Int64 = 0
    var fact = journal.next(from: sequence)
    while let next = fact, told < max {
      let text = JournalReading.text(of: next, host, prefix)
      if told > 0 && json.bytes.count + text.count > answerBytesMax { break }
      json.raw(text)
      told += 1
      sequence = next.sequence + 1
      fact = journal.next(from: sequence)
    }
    json.endArray()
    json.field("next", Int64(clamping: fact?.sequence ?? Swift.max(sequence, journal.nextSequence)))
    json.key("end")
    json.bool(fact == nil)
    json.endObject()
    return json.bytes
  }

  private static func text(
    of fact: JournalRecord, _ host: LatticeHost, _ prefix: [UInt8]
  ) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    let subject = prefix + fact.subject
    json.key("subject")
    json.string(subject.span)
    json.field("seq", Int64(clamping: fact.sequence))
    let id = fact.messageID
    json.key("id")
    json.string(id.span)
    json.key("data")
    json.raw(fact.body(by: host, age: nil))
    json.endObject()
    return json.bytes
  }

  // MARK: the request

  private static func start(
    _ request: Record, _ journal: Journal, _ host: LatticeHost
  ) throws(InvocationError) -> UInt64 {
    for field in request.fields
    where !["from", "since", "max"].includes(field.name) {
      throw InvocationError(
        .badRequest, "journal read takes 'from' or 'since', and 'max', not \(quoted: field.name)")
    }
    switch (request["from"], request["since"]) {
    case (let value?, nil):
      guard let number = value.integer, let sequence = UInt64(exactly: number) else {
        throw InvocationError(
          .badRequest, "'from' must be the number of a fact, not \(quoted: value.jsonBytes)")
      }
      return sequence
    case (nil, let value?):
      guard let text = value.string, let time = Timestamp(rfc3339: text.bytes.span) else {
        throw InvocationError(
          .badRequest, "'since' must be an RFC 3339 time, not \(quoted: value.jsonBytes)")
      }
      return first(since: time, journal, host)
    default: throw InvocationError(.badRequest, "journal read needs 'from' or 'since'")
    }
  }

  private static func count(_ request: Record) throws(InvocationError) -> Int64 {
    guard let value = request["max"] else { return factsMax }
    guard let number = value.integer, (1...factsMax).contains(number) else {
      throw InvocationError(
        .badRequest,
        "'max' must be a whole number from 1 to \(factsMax), not \(quoted: value.jsonBytes)")
    }
    return number
  }

  /// The number of the first fact of at least this time, found by halving: facts are mostly in the order
  /// of their times.
  private static func first(
    since time: Timestamp, _ journal: Journal, _ host: LatticeHost
  ) -> UInt64 {
    var low: UInt64 = 0
    var high = journal.nextSequence
    while low < high {
      let middle = low + (high - low) / 2
      guard let fact = journal.next(from: middle), fact.sequence < high else {
        high = middle
        continue
      }
      if fact.eventTime(by: host).timestamp < time {
        low = fact.sequence + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
