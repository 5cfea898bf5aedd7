import Transport
import XCTest

@testable import Lattice

/// Facts of a process that was killed go on with the next.
final class FactRestartTests: XCTestCase {
  private func world(seed: UInt64 = 1) -> FactWorld {
    FactWorld(seed: seed, disk: MemoryStorage(), tail: MemoryStorage())
  }

  func testWhatWaitsGoesWithItsOwnID() {
    let world = world()
    for _ in 0..<5 { world.tell() }
    world.restart()
    world.connect()
    world.tell()
    world.pass(.seconds(20))
    XCTAssertEqual(Set(world.keeper.stream.map(\.id)), Set(world.appended))
    XCTAssertEqual(
      world.keeper.stream.first { $0.id == "RUN1-3" }?.payload.contains("age_ms"), true)
    XCTAssertEqual(world["waiting"]?.integer, 0)
  }

  /// The word of the stream was on its way when the process was killed.
  func testWhatIsStoredAlreadyIsFound() {
    for milliseconds in stride(from: 10, through: 200, by: 10) {
      let world = world()
      world.connect()
      for _ in 0..<3 { world.tell() }
      world.pass(.seconds(5))
      for _ in 0..<5 { world.tell() }
      world.pass(.milliseconds(Int64(milliseconds)))
      world.restart()
      // The stream's window of ids is over.
      world.pass(.seconds(600))
      world.connect()
      world.tell()
      world.pass(.seconds(60))
      XCTAssertEqual(world.stored.sorted(), world.appended.map(FactWorld.number))
      XCTAssertEqual(world["waiting"]?.integer, 0)
    }
  }

  func testEveryFactIsStoredOnceOverManyRestarts() {
    for seed in 1...15 as ClosedRange<UInt64> {
      var random = RandomGenerator(seed: seed &* 104_729)
      let world = world(seed: seed)
      world.keeper.looksAtSequenceFirst = random.oneIn(2)
      let subjects = ["gpio.door.edge", "gpio.gate.edge", "sensors.room.reading"]
      world.connect()
      world.tell(subjects[0])
      world.pass(.seconds(60))
      world.keeper.loss = random.index(below: 20)
      for _ in 0..<40 {
        switch random.index(below: 8) {
        case 0:
          world.restart()
          if random.oneIn(2) { world.connect() }
        case 1: world.keeper.isConnected ? world.disconnect() : world.connect()
        case 2: world.pass(random.duration(through: .seconds(300)))
        default:
          for _ in 0...random.index(below: 4) { world.tell(subjects[random.index(below: 3)]) }
        }
        world.pass(random.duration(through: .seconds(4)))
      }
      world.keeper.loss = 0
      if !world.keeper.isConnected { world.connect() }
      world.pass(.seconds(900))
      let ids = world.keeper.stream.map(\.id)
      XCTAssertEqual(Set(ids).count, ids.count, "stored twice, seed \(seed)")
      XCTAssertEqual(Set(ids), Set(world.appended), "missing or made up, seed \(seed)")
      XCTAssertEqual(world["waiting"]?.integer, 0, "seed \(seed)")
    }
  }
}
