import XCTest

@testable import Transport

/// Consumers over a link that loses and breaks, in virtual time.
final class PullConsumerTests: XCTestCase {
  /// A consumer, its stream, and what it gave.
  private final class Walk {
    let time = FakeTime()
    let bus: ModelJetStream
    var consumer: PullConsumer?
    var seen: [UInt64] = []
    var problems: [JetStreamFailure] = []
    var currents = 0
    var restarts = 0
    /// What is not done the first time.
    var refused: Set<UInt64> = []

    init(_ kind: ConsumerConfiguration.Kind, seed: UInt64, limits: PullLimits = PullLimits()) throws
    {
      bus = ModelJetStream(seed: seed, time: time)
      var limits = limits
      limits.batchMessages = 4
      consumer = try PullConsumer(
        of: "EDGE", on: JetStream(over: bus), ConsumerConfiguration(kind), limits: limits,
        time: time, seed: seed
      ) { [unowned self] event in take(event) }
    }

    private func take(_ event: borrowing PullEvent) {
      switch event {
      case .current: currents += 1
      case .problem(let failure): problems.append(failure)
      case .restarted:
        restarts += 1
        seen = []
      case .message(let message, let delivery):
        XCTAssertEqual(message.payload.string, "\(delivery.streamSequence)")
        seen.append(delivery.streamSequence)
        let isAgain = refused.remove(delivery.streamSequence) != nil
        try? consumer?.acknowledge(delivery, isAgain ? .again(after: .zero) : .done)
      }
    }

    /// Lets time pass, event by event.
    func pass(_ duration: Transport.Duration) {
      let end = time.now + duration
      while time.now < end {
        guard let next = Instant.earlier(bus.run(), consumer?.deadline), next <= end else { break }
        time.advance(max(next - time.now, .milliseconds(1)))
        _ = bus.run()
        consumer?.handleDeadline(at: time.now)
      }
      time.advance(max(end - time.now, .zero))
    }

    func cut(for duration: Transport.Duration) {
      bus.cut()
      consumer?.linkChanged(isConnected: false, at: time.now)
      pass(duration)
      bus.heal()
      consumer?.linkChanged(isConnected: true, at: time.now)
    }
  }

  private func walk(_ walk: Walk, _ random: inout RandomGenerator, steps: Int) {
    walk.bus.trouble = random.element(of: [0, 5, 20])
    for _ in 0..<steps {
      switch random.index(below: 10) {
      case 0...4: for _ in 0..<random.index(below: 7) { walk.bus.addMessage() }
      case 5: walk.cut(for: .milliseconds(Int64(random.index(below: 100_000))))
      case 6 where random.oneIn(3): walk.bus.loseConsumer()
      default: walk.pass(.milliseconds(Int64(random.index(below: 60_000))))
      }
    }
    // The very last may be lost, with nothing behind it that would show the gap.
    for _ in 0..<3 {
      walk.bus.addMessage()
      walk.pass(.seconds(30))
    }
    walk.bus.trouble = 0
    walk.pass(.seconds(1000))
  }

  private var seeds: Range<UInt64> { 1..<200 }

  /// In order, each once, whatever was lost.
  func testOrdered() throws {
    for seed in seeds {
      var random = RandomGenerator(seed: seed)
      let walk = try Walk(.ordered, seed: seed)
      XCTAssertEqual(walk.consumer?.start(), true)
      self.walk(walk, &random, steps: 30)
      guard walk.seen == Array(stride(from: 1, through: walk.bus.last, by: 1)) else {
        return XCTFail("seed \(seed): \(walk.seen) of \(walk.bus.last)")
      }
      XCTAssertEqual(walk.currents, 1, "seed \(seed)")
      XCTAssertEqual(walk.restarts, 0, "seed \(seed)")
      walk.consumer?.stop()
      walk.pass(.seconds(1))
      XCTAssertLessThanOrEqual(walk.bus.consumerCount, walk.bus.creations)
    }
  }

  /// Each at least once, and acknowledged in the end.
  func testDurable() throws {
    for seed in seeds {
      var random = RandomGenerator(seed: seed)
      let walk = try Walk(.durable("D"), seed: seed)
      walk.refused = [1, 3, 10, 20]
      XCTAssertEqual(walk.consumer?.start(), true)
      self.walk(walk, &random, steps: 30)
      let all = Set(stride(from: 1, through: walk.bus.last, by: 1))
      guard walk.bus.acknowledged == all else {
        return XCTFail("seed \(seed): \(all.subtracting(walk.bus.acknowledged)) left")
      }
      XCTAssertTrue(all.isSubset(of: walk.seen), "seed \(seed)")
    }
  }

  /// Without trouble nothing comes twice, and an idle consumer asks once per request's life.
  func testQuietLink() throws {
    let walk = try Walk(.durable("D"), seed: 1)
    for _ in 0..<10 { walk.bus.addMessage() }
    XCTAssertEqual(walk.consumer?.start(), true)
    walk.pass(.seconds(5))
    XCTAssertEqual(walk.seen, Array(1...10))
    XCTAssertEqual(walk.problems, [])
    XCTAssertEqual(walk.currents, 1)
    XCTAssertEqual(walk.bus.pulls, 3, "batches of four")
    walk.pass(.seconds(3000))
    XCTAssertEqual(walk.bus.pulls, 13, "one more each five minutes")
    XCTAssertEqual(walk.seen.count, 10)
  }

  func testAStreamThatIsMadeAnewComesWhole() throws {
    let walk = try Walk(.ordered, seed: 1)
    for _ in 0..<6 { walk.bus.addMessage() }
    XCTAssertEqual(walk.consumer?.start(), true)
    walk.pass(.seconds(5))
    XCTAssertEqual(walk.seen, Array(1...6))
    walk.bus.replaceStream()
    for _ in 0..<2 { walk.bus.addMessage() }
    walk.pass(.seconds(5))
    XCTAssertEqual(walk.restarts, 1)
    XCTAssertEqual(walk.seen, [1, 2])
    XCTAssertEqual(walk.currents, 2)
  }

  func testOrderedConsumersAreRemoved() throws {
    let walk = try Walk(.ordered, seed: 1)
    XCTAssertEqual(walk.consumer?.start(), true)
    walk.pass(.seconds(1))
    for _ in 0..<5 {
      walk.cut(for: .seconds(1))
      walk.pass(.seconds(1))
    }
    XCTAssertEqual(walk.bus.creations, 6)
    XCTAssertEqual(walk.bus.consumerCount, 1)
    walk.consumer?.stop()
    walk.pass(.seconds(1))
    XCTAssertEqual(walk.bus.consumerCount, 0)
    XCTAssertNil(walk.consumer?.deadline)
  }

  func testPausing() throws {
    let walk = try Walk(.durable("D"), seed: 1)
    for _ in 0..<10 { walk.bus.addMessage() }
    XCTAssertEqual(walk.consumer?.start(), true)
    walk.consumer?.pause()
    walk.pass(.seconds(500))
    XCTAssertEqual(walk.seen, [])
    XCTAssertEqual(walk.bus.pulls, 0)
    XCTAssertNil(walk.consumer?.deadline)
    walk.consumer?.resume()
    walk.consumer?.resume()
    walk.pass(.seconds(1))
    XCTAssertEqual(walk.seen, Array(1...10))
  }

  func testProblemsAreReportedAndTriedAgainMoreAndMoreSlowly() throws {
    let walk = try Walk(.durable("D"), seed: 1)
    walk.bus.trouble = 100
    XCTAssertEqual(walk.consumer?.start(), true)
    walk.pass(.seconds(3600))
    XCTAssertEqual(Set(walk.problems.map { "\($0)" }), ["no answer in time"])
    XCTAssertLessThan(walk.problems.count, 3600 / 10)
    XCTAssertGreaterThan(walk.problems.count, 3600 / 75)
  }

  func testNames() throws {
    let bus = ModelJetStream(seed: 1, time: FakeTime())
    for bad in ["", "a.b", "a b", "*", ">", "a/b", "é", String(repeating: "x", count: 256)] {
      XCTAssertThrowsError(try JetStream(over: bus, domain: bad)) {
        XCTAssertEqual($0 as? JetStreamFailure, .invalidName(bad))
      }
      XCTAssertThrowsError(
        try PullConsumer(
          of: "EDGE", on: JetStream(over: bus), ConsumerConfiguration(.durable(bad)),
          time: FakeTime(), seed: 1
        ) { _ in }
      ) { XCTAssertEqual($0 as? JetStreamFailure, .invalidName(bad)) }
    }
    XCTAssertEqual(try JetStream(over: bus, domain: "hub").prefix.string, "$JS.hub.API.")
    XCTAssertEqual(try JetStream(over: bus).prefix.string, "$JS.API.")
  }
}
