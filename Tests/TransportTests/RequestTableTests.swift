import XCTest

@testable import Transport

final class RequestTableTests: XCTestCase {
  private let deadline = Instant(nanoseconds: 10)

  private func token(_ id: RequestID) -> [UInt8] { bytes("\(id.token)") }

  func testALateAnswerNeverMeetsALaterRequest() throws {
    var table = RequestTable(capacity: 2)
    var tokens: Set<UInt64> = []
    var late: [[UInt8]] = []
    for _ in 0..<1000 {
      let id = try XCTUnwrap(table.begin(deadline: deadline))
      XCTAssertTrue(tokens.insert(id.token).inserted)
      for old in late.suffix(5) { XCTAssertNil(table.end(token: old.span)) }
      XCTAssertEqual(table.end(token: token(id).span), id)
      XCTAssertNil(table.end(token: token(id).span))
      late.append(token(id))
    }
  }

  func testGenerationsWrap() throws {
    var table = RequestTable(capacity: 1, generation: .max - 1)
    let generations: [UInt32] = [.max, 0, 1]
    for generation in generations {
      let id = try XCTUnwrap(table.begin(deadline: deadline))
      XCTAssertEqual(id.generation, generation)
      XCTAssertEqual(table.end(token: token(id).span), id)
    }
  }

  func testTokensOfStrangers() throws {
    var table = RequestTable(capacity: 2)
    let id = try XCTUnwrap(table.begin(deadline: deadline))
    for text in [
      "", "x", "-1", "0", "1", "65535", "65537", "131072", "4294967296", "281474976710656",
      "281474976776192", "18446744073709551615", "18446744073709551616", "65536.1", " 65536",
    ] {
      XCTAssertNil(table.end(token: bytes(text).span), text)
    }
    XCTAssertEqual(table.end(token: token(id).span), id)
  }

  func testCapacityAndDeadlines() throws {
    var table = RequestTable(capacity: 3)
    XCTAssertNil(table.deadline)
    var ids: [RequestID] = []
    for time in [30, 10, 20] as [Int64] {
      ids.append(try XCTUnwrap(table.begin(deadline: Instant(nanoseconds: time))))
    }
    XCTAssertNil(table.begin(deadline: deadline))
    XCTAssertEqual(table.deadline, Instant(nanoseconds: 10))
    XCTAssertNil(table.endOne(dueAt: Instant(nanoseconds: 9)))
    XCTAssertEqual(table.endOne(dueAt: Instant(nanoseconds: 10)), ids[1])
    XCTAssertNil(table.endOne(dueAt: Instant(nanoseconds: 10)))
    XCTAssertEqual(table.deadline, Instant(nanoseconds: 20))
    XCTAssertEqual(Set([table.endOne(dueAt: nil), table.endOne(dueAt: nil)]), [ids[0], ids[2]])
    XCTAssertNil(table.endOne(dueAt: nil))
    XCTAssertNil(table.deadline)
  }

  func testCapacityIsKeptInRange() {
    var none = RequestTable(capacity: 0)
    XCTAssertNotNil(none.begin(deadline: deadline))
    XCTAssertNil(none.begin(deadline: deadline))
    var large = RequestTable(capacity: 100_000)
    XCTAssertNotNil(large.begin(deadline: deadline))
  }
}
