import XCTest

@testable import Transport

extension CommandFence {
  /// Upper bound of the age of a message that arrives now.
  fileprivate func ageBound(at now: Instant) -> Transport.Duration { max(now - takenAfter, .zero) }
}

final class CommandFenceTests: XCTestCase {
  private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

  func testWhatArrivesBeforeAPongMayBeAsOldAsThePingBefore() {
    var fence = CommandFence(opened: at(10))
    XCTAssertEqual(fence.ageBound(at: at(10)), .zero)
    XCTAssertEqual(fence.ageBound(at: at(13)), .seconds(3))
    fence.pingSent(at: at(20))
    XCTAssertEqual(fence.ageBound(at: at(25)), .seconds(15))
    fence.pongReceived()
    XCTAssertEqual(fence.ageBound(at: at(25)), .seconds(5))
    fence.pingSent(at: at(30))
    fence.pingSent(at: at(31))
    XCTAssertEqual(fence.ageBound(at: at(40)), .seconds(20))
    fence.pongReceived()
    XCTAssertEqual(fence.ageBound(at: at(40)), .seconds(10))
    fence.pongReceived()
    XCTAssertEqual(fence.ageBound(at: at(40)), .seconds(9))
    // A PONG that answers nothing proves nothing.
    fence.pongReceived()
    XCTAssertEqual(fence.ageBound(at: at(40)), .seconds(9))
    XCTAssertEqual(fence.ageBound(at: at(1)), .zero)
  }

  func testMorePingsThanAreKept() {
    var fence = CommandFence(opened: at(0))
    for second in Int64(1)...10 { fence.pingSent(at: at(second)) }
    for _ in 1...4 { fence.pongReceived() }
    XCTAssertEqual(fence.takenAfter, at(4))
    for _ in 5...10 { fence.pongReceived() }
    XCTAssertEqual(fence.takenAfter, at(4))
    fence.pingSent(at: at(20))
    fence.pongReceived()
    XCTAssertEqual(fence.takenAfter, at(20))
  }

  /// A server and a link that delays and stalls both ways at random, but keeps the order: nothing that
  /// arrives is older than the bound; and on a link that answers at once the bound is small.
  func testTheBoundHoldsOnAnyLink() {
    for seed in UInt64(0)..<500 {
      var random = RandomGenerator(seed: seed)
      var now = Instant(nanoseconds: 0)
      var fence = CommandFence(opened: now)
      // When each arrives at the server, and what it then sends: nil for a PONG, else when it was
      // taken; both in order.
      var pings: [Instant] = []
      var downlink: [(arrives: Instant, taken: Instant?)] = []
      var lastUp = now
      var lastDown = now
      for _ in 0..<300 {
        now = now + random.duration(through: .seconds(2))
        while let ping = pings.first, ping <= now {
          pings.removeFirst()
          lastDown = max(lastDown, ping + random.duration(through: .seconds(9)))
          downlink.append((lastDown, nil))
        }
        while let first = downlink.first, first.arrives <= now {
          downlink.removeFirst()
          if let taken = first.taken {
            XCTAssertLessThanOrEqual(now - taken, fence.ageBound(at: now), "seed \(seed)")
          } else {
            fence.pongReceived()
          }
        }
        switch random.next(through: 2) {
        case 0:
          fence.pingSent(at: now)
          lastUp = max(lastUp, now + random.duration(through: .seconds(9)))
          pings.append(lastUp)
        case 1:
          lastDown = max(lastDown, now + random.duration(through: .seconds(9)))
          downlink.append((lastDown, now))
        default: break
        }
      }
    }
  }
}
