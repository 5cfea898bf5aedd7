/// The facts on the disk: segments, of which each class has a chain of its own, and those that are free. It
/// knows what has been written and synced; `JournalBatch` writes.
final class JournalPool {
  let reader: JournalReader
  let geometry: JournalGeometry
  /// By class, each in the order of its facts.
  var chains: [[JournalSegment]] = [[], [], []]
  /// Numbers of segments that may be written: zeros are at their beginning, also after a power cut.
  var free: [Int] = []
  /// Those that are to become free: their beginning is still to be overwritten.
  var freed: [Int] = []
  /// Those that a batch which failed has written to.
  var doubted: [Int] = []
  /// The number of the last batch that has brought facts; it differs from those just before and behind.
  var lastBatch: UInt16 = 0
  /// The first fact that the last batch may have had, as far as recovery has found its remains.
  var lastBatchStart: UInt64 = 0
  /// The run that the last entry of a chain belongs to, as far as known.
  var lastRuns: [JournalRun?] = [nil, nil, nil]
  /// How many facts wait.
  private(set) var waitingCount: UInt64 = 0
  /// Places that could not be read.
  var damagedCount: UInt64 = 0
  /// What a batch writes at once. It has its room from the first batch on, and keeps it.
  var buffer: [UInt8] = []
  /// The longest entry, with what may stand before and behind it.
  static let bufferBytes = JournalEntry.bytesMax + 2 * JournalGeometry.sectorBytes
  /// Called by recovery for each segment with such a place.
  var onDamage: ((_ segment: Int, _ what: Text) -> Void)?

  /// Where in each chain was read last.
  private var places: [Place?] = [nil, nil, nil]
  /// What was found last in each chain.
  private var finds: [Find?] = [nil, nil, nil]

  private struct Place {
    let firstSequence: UInt64
    let walk: JournalSegmentWalk
  }

  private struct Find {
    let from: UInt64
    let sequence: UInt64?
    let isWaiting: Bool
  }

  init(_ reader: JournalReader, _ geometry: JournalGeometry) {
    self.reader = reader
    self.geometry = geometry
  }

  func clearBuffer() {
    buffer.removeAll(keepingCapacity: true)
    buffer.reserveCapacity(JournalPool.bufferBytes)
  }

  /// A function of its own: the buffer has no second owner when it is changed next.
  func writeBuffer(at offset: Int) throws(SystemError) {
    let bytes = buffer
    try reader.storage.write(bytes.span, at: offset)
  }

  /// Behind the newest fact.
  var endSequence: UInt64 { chains.reduce(0) { max($0, $1.last.map { $0.lastSequence + 1 } ?? 0) } }

  /// Bytes of the segments in use.
  var usedBytes: Int { chains.reduce(0) { $0 + $1.count } * geometry.segmentBytes }

  // MARK: reading

  /// The number of the first fact from this one on; nil when there is none.
  func firstSequence(
    from sequence: UInt64, isWaiting: Bool, _ settled: SettledSequences
  ) -> (factClass: FactClass, sequence: UInt64)? {
    var first: (factClass: FactClass, sequence: UInt64)?
    for factClass in FactClass.allCases {
      guard let found = find(factClass, from: sequence, isWaiting: isWaiting, settled) else {
        continue
      }
      if let first, first.sequence < found { continue }
      first = (factClass, found)
    }
    return first
  }

  private func find(
    _ factClass: FactClass, from sequence: UInt64, isWaiting: Bool, _ settled: SettledSequences
  ) -> UInt64? {
    let chain = Int(factClass.rawValue)
    guard let last = chains[chain].last, last.lastSequence >= sequence else { return nil }
    if let find = finds[chain], find.isWaiting == isWaiting, find.from <= sequence {
      guard let found = find.sequence else { return nil }
      if found >= sequence, !isWaiting || !settled.contains(found) { return found }
    }
    let found = entry(factClass, from: sequence, isWaiting: isWaiting, settled)?.entry.sequence
    finds[chain] = Find(from: sequence, sequence: found, isWaiting: isWaiting)
    return found
  }

  /// The first fact of a class from this number on, in the reader's window.
  func entry(
    _ factClass: FactClass, from sequence: UInt64, isWaiting: Bool, _ settled: SettledSequences
  ) -> (entry: JournalEntry, run: JournalRun?, segment: Int)? {
    let chain = Int(factClass.rawValue)
    var index = self.index(ofSegmentWith: sequence, in: chain)
    while index < chains[chain].count {
      let segment = chains[chain][index]
      if segment.lastSequence >= sequence, !isWaiting || segment.waiting > 0 {
        var walk = self.walk(segment, before: sequence, chain)
        while true {
          let before = walk
          guard let entry = try? walk.next(reader) else { break }
          if entry.sequence < sequence || isWaiting && settled.contains(entry.sequence) {
            continue
          }
          places[chain] = Place(firstSequence: segment.firstSequence, walk: before)
          return (entry, walk.run, index)
        }
        if walk.damage > segment.damage || walk.end < segment.end {
          recount(chain, index, settled)
        }
      }
      index += 1
    }
    return nil
  }

  /// A walk from the segment's beginning, or from where it was read last when that is before the fact.
  private func walk(
    _ segment: JournalSegment, before sequence: UInt64, _ chain: Int
  ) -> JournalSegmentWalk {
    if let place = places[chain], place.firstSequence == segment.firstSequence,
      place.walk.lastSequence < sequence || place.walk.lastSequence < segment.firstSequence
    {
      return place.walk
    }
    return walk(segment)
  }

  func walk(_ segment: JournalSegment) -> JournalSegmentWalk {
    JournalSegmentWalk(
      base: geometry.offset(ofSegment: segment.index), firstSequence: segment.firstSequence,
      limit: segment.end)
  }

  /// The last segment that begins at or before the fact, or the first.
  private func index(ofSegmentWith sequence: UInt64, in chain: Int) -> Int {
    var (lower, upper) = (0, chains[chain].count)
    while lower < upper {
      let middle = (lower + upper) / 2
      if chains[chain][middle].firstSequence > sequence {
        upper = middle
      } else {
        lower = middle + 1
      }
    }
    return max(lower - 1, 0)
  }

  // MARK: waiting

  /// Takes a fact from those that wait, if it is here and does; it is not yet in `settled`.
  func settle(_ sequence: UInt64, _ settled: SettledSequences) -> FactClass? {
    for factClass in FactClass.allCases {
      let chain = Int(factClass.rawValue)
      guard let last = chains[chain].last, last.lastSequence >= sequence else { continue }
      guard let found = entry(factClass, from: sequence, isWaiting: true, settled),
        found.entry.sequence == sequence
      else { continue }
      chains[chain][found.segment].waiting -= 1
      waitingCount -= 1
      return factClass
    }
    return nil
  }

  /// Whether the fact is here, settled or not.
  func contains(
    _ sequence: UInt64, _ factClass: FactClass, _ settled: SettledSequences
  ) -> Bool {
    entry(factClass, from: sequence, isWaiting: false, settled)?.entry.sequence == sequence
  }

  /// Counts anew what waits in a segment: something in it cannot be read any more, or waits again.
  private func recount(_ chain: Int, _ index: Int, _ settled: SettledSequences) {
    var segment = chains[chain][index]
    var walk = self.walk(segment)
    var waiting = 0
    while let entry = try? walk.next(reader) {
      if !settled.contains(entry.sequence) { waiting += 1 }
    }
    let damage = max(walk.damage + (walk.end < segment.end ? 1 : 0), segment.damage)
    damagedCount += UInt64(damage - segment.damage)
    waitingCount = waitingCount - UInt64(segment.waiting) + UInt64(waiting)
    segment.waiting = waiting
    segment.damage = damage
    chains[chain][index] = segment
  }

  /// Facts in this range wait again.
  func reopen(_ range: Range<UInt64>, _ settled: SettledSequences) {
    for chain in chains.indices {
      finds[chain] = nil
      for (index, segment) in chains[chain].enumerated()
      where segment.firstSequence < range.upperBound && segment.lastSequence >= range.lowerBound {
        recount(chain, index, settled)
      }
    }
  }

  /// Takes what a batch has written, or recovery has found, as the end of a chain.
  func extend(_ factClass: FactClass, by added: JournalSegment) {
    let chain = Int(factClass.rawValue)
    waitingCount += UInt64(added.waiting)
    finds[chain] = nil
    // A walk ends where its segment did.
    places[chain] = nil
    let last = chains[chain].count - 1
    guard last >= 0, chains[chain][last].index == added.index else {
      chains[chain].append(added)
      return
    }
    chains[chain][last].lastSequence = added.lastSequence
    chains[chain][last].end = added.end
    chains[chain][last].waiting += added.waiting
  }

  /// Takes a segment out of its chain; it is to become free.
  func remove(_ index: Int, of factClass: FactClass) {
    let chain = Int(factClass.rawValue)
    let segment = chains[chain].remove(at: index)
    waitingCount -= UInt64(segment.waiting)
    freed.append(segment.index)
    finds[chain] = nil
    places[chain] = nil
    if index == chains[chain].count { lastRuns[chain] = nil }
  }

  /// The ends of the chains, for the cursor.
  var ends: [JournalChainEnd] {
    chains.map { chain in
      guard let last = chain.last else { return JournalChainEnd() }
      return JournalChainEnd(firstSequence: last.firstSequence, end: last.end)
    }
  }
}
