import CLinux

/// A journal's storage in a file: on a disk, in a file system in memory, or only to be looked at.
///
/// A file on a disk that became read-only, or has no room, can still be read: only writing fails then.
public final class JournalFile: JournalStorage {
  public enum Purpose {
    /// Room is taken on the disk before it is needed.
    case disk
    /// Takes only the room that is written, and needs no sync.
    case tail
    /// For reading, also while another program writes.
    case inspection
  }

  public let name: String
  public private(set) var byteCount = 0
  public var onSynced: ((_ now: Instant) -> Void)?

  private let purpose: Purpose
  private let loop: EventLoop?
  private var descriptor: Int32 = -1
  /// Why nothing can be written.
  private var writeError: SystemError?
  private var syncDescriptor: Int32 = -1
  private var syncWatch: Watch?
  /// The file's name may not be on the disk yet.
  private var isNameNew = false

  /// - Parameter loop: tells of a sync's end; nil: only who waits gets to know it.
  public init(path: String, _ purpose: Purpose, loop: EventLoop?) {
    name = path
    self.purpose = purpose
    self.loop = loop
  }

  deinit { close() }

  public func open(bytes: Int) throws(SystemError) {
    close()
    writeError = nil
    descriptor = purpose == .inspection ? linux_open(name, 0) : linux_create(name)
    if descriptor < 0 {
      let error = SystemError("open", descriptor)
      if purpose != .inspection { descriptor = linux_open(name, 0) }
      if descriptor < 0 { throw error }
      writeError = error
    }
    do throws(SystemError) {
      if purpose != .inspection { try lock() }
      try prepare(bytes: bytes)
    } catch {
      close()
      throw error
    }
  }

  private func lock() throws(SystemError) {
    let result = linux_lock(descriptor)
    let (again, busy): (Int32, Int32) = (-11, -16)
    // "Resource temporarily unavailable" does not say that another program has it.
    _ = try check("flock", result == again ? busy : result)
  }

  private func prepare(bytes: Int) throws(SystemError) {
    let size = linux_file_size(descriptor)
    if size < 0 { throw SystemError("fstat", Int32(clamping: size)) }
    byteCount = Int(clamping: size)
    isNameNew = true
    if byteCount >= bytes || purpose == .inspection || writeError != nil { return }
    var result: Int32 = -95
    if purpose == .disk { result = linux_allocate(descriptor, Int64(bytes)) }
    // A file system that cannot do it finds out when something is written.
    if result == -95 { result = linux_set_file_size(descriptor, Int64(bytes)) }
    if result < 0 {
      writeError = SystemError("fallocate", result)
      // A part of a new file is no file that can be read.
      if byteCount == 0 { throw SystemError("fallocate", result) }
    } else {
      byteCount = bytes
    }
  }

  public func close() {
    endSync()
    if descriptor >= 0 { _ = linux_close(descriptor) }
    descriptor = -1
    byteCount = 0
  }

  public func read(
    at offset: Int, into buffer: inout [UInt8], count: Int
  ) throws(SystemError) {
    if count > buffer.count { throw SystemError("pread", JournalFile.inputOutput) }
    let result = linux_read_at(descriptor, &buffer, count, Int64(offset))
    if result < 0 { throw SystemError("pread", Int32(clamping: result)) }
    if result != count { throw SystemError("pread", JournalFile.inputOutput) }
  }

  public func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
    if let writeError { throw writeError }
    if purpose == .inspection { throw SystemError("pwrite", JournalFile.readOnly) }
    let result = bytes.withUnsafeBufferPointer {
      linux_write_at(descriptor, $0.baseAddress, $0.count, Int64(offset))
    }
    if result < 0 { throw SystemError("pwrite", Int32(clamping: result)) }
    if result != bytes.count { throw SystemError("pwrite", JournalFile.noSpace) }
  }

  public func beginSync() throws(SystemError) {
    endSync()
    let result = isNameNew ? linux_sync(descriptor, name) : linux_sync(descriptor, nil)
    syncDescriptor = try check("fdatasync", result)
    isNameNew = false
    syncWatch = try loop?.watch(syncDescriptor, for: .readable) { [self] _ in
      if let loop { onSynced?(loop.turnTime) }
    }
  }

  public func syncResult(waits: Bool) throws(SystemError) -> Bool {
    if syncDescriptor < 0 { return false }
    let error = SystemError("fdatasync", linux_sync_result(syncDescriptor, waits ? 1 : 0))
    if error.isWouldBlock { return false }
    endSync()
    if error.code != 0 { throw error }
    return true
  }

  private func endSync() {
    syncWatch?.cancel()
    syncWatch = nil
    if syncDescriptor >= 0 { _ = linux_close(syncDescriptor) }
    syncDescriptor = -1
  }

  private static let inputOutput: Int32 = -5
  private static let noSpace: Int32 = -28
  private static let readOnly: Int32 = -30
}
