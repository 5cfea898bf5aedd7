import XCTest

@testable import Transport

final class LivenessTests: XCTestCase {
  private let zero = Instant(nanoseconds: 0)
  private let ping = Duration.seconds(10)
  private let detect = Duration.seconds(15)

  private func liveness() -> Liveness {
    Liveness(pingInterval: ping, detect: detect, connected: zero)
  }

  func testAnIdleLinkIsAskedAndADeadOneFound() {
    var liveness = liveness()
    XCTAssertEqual(liveness.deadline, zero + ping)
    XCTAssertEqual(liveness.step(at: zero + ping - .nanoseconds(1)), .nothing)
    XCTAssertEqual(liveness.step(at: zero + ping), .ping)
    XCTAssertEqual(liveness.step(at: zero + ping), .nothing)
    XCTAssertTrue(liveness.isPingUnanswered)
    XCTAssertEqual(liveness.deadline, zero + detect)
    XCTAssertFalse(liveness.needsProgress(at: zero + detect - .nanoseconds(1)))
    XCTAssertTrue(liveness.needsProgress(at: zero + detect))
    XCTAssertEqual(liveness.step(at: zero + detect), .silent(detect))
  }

  func testAPongBeginsAnew() {
    var liveness = liveness()
    _ = liveness.step(at: zero + ping)
    liveness.received(at: zero + .seconds(11))
    liveness.pongReceived()
    XCTAssertEqual(liveness.deadline, zero + .seconds(21))
    XCTAssertEqual(liveness.step(at: zero + .seconds(20)), .nothing)
  }

  /// A minute of data before the PONG: no verdict, as long as any of it comes or is acknowledged.
  func testAPongBehindAMinuteOfQueuedData() {
    for isOurs in [false, true] {
      var liveness = liveness()
      _ = liveness.step(at: zero + ping)
      for second in Int64(1)...64 {
        let now = zero + ping + .seconds(second)
        if isOurs {
          liveness.progressed(bytesAcknowledged: UInt64(second), at: now)
        } else {
          liveness.received(at: now)
        }
        XCTAssertEqual(liveness.step(at: now), .nothing)
      }
      liveness.received(at: zero + .seconds(74))
      liveness.pongReceived()
      XCTAssertEqual(liveness.step(at: zero + .seconds(83)), .nothing)
    }
  }

  func testAPeerThatAcknowledgesForEverAndNeverAnswers() {
    var liveness = liveness()
    var now = zero
    var asked: Instant?
    var acknowledged: UInt64 = 0
    while true {
      now = now + .seconds(1)
      acknowledged += 1
      liveness.progressed(bytesAcknowledged: acknowledged, at: now)
      switch liveness.step(at: now) {
      case .nothing: continue
      case .ping: asked = now
      case .silent: return XCTFail("it acknowledges")
      case .unanswered(let duration):
        XCTAssertEqual(asked, zero + ping)
        XCTAssertEqual(now, zero + ping + detect + .seconds(60))
        XCTAssertEqual(duration, now - zero)
        return
      }
    }
  }

  /// The same number again is no progress, however often it is read.
  func testOldAcknowledgementsAreNoLife() {
    var liveness = liveness()
    liveness.progressed(bytesAcknowledged: 100, at: zero + .seconds(1))
    _ = liveness.step(at: zero + ping)
    XCTAssertTrue(liveness.needsProgress(at: zero + .seconds(16)))
    liveness.progressed(bytesAcknowledged: 100, at: zero + .seconds(16))
    XCTAssertEqual(liveness.step(at: zero + .seconds(16)), .silent(.seconds(15)))
  }

  /// A step that comes late (the machine was busy) leaves the PONG its time.
  func testALatePingIsWaitedFor() {
    var liveness = liveness()
    XCTAssertEqual(liveness.step(at: zero + .seconds(100)), .ping)
    XCTAssertEqual(liveness.step(at: zero + .seconds(104)), .nothing)
    XCTAssertEqual(liveness.step(at: zero + .seconds(105)), .silent(.seconds(105)))
  }

  func testOddSettings() {
    let liveness = Liveness(pingInterval: .seconds(30), detect: .seconds(10), connected: zero)
    XCTAssertEqual(liveness.pingInterval, .seconds(5))
    var none = Liveness(pingInterval: .zero, detect: .zero, connected: zero)
    XCTAssertEqual(none.step(at: zero), .ping)
    var far = Liveness(
      pingInterval: .seconds(1), detect: Duration(nanoseconds: .max),
      connected: Instant(nanoseconds: .max - 1))
    XCTAssertEqual(far.step(at: Instant(nanoseconds: .max)), .ping)
    XCTAssertNotEqual(far.deadline, Instant(nanoseconds: .min))
  }

  // MARK: from seeds

  /// A connection whose peer receives, acknowledges and answers at random until it dies.
  private struct Life {
    var random: RandomGenerator
    var liveness: Liveness
    var now: Instant
    var lastReceived: Instant
    var lastLife: Instant
    /// What the kernel knows, and the liveness only when it asks.
    var acknowledged: UInt64 = 0
    var acknowledgedAt: Instant
    var asked: Instant?

    init(seed: UInt64) {
      random = RandomGenerator(seed: seed)
      now = Instant(nanoseconds: Int64(random.next(through: 1 << 40)))
      let detect = Duration.milliseconds(1 + Int64(random.next(through: 120_000)))
      let ping = Duration(nanoseconds: 1 + random.duration(through: detect).nanoseconds)
      liveness = Liveness(pingInterval: ping, detect: detect, connected: now)
      (lastReceived, lastLife, acknowledgedAt) = (now, now, now)
    }

    /// What the client does when the deadline comes: asks the kernel only when that is wanted.
    mutating func step() -> Liveness.Step {
      if liveness.needsProgress(at: now) {
        liveness.progressed(bytesAcknowledged: acknowledged, at: acknowledgedAt)
      }
      let step = liveness.step(at: now)
      if step == .ping { asked = now }
      return step
    }

    mutating func live() {
      if random.next(through: 1) == 0 {
        liveness.received(at: now)
        lastReceived = now
        if asked != nil, random.next(through: 3) == 0 {
          liveness.pongReceived()
          asked = nil
        }
      } else {
        acknowledged += 1 + random.next(through: 1000)
        acknowledgedAt = now
      }
      lastLife = now
    }
  }

  private func forEachSeed(_ body: (UInt64, inout Life) -> Void) {
    for seed in UInt64(0)..<2000 {
      var life = Life(seed: seed)
      body(seed, &life)
      if let count = testRun?.totalFailureCount, count > 0 { return print("seed \(seed)") }
    }
  }

  /// Lives for a while with pauses below `detect`, and is never thought dead; then dies, and is found
  /// exactly `detect` after its last sign of life.
  func testNeitherTooEarlyNorTooLate() {
    forEachSeed { seed, life in
      let end = life.now + life.liveness.detect * 40
      while life.now < end {
        var next = life.lastLife + life.random.duration(through: life.liveness.detect)
        // Whoever acknowledges must also send, or is found by the other bound.
        if let asked = life.asked {
          next = min(next, max(asked, life.lastReceived) + life.liveness.answerTimeout)
        }
        next = max(next - .nanoseconds(1), life.now)
        while life.liveness.deadline <= next {
          life.now = max(life.now, life.liveness.deadline)
          let step = life.step()
          XCTAssertTrue(step == .ping || step == .nothing, "\(step) seed \(seed)")
          if step != .ping && step != .nothing { return }
        }
        life.now = next
        life.live()
        if let asked = life.asked,
          life.now - max(asked, life.lastReceived) + life.liveness.detect
            >= life.liveness.answerTimeout
        {
          life.liveness.received(at: life.now)
          life.lastReceived = life.now
        }
      }
      let died = life.lastLife
      while true {
        life.now = life.liveness.deadline
        switch life.step() {
        case .nothing, .ping: continue
        case .silent(let duration):
          XCTAssertEqual(life.now - died, life.liveness.detect, "seed \(seed)")
          XCTAssertEqual(duration, life.liveness.detect, "seed \(seed)")
        case .unanswered: XCTFail("nothing was acknowledged, seed \(seed)")
        }
        return
      }
    }
  }

  /// Acknowledgements without end: asked once, and given up after exactly the stated time.
  func testAcknowledgementsAloneEnd() {
    forEachSeed { seed, life in
      let start = life.now
      let asked = start + life.liveness.pingInterval
      while true {
        let pause = max(life.random.duration(through: life.liveness.detect), .nanoseconds(1))
        life.now = min(life.now + pause, max(life.liveness.deadline, life.now))
        life.acknowledged += 1
        life.acknowledgedAt = life.now
        switch life.step() {
        case .nothing, .ping: continue
        case .silent: XCTFail("it acknowledged, seed \(seed)")
        case .unanswered: XCTAssertEqual(life.now, asked + life.liveness.answerTimeout)
        }
        return
      }
    }
  }
}
