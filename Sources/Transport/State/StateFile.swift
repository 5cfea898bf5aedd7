import CLinux

/// How soon a changed value must be on the disk.
public enum StateUrgency {
  /// Within a second: an output's last state.
  case urgent
  /// Within a minute: a counter. It goes along when something urgent is written before.
  case ordinary
}

/// Small values that survive a restart, a killed process and a power cut: counters, the last commanded
/// states of outputs. They are held in memory; what has changed is written in batches, at most one a
/// second, and one a minute when nothing in it is urgent. What has not changed is not written.
///
/// A batch is one write of one slot (see `StateImage`) and a sync on another thread, before whose end
/// nothing else is written: so at any time one slot is on the disk as a whole.
///
/// Nothing that is wrong with the disk stops anybody: values are then in memory only, `onProblem` says so,
/// and every minute it is tried again. A file that cannot be read is kept beside the new one as
/// `PATH.damaged`, in place of an earlier one.
///
/// Time comes in from outside, as for a `CapabilityProvider`: `deadline` may change with every call and with
/// every turn of the loop.
public final class StateFile {
  /// Bytes of a slot: one page of a file system's, which holds some hundred values.
  public static let slotBytesDefault = 4096
  static let urgentPause = Duration.seconds(1)
  static let ordinaryPause = Duration.seconds(60)
  static let retryPause = Duration.seconds(60)
  /// How long a sync may take before that is a problem. Cards have stalls of seconds; arbitrary.
  static let syncMax = Duration.seconds(60)

  public let path: String
  /// Called when values cannot be written, with the reason, and when they are again, with nil. The same
  /// reason is told once.
  public var onProblem: ((_ reason: String?) -> Void)?
  /// Called for what is to be known once: a slot that could not be read, a value that does not fit.
  public var onNotice: ((_ text: String) -> Void)?
  /// Why values are in memory only.
  public private(set) var problem: String?
  /// Slots written so far.
  public private(set) var writtenCount: UInt64 = 0

  private enum Phase: Equatable {
    /// Before `open` and after `close`.
    case closed
    case idle
    case syncing(since: Instant)
    case failed(until: Instant)
  }

  private let loop: EventLoop
  private let slotBytes: Int
  private var phase = Phase.closed
  private var descriptor: Int32 = -1
  private var syncDescriptor: Int32 = -1
  private var syncWatch: Watch?

  /// What is on the disk, as far as known.
  private var image: StateImage
  /// What is to be there.
  private var entries = StateEntries()
  /// What is on its way; nil while there is only the sync after opening.
  private var writing: StateEntries?
  /// The slot that was written, until its sync has succeeded.
  private var doubtedSlot: Int?
  private var isLoaded = false
  private var isRefusalTold = false
  /// When the next batch is due.
  private var due: Instant?
  private var lastWrite: Instant?

  /// - Parameter slotBytes: 64 to 65 536. A file with slots of another size counts as unreadable.
  public init(path: String, loop: EventLoop, slotBytes: Int = slotBytesDefault) {
    self.path = path
    self.loop = loop
    self.slotBytes = min(max(slotBytes, 64), 65_536)
    image = StateImage([UInt8]().span, slotBytes: self.slotBytes)
  }

  deinit { closeDescriptors() }

  /// Reads the file, or makes it. Values that were set before stay.
  public func open(at now: Instant) {
    if phase == .closed { load(at: now) }
  }

  /// Writes what has changed and waits until the disk has it, which may take as long as the disk takes:
  /// for the end, when nothing else is to be done. Values stay in memory.
  public func close(at now: Instant) {
    if phase == .closed { return }
    waitForSync(at: now)
    if case .failed = phase {
      load(at: now)
      waitForSync(at: now)
    }
    if phase == .idle {
      write(at: now)
      waitForSync(at: now)
    }
    closeDescriptors()
    phase = .closed
  }

  // MARK: values

  public func value(of key: [UInt8]) -> [UInt8]? { entries.value(of: key) }

  /// Sets a value of up to 255 bytes, for a key of 1 to 127.
  /// - Returns: false when there is no room for it; the key then keeps its former value, and `onNotice`
  ///   says so the first time.
  @discardableResult
  public func set(
    _ key: [UInt8], _ value: [UInt8], _ urgency: StateUrgency, at now: Instant
  ) -> Bool {
    do throws(StateRefusal) {
      let bytesMax = StateImage.payloadBytesMax(slotBytes: slotBytes)
      if try entries.set(key, value, bytesMax: bytesMax) { changed(urgency, at: now) }
      return true
    } catch {
      if !isRefusalTold { notice("\(path): \(quoted: key) is not kept: \(error)") }
      isRefusalTold = true
      return false
    }
  }

  /// A key that is not there is no error.
  public func remove(_ key: [UInt8], _ urgency: StateUrgency, at now: Instant) {
    if !entries.remove(key) { return }
    isRefusalTold = false
    changed(urgency, at: now)
  }

  private func changed(_ urgency: StateUrgency, at now: Instant) {
    let pause = urgency == .urgent ? StateFile.urgentPause : StateFile.ordinaryPause
    let earliest = lastWrite.map { max($0 + pause, now) } ?? now
    due = Instant.earlier(due, earliest)
  }

  // MARK: time

  public var deadline: Instant? {
    switch phase {
    case .closed: nil
    case .idle: due
    case .syncing(let since): problem == nil ? since + StateFile.syncMax : nil
    case .failed(let until): until
    }
  }

  /// Whether the disk is at work; its end comes through the loop.
  var isSyncing: Bool {
    if case .syncing = phase { return true }
    return false
  }

  public func handleDeadline(at now: Instant) {
    guard deadline.isDue(at: now) else { return }
    switch phase {
    case .closed: break
    case .idle: write(at: now)
    case .syncing: tell("\(path): the disk takes more than \(StateFile.syncMax.seconds) s to write")
    case .failed: load(at: now)
    }
  }

  // MARK: problems

  /// Lets go of the file until the next try.
  private func fail(_ error: SystemError, at now: Instant) {
    closeDescriptors()
    writing = nil
    phase = .failed(until: now + StateFile.retryPause)
    tell("\(path): \(error)")
  }

  private func tell(_ text: Text?) {
    let reason = text?.string
    if let reason, let problem, reason == problem { return }
    if reason == nil && problem == nil { return }
    problem = reason
    onProblem?(reason)
  }

  private func notice(_ text: Text) { onNotice?(text.string) }

  private func closeDescriptors() {
    syncWatch?.cancel()
    syncWatch = nil
    if syncDescriptor >= 0 { _ = linux_close(syncDescriptor) }
    syncDescriptor = -1
    if descriptor >= 0 { _ = linux_close(descriptor) }
    descriptor = -1
  }
}

// MARK: - Reading

extension StateFile {
  private func load(at now: Instant) {
    do throws(SystemError) {
      try openFile()
    } catch {
      return fail(error, at: now)
    }
    // What a killed process has written may not be on the disk, and the other slot must not be touched
    // before it is; nor is the name of a new file.
    sync(path, at: now)
  }

  private func openFile() throws(SystemError) {
    descriptor = linux_create(path)
    if descriptor < 0 {
      let error = SystemError("open", descriptor)
      // A disk that became read-only can still tell what it has.
      let readable = linux_open(path, 0)
      if readable >= 0 {
        if let image = try? read(readable) { adopt(image) }
        _ = linux_close(readable)
      }
      throw error
    }
    var image = try read(descriptor)
    if image.isUnreadable {
      adopt(image)
      try keepAside()
      image = StateImage([UInt8]().span, slotBytes: slotBytes)
    }
    adopt(image)
  }

  private func read(_ descriptor: Int32) throws(SystemError) -> StateImage {
    var bytes = [UInt8](repeating: 0, count: 2 * slotBytes)
    let count = linux_read_at(descriptor, &bytes, bytes.count, 0)
    if count < 0 { throw SystemError("read", Int32(clamping: count)) }
    let file = bytes.span.extracting(0..<min(Int(clamping: count), bytes.count))
    return StateImage(file, slotBytes: slotBytes, doubting: doubtedSlot)
  }

  /// Takes what the file has, the first time that it can be read: later on memory knows better.
  private func adopt(_ image: StateImage) {
    self.image = image
    if isLoaded { return }
    isLoaded = true
    tellOf(image.slots.first, number: 1)
    tellOf(image.slots.second, number: 2)
    entries.adopt(image.entries, bytesMax: StateImage.payloadBytesMax(slotBytes: slotBytes))
  }

  private func tellOf(_ slot: StateSlot, number: Int) {
    switch slot {
    case .whole, .empty: break
    default: notice("\(path): slot \(number) is passed over: it is \(slot)")
    }
  }

  private func keepAside() throws(SystemError) {
    let other = ("\(path).damaged" as Text).string
    _ = try check("rename", linux_rename(path, other))
    notice("\(path): cannot be read; kept as \(other), and begun anew")
    _ = linux_close(descriptor)
    descriptor = linux_create(path)
    _ = try check("open", descriptor)
  }
}

// MARK: - Writing

extension StateFile {
  private func write(at now: Instant) {
    due = nil
    if entries == image.entries { return }
    let slot = image.slot(of: entries)
    doubtedSlot = image.nextSlot
    let offset = Int64(image.nextSlot * slotBytes)
    let count = linux_write_at(descriptor, slot, slot.count, offset)
    if count != slot.count {
      let noSpace: Int32 = -28
      return fail(SystemError("write", count < 0 ? Int32(clamping: count) : noSpace), at: now)
    }
    writtenCount &+= 1
    lastWrite = now
    writing = entries
    sync(nil, at: now)
  }

  /// - Parameter path: not nil: its name is brought to the disk as well.
  private func sync(_ path: String?, at now: Instant) {
    do throws(SystemError) {
      let result = path.map { linux_sync(descriptor, $0) } ?? linux_sync(descriptor, nil)
      syncDescriptor = try check("fdatasync", result)
      syncWatch = try loop.watch(syncDescriptor, for: .readable) { [self] _ in
        finishSync(at: loop.turnTime, waits: false)
      }
      phase = .syncing(since: now)
    } catch {
      fail(error, at: now)
    }
  }

  private func waitForSync(at now: Instant) {
    if isSyncing { finishSync(at: now, waits: true) }
  }

  private func finishSync(at now: Instant, waits: Bool) {
    let error = SystemError("fdatasync", linux_sync_result(syncDescriptor, waits ? 1 : 0))
    if error.isWouldBlock { return }
    syncWatch?.cancel()
    syncWatch = nil
    _ = linux_close(syncDescriptor)
    syncDescriptor = -1
    if error.code != 0 { return fail(error, at: now) }
    phase = .idle
    let hasWritten = writing != nil
    if let writing {
      image.accept(writing)
      doubtedSlot = nil
    }
    writing = nil
    let isBehind = entries != image.entries
    // After a failure the sync alone proves nothing: the disk may be full.
    if hasWritten || !isBehind { tell(nil) }
    if isBehind && due == nil { due = now }
  }
}

// MARK: - Numbers and flags

extension StateFile {
  /// A value of 8 bytes, little endian; nil when it is none.
  public func integer(of key: [UInt8]) -> Int64? {
    guard let value = value(of: key), value.count == 8 else { return nil }
    return value.span.littleEndian(at: 0, width: 8).map { Int64(bitPattern: $0) }
  }

  @discardableResult
  public func set(
    _ key: [UInt8], integer: Int64, _ urgency: StateUrgency, at now: Instant
  ) -> Bool {
    var value: [UInt8] = []
    value.append(littleEndian: UInt64(bitPattern: integer), width: 8)
    return set(key, value, urgency, at: now)
  }

  /// A value of one byte, 0 or 1; nil when it is none.
  public func flag(of key: [UInt8]) -> Bool? {
    guard let value = value(of: key), value.count == 1, value[0] <= 1 else { return nil }
    return value[0] == 1
  }

  @discardableResult
  public func set(_ key: [UInt8], flag: Bool, _ urgency: StateUrgency, at now: Instant) -> Bool {
    set(key, [flag ? 1 : 0], urgency, at: now)
  }
}
