import Transport
import XCTest

@testable import Lattice

/// Facts between two ends of a world in which everything goes wrong, and then nothing any more.
final class FactPropertyTests: XCTestCase {
  func testEveryFactIsStoredOnceWhateverHappens() {
    for seed in 1...120 as ClosedRange<UInt64> { play(seed) }
  }

  private func play(_ seed: UInt64) {
    var random = RandomGenerator(seed: seed &* 7919)
    let world = FactWorld(seed: seed)
    world.keeper.looksAtSequenceFirst = random.oneIn(2)
    let subjects = ["gpio.door.edge", "gpio.gate.edge", "sensors.room.reading", "host.clock"]
    world.connect()
    world.tell(subjects[0])
    // The stream is met before anything is wrong.
    world.pass(.seconds(60))
    world.keeper.loss = random.index(below: 30)
    for _ in 0..<(20 + random.index(below: 40)) {
      switch random.index(below: 12) {
      case 0: world.keeper.isConnected ? world.disconnect() : world.connect()
      case 1: world.keeper.isStalled ? world.keeper.move() : world.keeper.stall()
      case 2: world.keeper.isCut.toggle()
      case 3: world.keeper.isFull.toggle()
      case 4: world.pass(random.duration(through: .seconds(400)))
      default:
        for _ in 0...random.index(below: 4) { world.tell(subjects[random.index(below: 4)]) }
      }
      world.pass(random.duration(through: .seconds(8)))
    }
    world.keeper.isFull = false
    world.keeper.isCut = false
    world.keeper.move()
    world.keeper.loss = 0
    if !world.keeper.isConnected { world.connect() }
    world.pass(.seconds(900))
    check(world, seed)
  }

  private func check(_ world: FactWorld, _ seed: UInt64) {
    let ids = world.keeper.stream.map(\.id)
    XCTAssertEqual(Set(ids).count, ids.count, "stored twice, seed \(seed)")
    XCTAssertEqual(Set(ids), Set(world.appended), "missing or made up, seed \(seed)")
    XCTAssertEqual(world["waiting"]?.integer, 0, "seed \(seed)")
    XCTAssertEqual(world["delivered"]?.integer, Int64(ids.count), "seed \(seed)")
    let live = world.stored { !$0.payload.contains("age_ms") }
    XCTAssertEqual(live, live.sorted(), "news out of order, seed \(seed)")
    // A fact that was sent as news goes before the backlog when its outcome was not known.
    let late = world.stored { $0.payload.contains("age_ms") && !world.keeper.sentLive.contains($0.id) }
    XCTAssertEqual(late, late.sorted(), "backlog out of order, seed \(seed)")
  }
}
