/// The journal's disk: the cursor's slots and the pool. It writes one batch at a time, which counts when its
/// sync has ended.
final class JournalDisk {
  let storage: any JournalStorage
  private(set) var pool: JournalPool
  /// Bytes of all batches, from the first `load` on.
  private(set) var writtenBytes: UInt64 = 0
  /// What is being written or synced.
  var batch: JournalBatch?

  private let configuration: JournalConfiguration
  private let reader: JournalReader
  /// The slot to be written next, and the generation of the other.
  private var nextSlot = 0
  private var generation: UInt64 = 0
  /// A slot that was written with an unknown outcome: the disk may not hold what is read.
  private var doubtedSlot: Int?

  init(_ storage: any JournalStorage, _ configuration: JournalConfiguration) {
    self.storage = storage
    self.configuration = configuration
    reader = JournalReader(storage)
    pool = JournalPool(reader, JournalGeometry(fileBytes: configuration.size))
  }

  enum Refusal: Error {
    case system(SystemError)
    /// There is something in the file that is not ours.
    case foreign
  }

  // MARK: reading

  /// Opens the disk and finds what is on it.
  /// - Parameter settled: what else is known to be settled; what the cursor says is added.
  /// - Returns: the cursor; nil when the disk is new.
  func load(_ settled: inout SettledSequences) throws(Refusal) -> JournalCursor? {
    let cursor: JournalCursor?
    let isForeign: Bool
    do throws(SystemError) {
      try storage.open(bytes: configuration.size)
      reader.forget()
      (cursor, isForeign) = try readSlots()
    } catch {
      throw .system(error)
    }
    if isForeign { throw .foreign }
    for range in cursor?.settled.ranges ?? [] { _ = settled.insert(range) }
    let wanted = JournalGeometry(fileBytes: configuration.size)
    var geometry = wanted
    if let cursor, cursor.geometry.fileBytes <= storage.byteCount { geometry = cursor.geometry }
    divide(geometry)
    pool.recover(settled, ends: cursor?.ends ?? JournalCursor.noEnds)
    if geometry != wanted && pool.waitingCount == 0 && wanted.fileBytes <= storage.byteCount {
      // With nothing left in it the file can be divided for another size.
      divide(wanted)
      pool.freed = Array((0..<wanted.segmentCount).reversed())
    }
    return cursor
  }

  private func divide(_ geometry: JournalGeometry) {
    let damagedCount = pool.damagedCount
    pool = JournalPool(reader, geometry)
    pool.damagedCount = damagedCount
  }

  private func readSlots() throws(SystemError) -> (JournalCursor?, Bool) {
    var newest: JournalCursor?
    var foreignCount = 0
    for slot in [0, 1] where slot != doubtedSlot {
      var bytes = [UInt8](repeating: 0, count: JournalGeometry.slotBytes)
      try storage.read(at: slot * bytes.count, into: &bytes, count: bytes.count)
      if let cursor = JournalCursor(bytes.span) {
        if let newest, newest.generation > cursor.generation { continue }
        newest = cursor
        nextSlot = 1 - slot
        generation = cursor.generation
      } else if !bytes.span.starts(with: "EHJC"), bytes[0] | bytes[1] | bytes[2] | bytes[3] != 0 {
        foreignCount += 1
      }
    }
    if newest == nil { nextSlot = doubtedSlot ?? 0 }
    return (newest, newest == nil && foreignCount > 0)
  }

  /// Opens the disk once more; false when it is not as it was left.
  func reopen() throws(SystemError) -> Bool {
    try storage.open(bytes: configuration.size)
    reader.forget()
    let known = generation
    let (cursor, _) = try readSlots()
    return cursor?.generation == known && known > 0
  }

  // MARK: writing

  /// Writes the cursor, if the batch has one, and begins the sync.
  func finish(_ batch: JournalBatch) throws(SystemError) {
    self.batch = batch
    if var cursor = batch.cursor {
      cursor.generation = generation + 1
      var bytes = cursor.bytes
      while bytes.count % JournalGeometry.sectorBytes != 0 { bytes.append(0) }
      self.batch?.cursor = cursor
      writtenBytes += UInt64(bytes.count)
      try storage.write(bytes.span, at: nextSlot * JournalGeometry.slotBytes)
    }
    writtenBytes += UInt64(batch.writtenBytes)
    try storage.beginSync()
  }

  /// The sync has ended: what was written counts.
  func commit() {
    guard let batch else { return }
    if let cursor = batch.cursor {
      generation = cursor.generation
      nextSlot = 1 - nextSlot
      doubtedSlot = nil
    }
    pool.commit(batch)
    self.batch = nil
  }

  func rollBack() {
    if let batch {
      pool.rollBack(batch)
      if batch.cursor != nil { doubtedSlot = nextSlot }
    }
    batch = nil
  }

  /// What was read is not used.
  func forget() { pool = JournalPool(reader, pool.geometry) }
}
