import XCTest

@testable import Transport

final class DataBudgetTests: XCTestCase {
  private let zero = Instant(nanoseconds: 0)
  private let day = Duration.seconds(86_400)
  private let classes = Array(TrafficClass.allCases)

  private func allowed(_ budget: DataBudget, at now: Instant) -> [TrafficClass] {
    classes.filter { budget.allows($0, at: now) }
  }

  func testWhatWaitsFirst() {
    var budget = DataBudget(DataAllowance(bytes: 9_000_000, period: day), at: zero)
    // An eighth of the day's bucket: a ninth of what bucket and day give together.
    XCTAssertEqual(budget.bytesAvailable(at: zero), 1_000_000)
    XCTAssertEqual(allowed(budget, at: zero), classes)
    XCTAssertNil(budget.waiting(at: zero))
    budget.spend(500_000, at: zero)
    XCTAssertEqual(budget.waiting(at: zero), .bulk)
    budget.spend(250_000, at: zero)
    XCTAssertEqual(budget.waiting(at: zero), .readings)
    XCTAssertTrue(budget.allows(.facts, at: zero))
    budget.spend(250_000, at: zero)
    XCTAssertEqual(budget.waiting(at: zero), .facts)
    budget.spend(5_000_000, at: zero)
    XCTAssertEqual(allowed(budget, at: zero), [.replies, .commands])
    XCTAssertEqual(budget.bytesAvailable(at: zero), 1_000_000 - 6_000_000)
  }

  func testDeadlinesAreExact() throws {
    for spent in stride(from: 0, through: 3_000_000, by: 37_777) {
      var budget = DataBudget(DataAllowance(bytes: 9_000_000, period: day), at: zero)
      budget.spend(spent, at: zero)
      for traffic in classes {
        guard let deadline = budget.deadline(of: traffic, at: zero) else {
          XCTAssertTrue([.replies, .commands].contains(traffic))
          continue
        }
        XCTAssertTrue(budget.allows(traffic, at: deadline))
        if deadline > zero {
          XCTAssertFalse(budget.allows(traffic, at: deadline - .nanoseconds(1)))
        }
      }
    }
  }

  /// In any period, not only from one midnight to the next, what waits when it must stays within the
  /// allowance; readings go on, fewer of them; and facts are not kept waiting by readings.
  func testTheAllowanceHoldsInEveryPeriod() {
    for seed in UInt64(0)..<20 {
      var random = RandomGenerator(seed: seed)
      let allowance = DataAllowance(bytes: 300_000, period: .seconds(3600))
      var budget = DataBudget(allowance, at: zero)
      var now = zero
      var spent: [(at: Instant, bytes: Int)] = []
      var sent: [TrafficClass: Int] = [:]
      while now < zero + .seconds(4 * 3600) {
        now = now + random.duration(through: .seconds(2))
        // One fact in fifty messages, and far more readings and bulk than there is room for.
        let traffic: TrafficClass =
          random.next(through: 49) == 0 ? .facts : random.next(through: 1) == 0 ? .readings : .bulk
        let bytes = 100 + Int(random.next(through: 400))
        if traffic == .facts { XCTAssertTrue(budget.allows(.facts, at: now), "seed \(seed)") }
        if !budget.allows(traffic, at: now) { continue }
        budget.spend(bytes, at: now)
        spent.append((now, bytes))
        sent[traffic, default: 0] += bytes
      }
      var first = 0
      var sum = 0
      for entry in spent {
        sum += entry.bytes
        while entry.at - spent[first].at >= allowance.period {
          sum -= spent[first].bytes
          first += 1
        }
        // The last message may pass the mark by its own size.
        XCTAssertLessThanOrEqual(sum, 300_000 + 500, "seed \(seed)")
      }
      XCTAssertGreaterThan(sum, 250_000, "the allowance is also used")
      XCTAssertGreaterThan(sent[.readings] ?? 0, 4 * (sent[.bulk] ?? 0))
    }
  }

  /// However much the link has to carry, commands and replies go, and facts come back in a bounded time.
  func testDebtIsBounded() throws {
    var budget = DataBudget(DataAllowance(bytes: 1_000_000, period: day), at: zero)
    for _ in 0..<1000 { budget.spend(1_000_000, at: zero) }
    XCTAssertTrue(budget.allows(.commands, at: zero))
    XCTAssertTrue(budget.allows(.replies, at: zero))
    let deadline = try XCTUnwrap(budget.deadline(of: .facts, at: zero))
    XCTAssertLessThanOrEqual(deadline, zero + day + .nanoseconds(1))
  }

  func testOddValues() {
    for allowance in [
      DataAllowance(bytes: 0, period: .zero), DataAllowance(bytes: -5, period: .seconds(-5)),
      DataAllowance(bytes: .max, period: .seconds(1)),
      DataAllowance(bytes: 1, period: Duration(nanoseconds: .max)),
    ] {
      var budget = DataBudget(allowance, at: zero)
      for bytes in [0, -1, 1, Int.max, Int.min] { budget.spend(bytes, at: zero) }
      XCTAssertTrue(budget.allows(.commands, at: zero))
      for traffic in classes { _ = budget.deadline(of: traffic, at: Instant(nanoseconds: .max)) }
      _ = budget.bytesAvailable(at: Instant(nanoseconds: .min))
    }
  }

  func testWireCost() {
    let plain = WireCost(isIPv6: false, isTLS: false)
    let tls = WireCost(isIPv6: false, isTLS: true)
    XCTAssertEqual(plain.bytes(for: 0), 0)
    // One segment and its acknowledgement.
    XCTAssertEqual(plain.bytes(for: 6), 6 + 2 * 52)
    XCTAssertEqual(tls.bytes(for: 6), 6 + 22 + 2 * 52)
    XCTAssertEqual(WireCost(isIPv6: true, isTLS: false).bytes(for: 1), 1 + 2 * 72)
    XCTAssertEqual(plain.bytes(for: 13_600), 13_600 + 15 * 52)
    // What travels together costs less than what travels alone.
    XCTAssertLessThan(plain.bytes(for: 1000), 10 * plain.bytes(for: 100))
    XCTAssertGreaterThan(plain.bytes(for: .max), 0)
    XCTAssertEqual(plain.bytes(for: .min), 0)
    XCTAssertGreaterThan(plain.connection, 7 * 52)
  }

  /// The figures that the profiles promise: idle, over TLS, with presence of 600 bytes.
  func testProfiles() {
    for profile in [LinkProfile.ethernet, .wifi, .lte, .satellite] {
      let settings = LinkSettings(profile)
      XCTAssertLessThan(settings.ping, settings.detect)
      // A round trip of 1.2 s, and SYN or data lost once and sent again after as long.
      let slow = Duration.milliseconds(3_600)
      for timeout in [
        settings.timeouts.connect, settings.timeouts.tls, settings.timeouts.info,
        settings.timeouts.pong, settings.detect - settings.ping,
      ] {
        XCTAssertGreaterThan(timeout, slow)
      }
    }
    let lte = LinkSettings(.lte)
    let cost = WireCost(isIPv6: false, isTLS: true)
    let pings = 60.0 / Double(lte.ping.seconds)
    let presence = 60.0 / Double(lte.presence.seconds)
    // The PONG carries the acknowledgement of the PING.
    let bytes =
      pings * Double(2 * cost.bytes(for: 6) - 52) + presence * Double(cost.bytes(for: 600))
    XCTAssertLessThanOrEqual(bytes, 400)
    XCTAssertLessThanOrEqual(2 * pings + presence, 6)
  }
}
