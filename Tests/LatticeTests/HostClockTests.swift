import Transport
import XCTest

@testable import Lattice

/// A board that starts in 1970, as one without a clock of its own does.
final class HostClockTests: XCTestCase {
  private let time = FakeTime()
  private let dialect = FakeDialect("services", recorder: CallRecorder())
  private lazy var host = makeHost()
  private let today = Timestamp(nanoseconds: 1_793_692_483_000_000_000)  // 2026-11-03T07:54:43Z

  override func setUp() {
    time.wallClock = Timestamp(nanoseconds: 100_000_000_000)
    time.isSynchronised = false
  }

  private func makeHost() -> LatticeHost {
    let host = LatticeHost(identity: .test(), time: time, boot: .test)
    host.start([dialect], on: FakeBus())
    return host
  }

  private func set(_ wallClock: Timestamp, synchronised: Bool) {
    time.wallClock = wallClock
    time.isSynchronised = synchronised
  }

  private func emitEdge() {
    host.emit(
      CapabilityEvent(
        capability: "gpio", resource: "door", kind: "edge", delivery: .durable, at: time.now,
        body: Record()))
  }

  func testSettingTheClockIsAFact() {
    var changes: [ClockChange] = []
    host.onClockChange = { changes.append($0) }
    host.readClock()
    XCTAssertEqual(dialect.events.count, 0, "nothing was set")
    time.advance(.seconds(30))
    set(today, synchronised: true)
    host.readClock()
    host.readClock()
    XCTAssertEqual(dialect.events.map { $0.kind }, ["clock"])
    XCTAssertEqual(dialect.events.map { $0.capability }, ["host"])
    XCTAssertEqual(dialect.events.map { $0.instant }, [time.now])
    XCTAssertEqual(
      dialect.events.map { $0.body }, [Record([("step_ms", .integer(1_793_692_353_000))])])
    XCTAssertEqual(changes.map { $0.isSynchronised }, [true])
  }

  /// Nobody may be left with a time that was told before the news of it.
  func testTheClockIsTakenNoteOfBeforeWhatHappensNext() {
    _ = host
    set(today, synchronised: true)
    emitEdge()
    XCTAssertEqual(dialect.events.map { $0.kind }, ["clock", "edge"])
    // By hand, and back.
    set(today + .seconds(-86_400), synchronised: false)
    emitEdge()
    XCTAssertEqual(dialect.events.map { $0.kind }, ["clock", "edge", "clock", "edge"])
    XCTAssertEqual(dialect.events[2].body["step_ms"], .integer(-86_400_000))
  }

  func testLooksWhenAwakeAnyway() {
    _ = host
    set(today, synchronised: true)
    time.advance(.milliseconds(4999))
    host.lookAtClock(at: time.now)
    XCTAssertEqual(dialect.events.count, 0)
    time.advance(.milliseconds(1))
    host.lookAtClock(at: time.now)
    XCTAssertEqual(dialect.events.map { $0.kind }, ["clock"])
    XCTAssertNil(host.deadline, "nobody is woken for it")
  }

  func testTimesAreToldAsFarAsTheyAreKnown() {
    let early = host.clock.time(of: time.now)
    XCTAssertEqual(host.time(of: early, in: .test).quality, .unknown)
    time.advance(.seconds(60))
    set(today, synchronised: true)
    host.readClock()
    let told = host.time(of: early, in: .test)
    XCTAssertEqual(told.timestamp, today + .seconds(-60))
    XCTAssertEqual(told.quality, .corrected)
    XCTAssertFalse(told.tellsBoot)
    XCTAssertEqual(host.time(of: time.now).quality, .synced)
    let other = host.time(of: early, in: BootID(seed: 9))
    XCTAssertEqual(other.quality, .unknown)
    XCTAssertEqual(other.boot, BootID(seed: 9))
    XCTAssertTrue(other.tellsBoot)
  }

  /// The host was started before the clock was set.
  func testWhenItWasStartedIsKnownLater() throws {
    time.wallClock = Timestamp(nanoseconds: 0)
    let harness = ServicesHarness(time: time, isConnected: false)
    harness.host.linkChanged(isConnected: true)
    func status() throws -> Record {
      let published = harness.bus.takePublished().first { $0.subject.hasSuffix("status") }
      return try XCTUnwrap(json(try XCTUnwrap(published).payload))
    }
    let unset = try status()
    XCTAssertEqual(unset["time"], .string("1970-01-01T00:00:00.000000000Z"))
    XCTAssertEqual(unset["time_quality"], .string("unknown"))
    harness.time.wallClock = today
    harness.time.isSynchronised = true
    harness.host.statusChanged()
    harness.host.handleDeadline(at: harness.time.now)
    let fields = try status()
    XCTAssertEqual(fields["started"], .string("2026-11-03T07:53:20.000000000Z"))
    XCTAssertEqual(fields["time"], .string("2026-11-03T07:54:43.000000000Z"))
    XCTAssertNil(fields["time_quality"])
  }
}
