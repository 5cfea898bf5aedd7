import Transport
import XCTest

@testable import Lattice

final class ParkedFactsTests: XCTestCase {
  private let start = Instant(nanoseconds: 0)

  private func attempt(_ sequence: UInt64, _ subject: String) throws -> FactAttempt {
    let journal = Journal(
      JournalConfiguration(), run: JournalRun(id: [0x52], boot: []), disk: nil, tail: nil)
    journal.open(at: start)
    let time = FactTime(instant: start, wallClock: Timestamp(nanoseconds: 0), isSynchronised: true)
    var number: UInt64 = 0
    while number < sequence {
      let (subject, payload) = (Array(subject.utf8), Array("{}".utf8))
      number = try XCTUnwrap(
        journal.append(.event, time, subject: subject.span, payload: payload.span, at: start))
    }
    return FactAttempt(try XCTUnwrap(journal.nextWaiting(from: sequence)), position: nil)
  }

  func testKinds() {
    for (subject, kind) in [
      ("gpio.door.edge", "gpio.edge"), ("sensors.room.reading", "sensors.reading"),
      ("host.started", "host"), ("x", "x"),
    ] {
      XCTAssertEqual(ParkedFacts.kind(of: Array(subject.utf8)), Array(kind.utf8), subject)
    }
  }

  func testTheOldestOfAKindIsTriedAgainLessAndLessOften() throws {
    var parked = ParkedFacts(seed: 1)
    parked.park(try attempt(7, "gpio.gate.edge"), at: start)
    parked.park(try attempt(5, "gpio.door.edge"), at: start)
    parked.park(try attempt(9, "gpio.door.edge"), at: start)
    XCTAssertEqual(parked.kinds.count, 1)
    XCTAssertTrue(parked.contains(Array("gpio.roof.edge".utf8)))
    XCTAssertFalse(parked.contains(Array("gpio.roof.count".utf8)))
    var now = start
    var pauses: [Transport.Duration] = []
    for _ in 0..<20 {
      let deadline = try XCTUnwrap(parked.deadline)
      pauses.append(deadline - now)
      now = deadline
      let next = try XCTUnwrap(parked.next(at: now))
      XCTAssertEqual(next.fact.sequence, 5)
      parked.park(next, at: now)
    }
    XCTAssertLessThanOrEqual(pauses[0], .seconds(1))
    for pause in pauses { XCTAssertLessThanOrEqual(pause, .seconds(60)) }
    XCTAssertGreaterThanOrEqual(try XCTUnwrap(pauses.last), .seconds(15))
    XCTAssertNil(parked.next(at: now))
    parked.handleConnected(at: now)
    XCTAssertEqual(parked.next(at: now)?.fact.sequence, 5)
    XCTAssertTrue(parked.unpark(Array("gpio.roof.edge".utf8)))
    XCTAssertFalse(parked.unpark(Array("gpio.roof.edge".utf8)))
    XCTAssertNil(parked.deadline)
  }

  func testThereIsABound() throws {
    var parked = ParkedFacts(seed: 1)
    for number in 0..<ParkedFacts.kindsMax {
      parked.park(try attempt(1, "a.b\(number).k\(number)"), at: start)
    }
    XCTAssertTrue(parked.isFull(for: Array("a.b.other".utf8)))
    XCTAssertFalse(parked.isFull(for: Array("a.c.k3".utf8)), "a kind that is there")
  }
}
