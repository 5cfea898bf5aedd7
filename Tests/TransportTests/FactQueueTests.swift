import XCTest

@testable import Transport

final class FactQueueTests: XCTestCase {
  private let now = Instant(nanoseconds: 1_000_000_000)

  /// A connected queue.
  private func queue(capacity: Int = 1000, seed: UInt64 = 1) -> FactQueue {
    let queue = FactQueue(capacity: capacity, seed: seed)
    queue.handleConnected()
    return queue
  }

  private func append(_ payload: String, to queue: FactQueue) {
    queue.append(subject: bytes("s"), payload: bytes(payload))
  }

  /// The payloads that come out when every fact is acknowledged at once.
  private func drained(_ queue: FactQueue) -> [String] {
    var payloads: [String] = []
    while let fact = queue.next(at: now) {
      payloads.append(fact.payload.string)
      queue.handle(.acknowledged, of: fact.sequence, at: now)
    }
    return payloads
  }

  func testOneAtATimeInOrder() throws {
    let queue = queue()
    for payload in ["a", "bb", ""] { append(payload, to: queue) }
    XCTAssertEqual(queue.count, 3)
    XCTAssertEqual(queue.byteCount, 3 * 9 + 3)

    let first = try XCTUnwrap(queue.next(at: now))
    XCTAssertEqual(first, Fact(sequence: 1, subject: bytes("s"), payload: bytes("a")))
    XCTAssertNil(queue.next(at: now), "one is under way")
    XCTAssertNil(queue.deadline)
    XCTAssertEqual(queue.count, 3, "it stays until it is acknowledged")

    queue.handle(.acknowledged, of: 1, at: now)
    XCTAssertEqual(queue.count, 2)
    XCTAssertEqual(queue.deliveredCount, 1)
    XCTAssertEqual(queue.next(at: now)?.sequence, 2)
    queue.handle(.acknowledged, of: 2, at: now)
    XCTAssertEqual(drained(queue), [""])
    XCTAssertEqual(queue.deliveredCount, 3)
    XCTAssertEqual(queue.droppedCount, 0)
    XCTAssertEqual(queue.byteCount, 0)
    XCTAssertNil(queue.next(at: now))
  }

  func testNotAcknowledgedPausesForLongerEachTime() throws {
    // The jitter of two seeds differs, their bounds do not.
    for seed in UInt64(0)..<20 {
      let queue = queue(seed: seed)
      append("a", to: queue)
      var time = now
      for failure in 0..<12 {
        let fact = try XCTUnwrap(queue.next(at: time))
        XCTAssertEqual(fact.sequence, 1, "the same one again")
        queue.handle(.notAcknowledged, of: 1, at: time)
        let pause = try XCTUnwrap(queue.deadline) - time
        let bound = min(FactQueue.retryFirst * (1 << Int64(failure)), FactQueue.retryCap)
        XCTAssertLessThanOrEqual(pause, bound)
        if failure >= 2 { XCTAssertGreaterThanOrEqual(pause * 4, bound) }
        if pause > .zero {
          XCTAssertNil(queue.next(at: time + pause - .nanoseconds(1)), "still pausing")
        }
        time = time + pause
      }
      // One acknowledgement, and the next failure counts as the first.
      XCTAssertNotNil(queue.next(at: time))
      queue.handle(.acknowledged, of: 1, at: time)
      append("b", to: queue)
      XCTAssertEqual(queue.next(at: time)?.sequence, 2)
      queue.handle(.notAcknowledged, of: 2, at: time)
      XCTAssertLessThanOrEqual(try XCTUnwrap(queue.deadline) - time, FactQueue.retryFirst)
    }
  }

  func testNothingGoesWithoutALink() {
    let queue = FactQueue(capacity: 1000, seed: 1)
    append("a", to: queue)
    XCTAssertNil(queue.next(at: now))
    XCTAssertNil(queue.deadline)
    queue.handleConnected()
    XCTAssertEqual(queue.next(at: now)?.sequence, 1)
    queue.handleDisconnected()
    XCTAssertNil(queue.next(at: now))
    queue.handleConnected()
    XCTAssertEqual(queue.next(at: now)?.sequence, 1, "what was under way counts as unsent")
  }

  func testANewLinkEndsThePause() throws {
    let queue = queue()
    append("a", to: queue)
    for _ in 0..<8 {
      let fact = try XCTUnwrap(queue.next(at: queue.deadline ?? now))
      queue.handle(.notAcknowledged, of: fact.sequence, at: now)
    }
    XCTAssertNotNil(queue.deadline)
    queue.handleDisconnected()
    XCTAssertNil(queue.deadline, "nothing to wake up for")
    queue.handleConnected()
    XCTAssertEqual(queue.next(at: now)?.sequence, 1)
    queue.handle(.notAcknowledged, of: 1, at: now)
    XCTAssertLessThanOrEqual(
      try XCTUnwrap(queue.deadline) - now, FactQueue.retryFirst, "the back-off began anew")
  }

  func testOutcomesOfOthersAreIgnored() {
    let queue = queue()
    for payload in ["a", "b"] { append(payload, to: queue) }
    queue.handle(.acknowledged, of: 1, at: now)
    XCTAssertEqual(queue.count, 2, "nothing was under way")
    XCTAssertEqual(queue.next(at: now)?.sequence, 1)
    for sequence in [0, 2, .max] as [UInt64] {
      queue.handle(.acknowledged, of: sequence, at: now)
      queue.handle(.notAcknowledged, of: sequence, at: now)
    }
    XCTAssertEqual(queue.count, 2)
    XCTAssertNil(queue.next(at: now), "still under way")
    queue.handle(.acknowledged, of: 1, at: now)
    queue.handle(.acknowledged, of: 1, at: now)
    XCTAssertEqual(drained(queue), ["b"])
  }

  func testTheOldestMakeRoom() {
    // Four facts of ten bytes fit.
    let queue = queue(capacity: 45)
    for payload in ["a", "b", "c", "d"] { append(payload, to: queue) }
    XCTAssertEqual(queue.droppedCount, 0)
    append("e", to: queue)
    XCTAssertEqual(queue.droppedCount, 1)
    append("0123456789", to: queue)
    XCTAssertEqual(queue.droppedCount, 3)
    XCTAssertEqual(queue.count, 3)
    XCTAssertEqual(queue.next(at: now)?.sequence, 4, "numbers stay with their facts")
    queue.handle(.notAcknowledged, of: 4, at: now)
    queue.handleConnected()
    XCTAssertEqual(drained(queue), ["d", "e", "0123456789"])
  }

  /// What was sent may be stored, or arrive late over a link that was given up: it goes first or not at
  /// all.
  func testWhatWasSentMakesNoRoom() {
    for outcome in [FactOutcome.acknowledged, .notAcknowledged, .unsendable] {
      let queue = queue(capacity: 30)
      for payload in ["a", "b", "c"] { append(payload, to: queue) }
      XCTAssertEqual(queue.next(at: now)?.sequence, 1)
      append("d", to: queue)
      XCTAssertEqual(queue.droppedCount, 1, "the oldest unsent")
      XCTAssertNil(queue.next(at: now), "the next waits for the outcome")
      queue.handle(outcome, of: 1, at: now)
      XCTAssertEqual(queue.deliveredCount, outcome == .acknowledged ? 1 : 0)
      queue.handleConnected()
      XCTAssertEqual(drained(queue), outcome == .notAcknowledged ? ["a", "c", "d"] : ["c", "d"])
    }
  }

  func testWhatWasSentStaysOverALostLink() {
    let queue = queue(capacity: 20)
    for payload in ["a", "b"] { append(payload, to: queue) }
    XCTAssertEqual(queue.next(at: now)?.sequence, 1)
    queue.handleDisconnected()
    for payload in ["c", "d"] { append(payload, to: queue) }
    append("01234567890", to: queue)
    XCTAssertEqual(queue.droppedCount, 3, "the last had no room beside what was sent")
    queue.handleConnected()
    XCTAssertEqual(queue.next(at: now)?.sequence, 1)
    queue.handle(.acknowledged, of: 1, at: now)
    XCTAssertEqual(queue.next(at: now)?.sequence, 4)
    queue.handle(.acknowledged, of: 4, at: now)
    XCTAssertEqual(queue.count, 0)
  }

  func testAFactThatCanNeverBeSentGoes() {
    let queue = queue(capacity: 20)
    for payload in ["a", "b"] { append(payload, to: queue) }
    XCTAssertEqual(queue.next(at: now)?.sequence, 1)
    queue.handle(.unsendable, of: 1, at: now)
    XCTAssertNil(queue.deadline, "the next need not wait")
    XCTAssertEqual(queue.next(at: now)?.sequence, 2)
    append("c", to: queue)
    queue.handle(.unsendable, of: 2, at: now)
    XCTAssertEqual(queue.droppedCount, 2)
    XCTAssertEqual(queue.deliveredCount, 0)
    XCTAssertEqual(drained(queue), ["c"])
  }

  func testAFactLargerThanTheQueue() {
    let queue = queue(capacity: 20)
    append("a", to: queue)
    append("0123456789012", to: queue)
    XCTAssertEqual(queue.droppedCount, 1)
    append("01234567890", to: queue)
    XCTAssertEqual(queue.droppedCount, 2, "just fits, alone")
    XCTAssertEqual(queue.byteCount, 20)
    XCTAssertEqual(queue.next(at: now)?.sequence, 2, "what was never kept has no number")
    let tiny = self.queue(capacity: 0)
    append("", to: tiny)
    XCTAssertEqual(tiny.droppedCount, 1)
    XCTAssertNil(tiny.next(at: now))
  }

  func testRandomWalks() {
    for seed in UInt64(0)..<60 {
      var walk = FactQueueWalk(seed: seed)
      for _ in 0..<2000 {
        if let problem = walk.step() {
          return XCTFail("seed \(seed), after \(walk.steps) steps: \(problem)")
        }
      }
    }
  }
}

/// Random operations on a queue and on a model of it: an array of facts.
private struct FactQueueWalk {
  private(set) var steps = 0
  private var random: RandomGenerator
  private let queue: FactQueue
  private let capacity: Int
  private var model: [Fact] = []
  private var nextSequence: UInt64 = 1
  private var isConnected = false
  private var underWay: UInt64?
  /// The last that came out.
  private var sent: UInt64?
  private var now = Instant(nanoseconds: 0)
  private var delivered: UInt64 = 0
  private var dropped: UInt64 = 0
  private var lastDelivered: UInt64 = 0

  init(seed: UInt64) {
    random = RandomGenerator(seed: seed)
    capacity = 1 + random.index(below: 400)
    queue = FactQueue(capacity: capacity, seed: seed)
  }

  /// What differs from the model, or nil.
  mutating func step() -> String? {
    steps += 1
    var problem: String?
    switch random.index(below: 16) {
    case 0..<5: append()
    case 5..<10: problem = next()
    case 10..<13: end(.acknowledged, underWay)
    case 13: end(random.oneIn(4) ? .unsendable : .notAcknowledged, underWay)
    case 14: end(.acknowledged, UInt64(random.index(below: 1000)))
    default: changeLink()
    }
    return problem ?? difference()
  }

  private func size(_ fact: Fact) -> Int { 8 + fact.subject.count + fact.payload.count }
  private var used: Int { model.reduce(0) { $0 + size($1) } }

  private mutating func append() {
    let fact = Fact(
      sequence: nextSequence, subject: random.bytes(count: random.index(below: 20)),
      payload: random.bytes(count: random.index(below: random.oneIn(20) ? 500 : 60)))
    queue.append(subject: fact.subject, payload: fact.payload)
    let isFirstSent = sent != nil && sent == model.first?.sequence
    if size(fact) + (isFirstSent ? size(model[0]) : 0) > capacity {
      dropped += 1
      return
    }
    while used + size(fact) > capacity {
      model.remove(at: isFirstSent ? 1 : 0)
      dropped += 1
    }
    model.append(fact)
    nextSequence += 1
  }

  private mutating func next() -> String? {
    if let deadline = queue.deadline {
      if underWay != nil { return "a deadline while one is under way" }
      if deadline > now, queue.next(at: now) != nil { return "a fact before its deadline" }
      now = max(now, deadline)
    }
    let fact = queue.next(at: now)
    let mayGo = isConnected && underWay == nil
    if fact != (mayGo ? model.first : nil) {
      return "another fact came: \(String(describing: fact))"
    }
    if let fact {
      underWay = fact.sequence
      sent = fact.sequence
    }
    return nil
  }

  private mutating func end(_ outcome: FactOutcome, _ sequence: UInt64?) {
    guard let sequence else { return }
    queue.handle(outcome, of: sequence, at: now)
    if sequence != underWay { return }
    underWay = nil
    if outcome == .notAcknowledged { return }
    model.removeFirst()
    if outcome == .unsendable { return dropped += 1 }
    delivered += 1
    lastDelivered = sequence
  }

  private mutating func changeLink() {
    underWay = nil
    isConnected.toggle()
    if isConnected { queue.handleConnected() } else { queue.handleDisconnected() }
  }

  private func difference() -> String? {
    if queue.count != model.count { return "count \(queue.count), not \(model.count)" }
    if queue.byteCount != used { return "bytes \(queue.byteCount), not \(used)" }
    if queue.deliveredCount != delivered { return "delivered \(queue.deliveredCount)" }
    if queue.droppedCount != dropped { return "dropped \(queue.droppedCount), not \(dropped)" }
    if let first = model.first, first.sequence <= lastDelivered { return "delivered twice" }
    let unsent = model.drop { $0.sequence == sent }
    for (one, other) in zip(unsent, unsent.dropFirst()) where one.sequence + 1 != other.sequence {
      return "a gap after \(one.sequence)"
    }
    return nil
  }
}
