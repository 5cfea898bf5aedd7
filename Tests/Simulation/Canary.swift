import Transport

/// Ways to break our side on purpose. Each is switched on in the harness, and the simulation has to notice
/// it as a breach of the invariant that it stands for: an invariant that nothing can break says nothing.
enum Canary: String, CaseIterable {
  /// A fact counts as delivered when it is queued, as if `publish` proved anything.
  case trustsTheQueue
  /// Each sending of a fact has an id of its own.
  case forgetsIDs
  /// Facts go on while one is unanswered, which is sent again later.
  case replaysLater
  /// The caller's deadline is not looked at.
  case ignoresDeadlines
  /// Whatever arrives is taken for new, also by a host that has no clock to tell.
  case ignoresAge
  /// What has arrived is handed over twice.
  case executesTwice
  /// Queues hold four times what they may.
  case queuesMore
  /// The read buffer is four times as large as it may be.
  case readsMore
  /// Sockets that are to be closed stay.
  case keepsLinks
  /// More requests wait for answers than may.
  case requestsMore
  /// Nothing bounds the pause between two attempts.
  case waitsWithoutCap
  /// A link that has died is noticed after minutes, as the usual clients do.
  case noticesLate
  /// All messages share one queue.
  case usesOneQueue
  /// Who has lost the link tries again at once.
  case triesAtOnce
  /// The hosts of a fleet keep their own pauses, and do not spread.
  case ignoresHerd
  /// A fact whose outcome is not known is sent again, with no look into the stream and on no condition.
  case repeatsBlindly
  /// The disk says that it has synced, and has not.
  case liesAboutSyncs
  /// The journal's cursor, with the numbers that are used, does not get to the disk.
  case forgetsCursor
  /// What is in memory is not mirrored where the next process finds it.
  case forgetsTail
  /// What a power cut took is not told.
  case tellsNoGap

  /// What it is to be caught by.
  var invariant: Invariant {
    switch self {
    case .trustsTheQueue: .factLost
    case .forgetsIDs, .repeatsBlindly: .factDoubled
    case .forgetsCursor, .forgetsTail: .sequenceReused
    case .tellsNoGap, .liesAboutSyncs: .lossUntold
    case .replaysLater: .factReordered
    case .ignoresDeadlines, .ignoresAge: .executedLate
    case .executesTwice: .executedTwice
    case .queuesMore, .readsMore, .keepsLinks, .requestsMore: .bounds
    case .waitsWithoutCap, .noticesLate: .recovery
    case .usesOneQueue: .urgency
    case .triesAtOnce, .ignoresHerd: .herd
    }
  }
}

/// What must hold in every run.
enum Invariant: String, CaseIterable {
  case factLost = "an accepted fact is lost"
  case factDoubled = "a fact is stored twice"
  case factReordered = "a fact is stored behind a newer one"
  case lossUntold = "what is lost is not told"
  case sequenceReused = "a number stands for two facts"
  case executedLate = "a command is executed after its deadline"
  case executedTwice = "a command is executed twice"
  case bounds = "a bound is passed"
  case recovery = "delivery does not resume in time"
  case urgency = "an urgent message does not overtake readings in time"
  case herd = "the hub sees more attempts than it should"
  /// What no client may do, as the model of a server sees it.
  case protocolRules = "the protocol is broken"
  /// Time stands still: handling a deadline does not move it.
  case progress = "the host goes in circles"
}

/// A breach of an invariant.
struct Breach: Error {
  let invariant: Invariant
  let text: String
  let at: Instant
}
