import XCTest

@testable import Transport

/// The journal on its disk: what is written when, and what comes back.
final class JournalDiskTests: XCTestCase {
  private let world = JournalWorld()
  private var journal: Journal { world.journal }
  private var disk: SimulatedDisk { world.disk }
  private var random = RandomGenerator(seed: 1)

  func testNothingIsWrittenWhileAcknowledgementsArrive() {
    world.start()
    let writes = disk.writeCount
    for number in 1...2000 {
      XCTAssertEqual(world.append(.event, number, payload: 100), UInt64(number))
      world.pass(.seconds(1))
      journal.acknowledge(UInt64(number), at: world.now)
    }
    XCTAssertEqual(disk.writeCount, writes)
    XCTAssertEqual(journal.status.waiting, 0)
    XCTAssertEqual(journal.status.acknowledged, 2000)
  }

  func testWhatWaitsIsWrittenInOneBatchPerInterval() {
    world.start()
    let (writes, syncs) = (disk.writeCount, disk.syncCount)
    for number in 1...20 {
      world.append(.event, number)
      world.pass(.milliseconds(500))
    }
    // At 5 s and at 10 s.
    XCTAssertEqual(disk.syncCount - syncs, 2)
    XCTAssertEqual(disk.writeCount - writes, 2)
    XCTAssertEqual(world.waiting, Array(1...20))
  }

  func testEachClassHasItsOwnSegments() {
    world.start()
    let writes = disk.writeCount
    for factClass in FactClass.allCases { world.append(factClass) }
    world.pass(.seconds(5))
    XCTAssertEqual(disk.writeCount - writes, 3)
    XCTAssertEqual(world.waiting, [1, 2, 3])
    XCTAssertEqual(journal.disk?.pool.chains.map(\.count), [1, 1, 1])
  }

  func testAFullMemoryIsWrittenEarly() {
    world.start()
    for number in 1...60 { world.append(.event, number, payload: 200) }
    XCTAssertEqual(journal.deadline, world.now)
    world.pass(.zero)
    XCTAssertEqual(journal.memory.waitingCount, 0)
    XCTAssertEqual(world.waiting, Array(1...60))
  }

  func testFactsComeBackFromTheDiskAsTheyWere() throws {
    world.start()
    let first = world.run
    let subject = bytes("sensors.room.reading")
    _ = journal.append(
      .reading, JournalWorld.time(3), subject: subject.span, payload: bytes("{}").span,
      at: world.now)
    world.pass(.seconds(5))
    let stored = try XCTUnwrap(journal.nextWaiting(from: 0))
    XCTAssertFalse(stored.isRecovered)
    world.kill()
    world.start()
    let found = try XCTUnwrap(journal.nextWaiting(from: 0))
    XCTAssertEqual(
      found,
      JournalRecord(
        sequence: 1, factClass: .reading, time: JournalWorld.time(3), run: first, subject: subject,
        payload: bytes("{}"), isRecovered: true))
    XCTAssertEqual(world.gaps, [])
  }

  func testAKilledProcessLosesNothing() {
    world.start()
    for number in 1...5 { world.append(.event, number) }
    journal.acknowledge(2, at: world.now)
    journal.streamPosition = StreamPosition(stream: bytes("S"), domain: [], sequence: 7)
    journal.acknowledge(4, at: world.now)
    world.kill()
    world.start()
    XCTAssertEqual(world.waiting, [1, 3, 5])
    XCTAssertEqual(journal.streamPosition?.sequence, 7)
    XCTAssertEqual(world.append(), 6)
    XCTAssertEqual(world.gaps, [])
    // What was in memory is on the disk as soon as it was found.
    XCTAssertEqual(journal.memory.waitingCount, 1)
  }

  func testAPowerCutTakesTheLastIntervalAndIsTold() throws {
    world.start()
    let first = world.run
    for number in 1...3 { world.append(.event, number) }
    world.pass(.seconds(5))
    for number in 4...6 { world.append(.event, number) }
    world.cutPower(&random)
    world.start()
    XCTAssertEqual(world.waiting, [1, 2, 3])
    let gap = try XCTUnwrap(world.gaps.first)
    // The last batch is doubted as a whole, as some of it might not have been synced.
    XCTAssertEqual(gap.firstSequence, 1)
    XCTAssertEqual(gap.endSequence, journal.nextSequence)
    XCTAssertGreaterThan(gap.endSequence, 6)
    XCTAssertEqual(gap.interval, .seconds(5))
    XCTAssertEqual(gap.run, first)
  }

  func testACleanEndLeavesNoGapAndGoesOnCounting() {
    world.start()
    for number in 1...3 { world.append(.event, number) }
    journal.close(at: world.now)
    world.cutPower(&random)
    world.start()
    XCTAssertEqual(world.waiting, [1, 2, 3])
    XCTAssertEqual(world.gaps, [])
    XCTAssertEqual(world.append(), 4)
    // The clean mark is gone: it is of the run before.
    world.cutPower(&random)
    world.start()
    XCTAssertEqual(world.gaps.count, 1)
    XCTAssertGreaterThan(journal.nextSequence, 4)
  }

  func testAcknowledgementsAreWrittenOncePerInterval() {
    world.start()
    for number in 1...50 { world.append(.event, number) }
    world.pass(.seconds(5))
    let syncs = disk.syncCount
    for number in 1...40 {
      journal.acknowledge(UInt64(number), at: world.now)
      world.pass(.milliseconds(250))
    }
    XCTAssertEqual(disk.syncCount - syncs, 2)
    world.cutPower(&random)
    world.start()
    XCTAssertEqual(world.waiting, Array(41...50))
  }

  func testTheOldestOfTheLowestClassGoWhenTheDiskIsFull() throws {
    world.start()
    world.append(.alarm, 1)
    var number = 1
    while world.dropped.isEmpty && number < 5000 {
      number += 1
      world.append(number % 10 == 0 ? .event : .reading, number, payload: 300)
      world.pass(.milliseconds(100))
    }
    let drop = try XCTUnwrap(world.dropped.first)
    XCTAssertEqual(drop.factClass, .reading)
    XCTAssertEqual(drop.firstSequence, 2)
    XCTAssertEqual(drop.firstTime, JournalWorld.time(2))
    XCTAssertEqual(drop.lastTime, JournalWorld.time(Int(drop.lastSequence)))
    let waiting = world.waiting
    XCTAssertEqual(waiting.count + Int(drop.count), number)
    XCTAssertEqual(waiting.first, 1)
    XCTAssertFalse((2...drop.lastSequence).contains { waiting.contains($0) && $0 % 10 != 0 })
    XCTAssertGreaterThan(
      journal.status.diskUsedBytes, journal.status.diskBytes - 5 * (16 << 10))
  }

  func testAcknowledgedSegmentsAreUsedAgainBeforeAnythingGoes() {
    world.start()
    for number in 1...4000 {
      world.append(.event, number, payload: 300)
      world.pass(.milliseconds(100))
      if number > 100 { journal.acknowledge(UInt64(number - 100), at: world.now) }
    }
    XCTAssertEqual(world.dropped, [])
    XCTAssertEqual(world.waiting, Array(3901...4000))
    // What was acknowledged can be read while it is there.
    XCTAssertEqual(journal.next(from: 3850)?.sequence, 3850)
  }

  func testManySeparateFactsAreKept() {
    world.start()
    for number in 1...1000 {
      world.append(.event, number)
      world.pass(.milliseconds(20))
    }
    world.pass(.seconds(5))
    for number in stride(from: UInt64(1), through: 999, by: 2) {
      journal.acknowledge(number, at: world.now)
    }
    let waiting = world.waiting
    // All that was not acknowledged is there, and some that was, as there is no room to know of all.
    XCTAssertTrue(Set(waiting).isSuperset(of: stride(from: 2, through: 1000, by: 2)))
    XCTAssertLessThan(waiting.count, 1000 - SettledSequences.rangesMax + 2)
    XCTAssertEqual(journal.settled.ranges.count, SettledSequences.rangesMax)
    for number in waiting { journal.acknowledge(number, at: world.now) }
    XCTAssertEqual(world.waiting, [])
    XCTAssertEqual(journal.settled.ranges.count, 1)
  }

  func testAnotherSizeTakesEffectWhenNothingWaits() {
    world.start()
    world.append()
    journal.close(at: world.now)
    world.configuration.size = 8 << 20
    world.start()
    XCTAssertEqual(journal.disk?.pool.geometry, JournalGeometry(fileBytes: 256 << 10))
    XCTAssertEqual(world.waiting, [1])
    journal.acknowledge(1, at: world.now)
    journal.close(at: world.now)
    world.start()
    XCTAssertEqual(journal.disk?.pool.geometry, JournalGeometry(fileBytes: 8 << 20))
    XCTAssertEqual(world.append(), 2)
    world.pass(.seconds(6))
    world.kill()
    world.start()
    XCTAssertEqual(world.waiting, [2])
    XCTAssertEqual(journal.status.damaged, 0)
  }
}
