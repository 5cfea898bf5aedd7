import XCTest

@testable import Transport

/// Random facts, acknowledgements, faults of the disk, killed processes and power cuts, at every write,
/// against what must hold.
final class JournalPropertyTests: XCTestCase {
  /// What a fact was when it was accepted.
  private struct Accepted {
    let factClass: FactClass
    let payload: [UInt8]
    let number: Int
    let run: JournalRun
    let at: Instant
    var acknowledgedAt: Instant?
    var isDropped = false
  }

  private final class Play {
    let seed: UInt64
    let world = JournalWorld()
    var random: RandomGenerator
    var facts: [UInt64: Accepted] = [:]
    var lastSequence: UInt64 = 0
    var step = 0
    /// The disk was not always written when that was due: how late is not said then.
    var wasHindered = false
    /// A process has found facts that the former had written, and could not bring them to the disk.
    var trustsCache = false
    /// The number that a fact has which was being appended as the process ended.
    var unsure: Set<UInt64> = []
    /// What was dropped as the process ended, so that nobody was told: it may be there or not.
    var untold: Set<UInt64> = []
    var counts = (cuts: 0, kills: 0, drops: 0, gaps: 0)

    init(seed: UInt64) {
      self.seed = seed
      random = RandomGenerator(seed: seed)
      world.onDropped = { [self] in takeDropped($0) }
      world.start()
    }

    func check(_ condition: Bool, _ what: @autoclosure () -> String) {
      XCTAssertTrue(condition, "seed \(seed), step \(step): \(what())")
    }

    // MARK: the oracle

    /// The count is that of the class's facts that wait within the span; a fact that was refused is alone.
    private func takeDropped(_ drop: DroppedFacts) {
      counts.drops += 1
      check(drop.firstSequence <= drop.lastSequence && drop.count > 0, "\(drop)")
      if world.crash.hasHappened {
        untold.formUnion(markDropped(drop))
        return
      }
      if drop.firstSequence > lastSequence {
        check(drop.count == 1, "a fact that was refused is dropped alone: \(drop)")
        lastSequence = drop.lastSequence
        return
      }
      let found = markDropped(drop)
      check(found.count == Int(drop.count), "\(drop.count) dropped, not \(found.count)")
      check(found.first == drop.firstSequence, "begins at \(drop.firstSequence)")
      check(found.last == drop.lastSequence, "ends at \(drop.lastSequence)")
      for (sequence, time) in [
        (drop.firstSequence, drop.firstTime), (drop.lastSequence, drop.lastTime),
      ] {
        check(facts[sequence].map { JournalWorld.time($0.number) } == time, "time of \(sequence)")
      }
    }

    @discardableResult
    private func markDropped(_ drop: DroppedFacts) -> [UInt64] {
      var found: [UInt64] = []
      for sequence in drop.firstSequence...drop.lastSequence {
        guard let fact = facts[sequence], fact.factClass == drop.factClass, !fact.isDropped,
          fact.acknowledgedAt == nil
        else { continue }
        found.append(sequence)
        facts[sequence]?.isDropped = true
      }
      return found
    }

    func expected() -> Set<UInt64> {
      Set(facts.filter { $0.value.acknowledgedAt == nil && !$0.value.isDropped }.keys)
    }

    /// What waits, each as it was accepted.
    func waiting() -> Set<UInt64> {
      var found: Set<UInt64> = []
      var last: UInt64 = 0
      while let record = world.journal.nextWaiting(from: last + 1) {
        check(record.sequence > last, "\(record.sequence) after \(last)")
        last = record.sequence
        found.insert(last)
        guard let fact = facts[last] else {
          check(unsure.contains(last), "\(last) was never accepted")
          continue
        }
        check(
          record.payload == fact.payload && record.factClass == fact.factClass
            && record.time == JournalWorld.time(fact.number)
            && (record.run == fact.run || record.run == .unknown)
            && record.isRecovered == (fact.run != world.run), "\(last) is another")
      }
      check(world.journal.status.waiting == UInt64(found.count), "the count of what waits")
      return found
    }

    func checkWaiting() {
      let found = waiting()
      check(
        found.subtracting(unsure) == expected().subtracting(unsure),
        "missing \(expected().subtracting(found).sorted()), "
          + "too much \(found.subtracting(expected()).sorted())")
    }

    // MARK: steps

    func append() {
      let factClass = random.element(of: FactClass.allCases)
      let number = step
      let payload = random.bytes(count: random.oneIn(20) ? 2000 : random.index(below: 200))
      let drops = world.dropped.count
      let next = world.journal.nextSequence
      unsure = [next]
      let sequence = world.journal.append(
        factClass, JournalWorld.time(number), subject: bytes("a.b").span, payload: payload.span,
        at: world.now)
      if let sequence {
        check(sequence == next && sequence > lastSequence, "\(sequence) after \(lastSequence)")
        if !world.crash.hasHappened { lastSequence = sequence }
        facts[sequence] = Accepted(
          factClass: factClass, payload: payload, number: number, run: world.run, at: world.now)
      } else {
        check(world.dropped.count > drops, "what is refused is told")
      }
      if !world.crash.hasHappened { unsure = [] }
    }

    func acknowledge() {
      let all = expected()
      guard !all.isEmpty else { return }
      var sequence = all.min() ?? 0
      if random.oneIn(3) { sequence = random.element(of: all.sorted()) }
      for _ in 0...random.index(below: 6) {
        guard let fact = facts[sequence], fact.acknowledgedAt == nil, !fact.isDropped else { break }
        unsure = [sequence]
        world.journal.acknowledge(sequence, at: world.now)
        facts[sequence]?.acknowledgedAt = world.now
        if world.crash.hasHappened { return }
        sequence += 1
      }
      unsure = []
    }

    func kill() {
      counts.kills += 1
      trustsCache = trustsCache || world.disk.writeFault != nil || world.disk.syncFault != nil
      world.kill()
      world.start()
      // A fact in the making may be there or not; it was not told to anybody.
      for sequence in unsure { settleUnsure(sequence) }
      unsure = []
      check(world.gaps.isEmpty, "no gap after a kill")
      check(world.journal.nextSequence > lastSequence, "numbers go on")
      absorbReturned(waiting(), mayMiss: false)
    }

    private func settleUnsure(_ sequence: UInt64) {
      let isThere = world.journal.nextWaiting(from: sequence)?.sequence == sequence
      if isThere {
        facts[sequence]?.acknowledgedAt = nil
      } else {
        facts[sequence]?.acknowledgedAt = world.now
      }
    }

    func cutPower() {
      counts.cuts += 1
      let sync = world.configuration.sync
      let held = memorySequences()
      let isBlocked = world.journal.blockedUntil != nil
      healDisk()
      world.cutPower(&random)
      world.start()
      for sequence in unsure { settleUnsure(sequence) }
      unsure = []
      let found = waiting()
      check(world.gaps.count <= 1, "\(world.gaps.count) gaps")
      counts.gaps += world.gaps.count
      for sequence in expected().subtracting(found).sorted() {
        check(held.contains(sequence) || trustsCache, "\(sequence) was on the disk")
        let age = facts[sequence].map { world.now - $0.at } ?? .zero
        check(wasHindered || age <= sync, "\(sequence) was \(age.milliseconds) ms old")
        let isTold = world.gaps.contains {
          $0.firstSequence <= sequence && sequence < $0.endSequence
        }
        check(isTold || isBlocked || wasHindered, "\(sequence) is missing and not said to be")
        facts[sequence]?.isDropped = true
      }
      check(world.journal.nextSequence > lastSequence, "numbers go on")
      absorbReturned(found, mayMiss: true)
      (wasHindered, trustsCache) = (false, false)
    }

    /// What the disk did not yet know to be acknowledged or dropped waits again.
    private func absorbReturned(_ found: Set<UInt64>, mayMiss: Bool) {
      for sequence in found.subtracting(expected()) {
        guard let fact = facts[sequence] else { continue }
        if let at = fact.acknowledgedAt {
          check(mayMiss, "\(sequence) was acknowledged before the kill")
          check(
            wasHindered || world.now - at <= world.configuration.sync,
            "\(sequence) was acknowledged \((world.now - at).milliseconds) ms ago")
        } else {
          check(
            mayMiss || wasHindered || untold.contains(sequence),
            "\(sequence) was dropped before the kill")
        }
        facts[sequence]?.acknowledgedAt = nil
        facts[sequence]?.isDropped = false
      }
      untold = []
      checkWaiting()
    }

    private func memorySequences() -> Set<UInt64> {
      var walk = JournalWalk()
      var found: Set<UInt64> = []
      let bytes = world.journal.memory.bytes
      while let entry = walk.next(in: bytes.span) {
        if entry.mark.state != .settled { found.insert(entry.sequence) }
      }
      return found
    }

    func closeAndStart() {
      let next = world.journal.nextSequence
      world.journal.close(at: world.now)
      if world.crash.hasHappened { return }
      let isWritten = world.journal.status.waiting == world.journal.disk?.pool.waitingCount
      if random.oneIn(2) && isWritten && !wasHindered {
        world.cutPower(&random)
      } else {
        world.kill()
      }
      world.start()
      check(world.gaps.isEmpty || wasHindered || !isWritten, "no gap after a clean end")
      check(world.journal.nextSequence == next || wasHindered || !isWritten, "numbers")
      if !wasHindered { checkWaiting() }
    }

    func changeFaults() {
      world.disk.isSlow = random.oneIn(3)
      world.disk.writeFault = random.oneIn(4) ? .noSpace : nil
      world.disk.syncFault = random.oneIn(4) ? .inputOutput : nil
      if world.disk.isSlow || world.disk.writeFault != nil || world.disk.syncFault != nil {
        wasHindered = true
      } else {
        world.disk.endSync(at: world.now)
      }
    }

    func healDisk() {
      (world.disk.isSlow, world.disk.writeFault, world.disk.syncFault) = (false, nil, nil)
    }

    func run(steps: Int, withFaults: Bool) {
      while step < steps {
        step += 1
        if random.oneIn(25) { world.crash.writesLeft = random.index(below: 12) }
        switch random.next(through: 99) {
        case 0..<50: append()
        case 50..<70: acknowledge()
        case 70..<90: world.pass(random.duration(through: .seconds(random.oneIn(4) ? 8 : 1)))
        case 90..<93: if withFaults { changeFaults() } else { closeAndStart() }
        case 93..<95: kill()
        case 95..<97: cutPower()
        default: for _ in 0..<30 where !world.crash.hasHappened { append() }
        }
        if world.crash.hasHappened {
          if random.oneIn(2) { kill() } else { cutPower() }
        } else if step % (facts.count < 500 ? 5 : 25) == 0 {
          checkWaiting()
        }
      }
    }
  }

  private func play(_ seeds: ClosedRange<UInt64>, withFaults: Bool) {
    var counts = (cuts: 0, kills: 0, drops: 0, gaps: 0)
    let more = ProcessInfo.processInfo.environment["JOURNAL_SEEDS"].flatMap(UInt64.init) ?? 0
    for seed in seeds.lowerBound...(seeds.upperBound + more) {
      let play = Play(seed: seed)
      // Some go on until the disk is full.
      play.run(steps: seed % 10 == 0 ? 700 : 150, withFaults: withFaults)
      counts.cuts += play.counts.cuts
      counts.kills += play.counts.kills
      counts.drops += play.counts.drops
      counts.gaps += play.counts.gaps
      if (testRun?.failureCount ?? 0) > 0 { return }
    }
    // Else the worlds are not what they should be.
    for count in [counts.cuts, counts.kills, counts.drops, counts.gaps] {
      XCTAssertGreaterThan(count, 0, "\(counts)")
    }
  }

  func testNothingSyncedIsLostWhateverBreaksOff() { play(7...10, withFaults: false) }

  func testFaultsOfTheDiskLoseNothingElse() { play(1007...1010, withFaults: true) }
}
