/// A disk as the journal needs it: bytes at offsets, and a sync that takes its time. One journal has it at
/// a time.
public protocol JournalStorage: AnyObject {
  /// What people call it: the file's path.
  var name: String { get }
  /// Bytes that can be read and written; 0 while it is not open.
  var byteCount: Int { get }
  /// Called on the loop when `syncResult` has a result.
  var onSynced: ((_ now: Instant) -> Void)? { get set }

  /// Makes it ready, with at least so many bytes; those that were never written are zeros.
  func open(bytes: Int) throws(SystemError)
  func close()
  /// Reads `count` bytes into the beginning of `buffer`, which has as many. Fewer than that are an error.
  func read(at offset: Int, into buffer: inout [UInt8], count: Int) throws(SystemError)
  /// Writes all bytes, or fails. They are on the disk after the next sync that was begun later.
  func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError)
  /// Starts to bring to the disk what was written; one at a time.
  func beginSync() throws(SystemError)
  /// Whether the sync has ended; throws when it failed. `waits`: as long as it takes.
  func syncResult(waits: Bool) throws(SystemError) -> Bool
}
