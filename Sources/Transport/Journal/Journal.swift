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
  /// Called when nothing can be written to the disk, with the reason, and when it can again, with nil. The
  /// same reason is told once.
  public var onProblem: ((_ reason: String?) -> Void)?
  /// Called when the disk is first read, at `open` as a rule, and facts may be missing.
  public var onGap: ((JournalGap) -> Void)?
  /// Where in the stream the newest acknowledged fact is. It goes to the disk when acknowledgements do.
  public var streamPosition: StreamPosition?
  /// The number of the next fact.
  public internal(set) var nextSequence: UInt64 = 1

  let disk: JournalDisk?
  let tail: JournalTail?
  var phase = Phase.closed
  var memory: JournalMemory
  var settled = SettledSequences(below: 1)
  /// Numbers below it will not be given away once more, also after a power cut. Only a disk that cannot
  /// be written for long lets facts come so far.
  var reservedEnd: UInt64 = 1
  /// Whether the cursor must be written, whatever else is.
  var needsCursor = false
  /// Since when there are acknowledgements that the disk does not know and should.
  var unsavedSince: Instant?
  /// When it makes sense again to write facts: there was no room for any.
  var blockedUntil: Instant?
  /// Whether the disk has been read, and the first number of this run.
  var isLoaded = false
  var firstSequence: UInt64 = 1
  /// The time as it was told last.
  var lastTime = Instant(nanoseconds: 0)
  var problem: String?

  private var acknowledgedCount: UInt64 = 0
  private var droppedCounts: [UInt64] = [0, 0, 0]

  enum Phase: Equatable {
    /// Before `open` and after `close`.
    case closed
    /// Without a disk.
    case volatile
    case idle
    case syncing(since: Instant)
    case failed(until: Instant)
  }

  /// - Parameters:
  ///   - disk: nil: nothing survives the machine.
  ///   - tail: nil: what is in memory does not survive the process.
  public init(
    _ configuration: JournalConfiguration, run: JournalRun, disk: (any JournalStorage)?,
    tail: (any JournalStorage)?
  ) {
    let clamped = configuration.clamped
    self.configuration = clamped
    self.run = run
    memory = JournalMemory(capacity: clamped.memory)
    self.disk = clamped.size == 0 ? nil : disk.map { JournalDisk($0, clamped) }
    self.tail = tail.map { JournalTail($0, of: run, bytesMax: clamped.memory) }
  }

  // MARK: facts

  /// Keeps a fact.
  /// - Returns: its number; nil when it cannot be kept: it is too large, or there is no room beside facts of
  ///   higher classes. It is then dropped, counted and told.
  public func append(
    _ factClass: FactClass, _ time: FactTime, subject: Span<UInt8>, payload: Span<UInt8>,
    at now: Instant
  ) -> UInt64? {
    lastTime = now
    let sequence = nextSequence
    nextSequence += 1
    let isTooLarge =
      JournalEntry.headerBytes + subject.count + payload.count > JournalEntry.bytesMax
    let needed = memory.bytesNeeded(subject: subject.count, payload: payload.count, run: run)
    if isTooLarge || !makeRoom(for: needed, factClass) {
      tail?.write(cursor)
      dropped(DroppedFacts(factClass, sequence, time))
      return nil
    }
    let start = memory.bytes.count
    memory.append(
      factClass, sequence, time, run: run, subject: subject, payload: payload, at: now)
    if !appendToTail(from: start) { mirror() }
    return sequence
  }

  /// A function of its own: what is in memory has no second owner when it is changed next.
  private func appendToTail(from start: Int) -> Bool {
    let bytes = memory.bytes
    return tail?.append(bytes.span.extracting(start..<bytes.count)) ?? true
  }

  /// The first fact with at least this number that is not acknowledged.
  public func nextWaiting(from sequence: UInt64) -> JournalRecord? {
    first(from: sequence, isWaiting: true)
  }

  /// The first fact with at least this number that is still there, acknowledged or not.
  public func next(from sequence: UInt64) -> JournalRecord? {
    first(from: sequence, isWaiting: false)
  }

  private func first(from sequence: UInt64, isWaiting: Bool) -> JournalRecord? {
    let held = memory.first(from: sequence, isWaiting: isWaiting)
    if let pool = disk?.pool,
      let found = pool.firstSequence(from: sequence, isWaiting: isWaiting, settled),
      held.map({ found.sequence < $0.entry.sequence }) ?? true,
      let stored = pool.entry(found.factClass, from: found.sequence, isWaiting: isWaiting, settled)
    {
      return record(stored.entry, pool.reader.window, stored.run ?? .unknown)
    }
    return held.map { record($0.entry, memory.bytes, $0.run) }
  }

  private func firstWaitingSequence(from sequence: UInt64) -> UInt64? {
    let held = memory.first(from: sequence, isWaiting: true)?.entry.sequence
    let stored = disk?.pool.firstSequence(from: sequence, isWaiting: true, settled)?.sequence
    guard let held else { return stored }
    return stored.map { min($0, held) } ?? held
  }

  private func record(
    _ entry: JournalEntry, _ bytes: [UInt8], _ run: JournalRun
  ) -> JournalRecord {
    JournalRecord(entry, of: bytes.span, run: run, isRecovered: run != self.run)
  }

  /// Somebody keeps the fact now. One that does not wait is no error.
  public func acknowledge(_ sequence: UInt64, at now: Instant) {
    lastTime = now
    // Numbers before it that nobody waits for any more become one range with it.
    let start = settled.openStart(before: sequence)
    let lower = firstWaitingSequence(from: start) == sequence ? start : sequence
    if let entry = memory.settle(sequence) {
      if entry.mark.state == .writing, let factClass = entry.factClass {
        disk?.batch?.settle(factClass, sequence)
        if unsavedSince == nil { unsavedSince = now }
      }
    } else if disk?.pool.settle(sequence, settled) != nil {
      if unsavedSince == nil { unsavedSince = now }
    } else {
      return
    }
    acknowledgedCount += 1
    if let forgotten = settled.insert(lower..<(sequence + 1)) {
      disk?.pool.reopen(forgotten, settled)
    }
    if let tail, !tail.settle(lower..<(sequence + 1), streamPosition) { tail.write(cursor) }
  }

  /// How many facts are not acknowledged.
  public var waitingCount: UInt64 { memory.waitingCount + (disk?.pool.waitingCount ?? 0) }

  public var status: JournalStatus {
    var status = JournalStatus()
    status.waiting = waitingCount
    status.acknowledged = acknowledgedCount
    status.dropped = droppedCounts
    status.memoryUsedBytes = memory.bytes.count
    status.memoryBytes = memory.capacity
    status.problem = problem
    if let disk {
      status.damaged = disk.pool.damagedCount
      status.diskUsedBytes = disk.pool.usedBytes
      status.diskBytes = disk.pool.geometry.segmentCount * disk.pool.geometry.segmentBytes
      status.writtenBytes = disk.writtenBytes
    }
    return status
  }

  // MARK: room

  /// Makes room for a fact of this class; false when there is none but by dropping those of higher classes.
  private func makeRoom(for needed: Int, _ factClass: FactClass) -> Bool {
    if memory.bytes.count + needed <= memory.capacity { return true }
    // An eighth at once, as the rest has to be moved together each time.
    let kept = memory.capacity - max(needed, memory.capacity / 8)
    let drops = dropOldest(upTo: factClass, kept: kept)
    memory.compact(bytesMax: kept)
    tell(drops)
    return memory.bytes.count + needed <= memory.capacity
  }

  private func dropOldest(upTo highest: FactClass, kept: Int) -> [DroppedFacts] {
    var drops: [DroppedFacts] = []
    for factClass in FactClass.allCases where factClass <= highest {
      var all: DroppedFacts?
      while memory.waitingBytes + memory.writingBytes > kept,
        let oldest = memory.oldest(of: factClass)
      {
        _ = memory.settle(oldest.sequence)
        let one = DroppedFacts(factClass, oldest.sequence, oldest.time)
        if all == nil { all = one } else { all?.add(one) }
      }
      if let all { drops.append(all) }
    }
    return drops
  }

  /// Tells what had to go, when the tail does not have it any more.
  func tell(_ drops: [DroppedFacts]) {
    if drops.isEmpty { return }
    mirror()
    for facts in drops { dropped(facts) }
  }

  private func dropped(_ facts: DroppedFacts) {
    droppedCounts[Int(facts.factClass.rawValue)] += facts.count
    onDropped?(facts)
  }

  /// Writes what waits in memory to the tail, and nothing else.
  func mirror() {
    tail?.replace(with: &memory, cursor)
  }

  /// What is known beside the facts.
  var cursor: JournalCursor {
    let geometry = disk?.pool.geometry ?? JournalGeometry(fileBytes: configuration.size)
    var cursor = JournalCursor(
      geometry: geometry, sync: configuration.sync, nextSequence: nextSequence,
      reservedEnd: max(reservedEnd, nextSequence), settled: settled, run: run)
    if let position = streamPosition, position.stream.count <= StreamPosition.nameBytesMax,
      position.domain.count <= StreamPosition.nameBytesMax
    {
      cursor.position = position
    }
    if let disk { cursor.ends = disk.pool.ends }
    return cursor
  }
}
