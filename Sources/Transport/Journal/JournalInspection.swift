/// A look at a journal's disk, also while a host writes it: nothing is changed.
public final class JournalInspection {
  /// A segment in use.
  public struct Segment {
    public let factClass: FactClass
    public let index: Int
    public let firstSequence: UInt64
    public let lastSequence: UInt64
    public internal(set) var facts = 0
    public internal(set) var waiting = 0
    public let usedBytes: Int
  }

  /// Something that cannot be read, and where.
  public struct Damage: TextConvertible {
    public let text: Text
  }

  public private(set) var segments: [Segment] = []
  public private(set) var damages: [Damage] = []
  public var segmentBytes: Int { pool.geometry.segmentBytes }
  public var segmentCount: Int { pool.geometry.segmentCount }
  public var freeCount: Int { pool.geometry.segmentCount - segments.count }
  public var nextSequence: UInt64 { max(cursor?.nextSequence ?? 1, pool.endSequence) }
  public var streamPosition: StreamPosition? { cursor?.position }
  public var run: JournalRun? { cursor?.run }
  /// Whether the last run has written all that waited.
  public var isClean: Bool { cursor?.isClean ?? false }

  private let storage: any JournalStorage
  private let pool: JournalPool
  private let cursor: JournalCursor?
  private let newestSlot: Int

  /// Reads the whole of it.
  /// - Throws: what the system says; error 0 when it is no journal.
  public init(_ storage: any JournalStorage) throws(SystemError) {
    self.storage = storage
    try storage.open(bytes: 0)
    let reader = JournalReader(storage)
    var newest: JournalCursor?
    var newestSlot = 0
    for slot in 0..<2 {
      var bytes = [UInt8](repeating: 0, count: JournalGeometry.slotBytes)
      try storage.read(at: slot * bytes.count, into: &bytes, count: bytes.count)
      if let cursor = JournalCursor(bytes.span) {
        if let newest, newest.generation > cursor.generation { continue }
        newest = cursor
        newestSlot = slot
      } else if bytes.contains(where: { $0 != 0 }) {
        damages.append(Damage(text: "cursor slot \(slot) cannot be read"))
      }
    }
    cursor = newest
    self.newestSlot = newestSlot
    pool = JournalPool(
      reader, newest?.geometry ?? JournalGeometry(fileBytes: storage.byteCount))
    recover()
  }

  private func recover() {
    pool.onDamage = { [self] index, what in
      damages.append(Damage(text: "segment \(index): \(what)"))
    }
    // As if nothing were settled, so that every segment is read.
    let none = SettledSequences(below: 0)
    pool.recover(none, ends: cursor?.ends ?? JournalCursor.noEnds)
    pool.onDamage = nil
    let settled = cursor?.settled ?? none
    for factClass in FactClass.allCases.reversed() {
      for segment in pool.chains[Int(factClass.rawValue)] {
        var seen = Segment(
          factClass: factClass, index: segment.index, firstSequence: segment.firstSequence,
          lastSequence: segment.lastSequence, usedBytes: segment.end)
        var walk = pool.walk(segment)
        while let entry = try? walk.next(pool.reader) {
          seen.facts += 1
          if !settled.contains(entry.sequence) { seen.waiting += 1 }
        }
        segments.append(seen)
      }
    }
  }

  /// Whether there is a cursor or a segment: else the file is new, or no journal.
  public var isJournal: Bool { cursor != nil || !segments.isEmpty }

  /// All facts in the order of their numbers.
  public func forEachRecord(_ body: (_ record: JournalRecord, _ isWaiting: Bool) -> Void) {
    let none = SettledSequences(below: 0)
    var sequence: UInt64 = 0
    while let found = pool.firstSequence(from: sequence, isWaiting: false, none),
      let stored = pool.entry(found.factClass, from: found.sequence, isWaiting: false, none)
    {
      let window = pool.reader.window
      let record = JournalRecord(
        stored.entry, of: window.span, run: stored.run ?? .unknown, isRecovered: true)
      body(record, !(cursor?.settled.contains(found.sequence) ?? false))
      sequence = found.sequence + 1
    }
  }

  /// Takes all facts away. Numbers go on behind those that may have been used, and a tail's facts are not
  /// waited for either. The storage must be one that can be written, and so is locked.
  public func clear() throws(SystemError) {
    let end = max(cursor?.reservedEnd ?? 1, nextSequence)
    var next = JournalCursor(
      geometry: pool.geometry, sync: .seconds(5), nextSequence: end, reservedEnd: end,
      settled: SettledSequences(below: end),
      run: cursor?.run ?? JournalRun(id: ascii("clear").array, boot: []))
    next.isClean = true
    next.position = cursor?.position
    // Both slots, one after the other: the newest is whole until the other is on the disk.
    for slot in [1 - newestSlot, newestSlot] {
      next.generation = max(next.generation, cursor?.generation ?? 0) &+ 1
      var bytes = next.bytes
      while bytes.count < JournalGeometry.slotBytes { bytes.append(0) }
      try storage.write(bytes.span, at: slot * JournalGeometry.slotBytes)
      try sync()
    }
    let zeros = [UInt8](repeating: 0, count: pool.geometry.segmentBytes)
    for index in 0..<pool.geometry.segmentCount {
      try storage.write(zeros.span, at: pool.geometry.offset(ofSegment: index))
    }
    try sync()
  }

  private func sync() throws(SystemError) {
    try storage.beginSync()
    _ = try storage.syncResult(waits: true)
  }
}
