/// Reads a disk through a window that holds the longest entry.
final class JournalReader {
  let storage: any JournalStorage
  private(set) var window = [UInt8](repeating: 0, count: JournalEntry.bytesMax)
  /// Where the window begins on the disk, and what of it has been read.
  private var start = 0
  private var count = 0

  init(_ storage: any JournalStorage) { self.storage = storage }

  /// What was read may have been written since.
  func forget() { count = 0 }

  /// Where in the window the bytes at this offset are, of which at least `needed` are there.
  func load(_ offset: Int, _ needed: Int) throws(SystemError) -> Int {
    if offset >= start, offset - start <= count, count - (offset - start) >= needed {
      return offset - start
    }
    count = 0
    let readable = min(window.count, storage.byteCount - offset)
    // As reading behind the end says it.
    if readable < needed { throw SystemError("read", -5) }
    try storage.read(at: offset, into: &window, count: readable)
    start = offset
    count = readable
    return 0
  }

  /// Where in the window the bytes of an entry at this offset are, if it says a length that one may have and
  /// ends before the limit; all else is not yet looked at.
  func load(entryAt offset: Int, limit: Int) throws(SystemError) -> Int? {
    if limit - offset < JournalEntry.headerBytes { return nil }
    let start = try load(offset, JournalEntry.headerBytes)
    let length = Int(window[start + 8]) | Int(window[start + 9]) << 8
    if length < JournalEntry.headerBytes || length > JournalEntry.bytesMax { return nil }
    let aligned = JournalEntry.aligned(length)
    if limit - offset < aligned { return nil }
    return try load(offset, aligned)
  }
}

/// Walks over the facts of a segment. Zeros up to the next sector are passed over, and so is what is no
/// entry, if there is one behind it: that is damage.
struct JournalSegmentWalk {
  /// Of the segment on the disk.
  let base: Int
  let seed: UInt32
  /// Nothing is looked for from here on.
  let limit: Int
  /// From the segment's beginning, of what comes next.
  private(set) var offset = JournalSegmentHeader.bytes
  /// Behind the last whole entry.
  private(set) var end = JournalSegmentHeader.bytes
  private(set) var run: JournalRun?
  /// Of the last fact; it ascends.
  private(set) var lastSequence: UInt64
  private(set) var damage = 0

  init(base: Int, firstSequence: UInt64, limit: Int) {
    self.base = base
    self.limit = limit
    seed = JournalSegment.seed(firstSequence)
    lastSequence = firstSequence &- 1
  }

  /// The next fact, in the reader's window.
  mutating func next(_ reader: JournalReader) throws(SystemError) -> JournalEntry? {
    while offset < limit {
      if let entry = try entry(reader, at: offset) {
        offset += JournalEntry.aligned(entry.length)
        end = offset
        if entry.factClass != nil {
          lastSequence = entry.sequence
          return entry
        }
        let window = reader.window
        run = entry.run(in: window.span)
        continue
      }
      let sector = min(JournalGeometry.sectorAligned(offset), limit)
      if try isZero(reader, offset..<sector) {
        offset = sector
        // At a sector's beginning it is no padding.
        if try entry(reader, at: offset) != nil { continue }
      }
      guard let found = try search(reader, from: offset + JournalEntry.alignment) else { break }
      damage += 1
      offset = found
      // It may have said of another run.
      run = nil
    }
    offset = limit
    return nil
  }

  /// Whether something stands behind the end that is not padding.
  func isTorn(_ reader: JournalReader) throws(SystemError) -> Bool {
    try !isZero(reader, end..<min(JournalGeometry.sectorAligned(end), limit))
  }

  private func search(_ reader: JournalReader, from start: Int) throws(SystemError) -> Int? {
    var offset = start
    while offset < limit {
      let sector = min(offset + JournalGeometry.sectorBytes, limit)
      if offset % JournalGeometry.sectorBytes == 0, try isZero(reader, offset..<sector) {
        // As most of a segment is that is not full.
        offset = sector
        continue
      }
      if try entry(reader, at: offset) != nil { return offset }
      offset += JournalEntry.alignment
    }
    return nil
  }

  /// The whole entry at this offset of the segment, if it is one that may follow here.
  private func entry(
    _ reader: JournalReader, at offset: Int
  ) throws(SystemError) -> JournalEntry? {
    guard let place = try reader.load(entryAt: base + offset, limit: base + limit) else {
      return nil
    }
    let window = reader.window
    guard let entry = JournalEntry(in: window.span, at: place), entry.mark.word == 0,
      entry.factClass == nil || entry.sequence > lastSequence,
      entry.isWhole(in: window.span, seed: seed),
      entry.factClass != nil || entry.run(in: window.span) != nil
    else { return nil }
    return entry
  }

  private func isZero(
    _ reader: JournalReader, _ range: Range<Int>
  ) throws(SystemError) -> Bool {
    if range.isEmpty { return true }
    let place = try reader.load(base + range.lowerBound, range.count)
    let window = reader.window
    for index in place..<(place + range.count) where window[index] != 0 { return false }
    return true
  }
}
