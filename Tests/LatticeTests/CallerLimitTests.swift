import Transport
import XCTest

@testable import Lattice

final class CallerLimitTests: XCTestCase {
  private var now = Instant(nanoseconds: 5_000_000_000)

  private func pass(_ duration: Transport.Duration) { now = now + duration }

  /// How many of `count` commands at once are admitted.
  private func admitted(_ limit: inout CallerLimit, _ name: String, of count: Int) -> Int {
    (0..<count).reduce(0) { sum, _ in limit.admit(name, at: now) == nil ? sum + 1 : sum }
  }

  func testABurstThenTheRate() {
    var limit = CallerLimit(perSecond: 50, seed: 1)
    XCTAssertEqual(admitted(&limit, "a", of: 1000), 50)
    XCTAssertEqual(
      limit.admit("a", at: now), .init(wait: .milliseconds(20), isShared: false))
    pass(.nanoseconds(19_999_999))
    XCTAssertEqual(limit.admit("a", at: now), .init(wait: .nanoseconds(1), isShared: false))
    pass(.nanoseconds(1))
    XCTAssertEqual(admitted(&limit, "a", of: 10), 1)
    pass(.milliseconds(100))
    XCTAssertEqual(admitted(&limit, "a", of: 10), 5)
    pass(.seconds(3600))
    XCTAssertEqual(admitted(&limit, "a", of: 1000), 50, "a pause saves up no more than a burst")
  }

  func testTheSlowestAndTheFastest() {
    var slow = CallerLimit(perSecond: 1, seed: 1)
    XCTAssertEqual(admitted(&slow, "a", of: 5), 1)
    pass(.seconds(1))
    XCTAssertEqual(admitted(&slow, "a", of: 5), 1)
    var fast = CallerLimit(perSecond: 10_000, seed: 1)
    XCTAssertEqual(admitted(&fast, "a", of: 20_000), 10_000)
    var rare = CallerLimit(interval: .seconds(10), burst: 2, seed: 1)
    XCTAssertEqual(admitted(&rare, "a", of: 5), 2)
    XCTAssertEqual(rare.admit("a", at: now)?.wait, .seconds(10))
  }

  /// A new name for each command brings a share of the four buckets of strangers, and no more.
  func testNewNamesShareFourBuckets() {
    var limit = CallerLimit(perSecond: 50, seed: 1)
    func flood(_ count: Int, _ round: Int) -> Int {
      (0..<count).reduce(0) { sum, number in
        sum + admitted(&limit, "\(round)-\(number)", of: 1)
      }
    }
    XCTAssertEqual(flood(5000, 0), 200)
    XCTAssertEqual(limit.admit("stranger", at: now)?.isShared, true)
    for round in 1...10 {
      pass(.milliseconds(100))
      XCTAssertEqual(flood(2000, round), 20)
    }
  }

  func testAKnownCallerIsKeptThroughAFloodOfNewNames() {
    var limit = CallerLimit(perSecond: 50, seed: 1)
    XCTAssertEqual(admitted(&limit, "ops", of: 2), 2)
    for number in 0..<599 {
      pass(.seconds(1))
      for name in 0..<300 { _ = limit.admit("\(number)-\(name)", at: now) }
    }
    XCTAssertEqual(admitted(&limit, "ops", of: 100), 50)
    // One that came only once, or not for long, is forgotten for others.
    pass(.seconds(601))
    for name in 0..<300 { _ = limit.admit("last-\(name)", at: now) }
    XCTAssertEqual(limit.admit("ops", at: now)?.isShared, true)
  }

  // MARK: any callers, in any order

  /// A bucket as one would draw it: tokens that trickle in.
  private struct Model {
    let rate: Double
    let burst: Double
    var tokens: Double
    var at: Instant

    init(rate: Double, burst: Double, at now: Instant) {
      (self.rate, self.burst, tokens, at) = (rate, burst, burst, now)
    }

    mutating func level(at now: Instant) -> Double {
      tokens = min(burst, tokens + Double((now - at).nanoseconds) * rate / 1e9)
      at = now
      return tokens
    }
  }

  func testAnyFlood() {
    for seed in 0..<UInt64(60) { flood(seed) }
  }

  /// Floods under some names, and under new ones, and one caller who keeps to its rate.
  private func flood(_ seed: UInt64) {
    var random = RandomGenerator(seed: seed)
    let rate = Int64(1 + random.next(through: seed % 2 == 0 ? 10 : 300))
    var limit = CallerLimit(perSecond: rate, seed: random.next())
    var now = Instant(nanoseconds: Int64(random.next(through: 1 << 40)))
    // Together with the good one they are known, or they are too many for that.
    let names = 1 + random.next(through: 12)
    let others = random.next(through: 60)
    let pause = Transport.Duration.nanoseconds(
      1_000_000_000 / rate / Int64(1 + random.next(through: 20)))
    var models: [String: Model] = [:]
    var all = Model(rate: Double(20 * rate), burst: Double(20 * rate), at: now)
    var good = Model(rate: 0.99 * Double(rate), burst: Double(rate), at: now)
    func admit(_ name: String) -> Bool {
      let isAdmitted = limit.admit(name, at: now) == nil
      if !isAdmitted { return false }
      var model = models[name] ?? Model(rate: Double(rate), burst: Double(rate), at: now)
      XCTAssertGreaterThan(model.level(at: now), 0.999, "\(name) gets too much; seed \(seed)")
      model.tokens -= 1
      models[name] = model
      XCTAssertGreaterThan(all.level(at: now), 0.99, "all get too much; seed \(seed)")
      all.tokens -= 1
      return true
    }
    for step in 0..<3000 {
      if step > 0 { now = now + random.duration(through: pause) }
      // Known before anything else comes: the first two commands.
      if step < 2 || random.next(through: 3) == 0 {
        if good.level(at: now) < 1 { continue }
        good.tokens -= 1
        XCTAssertTrue(admit("good"), "step \(step), seed \(seed)")
      } else {
        switch random.next(through: 2) {
        case 0: _ = admit("flood-\(random.next(through: names))")
        case 1: _ = admit("other-\(random.next(through: others))")
        default: _ = admit("new-\(step)")
        }
      }
    }
  }
}
