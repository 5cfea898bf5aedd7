import Transport
import XCTest

final class FactClockTests: XCTestCase {
  private let boot = BootID(seed: 1)
  private let other = BootID(seed: 2)
  /// 2026-11-03T07:54:43Z
  private let today = Timestamp(nanoseconds: 1_793_692_483_000_000_000)
  private let instant = Instant(nanoseconds: 20_000_000_000)

  private func reading(
    _ seconds: Int64, _ wallClock: Timestamp, synchronised: Bool = false
  ) -> ClockReading {
    ClockReading(
      instant: Instant(nanoseconds: seconds * 1_000_000_000), wallClock: wallClock,
      isSynchronised: synchronised)
  }

  private func year1970(_ seconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: seconds * 1_000_000_000)
  }

  private func assert(
    _ clock: FactClock, _ time: FactTime, of boot: BootID? = nil, is timestamp: Timestamp,
    _ quality: TimeQuality, line: UInt = #line
  ) {
    let (found, worth) = clock.resolve(time, of: boot ?? self.boot)
    XCTAssertEqual(found.rfc3339, timestamp.rfc3339, line: line)
    XCTAssertEqual(worth, quality, line: line)
  }

  func testATimeThatWasRightStaysWhateverBecomesOfTheClock() {
    var clock = FactClock(boot: boot, reading(20, today, synchronised: true))
    let time = clock.time(of: instant - .seconds(3))
    for (wallClock, isSynchronised) in [(year1970(0), false), (today + .seconds(86_400), true)] {
      _ = clock.read(reading(30, wallClock, synchronised: isSynchronised))
      assert(clock, time, is: today + .seconds(-3), .synced)
      assert(clock, time, of: other, is: today + .seconds(-3), .synced)
    }
  }

  /// The link is there before the clock is right: what leaves says that nobody knows.
  func testBeforeTheClockIsSetTheTimeIsUnknown() {
    let clock = FactClock(boot: boot, reading(20, year1970(20)))
    assert(clock, clock.time(of: instant), is: year1970(20), .unknown)
  }

  func testWhatWaitedUntilTheClockWasSetIsCorrected() {
    var clock = FactClock(boot: boot, reading(20, year1970(20)))
    let early = clock.time(of: instant)
    XCTAssertNotNil(clock.read(reading(50, today, synchronised: true)))
    let late = clock.time(of: instant + .seconds(31))
    assert(clock, early, is: today + .seconds(-30), .corrected)
    assert(clock, late, is: today + .seconds(1), .synced)
    // Whatever happens to the clock then.
    _ = clock.read(reading(90, year1970(0)))
    assert(clock, early, is: today + .seconds(-30), .corrected)
  }

  /// Somebody typed `date -s`: nobody says that this is right.
  func testAClockSetByHandIsABestGuess() {
    var clock = FactClock(boot: boot, reading(20, year1970(20)))
    let time = clock.time(of: instant)
    _ = clock.read(reading(50, today))
    assert(clock, time, is: today + .seconds(-30), .unknown)
  }

  func testWhatHappenedAfterTheClockWasLeftAloneIsUnknown() {
    var clock = FactClock(boot: boot, reading(20, today, synchronised: true))
    _ = clock.read(reading(30, today + .seconds(10)))
    let time = clock.time(of: Instant(nanoseconds: 25_000_000_000))
    assert(clock, time, is: today + .seconds(5), .unknown)
    _ = clock.read(reading(40, today + .seconds(20), synchronised: true))
    assert(clock, time, is: today + .seconds(5), .corrected)
  }

  func testAnEarlierBootStaysUnknownUnlessItsClockWasRight() {
    var clock = FactClock(boot: boot, reading(20, year1970(20)))
    let time = clock.time(of: instant)
    var next = FactClock(boot: other, reading(5, today, synchronised: true), known: clock.known)
    assert(next, time, of: boot, is: year1970(20), .unknown)

    _ = clock.read(reading(50, today, synchronised: true))
    next = FactClock(boot: other, reading(5, year1970(5)), known: clock.known)
    assert(next, time, of: boot, is: today + .seconds(-30), .corrected)
    let later = FactTime(
      instant: Instant(nanoseconds: 50_000_000_001), wallClock: year1970(50), isSynchronised: false)
    assert(next, later, of: boot, is: year1970(50), .unknown)
  }

  func testWhatIsNews() {
    var clock = FactClock(boot: boot, reading(20, year1970(20)))
    XCTAssertNil(clock.read(reading(21, year1970(21))))
    XCTAssertNil(clock.read(reading(22, year1970(22) + .milliseconds(99))), "less than a step")
    XCTAssertEqual(
      clock.read(reading(23, year1970(23) + .milliseconds(198))),
      ClockChange(
        instant: instant + .seconds(3), step: .milliseconds(198), isSynchronised: false),
      "small steps add up")
    XCTAssertEqual(
      clock.read(reading(24, year1970(24) + .milliseconds(198), synchronised: true)),
      ClockChange(instant: instant + .seconds(4), step: .zero, isSynchronised: true),
      "right without a step")
    // A daemon that is started again and again is no news.
    for second in Int64(25)..<30 {
      XCTAssertNil(
        clock.read(
          reading(
            second, year1970(second) + .milliseconds(198), synchronised: second.isMultiple(of: 2))))
    }
    XCTAssertEqual(
      clock.read(reading(30, year1970(29) + .milliseconds(198), synchronised: true)),
      ClockChange(instant: instant + .seconds(10), step: .seconds(-1), isSynchronised: true),
      "a leap second")
    var right = FactClock(boot: boot, reading(20, today, synchronised: true))
    XCTAssertNil(right.read(reading(21, today + .seconds(1), synchronised: true)))
  }

  func testOnlyTheLastBootsAreKept() {
    var known: [KnownClock] = []
    for seed in UInt64(10)..<20 {
      let reading = reading(20, today, synchronised: true)
      known = FactClock(boot: BootID(seed: seed), reading, known: known).known
    }
    XCTAssertEqual(known.map { $0.boot }, (UInt64(16)..<20).map { BootID(seed: $0) })
    // The state file takes that much.
    XCTAssertLessThanOrEqual(KnownClock.bytes(of: known).count, 255)
  }

  /// Whatever the clock does, no time is told as right that is not.
  func testNothingWrongIsTold() {
    var random = RandomGenerator(seed: 5)
    for _ in 0..<300 { playRandomly(&random) }
  }

  private func playRandomly(_ random: inout RandomGenerator) {
    /// What the time of day really is.
    let truth = { (instant: Instant) in self.today + (instant - Instant(nanoseconds: 0)) }
    var known: [KnownClock] = []
    var facts: [(FactTime, BootID)] = []
    var now = Instant(nanoseconds: 0)
    for _ in 0...random.next(through: 5) {
      let boot = BootID(seed: random.next())
      var wrong = Duration.seconds(-1_000_000_000)
      var clock = FactClock(
        boot: boot,
        ClockReading(instant: now, wallClock: truth(now) + wrong, isSynchronised: false),
        known: known)
      for _ in 0..<20 {
        now = now + random.duration(through: .seconds(100))
        let isSynchronised = random.next(through: 4) == 0
        if isSynchronised {
          wrong = .zero
        } else if random.next(through: 4) == 0 {
          wrong = random.duration(through: .seconds(500_000)) - .seconds(250_000)
        }
        _ = clock.read(
          ClockReading(
            instant: now, wallClock: truth(now) + wrong, isSynchronised: isSynchronised))
        facts.append((clock.time(of: now), boot))
        for (fact, boot) in facts {
          let (timestamp, quality) = clock.resolve(fact, of: boot)
          if quality != .unknown { XCTAssertEqual(timestamp, truth(fact.instant)) }
          XCTAssertFalse(isSynchronised && boot == clock.boot && quality == .unknown)
        }
      }
      known = KnownClock.clocks(in: KnownClock.bytes(of: clock.known).span)
      XCTAssertEqual(known, clock.known)
    }
  }

  func testWhatWasKeptIsReadAsAWholeOrNotAtAll() {
    let clock = KnownClock(boot: boot, offset: .seconds(-5), until: instant)
    let bytes = KnownClock.bytes(of: [clock, clock])
    for count in bytes.indices where count % 32 != 0 {
      XCTAssertEqual(KnownClock.clocks(in: bytes.span.extracting(0..<count)), [], "\(count)")
    }
    XCTAssertEqual(KnownClock.clocks(in: bytes.span.extracting(0..<32)), [clock])
    XCTAssertEqual(KnownClock.clocks(in: [UInt8]().span), [])
  }

  /// Between the readings of both clocks another process ran for a second.
  func testAReadingThatTookLongIsTakenAgain() {
    final class SlowTime: TimeSource {
      var calls = 0
      var now: Instant {
        calls += 1
        return Instant(nanoseconds: calls == 1 ? 0 : 1_000_000_000)
      }
      var wallClock: Timestamp { Timestamp(nanoseconds: calls == 1 ? 77 : 6_000_000_000) }
      let isSynchronised = true
    }
    let time = SlowTime()
    let reading = ClockReading(time)
    XCTAssertEqual(reading.offset, .seconds(5))
    XCTAssertEqual(time.calls, 3)
  }

  func testExtremesDoNotTrap() {
    for nanoseconds in [Int64.min, -1, 0, 1, .max] {
      for wall in [Int64.min, -1, 0, 1, .max] {
        let reading = ClockReading(
          instant: Instant(nanoseconds: nanoseconds), wallClock: Timestamp(nanoseconds: wall),
          isSynchronised: wall > 0)
        var clock = FactClock(boot: boot, self.reading(20, today))
        _ = clock.read(reading)
        for instant in [Int64.min, 0, .max] {
          let time = clock.time(of: Instant(nanoseconds: instant))
          XCTAssertFalse(clock.resolve(time, of: boot).timestamp.rfc3339.isEmpty)
        }
      }
    }
  }
}
