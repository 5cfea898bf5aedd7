// The journal's beginning and end: what earlier runs have left, and what this one leaves.

extension Journal {
  /// Reads what earlier runs have left. It waits until the disk has the numbers that this run may use.
  public func open(at now: Instant) {
    if phase != .closed { return }
    lastTime = now
    // Until `close`: each holds the other.
    disk?.storage.onSynced = { [self] now in finishSync(at: now, waits: false) }
    let left = tail?.open()
    if let left {
      settled = left.cursor.settled
      nextSequence = left.cursor.nextSequence
      streamPosition = left.cursor.position
    }
    phase = .volatile
    if disk != nil { load(left?.cursor, at: now) }
    if let left { adopt(left.entries) }
    firstSequence = nextSequence
    mirror()
    while case .syncing = phase { finishSync(at: now, waits: true) }
    if phase == .idle && needsCursor {
      write(at: now)
      finishSync(at: now, waits: true)
    }
  }

  /// Writes all that waits to the disk, however long that takes: for the end.
  public func close(at now: Instant) {
    if phase == .closed { return }
    lastTime = now
    finishSync(at: now, waits: true)
    if case .failed = phase {
      reload(at: now)
      finishSync(at: now, waits: true)
    }
    var waitingBytes = memory.waitingBytes + 1
    while phase == .idle, memory.waitingBytes < waitingBytes, memory.waitingBytes > 0 {
      waitingBytes = memory.waitingBytes
      write(at: now)
      finishSync(at: now, waits: true)
    }
    if phase == .idle {
      write(at: now, isLast: true)
      finishSync(at: now, waits: true)
    }
    disk?.storage.close()
    disk?.storage.onSynced = nil
    tail?.close()
    phase = .closed
  }

  /// Goes on with the disk after a failure, or reads it as at the beginning when it is another.
  func reload(at now: Instant) {
    guard let disk else { return }
    disk.storage.close()
    do throws(SystemError) {
      let isSame = isLoaded ? try disk.reopen() : false
      if !isSame {
        load(nil, at: now)
        return mirror()
      }
    } catch {
      return fail(error.text, at: now)
    }
    phase = .idle
    needsCursor = true
    write(at: now, isProbe: true)
  }

  private func load(_ tailCursor: JournalCursor?, at now: Instant) {
    guard let disk else { return }
    var settled = settled
    do throws(JournalDisk.Refusal) {
      let cursor = try disk.load(&settled)
      if let cursor, !isLoaded, phase != .volatile, cursor.reservedEnd > firstSequence {
        // Facts were given numbers that those on the disk may have as well.
        disk.forget()
        return fail("it was not there at the start: what it has is read at the next", at: now)
      }
      self.settled = settled
      if !isLoaded { continueAfter(cursor, disk.pool, tailCursor) }
      isLoaded = true
    } catch {
      switch error {
      case .system(let error): return fail(error.text, at: now)
      case .foreign: return fail("it is no journal", at: now)
      }
    }
    forgetStored()
    needsCursor = true
    // What a killed process has written may not be on the disk, and the other slot must not be touched
    // before it is.
    do throws(SystemError) {
      try disk.storage.beginSync()
      phase = .syncing(since: now)
    } catch {
      fail(error.text, at: now)
    }
  }

  /// Numbers go on behind those that were ever used.
  private func continueAfter(
    _ cursor: JournalCursor?, _ pool: JournalPool, _ tailCursor: JournalCursor?
  ) {
    nextSequence = max(nextSequence, pool.endSequence)
    guard let cursor else { return }
    if streamPosition == nil { streamPosition = cursor.position }
    // The tail knows more than the cursor, unless it is of an earlier run, or of before a power cut.
    let isTailNewer =
      tailCursor.map {
        $0.run.boot == cursor.run.boot && $0.nextSequence >= cursor.nextSequence
      } ?? false
    if cursor.isClean || isTailNewer {
      nextSequence = max(nextSequence, cursor.nextSequence)
      return
    }
    nextSequence = max(nextSequence, cursor.reservedEnd)
    // A batch has all that waited at its beginning. So only what came after the last one is missing, and of
    // that one what was not synced.
    onGap?(
      JournalGap(
        firstSequence: max(pool.lastBatchStart, settled.end), endSequence: nextSequence,
        interval: .milliseconds(Int64(cursor.syncMilliseconds)), run: cursor.run))
  }

  private func adopt(_ entries: JournalTailEntries) {
    var entries = entries
    // Due at once.
    let now = lastTime - configuration.sync
    while let entry = entries.next(), let factClass = entry.factClass, let run = entries.run {
      // Dropped facts are settled in memory alone.
      if entry.mark.state == .settled || settled.contains(entry.sequence) { continue }
      if disk?.pool.contains(entry.sequence, factClass, settled) ?? false { continue }
      let window = entries.window
      if !memory.adopt(entry, of: window.span, run, at: now) {
        disk?.pool.damagedCount += 1
        return
      }
    }
  }

  /// What is on the disk after all is not kept in memory, too.
  private func forgetStored() {
    guard let disk, memory.waitingCount > 0 else { return }
    memory.compact(bytesMax: memory.capacity) { entry in
      guard let factClass = entry.factClass, entry.mark.state != .settled else { return false }
      return disk.pool.contains(entry.sequence, factClass, settled)
    }
  }
}
