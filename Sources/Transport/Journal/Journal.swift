/// Facts in the order they happened, kept until somebody who stores them has said so.
///
/// New ones are in memory, and mirrored in the tail, which survives the process but not the machine. Only
/// what was not acknowledged for `sync` goes to the disk, in one batch with one sync. So a board whose link
/// is healthy writes nothing.
///
/// Nothing that is wrong with the disk stops anybody: facts are then in memory only, `onProblem` says so, and
/// every minute it is tried again. When there is no room, the oldest of the lowest class go, and `onDropped`
/// says which.
///
/// Time comes in from outside: `deadline` may change with every call and with every turn of the loop.
public final class Journal {
  public let configuration: JournalConfiguration
  public let run: JournalRun
  /// Called when facts had to go before they were acknowledged.
  public var onDropped: ((DroppedFacts) -> Void)?
  /// Called when nothing can be written to the disk, with the reason, and when it can again, with nil.
  public var onProblem: ((_ reason: String?) -> Void)?
  /// Called at `open` when facts may be missing.
  public var onGap: ((JournalGap) -> Void)?
  /// Where in the stream the newest acknowledged fact is. It is on the disk when acknowledgements are.
  public var streamPosition: StreamPosition?
  /// The number of the next fact.
  public private(set) var nextSequence: UInt64 = 1

  private var memory: JournalMemory
  private var settled = SettledSequences(below: 1)
  private var acknowledgedCount: UInt64 = 0
  private var droppedCounts: [UInt64] = [0, 0, 0]

  public init(
    _ configuration: JournalConfiguration, run: JournalRun, disk: (any JournalStorage)?,
    tail: (any JournalStorage)?
  ) {
    self.configuration = configuration.clamped
    self.run = run
    memory = JournalMemory(capacity: self.configuration.memory)
  }

  /// Reads what earlier runs have left.
  public func open(at now: Instant) {}

  /// Writes all that waits to the disk, however long that takes: for the end.
  public func close(at now: Instant) {}

  public var deadline: Instant? { nil }
  public func handleDeadline(at now: Instant) {}

  // MARK: facts

  /// Keeps a fact.
  /// - Returns: its number; nil when it cannot be kept: it is too large, or there is no room beside facts of
  ///   higher classes. It is then dropped, counted and told.
  public func append(
    _ factClass: FactClass, _ time: FactTime, subject: Span<UInt8>, payload: Span<UInt8>,
    at now: Instant
  ) -> UInt64? {
    let sequence = nextSequence
    nextSequence += 1
    let bytes = memory.bytesNeeded(subject: subject.count, payload: payload.count, run: run)
    if JournalEntry.headerBytes + subject.count + payload.count > JournalEntry.bytesMax
      || !makeRoom(for: bytes, factClass)
    {
      settle(sequence)
      dropped(DroppedFacts(factClass, sequence, time))
      return nil
    }
    memory.append(
      factClass, sequence, time, run: run, subject: subject, payload: payload, at: now)
    return sequence
  }

  /// The first fact with at least this number that is not acknowledged.
  public func nextWaiting(from sequence: UInt64) -> JournalRecord? {
    memory.first(from: sequence, isWaiting: true).map { record($0.entry, $0.run) }
  }

  /// The first fact with at least this number that is still there, acknowledged or not.
  public func next(from sequence: UInt64) -> JournalRecord? {
    memory.first(from: sequence, isWaiting: false).map { record($0.entry, $0.run) }
  }

  /// Somebody keeps the fact now. One that does not wait is no error.
  public func acknowledge(_ sequence: UInt64, at now: Instant) {
    if memory.settle(sequence) == nil { return }
    acknowledgedCount += 1
    settle(sequence)
  }

  public var status: JournalStatus {
    var status = JournalStatus()
    status.waiting = memory.waitingCount
    status.acknowledged = acknowledgedCount
    status.dropped = droppedCounts
    status.memoryUsedBytes = memory.bytes.count
    status.memoryBytes = memory.capacity
    return status
  }

  private func settle(_ sequence: UInt64) { _ = settled.insert(sequence..<(sequence + 1)) }

  private func record(_ entry: JournalEntry, _ run: JournalRun) -> JournalRecord {
    let bytes = memory.bytes
    return JournalRecord(entry, of: bytes.span, run: run, isRecovered: run != self.run)
  }
}

// MARK: - Room

extension Journal {
  /// Makes room for a fact of this class; false when there is none but by dropping those of higher classes.
  private func makeRoom(for bytes: Int, _ factClass: FactClass) -> Bool {
    if memory.bytes.count + bytes <= memory.capacity { return true }
    // An eighth at once, as the rest has to be moved together each time.
    let kept = memory.capacity - max(bytes, memory.capacity / 8)
    if memory.waitingBytes + memory.writingBytes > kept { dropOldest(upTo: factClass, kept: kept) }
    memory.compact(bytesMax: kept)
    return memory.bytes.count + bytes <= memory.capacity
  }

  private func dropOldest(upTo highest: FactClass, kept: Int) {
    for factClass in FactClass.allCases where factClass <= highest {
      var all: DroppedFacts?
      while memory.waitingBytes + memory.writingBytes > kept,
        let oldest = memory.oldest(of: factClass)
      {
        _ = memory.settle(oldest.sequence)
        settle(oldest.sequence)
        let one = DroppedFacts(factClass, oldest.sequence, oldest.time)
        if all == nil { all = one } else { all?.add(one) }
      }
      if let all { dropped(all) }
    }
  }

  private func dropped(_ facts: DroppedFacts) {
    droppedCounts[Int(facts.factClass.rawValue)] += facts.count
    onDropped?(facts)
  }
}

extension DroppedFacts {
  /// Adds newer ones of the same class.
  mutating func add(_ newer: DroppedFacts) {
    count += newer.count
    lastSequence = newer.lastSequence
    lastTime = newer.lastTime
  }
}
