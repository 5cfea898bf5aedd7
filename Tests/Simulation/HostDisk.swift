@testable import Transport

/// A disk that keeps what was synced and may keep what was not: at a power cut each sector of each write
/// since the last sync is there, or not, or is garbage. Those of a later write may be there without those of
/// an earlier one. A process that is killed loses nothing.
///
/// Or a piece of memory that outlives the process and not the machine.
final class HostDisk: JournalStorage {
  static let sectorBytes = 512

  private struct Write {
    let offset: Int
    let bytes: [UInt8]
  }

  enum Kind {
    case disk
    /// A piece of memory: at a power cut all is lost.
    case memory
  }

  let name: String
  private let isVolatile: Bool
  private let time: SimulatedTime
  private let syncLatency: Duration
  /// What reads see.
  private var content: [UInt8] = []
  /// What is there after a power cut whatever happens.
  private var durable: [UInt8] = []
  /// Since the last sync, in their order.
  private var pending: [Write] = []
  /// A sync under way: so many of the writes, and when it ends.
  private var sync: (count: Int, endsAt: Instant)?
  private var random: RandomGenerator
  private var isOpen = false
  private let canary: Canary?

  var onSynced: ((_ now: Instant) -> Void)?
  /// What every write and sync fails with.
  var problem: SystemError?
  private(set) var writeCount = 0
  private(set) var writtenBytes = 0
  /// Behind this write power is gone.
  var lastWrite: Int?
  /// Called then, before the one who wrote goes on.
  var died: () -> Void = {}
  /// Power is gone: nothing gets to the disk any more.
  private(set) var isDead = false

  init(
    _ name: String, of kind: Kind, time: SimulatedTime, syncLatency: Duration, canary: Canary?,
    seed: UInt64
  ) {
    self.name = name
    isVolatile = kind == .memory
    self.canary = canary
    self.time = time
    self.syncLatency = syncLatency
    random = RandomGenerator(seed: seed)
  }

  var byteCount: Int { isOpen ? content.count : 0 }

  func open(bytes: Int) throws(SystemError) {
    if let problem { throw problem }
    if content.count < bytes {
      content += [UInt8](repeating: 0, count: bytes - content.count)
      if !isVolatile { durable += [UInt8](repeating: 0, count: bytes - durable.count) }
    }
    isOpen = true
  }

  /// Also what the kernel does for a process that ends.
  func close() {
    isOpen = false
    sync = nil
    onSynced = nil
  }

  func read(at offset: Int, into buffer: inout [UInt8], count: Int) throws(SystemError) {
    guard isOpen, offset >= 0, content.count - offset >= count else {
      throw SystemError("pread", -5)
    }
    buffer.replaceSubrange(0..<count, with: content[offset..<(offset + count)])
  }

  func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
    guard isOpen, offset >= 0, content.count - offset >= bytes.count else {
      throw SystemError("pwrite", -9)
    }
    if let problem { throw problem }
    if isDead { return }
    // The cursor stands in front.
    if canary == .forgetsCursor, !isVolatile, offset < 8192 { return }
    let bytes = bytes.array
    content.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    if !isVolatile { pending.append(Write(offset: offset, bytes: bytes)) }
    writeCount += 1
    writtenBytes += bytes.count
    if writeCount == lastWrite {
      isDead = true
      died()
    }
  }

  func beginSync() throws(SystemError) {
    if let problem { throw problem }
    assert(sync == nil, "one sync at a time")
    sync = (pending.count, time.now + syncLatency)
  }

  func syncResult(waits: Bool) throws(SystemError) -> Bool {
    guard let (count, endsAt) = sync else { return true }
    if !waits, endsAt > time.now { return false }
    sync = nil
    if let problem { throw problem }
    if isDead || canary == .liesAboutSyncs { return true }
    for write in pending.prefix(count) { put(write.bytes, at: write.offset) }
    pending.removeFirst(count)
    return true
  }

  /// When there is a result of a sync.
  var deadline: Instant? { sync?.endsAt }

  func handleDeadline(at now: Instant) {
    if let sync, sync.endsAt <= now { onSynced?(now) }
  }

  // MARK: power

  /// Nothing that is written from now on gets to the disk.
  func die() { isDead = true }

  /// Power is back: what is left, is there.
  func cutPower() {
    close()
    isDead = false
    if isVolatile {
      content = []
      return
    }
    let fate = random.index(below: 4)
    for write in pending where fate > 0 {
      for start in stride(from: 0, to: write.bytes.count, by: HostDisk.sectorBytes) {
        let sector = Array(write.bytes[start...].prefix(HostDisk.sectorBytes))
        switch random.index(below: fate == 1 ? 2 : 20) {
        case 0: continue
        case 1 where fate == 3: put(random.bytes(count: sector.count), at: write.offset + start)
        default: put(sector, at: write.offset + start)
        }
      }
    }
    pending = []
    content = durable
  }

  private func put(_ bytes: [UInt8], at offset: Int) {
    durable.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
  }
}
