import Transport

/// A journal's storage that does at once what it is told, and outlives the journal.
final class MemoryStorage: JournalStorage {
  let name = "memory"
  private(set) var bytes: [UInt8] = []
  var byteCount: Int { bytes.count }
  var onSynced: ((_ now: Instant) -> Void)?

  func open(bytes count: Int) {
    if bytes.count < count { bytes += [UInt8](repeating: 0, count: count - bytes.count) }
  }
  func close() {}

  func read(at offset: Int, into buffer: inout [UInt8], count: Int) {
    for index in 0..<count { buffer[index] = bytes[offset + index] }
  }

  func write(_ written: Span<UInt8>, at offset: Int) {
    for index in written.indices { bytes[offset + index] = written[index] }
  }

  func beginSync() {}
  func syncResult(waits: Bool) -> Bool { true }
}
