import XCTest

@testable import Transport

final class HerdTests: XCTestCase {
  /// The most attempts within any second, over sorted instants.
  private func busiestSecond(_ instants: [Instant]) -> Int {
    let sorted = instants.sorted()
    var first = 0
    var most = 0
    for index in sorted.indices {
      while sorted[index] - sorted[first] >= .seconds(1) { first += 1 }
      most = max(most, index - first + 1)
    }
    return most
  }

  /// One host of a fleet: its attempts from the moments it loses the link, each followed by `failures`
  /// more because the hub does not answer.
  private func attempts(
    hosts: UInt32, seed: UInt64, losses: [Instant], failures: Int
  ) -> [Instant] {
    var random = RandomGenerator(seed: seed)
    var herd = Herd(hosts: hosts, seed: random.next())
    var backoff = Backoff(first: .milliseconds(250), cap: .seconds(15), seed: random.next())
    var attempts: [Instant] = []
    var now = Instant(nanoseconds: 0)
    for loss in losses {
      now = max(now, loss)
      for _ in 0...failures {
        now = herd.nextAttempt(from: now + backoff.next())
        attempts.append(now)
      }
      backoff.reset()
    }
    return attempts
  }

  private func fleet(
    _ hosts: UInt32, round: UInt64, failures: Int = 3, loss: (UInt64) -> [Instant]
  ) -> [Instant] {
    (0..<UInt64(hosts)).flatMap {
      attempts(hosts: hosts, seed: round << 32 | $0, losses: loss($0), failures: failures)
    }
  }

  func testAFleetThatLosesItsHubAtOnceNeverComesInAStampede() {
    for round in UInt64(0)..<20 {
      let instants = fleet(400, round: round) { _ in [Instant(nanoseconds: 0)] }
      XCTAssertEqual(instants.count, 1600)
      XCTAssertLessThanOrEqual(busiestSecond(instants), Int(Herd.attemptsPerSecondMax))
      // All have tried once when the window and the first jitter are over.
      let first = fleet(400, round: round, failures: 0) { _ in [Instant(nanoseconds: 0)] }
      XCTAssertLessThanOrEqual(
        first.max()!, Instant(nanoseconds: 0) + .seconds(20) + .milliseconds(250))
    }
  }

  /// However the losses are staggered, and although a link that flaps resets the backoff.
  func testStaggeredAndFlappingLosses() {
    for round in UInt64(0)..<10 {
      let waves = fleet(400, round: round, failures: 0) { host in
        (0..<6).map { wave in
          Instant(nanoseconds: 0) + .milliseconds(Int64(host % 20) * 50) + .seconds(3) * Int64(wave)
        }
      }
      XCTAssertEqual(waves.count, 2400)
      XCTAssertLessThanOrEqual(busiestSecond(waves), Int(Herd.attemptsPerSecondMax))
    }
  }

  /// Not by luck: without the herd the same fleet does what the bound forbids.
  func testWithoutHerdThereIsAStampede() {
    var instants: [Instant] = []
    for host in UInt64(0)..<400 {
      instants += attempts(
        hosts: 0, seed: host, losses: [Instant(nanoseconds: 0)], failures: 0)
    }
    XCTAssertEqual(busiestSecond(instants), 400)
  }

  func testOneAttemptInEachWindow() {
    for seed in UInt64(0)..<200 {
      var herd = Herd(hosts: 400, seed: seed)
      var now = Instant(nanoseconds: 0)
      var starts = now
      for _ in 0..<20 {
        now = herd.nextAttempt(from: now)
        XCTAssertGreaterThanOrEqual(now, starts)
        XCTAssertLessThan(now, starts + herd.window)
        starts = starts + herd.window
      }
    }
  }

  /// The network's return moves a window that has not begun, and cannot be used to draw again.
  func testHaste() {
    for seed in UInt64(0)..<200 {
      var herd = Herd(hosts: 400, seed: seed)
      let zero = Instant(nanoseconds: 0)
      let attempt = herd.nextAttempt(from: zero + .seconds(600))
      let earlier = herd.hasten(attempt, to: zero + .seconds(30))
      XCTAssertEqual(attempt - earlier, .seconds(570))
      XCTAssertEqual(herd.hasten(earlier, to: zero + .seconds(30)), earlier)
      XCTAssertEqual(herd.hasten(earlier, to: earlier), earlier)
      // The next window follows the moved one, and does not begin in it.
      let next = herd.nextAttempt(from: earlier + .seconds(60))
      XCTAssertGreaterThanOrEqual(next, zero + .seconds(50))
      let hastened = herd.hasten(next, to: earlier)
      XCTAssertGreaterThanOrEqual(hastened, zero + .seconds(50))
      XCTAssertLessThan(hastened, zero + .seconds(70))
    }
  }

  func testNoFleet() {
    for hosts in [UInt32(0), 1] {
      var herd = Herd(hosts: hosts, seed: 1)
      let now = Instant(nanoseconds: 7)
      XCTAssertEqual(herd.window, .zero)
      XCTAssertEqual(herd.nextAttempt(from: now), now)
      XCTAssertEqual(herd.hasten(now + .seconds(9), to: now), now)
      XCTAssertEqual(herd.hasten(now, to: now + .seconds(9)), now)
    }
    var largest = Herd(hosts: .max, seed: 1)
    let far = Instant(nanoseconds: .max)
    XCTAssertLessThanOrEqual(largest.nextAttempt(from: far), far)
  }
}
