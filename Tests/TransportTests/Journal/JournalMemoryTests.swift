import XCTest

@testable import Transport

/// The journal without a disk and without a tail.
final class JournalMemoryTests: XCTestCase {
  private let run = JournalRun(id: bytes("NRUN"), boot: bytes("boot"))
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var dropped: [DroppedFacts] = []

  private func make(memory: Int = 16 << 10) -> Journal {
    var configuration = JournalConfiguration()
    configuration.memory = memory
    let journal = Journal(configuration, run: run, disk: nil, tail: nil)
    journal.onDropped = { self.dropped.append($0) }
    journal.open(at: now)
    return journal
  }

  private func time(_ second: Int64) -> FactTime {
    FactTime(
      instant: Instant(nanoseconds: second), wallClock: Timestamp(nanoseconds: second * 2),
      isSynchronised: second % 2 == 0)
  }

  @discardableResult
  private func append(
    _ journal: Journal, _ factClass: FactClass = .event, _ second: Int64 = 0, payload: Int = 10
  ) -> UInt64? {
    journal.append(
      factClass, time(second), subject: bytes("gpio.door.edge").span,
      payload: [UInt8](repeating: 0x20, count: payload).span, at: now)
  }

  private func waiting(_ journal: Journal) -> [UInt64] {
    var found: [UInt64] = []
    while let record = journal.nextWaiting(from: (found.last ?? 0) + 1) {
      found.append(record.sequence)
    }
    return found
  }

  func testFactsComeBackAsTheyWere() throws {
    let journal = make()
    XCTAssertNil(journal.nextWaiting(from: 0))
    XCTAssertEqual(append(journal, .alarm, 7, payload: 3), 1)
    XCTAssertEqual(append(journal, .reading, 8, payload: 0), 2)
    let first = try XCTUnwrap(journal.nextWaiting(from: 0))
    XCTAssertEqual(first.sequence, 1)
    XCTAssertEqual(first.factClass, .alarm)
    XCTAssertEqual(first.time, time(7))
    XCTAssertEqual(first.run, run)
    XCTAssertEqual(first.subject, bytes("gpio.door.edge"))
    XCTAssertEqual(first.payload, bytes("   "))
    XCTAssertFalse(first.isRecovered)
    XCTAssertEqual(journal.nextWaiting(from: 2)?.payload, [])
    XCTAssertNil(journal.nextWaiting(from: 3))
    XCTAssertEqual(journal.nextSequence, 3)
    XCTAssertEqual(journal.status.waiting, 2)
  }

  func testAcknowledgedFactsDoNotWait() {
    let journal = make()
    for _ in 1...4 { append(journal) }
    journal.acknowledge(3, at: now)
    journal.acknowledge(1, at: now)
    journal.acknowledge(1, at: now)
    journal.acknowledge(9, at: now)
    XCTAssertEqual(waiting(journal), [2, 4])
    XCTAssertEqual(journal.status.waiting, 2)
    XCTAssertEqual(journal.status.acknowledged, 2)
    XCTAssertEqual(journal.next(from: 1)?.sequence, 1)
    XCTAssertEqual(dropped, [])
  }

  func testLowestClassGoesFirst() {
    let journal = make()
    append(journal, .alarm, 1, payload: 1000)
    for second in 2...5 { append(journal, .reading, Int64(second), payload: 1000) }
    for second in 6...14 { append(journal, .event, Int64(second), payload: 1000) }
    XCTAssertEqual(dropped, [])
    // 14 facts of 1056 bytes are there; two at once make room for the next.
    for second in 15...16 { append(journal, .event, Int64(second), payload: 1000) }
    XCTAssertEqual(dropped.count, 1)
    XCTAssertEqual(dropped.first?.factClass, .reading)
    XCTAssertEqual(dropped.first?.count, UInt64(16 - waiting(journal).count))
    XCTAssertEqual(dropped.first?.firstSequence, 2)
    XCTAssertEqual(dropped.first?.firstTime, time(2))
    XCTAssertEqual(dropped.first.map { time(Int64($0.lastSequence)) }, dropped.first?.lastTime)
    XCTAssertEqual(waiting(journal).first, 1)
    XCTAssertEqual(waiting(journal).last, 16)
    XCTAssertEqual(journal.status.dropped[0], dropped.first?.count)
    XCTAssertLessThanOrEqual(journal.status.memoryUsedBytes, 16 << 10)
  }

  func testALowerClassDoesNotDriveOutAHigherOne() {
    let journal = make()
    for second in 1...15 { append(journal, .alarm, Int64(second), payload: 1000) }
    XCTAssertNil(append(journal, .reading, 16, payload: 1000))
    XCTAssertEqual(waiting(journal), Array(1...15))
    XCTAssertEqual(dropped, [DroppedFacts(.reading, 16, time(16))])
    XCTAssertEqual(append(journal, .alarm, 17, payload: 1000), 17)
    XCTAssertEqual(dropped.last?.factClass, .alarm)
  }

  func testAcknowledgedFactsMakeRoom() {
    let journal = make()
    for number in 1...1000 {
      XCTAssertEqual(append(journal, .event, Int64(number), payload: 100), UInt64(number))
      journal.acknowledge(UInt64(number), at: now)
    }
    XCTAssertEqual(dropped, [])
    XCTAssertEqual(waiting(journal), [])
    // The newest can still be read.
    XCTAssertEqual(journal.next(from: 990)?.sequence, 990)
    XCTAssertNotNil(journal.next(from: 1))
  }

  func testWhatIsTooLargeIsToldAndDropped() {
    let journal = make()
    XCTAssertNil(append(journal, .event, 5, payload: 9000))
    XCTAssertEqual(dropped, [DroppedFacts(.event, 1, time(5))])
    XCTAssertEqual(append(journal, .event, 6), 2)
    XCTAssertEqual(waiting(journal), [2])
  }
}
