import Transport
import XCTest

@testable import Lattice

/// The clock is set between facts, by hours, days and decades, forward and back.
final class ClockJumpTests: XCTestCase {
  private let today = Timestamp(nanoseconds: 1_793_692_483_000_000_000)  // 2026-11-03T07:54:43Z

  func testFactsAreToldInOrderAndOnceWithTheTimeOfTheirMoment() throws {
    let jumps: [Int64] = [0, 3_600, -3_600, 86_400, -30 * 86_400, -1_700_000_000, 1_793_692_483, 0]
    let harness = ServicesHarness()
    harness.bus.answerAtOnce = nil
    var times: [Timestamp] = []
    for (number, jump) in jumps.enumerated() {
      harness.time.wallClock = today + .seconds(jump)
      harness.time.advance(.milliseconds(10))
      times.append(harness.time.wallClock)
      harness.emit("door", .durable, [("n", .integer(Int64(number)))])
    }
    var ids: [String] = []
    var edges: [Record] = []
    var clocks = 0
    var turns = 0
    while let request = harness.bus.requests.first, turns < 100 {
      turns += 1
      // What is asked of the stream itself has no number.
      if !request.subject.hasPrefix("edge.") {
        harness.bus.answer("{}")
        continue
      }
      ids.append(request.headers)
      let body = try XCTUnwrap(json(request.payload))
      if request.subject.hasSuffix(".edge") { edges.append(body) }
      if request.subject.hasSuffix(".host.clock") { clocks += 1 }
      harness.bus.answer("{\"stream\":\"EDGE\",\"seq\":\(ids.count)}")
    }
    XCTAssertEqual(edges.map { $0["n"] }, jumps.indices.map { .integer(Int64($0)) })
    XCTAssertEqual(edges.map { $0["time"] }, times.map { .string($0.rfc3339) })
    XCTAssertEqual(Set(ids).count, ids.count)
    XCTAssertEqual(clocks, jumps.count - 1, "each jump is told")
  }

  /// Also what waits for the link, and its tries, go by the monotonic clock.
  func testWhatIsDueIsDueWhenItShouldBe() throws {
    let harness = ServicesHarness()
    harness.emit("door", .durable)
    harness.host.readClock()
    let deadline = try XCTUnwrap(harness.host.deadline)
    for jump: Int64 in [86_400 * 365, -86_400 * 365 * 50] {
      harness.time.wallClock = today + .seconds(jump)
      harness.host.handleDeadline(at: harness.time.now)
      XCTAssertEqual(harness.host.deadline, deadline)
    }
  }
}
