import Transport

/// A storage that counts what is written to it, and knows whether a sync is under way.
final class CountingStorage: JournalStorage {
  private let storage: any JournalStorage
  private(set) var writtenBytes = 0
  private(set) var isSyncing = false

  init(_ storage: any JournalStorage) { self.storage = storage }

  var name: String { storage.name }
  var byteCount: Int { storage.byteCount }
  var onSynced: ((Instant) -> Void)? {
    get { storage.onSynced }
    set { storage.onSynced = newValue }
  }

  func open(bytes: Int) throws(SystemError) { try storage.open(bytes: bytes) }
  func close() { storage.close() }

  func read(at offset: Int, into buffer: inout [UInt8], count: Int) throws(SystemError) {
    try storage.read(at: offset, into: &buffer, count: count)
  }

  func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
    writtenBytes += bytes.count
    try storage.write(bytes, at: offset)
  }

  func beginSync() throws(SystemError) {
    isSyncing = true
    try storage.beginSync()
  }

  func syncResult(waits: Bool) throws(SystemError) -> Bool {
    let isDone: Bool
    do throws(SystemError) { isDone = try storage.syncResult(waits: waits) } catch {
      isSyncing = false
      throw error
    }
    if isDone { isSyncing = false }
    return isDone
  }
}
