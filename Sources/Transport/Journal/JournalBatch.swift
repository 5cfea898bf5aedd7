/// What is written to the disk between two syncs. Nothing of it counts before the second; when something
/// fails, it is as if it had never been begun.
struct JournalBatch {
  /// What segments get: all of new ones, and the additions to those that are there.
  fileprivate(set) var added: [(factClass: FactClass, segment: JournalSegment)] = []
  /// Segments that were free.
  fileprivate(set) var taken: [Int] = []
  /// Segments that become free.
  fileprivate(set) var blanked: [Int] = []
  /// The run of each chain's last entry.
  fileprivate(set) var lastRuns: [JournalRun?] = [nil, nil, nil]
  /// The cursor, when it is written too.
  var cursor: JournalCursor?
  fileprivate(set) var writtenBytes = 0

  var isEmpty: Bool { added.isEmpty && blanked.isEmpty && cursor == nil }

  fileprivate func adds(to index: Int) -> Bool { added.contains { $0.segment.index == index } }

  /// A fact that is on its way is acknowledged.
  mutating func settle(_ factClass: FactClass, _ sequence: UInt64) {
    for index in added.indices
    where added[index].factClass == factClass
      && added[index].segment.firstSequence <= sequence
      && added[index].segment.lastSequence >= sequence
    {
      added[index].segment.waiting -= 1
      return
    }
  }
}

/// Writes facts of one class behind those that are on the disk, a few kilobytes at once. A batch begins at a
/// sector of its own, so that none is written again that is already on the disk.
private struct JournalChainWriter {
  let factClass: FactClass
  let pool: JournalPool
  private(set) var run: JournalRun?
  /// What the batch adds, with the place where the next entry goes as its end.
  private var segment: JournalSegment?
  private var formerEnd = 0
  /// Where the pool's buffer goes.
  private var offset = 0

  init(_ factClass: FactClass, _ pool: JournalPool) {
    self.factClass = factClass
    self.pool = pool
    pool.clearBuffer()
    guard let last = pool.chains[Int(factClass.rawValue)].last else { return }
    formerEnd = last.end
    let start = JournalGeometry.sectorAligned(last.end)
    if last.isClosed || start >= pool.geometry.segmentBytes { return }
    run = pool.lastRuns[Int(factClass.rawValue)]
    var segment = last
    segment.waiting = 0
    segment.end = start
    self.segment = segment
    offset = pool.geometry.offset(ofSegment: segment.index) + start
  }

  /// False when it needs a segment and none is free.
  mutating func append(
    _ entry: JournalEntry, of bytes: Span<UInt8>, _ entryRun: JournalRun,
    to batch: inout JournalBatch
  ) throws(SystemError) -> Bool {
    let length = JournalEntry.aligned(entry.length)
    let needed = length + (entryRun == run ? 0 : JournalEntry.runBytesMax)
    if segment.map({ $0.end + needed > pool.geometry.segmentBytes }) ?? true {
      try finish(&batch)
      guard let index = pool.free.popLast() else { return false }
      batch.taken.append(index)
      begin(index, entry.sequence)
    }
    guard var segment else { return false }
    // With what may be needed to fill a sector.
    if pool.buffer.count + needed + JournalGeometry.sectorBytes > JournalPool.bufferBytes {
      try write(&batch)
    }
    let start = pool.buffer.count
    if entryRun != run { pool.buffer.append(journalRun: entryRun, seed: segment.seed) }
    run = entryRun
    pool.buffer.append(entry, of: bytes, seed: segment.seed, batch: pool.lastBatch &+ 1)
    segment.end += pool.buffer.count - start
    segment.lastSequence = entry.sequence
    segment.waiting += 1
    self.segment = segment
    return true
  }

  private mutating func begin(_ index: Int, _ firstSequence: UInt64) {
    run = nil
    segment = JournalSegment(
      index: index, firstSequence: firstSequence, lastSequence: firstSequence,
      end: JournalSegmentHeader.bytes)
    offset = pool.geometry.offset(ofSegment: index)
    JournalSegmentHeader(
      factClass, segmentBytes: pool.geometry.segmentBytes, index: index,
      firstSequence: firstSequence, formerEnd: formerEnd
    ).append(to: &pool.buffer)
  }

  /// Fills the last sector with zeros, and writes what is left.
  mutating func finish(_ batch: inout JournalBatch) throws(SystemError) {
    guard let segment, segment.waiting > 0 else { return }
    for _ in segment.end..<JournalGeometry.sectorAligned(segment.end) { pool.buffer.append(0) }
    try write(&batch)
    batch.added.append((factClass, segment))
    batch.lastRuns[Int(factClass.rawValue)] = run
    formerEnd = segment.end
    self.segment = nil
  }

  private mutating func write(_ batch: inout JournalBatch) throws(SystemError) {
    batch.writtenBytes += pool.buffer.count
    try pool.writeBuffer(at: offset)
    offset += pool.buffer.count
    pool.buffer.removeAll(keepingCapacity: true)
  }
}

extension JournalPool {
  /// Segments that are kept free, so that each class can begin one.
  static let freeCount = 3

  /// Writes what memory says is on its way.
  /// - Returns: by class, the first fact for which there was no segment.
  func write(
    _ memory: JournalMemory, to batch: inout JournalBatch
  ) throws(SystemError) -> [UInt64?] {
    var stopped: [UInt64?] = [nil, nil, nil]
    for factClass in FactClass.allCases.reversed() {
      var writer = JournalChainWriter(factClass, self)
      var walk = JournalWalk()
      while let entry = walk.next(in: memory.bytes.span) {
        guard entry.factClass == factClass, entry.mark.state == .writing, let run = walk.run else {
          continue
        }
        if try !writer.append(entry, of: memory.bytes.span, run, to: &batch) {
          stopped[Int(factClass.rawValue)] = entry.sequence
          break
        }
      }
      try writer.finish(&batch)
    }
    return stopped
  }

  /// Makes segments free until enough are, at first those in which nothing waits.
  /// - Parameter highest: facts of this class, and of lower ones, may be dropped for it.
  /// - Parameter dropped: gets what had to be dropped, also when the disk fails.
  func blank(
    upTo highest: FactClass, _ settled: SettledSequences, to batch: inout JournalBatch,
    dropped: inout [DroppedFacts]
  ) throws(SystemError) {
    while free.count + batch.blanked.count < JournalPool.freeCount {
      if freed.isEmpty {
        guard let victim = victim(upTo: highest, batch) else { break }
        if let facts = waitingFacts(victim.factClass, victim.index, settled) {
          dropped.append(facts)
        }
        remove(victim.index, of: victim.factClass)
      }
      guard let index = freed.last else { break }
      try blank(index, &batch)
      freed.removeLast()
    }
  }

  /// Overwrites what a batch that failed may have left, before anything else is written.
  func blankDoubted(to batch: inout JournalBatch) throws(SystemError) {
    while let index = doubted.last {
      try blank(index, &batch)
      doubted.removeLast()
    }
  }

  private func blank(_ index: Int, _ batch: inout JournalBatch) throws(SystemError) {
    let zeros = [UInt8](repeating: 0, count: JournalGeometry.sectorBytes)
    batch.writtenBytes += zeros.count
    try reader.storage.write(zeros.span, at: geometry.offset(ofSegment: index))
    batch.blanked.append(index)
  }

  /// The oldest segment in which nothing waits, else the oldest of the lowest class; none to which the batch
  /// adds.
  private func victim(
    upTo highest: FactClass, _ batch: JournalBatch
  ) -> (factClass: FactClass, index: Int)? {
    var settledOne: (factClass: FactClass, index: Int, sequence: UInt64)?
    for factClass in FactClass.allCases {
      let chain = chains[Int(factClass.rawValue)]
      guard
        let index = chain.firstIndex(where: { $0.waiting == 0 && !batch.adds(to: $0.index) })
      else { continue }
      if let former = settledOne, former.sequence < chain[index].firstSequence { continue }
      settledOne = (factClass, index, chain[index].firstSequence)
    }
    if let settledOne { return (settledOne.factClass, settledOne.index) }
    for factClass in FactClass.allCases
    where factClass <= highest {
      guard let first = chains[Int(factClass.rawValue)].first, !batch.adds(to: first.index) else {
        continue
      }
      return (factClass, 0)
    }
    return nil
  }

  private func waitingFacts(
    _ factClass: FactClass, _ index: Int, _ settled: SettledSequences
  ) -> DroppedFacts? {
    var walk = self.walk(chains[Int(factClass.rawValue)][index])
    var facts: DroppedFacts?
    while let entry = try? walk.next(reader) {
      if settled.contains(entry.sequence) { continue }
      let one = DroppedFacts(factClass, entry.sequence, entry.time)
      if facts == nil { facts = one } else { facts?.add(one) }
    }
    return facts
  }

  // MARK: the end of a batch

  /// All of it is on the disk.
  func commit(_ batch: JournalBatch) {
    reader.forget()
    if !batch.added.isEmpty { lastBatch &+= 1 }
    for (factClass, segment) in batch.added { extend(factClass, by: segment) }
    for chain in lastRuns.indices {
      if let run = batch.lastRuns[chain] { lastRuns[chain] = run }
    }
    free.append(contentsOf: batch.blanked)
  }

  /// Nobody knows what of it is on the disk.
  func rollBack(_ batch: JournalBatch) {
    reader.forget()
    doubted.append(contentsOf: batch.taken)
    doubted.append(contentsOf: batch.blanked)
  }
}
