// When the journal writes, and what becomes of it.

extension Journal {
  static let retryPause = Duration.seconds(60)
  /// How long a sync may take before that is a problem. Cards have stalls of seconds; arbitrary.
  static let syncMax = Duration.seconds(60)
  /// Numbers that are reserved at once, and how few may be left before the next are: the cursor is written
  /// once for so many facts, also when none of them goes to the disk.
  static let reservedCount: UInt64 = 65_536
  static let reservedMin: UInt64 = 32_768

  public var deadline: Instant? {
    switch phase {
    case .closed, .volatile: nil
    case .idle: Instant.earlier(factsDue, cursorDue)
    case .syncing(let since): problem == nil ? since + Journal.syncMax : nil
    case .failed(let until): until
    }
  }

  /// Whether the disk is at work; its end comes through the storage.
  var isSyncing: Bool {
    if case .syncing = phase { return true }
    return false
  }

  /// When facts must go to the disk: the oldest has waited long enough, or half of the memory is full.
  private var factsDue: Instant? {
    guard memory.waitingBytes > 0, let oldest = memory.firstWaitingEntry() else { return nil }
    let due = oldest.mark.appended(before: lastTime) + configuration.sync
    if let blockedUntil { return max(due, blockedUntil) }
    return memory.waitingBytes >= memory.capacity / 2 ? min(due, lastTime) : due
  }

  private var cursorDue: Instant? {
    if needsCursor || nextSequence + Journal.reservedMin > reservedEnd { return lastTime }
    return unsavedSince.map { $0 + configuration.sync }
  }

  public func handleDeadline(at now: Instant) {
    lastTime = max(lastTime, now)
    guard deadline.isDue(at: now) else { return }
    switch phase {
    case .closed, .volatile: break
    case .idle: write(at: now)
    case .syncing: tell("the disk takes more than \(Journal.syncMax.seconds) s to write")
    case .failed: reload(at: now)
    }
  }

  /// Writes all that waits, and the cursor when that is due.
  /// - Parameters:
  ///   - isLast: the cursor alone, with the word that nothing is missing.
  ///   - isProbe: the cursor alone, after a failure.
  func write(at now: Instant, isLast: Bool = false, isProbe: Bool = false) {
    guard let disk else { return }
    var batch = JournalBatch()
    var drops: [DroppedFacts] = []
    do throws(SystemError) {
      try disk.pool.blankDoubted(to: &batch)
      if !isLast && !isProbe { try writeFacts(disk, &batch, &drops, at: now) }
      if isLast || needsCursor || unsavedSince != nil
        || nextSequence + Journal.reservedMin > reservedEnd
      {
        var cursor = cursor
        cursor.reservedEnd = max(reservedEnd, nextSequence + Journal.reservedCount)
        cursor.isClean = isLast && memory.waitingCount == 0
        batch.cursor = cursor
        unsavedSince = nil
        needsCursor = false
      }
      if !batch.isEmpty {
        try disk.finish(batch)
        phase = .syncing(since: now)
      }
    } catch {
      disk.batch = batch
      fail(error.text, at: now)
    }
    tell(drops)
  }

  private func writeFacts(
    _ disk: JournalDisk, _ batch: inout JournalBatch, _ drops: inout [DroppedFacts], at now: Instant
  ) throws(SystemError) {
    blockedUntil = nil
    if memory.waitingBytes == 0 { return }
    let pool = disk.pool
    var highest = FactClass.reading
    memory.change(from: .waiting, to: .writing) { entry in
      guard let factClass = entry.factClass else { return false }
      highest = max(highest, factClass)
      // One that the disk has lost cannot be put back into its place.
      return pool.chains[Int(factClass.rawValue)].last.map { $0.lastSequence < entry.sequence }
        ?? true
    }
    let stopped = try pool.write(memory, to: &batch)
    memory.change(from: .writing, to: .waiting) { entry in
      guard let factClass = entry.factClass, let first = stopped[Int(factClass.rawValue)] else {
        return false
      }
      return entry.sequence >= first
    }
    try pool.blank(upTo: highest, settled, to: &batch, dropped: &drops)
    if batch.added.isEmpty && batch.blanked.isEmpty { blockedUntil = now + configuration.sync }
  }

  /// The sync has ended, or it is waited for.
  func finishSync(at now: Instant, waits: Bool) {
    guard let disk, isSyncing else { return }
    lastTime = max(lastTime, now)
    do throws(SystemError) {
      if try !disk.storage.syncResult(waits: waits) { return }
    } catch {
      return fail(error.text, at: now)
    }
    phase = .idle
    guard let batch = disk.batch else { return }
    disk.commit()
    if let cursor = batch.cursor { reservedEnd = max(reservedEnd, cursor.reservedEnd) }
    if !batch.added.isEmpty {
      memory.compact(bytesMax: memory.capacity) { $0.mark.state == .writing }
    }
    tell(nil)
  }

  // MARK: problems

  /// Facts are in memory only until the next try; what is on the disk can still be read, if it can.
  func fail(_ reason: Text, at now: Instant) {
    disk?.rollBack()
    memory.change(from: .writing, to: .waiting)
    phase = .failed(until: now + Journal.retryPause)
    tell(reason)
  }

  private func tell(_ reason: Text?) {
    let text = reason.map { ("\(disk?.storage.name ?? "journal"): \($0)" as Text).string }
    if let text, let problem, text == problem { return }
    if text == nil && problem == nil { return }
    problem = text
    onProblem?(text)
  }
}
