import Transport

/// Looks through the messages of one subject in a stream for a fact, from the first that can be it to the
/// last. What it passes on the way are facts of the same subject, which may also still be waiting here.
///
/// It asks and is told: `query`, then `handle` with the message, or with there being none.
struct FactLookup {
  struct Result: Equatable {
    var isThere: Bool
    /// The last sequence of its subject; 0 when there is none.
    var last: UInt64
  }

  /// A message as far as it matters here.
  struct Message: Equatable {
    var sequence: UInt64
    /// Empty: it has none.
    var id: [UInt8]
    var stored: Timestamp
  }

  /// Sequences that are left to be walked over, rather than to be halved once more. Arbitrary.
  private static let walkMax: UInt64 = 16

  private let id: [UInt8]
  /// It is behind this sequence.
  private var floor: UInt64
  /// It was not stored before this; nil: that is not known.
  private let notBefore: Timestamp?
  /// Nil until the subject's last message is known.
  private var last: UInt64?
  private var isThere = false
  /// The middle that was asked for while halving, and the end of what is still to be halved.
  private var middle: UInt64?
  private var end: UInt64 = 0

  /// - Parameter floor: `UInt64.max`: only the last message is asked for.
  init(id: [UInt8], floor: UInt64, notBefore: Timestamp?) {
    self.id = id
    self.floor = floor
    self.notBefore = notBefore
  }

  var query: StreamQuery {
    if last == nil { return .last }
    return .next(from: middle ?? floor &+ 1)
  }

  mutating func handle(_ message: Message) -> Result? {
    if message.id == id { isThere = true }
    guard let known = last else {
      last = message.sequence
      if message.sequence <= floor { return result }
      end = message.sequence
      halve()
      return nil
    }
    last = max(known, message.sequence)
    if let middle, let notBefore {
      if message.stored < notBefore { floor = message.sequence } else { end = middle }
      halve()
      return nil
    }
    floor = message.sequence
    return floor >= (last ?? 0) ? result : nil
  }

  mutating func handleNoMessage() -> Result? {
    if last == nil { return result }
    if let middle {
      end = middle
      halve()
      return nil
    }
    // The last one has gone meanwhile: what is the last now?
    last = nil
    return nil
  }

  private var result: Result { Result(isThere: isThere, last: last ?? 0) }

  /// Messages are stored one after the other, and the fact was not before it happened: so half of those
  /// that are left can be passed over with one question.
  private mutating func halve() {
    middle = nil
    if notBefore == nil || end <= floor || end - floor <= FactLookup.walkMax { return }
    middle = floor + (end - floor) / 2
  }
}
