import Transport
import XCTest

@testable import Lattice

/// A backlog that goes in batches, into a stream that takes them.
final class FactBatchTests: XCTestCase {
  private let subjects = ["gpio.door.edge", "gpio.gate.edge", "sensors.room.reading"]

  /// A host that has met its stream and then was cut off while so many facts were recorded.
  private func world(backlog count: Int) -> FactWorld {
    let world = FactWorld()
    world.keeper.takesBatches = true
    world.connect()
    for subject in subjects { world.tell(subject) }
    world.pass(.seconds(10))
    world.disconnect()
    for number in 0..<count { world.tell(subjects[number % subjects.count]) }
    return world
  }

  private func assertComplete(_ world: FactWorld, _ line: UInt = #line) {
    XCTAssertEqual(world.stored, world.stored.sorted(), line: line)
    XCTAssertEqual(world.keeper.stream.map(\.id).sorted(), world.appended.sorted(), line: line)
    XCTAssertEqual(world["waiting"]?.integer, 0, line: line)
  }

  private func questions(_ world: FactWorld) -> Int {
    world.keeper.requested.filter { $0.contains("STREAM.MSG.GET") }.count
  }

  func testABacklogGoesInBatches() {
    let world = world(backlog: 200)
    let before = world.keeper.requested.count
    world.connect()
    world.pass(.seconds(20))
    assertComplete(world)
    XCTAssertGreaterThan(world.keeper.batchedCount, 190)
    // Sizes double: 1, 2, 4, 8, 16, 32; with a question for the stream's leave.
    XCTAssertLessThan(world.keeper.requested.count - before, 16)
    XCTAssertTrue(
      world.keeper.stream.dropFirst(3).allSatisfy { $0.payload.contains("age_ms") })
  }

  func testOneByOneWithoutTheStreamsLeave() {
    let world = world(backlog: 50)
    world.keeper.takesBatches = false
    world.connect()
    world.pass(.seconds(60))
    assertComplete(world)
  }

  func testABatchThatFailsCostsNothingButTime() {
    let world = world(backlog: 100)
    world.keeper.incomplete = 100
    world.connect()
    world.pass(.seconds(120))
    assertComplete(world)
    XCTAssertEqual(world.keeper.batchCount, 0)
    XCTAssertEqual(world.diagnostics.reports.filter { $0.hasPrefix("batch refused") }.count, 3)
  }

  /// News of a subject that is in the batch under way would make all of it refused.
  func testNewsWaitForABatchOfTheirSubject() {
    let world = world(backlog: 300)
    world.connect()
    let before = questions(world)
    for _ in 0..<40 {
      world.tell(subjects[0])
      world.pass(.milliseconds(50))
    }
    world.pass(.seconds(30))
    XCTAssertEqual(Set(world.stored).count, world.appended.count)
    XCTAssertEqual(world.keeper.stream.count, world.appended.count)
    // Some go beside a single fact of the backlog, before there are batches.
    XCTAssertLessThan(questions(world) - before, 6)
    let live = world.stored { !$0.payload.contains("age_ms") }
    XCTAssertEqual(live, live.sorted())
    XCTAssertGreaterThan(live.count, 40)
  }

  /// What is not known to be kept holds back the place where a later run begins to look.
  func testABatchWithoutAnAnswer() throws {
    let world = world(backlog: 100)
    world.connect()
    while world.keeper.batchedCount < 40 { world.pass(.milliseconds(5)) }
    let batched = world.keeper.batchedCount
    world.keeper.loss = 100
    while world.keeper.batchedCount == batched { world.pass(.milliseconds(5)) }
    world.disconnect()
    let position = try XCTUnwrap(world.journal.streamPosition).sequence
    let waiting = try XCTUnwrap(world.journal.nextWaiting(from: 0)).sequence
    let first = try XCTUnwrap(world.stored.firstIndex(of: waiting))
    XCTAssertLessThan(position, UInt64(first + 1))
    world.keeper.loss = 0
    world.connect()
    world.pass(.seconds(60))
    assertComplete(world)
  }
}
