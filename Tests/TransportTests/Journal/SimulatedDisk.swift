import Transport

/// Ends a machine or a process at a write: the write is done in part, and nothing works any more.
final class SimulatedCrash {
  /// How many writes are still done as a whole; nil: all.
  var writesLeft: Int?
  private(set) var hasHappened = false

  /// Whether this write is the last, which is done in part.
  fileprivate func isReached() -> Bool {
    guard let left = writesLeft else { return false }
    writesLeft = left - 1
    if left > 0 { return false }
    writesLeft = nil
    hasHappened = true
    return true
  }

  /// The next process, or machine.
  func begin() {
    writesLeft = nil
    hasHappened = false
  }
}

/// A disk in memory. What is written stands in the page cache, which survives a killed process; a sync brings
/// it to the platter. When the power is cut, each sector that was not synced is there in its former or
/// in its new form, as the generator says.
final class SimulatedDisk: JournalStorage {
  static let sectorBytes = 512

  let name: String
  var onSynced: ((Instant) -> Void)?
  private(set) var isOpen = false
  /// What the kernel answers from, and what is there after a power cut.
  private(set) var cache: [UInt8] = []
  private(set) var platter: [UInt8] = []
  private var dirty: Set<Int> = []
  private var syncing: Set<Int>?
  private let crash: SimulatedCrash?

  /// Errors of the kernel, as negative numbers.
  enum Fault: Int32 {
    case inputOutput = -5
    case noSpace = -28
    case readOnly = -30
  }

  /// What goes wrong, while it is set.
  var openFault: Fault?
  var writeFault: Fault?
  var syncFault: Fault?
  /// A sync ends only when `endSync` is called, or somebody waits for it.
  var isSlow = false
  private(set) var writeCount = 0
  private(set) var writtenBytes = 0
  private(set) var syncCount = 0

  init(name: String = "disk", crash: SimulatedCrash? = nil) {
    self.name = name
    self.crash = crash
  }

  var byteCount: Int { isOpen ? cache.count : 0 }
  var isSyncing: Bool { syncing != nil }

  // MARK: what the journal calls

  func open(bytes: Int) throws(SystemError) {
    try check()
    if let openFault { throw SystemError("open", openFault.rawValue) }
    if cache.count < bytes { cache += [UInt8](repeating: 0, count: bytes - cache.count) }
    if platter.count < cache.count {
      platter += [UInt8](repeating: 0, count: cache.count - platter.count)
    }
    isOpen = true
  }

  func close() {
    isOpen = false
    syncing = nil
  }

  func read(at offset: Int, into buffer: inout [UInt8], count: Int) throws(SystemError) {
    try check()
    guard isOpen, offset >= 0, offset + count <= cache.count, count <= buffer.count else {
      throw SystemError("pread", Fault.inputOutput.rawValue)
    }
    buffer.replaceSubrange(0..<count, with: cache[offset..<(offset + count)])
  }

  func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
    try check()
    if let writeFault { throw SystemError("pwrite", writeFault.rawValue) }
    guard isOpen, offset >= 0, offset + bytes.count <= cache.count else {
      throw SystemError("pwrite", Fault.noSpace.rawValue)
    }
    writeCount += 1
    writtenBytes += bytes.count
    var count = bytes.count
    let isLast = crash?.isReached() == true
    // A killed process leaves whole pages.
    if isLast { count = max((offset + count / 2) / 4096 * 4096 - offset, 0) }
    let done = bytes.extracting(0..<count)
    cache.replaceSubrange(offset..<(offset + count), with: done.array)
    if count > 0 {
      dirty.formUnion(
        (offset / SimulatedDisk.sectorBytes)...((offset + count - 1) / SimulatedDisk.sectorBytes))
    }
    try check()
  }

  func beginSync() throws(SystemError) {
    try check()
    syncing = dirty
    syncCount += 1
  }

  func syncResult(waits: Bool) throws(SystemError) -> Bool {
    try check()
    guard let sectors = syncing else { return false }
    if isSlow && !waits { return false }
    syncing = nil
    if let syncFault { throw SystemError("fdatasync", syncFault.rawValue) }
    for sector in sectors { bring(sector) }
    dirty.subtract(sectors)
    return true
  }

  // MARK: what the test calls

  /// The sync that is under way ends.
  func endSync(at now: Instant) {
    let wasSlow = isSlow
    isSlow = false
    if syncing != nil { onSynced?(now) }
    isSlow = wasSlow
  }

  /// The process is gone; the page cache is not.
  func kill() { close() }

  /// The machine is gone, and with it some of what was not synced.
  func cutPower(_ random: inout RandomGenerator) {
    // All, none, or each by itself.
    let share = random.next(through: 2)
    for sector in dirty.sorted() where share == 0 || share == 1 && random.next(through: 1) == 0 {
      bring(sector)
    }
    dirty = []
    cache = platter
    close()
  }

  /// As a file system in memory.
  func clear() {
    cache = []
    platter = []
    dirty = []
    close()
  }

  func flip(_ offset: Int, _ bits: UInt8 = 0x10) {
    cache[offset] ^= bits
    platter[offset] ^= bits
  }

  private func bring(_ sector: Int) {
    let start = sector * SimulatedDisk.sectorBytes
    let end = min(start + SimulatedDisk.sectorBytes, cache.count)
    platter.replaceSubrange(start..<end, with: cache[start..<end])
  }

  private func check() throws(SystemError) {
    if crash?.hasHappened == true { throw SystemError("crash", Fault.inputOutput.rawValue) }
  }
}
