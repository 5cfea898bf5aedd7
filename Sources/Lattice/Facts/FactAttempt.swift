import Transport

/// A fact on its way to whoever keeps it, and what is known of copies that may have got there.
struct FactAttempt: Equatable {
  /// Who keeps its subject, as far as known.
  enum Keeper: Equatable {
    case unknown
    /// A stream, by its name.
    case stream([UInt8])
    /// A JetStream says that none of its streams does: others may, and answer for it.
    case noStream
    /// There is no JetStream to be asked.
    case silent
    /// A JetStream, if there is one, does not answer us.
    case denied
  }

  let fact: JournalRecord
  var keeper = Keeper.unknown
  /// Whether a copy may be in the stream behind `floor`: one was sent and nobody has said what became of
  /// it.
  var isInDoubt: Bool
  /// No copy is in the stream up to this sequence.
  var floor: UInt64 = 0
  /// How often this run has sent it.
  var sendings: UInt32 = 0
  /// How long an answer is waited for. It doubles with each that does not come, so that a link slower
  /// than the first still gets the fact through.
  var timeout = FactLane.timeoutFirst

  /// - Parameter position: the newest message that was known of when no copy of it had been sent.
  init(_ fact: JournalRecord, position: StreamPosition?) {
    self.fact = fact
    // An earlier run may have sent it; its own copies it would be told of.
    isInDoubt = fact.isRecovered
    self.position = position
  }

  private var position: StreamPosition?

  /// Whether nothing was sent of it but the copy under way: when that is refused, it is not stored.
  var isOnlyCopy: Bool { sendings == 1 && !isInDoubt }

  /// No copy is in the stream up to this sequence, of any subject; `UInt64.max` when there are no copies.
  func lowest(in stream: [UInt8]) -> UInt64 {
    if !isInDoubt && sendings == 0 { return .max }
    let known = position.map { $0.stream == stream ? $0.sequence : 0 } ?? 0
    return keeper == .stream(stream) ? max(known, floor) : known
  }

  mutating func setStream(_ name: [UInt8]) {
    if keeper == .stream(name) { return }
    keeper = .stream(name)
    floor = position.map { $0.stream == name ? $0.sequence : 0 } ?? 0
  }

  /// The stream is not there any more, and so are no copies.
  mutating func forgetStream() {
    keeper = .unknown
    position = nil
    floor = 0
  }
}

/// What a lane does next. Each is answered by one `FactOutcome`.
enum FactStep: Equatable {
  /// Asks which stream keeps its subject.
  case ask
  /// Looks for it in the stream, behind this sequence. `UInt64.max`: it cannot be there, and only the last
  /// sequence of its subject is wanted.
  case lookUp(behind: UInt64)
  /// Publishes it; with the last sequence that its subject must have in the stream, where there is one.
  case send(expecting: UInt64?)
}

/// How a step ended.
enum FactOutcome: Equatable {
  /// Somebody keeps it.
  case kept
  /// Of `send`: whoever should keep it has said no.
  case refused
  /// Of `send`: the subject's last sequence is another than was expected.
  case outOfPlace
  /// Of `send`: it did not leave this host.
  case notSent
  /// Of `ask`: the stream's name.
  case stream([UInt8])
  /// Of `ask`: no stream keeps it.
  case noStream
  /// Of `lookUp`: it is not there; the last sequence of its subject.
  case absent(last: UInt64)
  /// Of `lookUp`: there is no such stream any more.
  case streamGone
  /// Of any: nobody listens there.
  case noResponders
  /// Of any: no answer in time, or none that can be read.
  case timedOut
  /// Of any: the connection went first.
  case disconnected
}

/// What is known when a lane decides.
struct FactKnowledge: Equatable {
  /// Of the fact's subject.
  var subject: SubjectPosition?
  /// Whether a stream that keeps facts was ever met, also by earlier runs.
  var knowsStream: Bool
  /// Whether one has ever answered a look-up.
  var hasLookedUp: Bool
  /// False: a JetStream does not answer us, though facts are kept.
  var mayAsk: Bool
}
