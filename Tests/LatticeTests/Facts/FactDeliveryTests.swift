import Transport
import XCTest

@testable import Lattice

/// Facts on their way into a stream.
final class FactDeliveryTests: XCTestCase {
  private func counts(_ world: FactWorld) -> [Int64?] {
    ["waiting", "delivered", "dropped"].map { world[$0]?.integer }
  }

  func testFactsAreStoredInOrder() {
    let world = FactWorld()
    world.connect()
    for _ in 0..<20 { world.tell() }
    world.pass(.seconds(10))
    XCTAssertEqual(world.stored, Array(1...20))
    XCTAssertEqual(counts(world), [0, 20, 0])
    XCTAssertEqual(world["delivery"], .string("stream"))
    XCTAssertEqual(world["stream"], .string("EDGE"))
    XCTAssertNil(world["exactly_once"])
    XCTAssertNil(world.delivery.deadline)
    XCTAssertEqual(
      world.keeper.stream.first?.payload,
      #"{"n":1,"time":"2026-11-03T07:54:43.000000000Z","monotonic_ns":100000000000,"#
        + #""time_quality":"synced"}"#)
    // The stream's name, the subject's last sequence and the leave for batches are asked for once.
    XCTAssertEqual(world.keeper.requested.filter { $0.hasPrefix("$JS.") }.count, 3)
  }

  func testWhatIsNewGoesBeforeTheBacklogWhichSaysItsAge() {
    let world = FactWorld()
    for _ in 0..<30 { world.tell() }
    world.pass(.seconds(60))
    world.connect()
    for _ in 0..<3 {
      world.pass(.milliseconds(500))
      world.tell("gpio.gate.edge")
    }
    world.pass(.seconds(30))
    XCTAssertEqual(world.stored { $0.payload.contains("age_ms") }, Array(1...30))
    XCTAssertEqual(world.stored { !$0.payload.contains("age_ms") }, [31, 32, 33])
    XCTAssertLessThan(
      try XCTUnwrap(world.stored.firstIndex(of: 31)), try XCTUnwrap(world.stored.firstIndex(of: 30))
    )
    let age = json(world.keeper.stream[0].payload)?["age_ms"]?.integer ?? 0
    XCTAssertGreaterThanOrEqual(age, 60_000)
  }

  /// A copy that was stored, and whose word was lost, is found in the stream.
  func testALostWordIsLookedUp() {
    for looksAtSequenceFirst in [false, true] {
      let world = FactWorld()
      world.keeper.looksAtSequenceFirst = looksAtSequenceFirst
      world.connect()
      world.tell()
      world.pass(.seconds(1))
      world.tell()
      world.pass(.milliseconds(70))
      XCTAssertEqual(world.stored, [1, 2], "it has got there")
      world.disconnect()
      // The stream's window of ids is long over.
      world.pass(.seconds(3600))
      world.connect()
      world.tell()
      world.pass(.seconds(10))
      XCTAssertEqual(world.stored, [1, 2, 3])
      XCTAssertEqual(counts(world), [0, 3, 0])
    }
  }

  /// Copies lie in a stalled uplink, and come out of it when the stream has forgotten their ids.
  func testNothingIsStoredTwiceByAnUplinkThatStalls() {
    for delay in [0, 10, 30, 60, 100] as [Int64] {
      let world = FactWorld()
      world.connect()
      for _ in 0..<3 { world.tell() }
      world.pass(.seconds(5))
      world.tell()
      world.pass(.milliseconds(delay))
      world.keeper.stall()
      world.tell()
      world.pass(.seconds(900))
      world.keeper.move()
      world.tell()
      world.pass(.seconds(60))
      XCTAssertEqual(world.stored.sorted(), Array(1...6), "after \(delay) ms")
      XCTAssertEqual(counts(world), [0, 6, 0])
    }
  }

  func testAStreamThatIsFullIsTriedAgain() {
    let world = FactWorld()
    world.connect()
    world.keeper.isFull = true
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(30))
    XCTAssertEqual(world.stored, [])
    XCTAssertTrue(world.diagnostics.takeReports().contains { $0.contains("maximum messages") })
    world.keeper.isFull = false
    world.pass(.seconds(10))
    XCTAssertEqual(world.stored, [1, 2, 3, 4, 5])
  }

  // MARK: who keeps what

  /// A kind that nobody keeps holds up no other, and goes when there is somebody.
  func testAKindThatNobodyKeepsIsParked() {
    let world = FactWorld()
    world.keeper.kept = [".edge"]
    world.connect()
    for _ in 0..<5 {
      world.tell("gpio.water.count")
      world.tell("gpio.door.edge")
      world.tell("host.clock")
    }
    world.pass(.seconds(30))
    XCTAssertEqual(world.stored, [2, 5, 8, 11, 14])
    XCTAssertEqual(world["unkept"], .list([.string("gpio.count"), .string("host")]))
    XCTAssertEqual(world["waiting"]?.integer, 10)
    world.keeper.kept = [".edge", ".count"]
    world.pass(.seconds(90))
    XCTAssertEqual(world.stored { $0.subject.hasSuffix("count") }, [1, 4, 7, 10, 13])
    XCTAssertEqual(world["unkept"], .list([.string("host")]))
    world.disconnect()
    world.keeper.kept = [""]
    world.connect()
    world.pass(.seconds(5))
    XCTAssertEqual(world.stored { $0.subject.hasSuffix("clock") }, [3, 6, 9, 12, 15])
    XCTAssertNil(world["unkept"])
  }

  /// Somebody who looks and keeps nothing: there are responders, and no answer.
  func testAKindThatIsOnlyLookedAtIsParked() {
    let world = FactWorld()
    world.keeper.kept = [".edge"]
    world.keeper.reply = { _ in nil }
    world.connect()
    world.tell("host.started")
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(60))
    XCTAssertEqual(world.stored, [2, 3, 4, 5, 6])
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(2))
    XCTAssertEqual(world.stored.count, 10, "nothing waits for the kind that is parked")
  }

  /// A cut uplink is no reason to let newer facts pass: it is known that there is a stream.
  func testACutUplinkParksNothing() {
    let world = FactWorld()
    world.connect()
    world.tell()
    world.pass(.seconds(1))
    world.keeper.isCut = true
    for subject in ["gpio.door.edge", "sensors.room.reading", "host.clock"] { world.tell(subject) }
    world.pass(.seconds(300))
    XCTAssertNil(world["unkept"])
    XCTAssertEqual(world["delivery"], .string("waiting"))
    world.keeper.isCut = false
    world.pass(.seconds(10))
    XCTAssertEqual(world.stored, [1, 2, 3, 4])
    XCTAssertEqual(world.stored { $0.payload.contains("age_ms") }, [2, 3, 4])
  }

  /// A stream that was only heard of is one, too: no fact passes another because nobody answers, and none
  /// goes without a condition.
  func testAStreamThatWasNamedIsWaitedFor() {
    for delay in stride(from: Int64(0), through: 300, by: 20) {
      let world = FactWorld()
      world.connect()
      world.tell("host.started")
      world.pass(.milliseconds(delay))
      world.keeper.stall()
      let isNamed = world.keeper.requested.count > 1
      for _ in 0..<3 {
        world.tell()
        world.tell("sensors.room.reading")
      }
      world.pass(.seconds(900))
      world.keeper.move()
      world.pass(.seconds(200))
      XCTAssertEqual(world.stored.sorted(), Array(1...7), "after \(delay) ms")
      if isNamed { XCTAssertEqual(world.stored, Array(1...7), "after \(delay) ms") }
    }
  }

  func testAnUplinkThatIsCutBehindTheNameParksNothing() {
    for delay in stride(from: Int64(0), through: 300, by: 20) {
      let world = FactWorld()
      world.connect()
      world.tell("host.started")
      world.pass(.milliseconds(delay))
      world.keeper.isCut = true
      let isNamed = world.keeper.requested.count > 1
      for _ in 0..<3 { world.tell() }
      world.pass(.seconds(300))
      if isNamed { XCTAssertNil(world["unkept"], "after \(delay) ms") }
      world.keeper.isCut = false
      world.pass(.seconds(200))
      XCTAssertEqual(world.stored.sorted(), Array(1...4), "after \(delay) ms")
      if isNamed { XCTAssertEqual(world.stored, Array(1...4), "after \(delay) ms") }
    }
  }

  /// A JetStream that names its streams and lets nobody look into them, without a word of why.
  func testAStreamThatCanOnlyBeNamed() {
    let world = FactWorld()
    world.keeper.hasLookUps = false
    world.connect()
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(60))
    XCTAssertEqual(world.stored, [1, 2, 3, 4, 5])
  }

  func testAConsumerThatRepliesKeepsFacts() {
    let world = FactWorld()
    var seen: [String] = []
    world.keeper.kept = []
    world.keeper.hasAPI = false
    world.keeper.reply = { id in
      seen.append(id)
      return ""
    }
    world.connect()
    for _ in 0..<10 { world.tell() }
    world.pass(.seconds(10))
    XCTAssertEqual(seen, (1...10).map { "RUN1-\($0)" })
    XCTAssertEqual(world["delivery"], .string("consumer"))
    XCTAssertEqual(world.keeper.requested.filter { $0.hasPrefix("$JS.") }.count, 1, "asked once")
    // Whoever does not answer gets the same again.
    world.keeper.reply = { id in
      seen.append(id)
      return seen.count > 13 ? "" : nil
    }
    world.tell()
    world.pass(.seconds(120))
    XCTAssertEqual(Array(seen.dropFirst(10)), [String](repeating: "RUN1-11", count: 4))
    XCTAssertEqual(counts(world), [0, 11, 0])
  }

  /// Servers in a cluster without JetStream say nothing at all. That is waited for once, and not again after
  /// each silence of whoever keeps facts.
  func testAJetStreamThatNeverAnswersIsNotAskedForEver() {
    let world = FactWorld()
    var seen: [String] = []
    world.keeper.kept = []
    world.keeper.isAPISilent = true
    world.connect()
    world.tell()
    world.pass(.seconds(120))
    let asked = world.keeper.requested.filter { $0.hasPrefix("$JS.") }.count
    world.disconnect()
    world.keeper.reply = { id in
      seen.append(id)
      return ""
    }
    world.tell()
    world.connect()
    world.pass(.seconds(5))
    XCTAssertEqual(seen, ["RUN1-1", "RUN1-2"])
    XCTAssertEqual(world.keeper.requested.filter { $0.hasPrefix("$JS.") }.count, asked)
  }

  /// A stream that takes facts and a JetStream that may not be asked: it is said that one may come twice.
  func testAStreamThatCannotBeAsked() {
    let world = FactWorld()
    world.connect()
    world.delivery.handleAskingDenied()
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(10))
    XCTAssertEqual(world.stored, [1, 2, 3, 4, 5])
    XCTAssertEqual(world["exactly_once"], .bool(false))
    XCTAssertEqual(world.keeper.requested.filter { $0.hasPrefix("$JS.") }, [])
  }

  func testAtMostOnce() {
    let world = FactWorld(guarantee: .atMostOnce)
    world.tell()
    XCTAssertEqual(world.keeper.published, [])
    world.connect()
    world.tell()
    XCTAssertEqual(world.keeper.published.count, 2)
    XCTAssertEqual(world.keeper.requested, [])
    XCTAssertEqual(world["delivery"], .string("at_most_once"))
    world.keeper.error = .outboxFull
    world.tell()
    world.pass(.seconds(2))
    XCTAssertEqual(world["waiting"]?.integer, 1)
    world.keeper.error = nil
    world.pass(.seconds(2))
    XCTAssertEqual(world.keeper.published.count, 3)
    XCTAssertEqual(counts(world), [0, 3, 0])
  }

  func testAStreamThatWasMadeAnew() {
    let world = FactWorld()
    world.connect()
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(5))
    world.keeper.deleteStream()
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(30))
    XCTAssertEqual(world.stored, Array(6...10))
    world.keeper.deleteStream()
    world.keeper.streamName = "OTHER"
    for _ in 0..<5 { world.tell() }
    world.pass(.seconds(30))
    XCTAssertEqual(world.stored, Array(11...15))
    XCTAssertEqual(world["stream"], .string("OTHER"))
  }

  /// What no message can carry must not hold up all that follows.
  func testAFactThatCanNeverBeSentIsDropped() {
    let world = FactWorld()
    world.connect()
    world.tell()
    world.pass(.seconds(1))
    world.keeper.error = .tooLarge(size: 40_000, limit: 32_768)
    world.tell()
    world.keeper.error = nil
    world.tell()
    world.pass(.seconds(1))
    XCTAssertEqual(world.stored, [1, 3])
    XCTAssertEqual(counts(world), [0, 2, 1])
    XCTAssertEqual(world.diagnostics.reports.count, 1)
  }
}
