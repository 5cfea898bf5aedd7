/// The newest facts, as entries one after the other in a fixed amount of memory. What is on the disk is not
/// here; what was acknowledged stays until its room is needed.
struct JournalMemory {
  let capacity: Int
  private(set) var bytes: [UInt8] = []
  /// Facts that are not acknowledged, and the bytes of those that are not on their way to the disk either.
  private(set) var waitingCount: UInt64 = 0
  private(set) var waitingBytes = 0
  private(set) var writingBytes = 0
  /// Nothing before it waits.
  private var firstWaiting = JournalWalk()
  /// The run of the last entry.
  private var lastRun: JournalRun?
  /// Seeds the checks of the first entry that waits, and of all behind it.
  private var seed: UInt32 = 0

  init(capacity: Int) {
    self.capacity = capacity
    // Not filled: memory that is not touched costs nothing.
    bytes.reserveCapacity(capacity)
  }

  // MARK: reading

  /// The first fact with at least this number; `isWaiting`: that is not acknowledged.
  func first(from sequence: UInt64, isWaiting: Bool) -> (entry: JournalEntry, run: JournalRun)? {
    var walk = isWaiting ? firstWaiting : JournalWalk()
    while let entry = walk.next(in: bytes.span) {
      if entry.sequence < sequence || isWaiting && entry.mark.state == .settled { continue }
      if let run = walk.run { return (entry, run) }
    }
    return nil
  }

  /// The oldest that waits and is not on its way to the disk.
  func firstWaitingEntry() -> JournalEntry? {
    var walk = firstWaiting
    while let entry = walk.next(in: bytes.span) {
      if entry.mark.state == .waiting { return entry }
    }
    return nil
  }

  // MARK: changing

  /// How many bytes a fact of this run needs.
  func bytesNeeded(subject: Int, payload: Int, run: JournalRun) -> Int {
    JournalEntry.bytes(subject: subject, payload: payload)
      + (run == lastRun ? 0 : JournalEntry.runBytesMax)
  }

  /// Appends a fact, for which there is room.
  mutating func append(
    _ factClass: FactClass, _ sequence: UInt64, _ time: FactTime, run: JournalRun,
    subject: Span<UInt8>, payload: Span<UInt8>, at now: Instant
  ) {
    if run != lastRun { bytes.append(journalRun: run, seed: seed) }
    lastRun = run
    let start = bytes.count
    bytes.append(
      journalEntry: factClass, sequence, time, JournalMark(state: .waiting, at: now),
      subject: subject, payload: payload, seed: seed)
    waitingCount += 1
    waitingBytes += bytes.count - start
  }

  /// Takes a fact that a tail has kept; false when there is no room for it.
  mutating func adopt(
    _ entry: JournalEntry, of bytes: Span<UInt8>, _ run: JournalRun, at now: Instant
  ) -> Bool {
    guard let factClass = entry.factClass else { return false }
    let (subject, payload) = (bytes.extracting(entry.subject), bytes.extracting(entry.payload))
    let needed = bytesNeeded(subject: subject.count, payload: payload.count, run: run)
    if self.bytes.count + needed > capacity { return false }
    append(
      factClass, entry.sequence, entry.time, run: run, subject: subject, payload: payload, at: now)
    return true
  }

  /// Where the first entry that waits begins, or a run before it, and the run that it belongs to, if that is not
  /// said there.
  var firstWaitingOffset: Int { firstWaiting.offset }
  var firstRun: JournalRun? { firstWaiting.run }

  /// Seeds the checks of all that waits, and of what will.
  mutating func seal(_ seed: UInt32) {
    self.seed = seed
    var offset = firstWaiting.offset
    while let entry = JournalEntry(in: bytes.span, at: offset) {
      offset = entry.end
      bytes.setCheck(at: entry.offset, length: entry.length, seed: seed)
    }
  }

  /// Settles a fact that waits; nil when there is none with this number.
  mutating func settle(_ sequence: UInt64) -> JournalEntry? {
    var walk = firstWaiting
    while let entry = walk.next(in: bytes.span) {
      if entry.sequence != sequence { continue }
      if entry.mark.state == .settled { return nil }
      set(.settled, of: entry)
      advanceFirstWaiting()
      return entry
    }
    return nil
  }

  /// The oldest of this class that waits and is not on its way to the disk.
  func oldest(of factClass: FactClass) -> JournalEntry? {
    var walk = firstWaiting
    while let entry = walk.next(in: bytes.span) {
      if entry.factClass == factClass && entry.mark.state == .waiting { return entry }
    }
    return nil
  }

  /// Marks what waits as on its way to the disk, or back.
  mutating func change(
    from former: JournalMark.State, to state: JournalMark.State,
    where isMeant: (JournalEntry) -> Bool = { _ in true }
  ) {
    var walk = firstWaiting
    while let entry = walk.next(in: bytes.span) {
      if entry.mark.state == former && isMeant(entry) { set(state, of: entry) }
    }
    advanceFirstWaiting()
  }

  private mutating func set(_ state: JournalMark.State, of entry: JournalEntry) {
    let length = entry.end - entry.offset
    count(entry.mark.state, length: -length)
    count(state, length: length)
    var mark = entry.mark
    mark.state = state
    bytes.set(littleEndian: mark.word, at: entry.offset + 4)
  }

  private mutating func count(_ state: JournalMark.State, length: Int) {
    switch state {
    case .settled: return
    case .waiting: waitingBytes += length
    case .writing: writingBytes += length
    }
    if length > 0 { waitingCount += 1 } else { waitingCount -= 1 }
  }

  private mutating func advanceFirstWaiting() {
    var walk = firstWaiting
    while let entry = walk.next(in: bytes.span), entry.mark.state == .settled {
      firstWaiting = walk
    }
  }

  /// Moves together what waits, and of the rest the newest, as long as all is not more than half of the
  /// memory and not more than `bytesMax`. What `isGone` says is left out.
  mutating func compact(bytesMax: Int, where isGone: (JournalEntry) -> Bool = { _ in false }) {
    let keepable = min(capacity / 2, bytesMax)
    var surplus = bytes.count - keepable
    var (read, write) = (JournalWalk(), 0)
    // Where the run of what is read stands, until it is moved.
    var (runStart, runEnd) = (0, 0)
    var position = 0
    while let entry = JournalEntry(in: bytes.span, at: position) {
      position = entry.end
      if entry.factClass == nil {
        (runStart, runEnd) = (entry.offset, entry.end)
        surplus -= runEnd - runStart
        read.run = entry.run(in: bytes.span)
        continue
      }
      let isSettled = entry.mark.state == .settled
      if isGone(entry) || isSettled && surplus > 0 {
        surplus -= entry.end - entry.offset
        if !isSettled { count(entry.mark.state, length: entry.offset - entry.end) }
        continue
      }
      write = move(runStart..<runEnd, to: write)
      (runStart, runEnd) = (0, 0)
      write = move(entry.offset..<entry.end, to: write)
      lastRun = read.run
    }
    bytes.removeLast(bytes.count - write)
    if bytes.isEmpty { lastRun = nil }
    firstWaiting = JournalWalk()
    advanceFirstWaiting()
  }

  /// Moves bytes towards the beginning; returns where they end.
  private mutating func move(_ source: Range<Int>, to target: Int) -> Int {
    if source.isEmpty || source.lowerBound == target { return target + source.count }
    bytes.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      moveBytes(to: base + target, from: base + source.lowerBound, count: source.count)
    }
    return target + source.count
  }
}

/// Walks over entries that are known to be whole, and knows whose they are.
struct JournalWalk {
  var offset = 0
  var run: JournalRun?

  /// The next fact.
  mutating func next(in bytes: Span<UInt8>) -> JournalEntry? {
    while let entry = JournalEntry(in: bytes, at: offset) {
      offset = entry.end
      if entry.factClass != nil { return entry }
      run = entry.run(in: bytes)
    }
    return nil
  }
}
