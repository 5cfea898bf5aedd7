import XCTest

@testable import Transport

/// What a killed process leaves in its tail, and what that costs.
final class JournalTailTests: XCTestCase {
  private let world = JournalWorld()
  private var journal: Journal { world.journal }
  private var tail: SimulatedDisk { world.tail }

  private func killAndStart() {
    world.kill()
    world.start()
  }

  func testAFactIsOneWriteAndSoIsAnAcknowledgement() {
    world.start()
    world.append(.event, 1)
    let (writes, bytes) = (tail.writeCount, tail.writtenBytes)
    for number in 2...101 { world.append(.event, number) }
    XCTAssertEqual(tail.writeCount - writes, 100)
    // 40 of its own, 14 of the subject, 10 of the payload.
    XCTAssertEqual(tail.writtenBytes - bytes, 6400)
    world.acknowledge(1...100)
    XCTAssertEqual(tail.writeCount - writes, 200)
    XCTAssertEqual(tail.writtenBytes - bytes, 9600)
    killAndStart()
    XCTAssertEqual(world.waiting, [101])
  }

  func testMoreIsAcknowledgedThanTheLogHasRoomFor() {
    world.start()
    for number in 1...150 { world.append(.event, number) }
    for count in [127, 128, 129, 130] as [UInt64] {
      world.acknowledge(1...count)
      killAndStart()
      XCTAssertEqual(world.waiting, Array((count + 1)...150))
    }
    // On the disk by now.
    world.acknowledge(131...140)
    killAndStart()
    XCTAssertEqual(world.waiting, Array(141...150))
  }

  func testAnotherStreamIsKnownAtOnce() {
    world.start()
    for number in 1...4 { world.append(.event, number) }
    for (name, number) in [("A", 7), ("A", 8), ("B", 1)] as [(String, UInt64)] {
      journal.streamPosition = StreamPosition(stream: bytes(name), domain: [], sequence: number)
      journal.acknowledge(journal.nextWaiting(from: 0)?.sequence ?? 0, at: world.now)
      let position = journal.streamPosition
      killAndStart()
      XCTAssertEqual(journal.streamPosition, position)
    }
    XCTAssertEqual(world.waiting, [4])
  }

  /// Facts of the same lengths stand in the same places in each pass over a half, and those that had to go are
  /// not among what is settled while an older one waits.
  func testWhatAnEarlierPassHasLeftIsNoFact() {
    world.start(withDisk: false)
    world.append(.alarm, 1)
    for number in 2...600 { world.append(.reading, number) }
    XCTAssertGreaterThan(world.dropped.count, 3)
    for sequence in world.waiting.dropFirst() { journal.acknowledge(sequence, at: world.now) }
    for _ in 1...4 {
      world.kill()
      world.start(withDisk: false)
      XCTAssertEqual(world.waiting, [1])
    }
  }

  func testRemainsWithoutACursorAreNoFacts() throws {
    world.start(withDisk: false)
    for number in 1...5 { world.append(.event, number) }
    world.kill()
    // As a write that failed leaves it.
    try tail.open(bytes: 0)
    try tail.write([0, 0, 0, 0].span, at: 0)
    for _ in 1...4 {
      world.kill()
      world.start(withDisk: false)
      XCTAssertEqual(world.waiting, [])
    }
  }

  func testAnEntryThatIsNotWholeIsTheEnd() {
    world.start(withDisk: false)
    for number in 1...5 { world.append(.event, number) }
    world.kill()
    // The first pass of a run is in the second half: a run of 64 bytes, then facts of 64.
    tail.flip(8192 + (1 << 20) + 64 + 3 * 64 + 50)
    world.start(withDisk: false)
    XCTAssertEqual(world.waiting, [1, 2, 3])
  }
}
