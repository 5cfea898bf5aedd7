// What earlier runs have left on the disk.

extension JournalPool {
  /// Finds all facts. A segment whose header cannot be read is known by its first facts.
  /// - Parameter ends: where the chains ended at least, when the cursor was written.
  func recover(_ settled: SettledSequences, ends: [JournalChainEnd]) {
    var found: [[Found]] = [[], [], []]
    // From the last to the first, as the last of a list is taken first.
    for index in (0..<geometry.segmentCount).reversed() {
      switch header(ofSegment: index) {
      case .free: free.append(index)
      case .unreadable:
        damaged(index, "it cannot be read")
        freed.append(index)
      case .inUse(let header): found[Int(header.factClass.rawValue)].append(Found(header))
      }
    }
    var lasts = [LastBatch(), LastBatch(), LastBatch()]
    for factClass in FactClass.allCases {
      let chain = Int(factClass.rawValue)
      found[chain].sort { $0.firstSequence < $1.firstSequence }
      let end = ends[chain]
      for index in found[chain].indices {
        let isLast = index == found[chain].count - 1
        if let last = chains[chain].last, last.lastSequence >= found[chain][index].firstSequence {
          // Two cannot have the same facts.
          damaged(found[chain][index].index, "another has the same facts")
          freed.append(found[chain][index].index)
          continue
        }
        recover(
          found[chain][index], of: factClass,
          before: isLast ? nil : found[chain][index + 1], cursorEnd: end, &lasts[chain], settled)
      }
    }
    let newest = lasts.max { $0.sequence < $1.sequence } ?? LastBatch()
    lastBatch = newest.batch
    lastBatchStart =
      1 + lasts.reduce(0) { max($0, $1.batch == newest.batch ? $1.before : $1.sequence) }
  }

  /// Of a chain: the batch that it ends with, its last fact, and the last one before the batch.
  private struct LastBatch {
    var batch: UInt16 = 0
    var sequence: UInt64 = 0
    var before: UInt64 = 0

    mutating func add(_ entry: JournalEntry) {
      if entry.batch != batch { before = sequence }
      batch = entry.batch
      sequence = entry.sequence
    }
  }

  private struct Found {
    let index: Int
    let firstSequence: UInt64
    let formerEnd: Int

    init(_ header: JournalSegmentHeader) {
      index = header.index
      firstSequence = header.firstSequence
      formerEnd = header.formerEnd
    }
  }

  private func recover(
    _ found: Found, of factClass: FactClass, before next: Found?, cursorEnd: JournalChainEnd,
    _ last: inout LastBatch, _ settled: SettledSequences
  ) {
    var segment = JournalSegment(
      index: found.index, firstSequence: found.firstSequence, lastSequence: found.firstSequence,
      end: geometry.segmentBytes)
    var knownEnd = cursorEnd.firstSequence == found.firstSequence ? cursorEnd.end : 0
    if let next, next.formerEnd >= JournalSegmentHeader.bytes,
      next.formerEnd <= geometry.segmentBytes
    {
      segment.end = next.formerEnd
      knownEnd = next.formerEnd
      if next.firstSequence <= settled.end {
        // Nothing in it waits: it need not be read.
        segment.lastSequence = next.firstSequence - 1
        last.sequence = segment.lastSequence
        return extend(factClass, by: segment)
      }
    }
    var walk = self.walk(segment)
    do throws(SystemError) {
      while let entry = try walk.next(reader) {
        if !settled.contains(entry.sequence) { segment.waiting += 1 }
        last.add(entry)
      }
      segment.isClosed = try walk.isTorn(reader)
    } catch {
      segment.isClosed = true
    }
    if walk.end < knownEnd {
      segment.damage = 1
      segment.isClosed = true
    }
    segment.damage += walk.damage
    if segment.damage > 0 {
      damaged(segment.index, "\(segment.damage) places cannot be read", segment.damage)
    }
    segment.end = walk.end
    if walk.lastSequence < found.firstSequence {
      // The header is all that there is.
      freed.append(found.index)
      return
    }
    segment.lastSequence = walk.lastSequence
    extend(factClass, by: segment)
    lastRuns[Int(factClass.rawValue)] = walk.run
  }

  private func damaged(_ index: Int, _ what: Text, _ count: Int = 1) {
    damagedCount += UInt64(count)
    onDamage?(index, what)
  }

  private enum SegmentState {
    case free
    case unreadable
    case inUse(JournalSegmentHeader)
  }

  private func header(ofSegment index: Int) -> SegmentState {
    let base = geometry.offset(ofSegment: index)
    guard let place = try? reader.load(base, JournalEntry.bytesMax) else {
      return .unreadable
    }
    let window = reader.window
    let sector = window.span.extracting(place..<(place + JournalGeometry.sectorBytes))
    if let header = JournalSegmentHeader(sector), header.index == index,
      header.segmentBytes == geometry.segmentBytes
    {
      return .inUse(header)
    }
    var isZero = true
    for position in sector.indices where sector[position] != 0 { isZero = false }
    if isZero { return .free }
    return headerOfFacts(index, window, place).map { .inUse($0) } ?? .unreadable
  }

  /// The first fact's number is the segment's: it is there once more, behind the header and the run.
  private func headerOfFacts(
    _ index: Int, _ window: [UInt8], _ place: Int
  ) -> JournalSegmentHeader? {
    let bytes = window.span
    guard let run = JournalEntry(in: bytes, at: place + JournalSegmentHeader.bytes),
      run.factClass == nil, let fact = JournalEntry(in: bytes, at: run.end),
      let factClass = fact.factClass,
      fact.isWhole(in: bytes, seed: JournalSegment.seed(fact.sequence))
    else { return nil }
    damaged(index, "its header cannot be read, its facts can")
    return JournalSegmentHeader(
      factClass, segmentBytes: geometry.segmentBytes, index: index,
      firstSequence: fact.sequence, formerEnd: 0)
  }
}
