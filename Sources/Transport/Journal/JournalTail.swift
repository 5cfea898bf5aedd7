/// The newest facts, and what is settled, in a file that survives the process but not the machine. A process that
/// is killed at any moment leaves either what was before a change or what is now.
///
///     0        cursor: all that was known when it was written
///     4096     log: what has been settled since then
///     8192     two halves, of which one has the entries
///
/// One write is enough for each change: a fact is an entry behind the others, and what is settled is a record
/// of the log. Both end where something does not stand whole. Facts that are on the disk by now may still be
/// among the entries. When a half is full, or facts had to go, those that wait in memory begin a new pass
/// over the other half, and that counts with the cursor that says so. Checks of entries are seeded with
/// the pass, and those of records with the cursor's generation, so that what stands there from before is
/// never taken for one.
///
/// Without it, or when it cannot be written, only a killed process loses more.
final class JournalTail {
  /// Where the second half begins behind the first, whatever the manifest says of the memory. What is not
  /// written takes no room.
  private static let halfBytes = JournalConfiguration.memories.upperBound
  private static let halvesStart = 2 * JournalGeometry.slotBytes
  private static let byteCount = halvesStart + 2 * halfBytes

  private let storage: any JournalStorage
  private let run: JournalRun
  /// As many as memory has room for.
  private let bytesMax: Int
  private(set) var isUsable = false
  /// Seeds the checks of entries.
  private var seed: UInt32 = 0
  private var pass: UInt32 = 0
  private var generation: UInt64 = 0
  /// Bytes of entries.
  private var end = 0
  /// Records of the log.
  private var logCount = 0
  /// As the cursor says it: a record has only the number.
  private var position: StreamPosition?

  init(_ storage: any JournalStorage, of run: JournalRun, bytesMax: Int) {
    self.storage = storage
    self.bytesMax = bytesMax
    self.run = run
  }

  private static func start(of pass: UInt32) -> Int { halvesStart + Int(pass & 1) * halfBytes }

  // MARK: reading

  /// What the run before has left: the cursor with all that was settled or appended later, and the entries;
  /// nil when there is nothing.
  func open() -> (cursor: JournalCursor, entries: JournalTailEntries)? {
    do throws(SystemError) {
      try storage.open(bytes: JournalTail.byteCount)
      isUsable = true
      let slots = try storage.bytes(at: 0, count: JournalTail.halvesStart)
      guard var cursor = JournalCursor(slots.span) else { return nil }
      (pass, generation) = (cursor.tailPass, cursor.generation)
      let log = slots.span.extracting(JournalGeometry.slotBytes..<JournalTail.halvesStart)
      cursor.settle(log)
      let entries = JournalTailEntries(
        storage, start: JournalTail.start(of: pass), bytes: JournalTail.halfBytes,
        seed: cursor.run.seed(pass))
      var walk = entries
      while let entry = walk.next() {
        cursor.nextSequence = max(cursor.nextSequence, entry.sequence + 1)
      }
      return (cursor, entries)
    } catch {
      isUsable = false
      return nil
    }
  }

  func close() {
    storage.close()
    isUsable = false
  }

  // MARK: writing

  /// Entries that were appended in memory, sealed with `seed`.
  /// - Returns: false when there is no room for them but after `replace`.
  func append(_ entries: Span<UInt8>) -> Bool {
    if end + entries.count > bytesMax { return false }
    add(entries)
    return true
  }

  private func add(_ entries: Span<UInt8>) {
    write(entries, at: JournalTail.start(of: pass) + end)
    end += entries.count
  }

  /// Nobody waits for these numbers any more.
  /// - Returns: false when a cursor must say it: the log is full, or the stream is another.
  func settle(_ sequences: Range<UInt64>, _ position: StreamPosition?) -> Bool {
    guard (logCount + 1) * JournalTailRecord.bytes <= JournalGeometry.slotBytes,
      position?.stream == self.position?.stream, position?.domain == self.position?.domain
    else { return false }
    let record = JournalTailRecord(settled: sequences, streamSequence: position?.sequence ?? 0)
    let offset = JournalGeometry.slotBytes + logCount * JournalTailRecord.bytes
    write(record.bytes(seed: run.seed(UInt32(truncatingIfNeeded: generation))).span, at: offset)
    logCount += 1
    return true
  }

  /// Begins a new pass with what waits in memory.
  func replace(with memory: inout JournalMemory, _ cursor: JournalCursor) {
    pass &+= 1
    seed = run.seed(pass)
    end = 0
    memory.seal(seed)
    if let run = memory.firstRun {
      var entry: [UInt8] = []
      entry.append(journalRun: run, seed: seed)
      add(entry.span)
    }
    let bytes = memory.bytes
    add(bytes.span.extracting(memory.firstWaitingOffset..<bytes.count))
    write(cursor)
  }

  /// The cursor has changed, otherwise than `settle` says it.
  func write(_ cursor: JournalCursor) {
    var cursor = cursor
    generation &+= 1
    logCount = 0
    position = cursor.position
    cursor.generation = generation
    cursor.tailPass = pass
    write(cursor.bytes.span, at: 0)
  }

  private func write(_ bytes: Span<UInt8>, at offset: Int) {
    if !isUsable || bytes.isEmpty { return }
    do throws(SystemError) {
      try storage.write(bytes, at: offset)
    } catch {
      // What is there now would be taken for the whole, if it began as a cursor.
      try? storage.write([0, 0, 0, 0].span, at: 0)
      isUsable = false
      storage.close()
    }
  }
}

extension JournalRun {
  /// Two runs differ also where the number does not, so that the remains of one that left no cursor are nothing
  /// to the next.
  fileprivate func seed(_ number: UInt32) -> UInt32 { crc32c(id.span, seed: number) }
}

extension JournalStorage {
  fileprivate func bytes(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try read(at: offset, into: &bytes, count: count)
    return bytes
  }
}

/// What has been settled since the cursor was written:
///
///     offset   bytes
///     0        4       CRC-32C of all from 8 on, seeded
///     4        4       0
///     8        16      the first number, and the first behind
///     24       8       stream position: sequence
private struct JournalTailRecord {
  static let bytes = 32

  let settled: Range<UInt64>
  let streamSequence: UInt64

  init(settled: Range<UInt64>, streamSequence: UInt64) {
    self.settled = settled
    self.streamSequence = streamSequence
  }

  /// Nil when there is no whole record at this offset.
  init?(_ log: Span<UInt8>, at offset: Int, seed: UInt32) {
    guard log.count - offset >= JournalTailRecord.bytes else { return nil }
    let content = log.extracting((offset + 8)..<(offset + JournalTailRecord.bytes))
    guard log.littleEndian(at: offset, width: 4) == UInt64(crc32c(content, seed: seed)),
      let lower = content.littleEndian(at: 0, width: 8),
      let upper = content.littleEndian(at: 8, width: 8),
      let streamSequence = content.littleEndian(at: 16, width: 8),
      lower < upper, upper <= JournalEntry.sequenceEnd
    else { return nil }
    self.init(settled: lower..<upper, streamSequence: streamSequence)
  }

  func bytes(seed: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(JournalTailRecord.bytes)
    for number in [0, settled.lowerBound, settled.upperBound, streamSequence] {
      bytes.append(littleEndian: number, width: 8)
    }
    bytes.set(
      littleEndian: crc32c(bytes.span.extracting(8..<JournalTailRecord.bytes), seed: seed), at: 0)
    return bytes
  }
}

extension JournalCursor {
  /// Adds what a log says, up to where it ends.
  fileprivate mutating func settle(_ log: Span<UInt8>) {
    let seed = run.seed(UInt32(truncatingIfNeeded: generation))
    var offset = 0
    while let record = JournalTailRecord(log, at: offset, seed: seed) {
      _ = settled.insert(record.settled)
      nextSequence = max(nextSequence, record.settled.upperBound)
      position?.sequence = record.streamSequence
      offset += JournalTailRecord.bytes
    }
  }
}

/// Walks over the entries of a tail, up to the first that is not whole.
struct JournalTailEntries {
  private let reader: JournalReader
  private let seed: UInt32
  private var offset: Int
  private let limit: Int
  private var lastSequence: UInt64 = 0
  /// Who recorded the fact.
  private(set) var run: JournalRun?

  init(_ storage: any JournalStorage, start: Int, bytes: Int, seed: UInt32) {
    reader = JournalReader(storage)
    self.seed = seed
    offset = start
    limit = start + bytes
  }

  /// Where the fact stands.
  var window: [UInt8] { reader.window }

  /// The next fact.
  mutating func next() -> JournalEntry? {
    while let place = try? reader.load(entryAt: offset, limit: limit) {
      let window = reader.window
      guard let entry = JournalEntry(in: window.span, at: place),
        entry.isWhole(in: window.span, seed: seed)
      else { return nil }
      offset += entry.end - entry.offset
      if entry.factClass == nil {
        run = entry.run(in: window.span)
        continue
      }
      if run == nil || entry.sequence <= lastSequence { return nil }
      lastSequence = entry.sequence
      return entry
    }
    return nil
  }
}
