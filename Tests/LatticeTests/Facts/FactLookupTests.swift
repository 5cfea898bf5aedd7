import Transport
import XCTest

@testable import Lattice

/// A fact is looked for among the messages of its subject.
final class FactLookupTests: XCTestCase {
  private struct Message {
    var sequence: UInt64
    var id: String
    var second: Int64
  }

  /// Plays the stream; gives the result and how many questions it took.
  private func look(
    for id: String, in stream: [Message], behind floor: UInt64, notBefore second: Int64? = nil
  ) -> (FactLookup.Result, questions: Int, seen: [String]) {
    var lookup = FactLookup(
      id: Array(id.utf8), floor: floor,
      notBefore: second.map { Timestamp(nanoseconds: $0 * 1_000_000_000) })
    var seen: [String] = []
    for questions in 1...10_000 {
      let message: Message? =
        switch lookup.query {
        case .last: stream.last
        case .next(let from): stream.first { $0.sequence >= from }
        }
      let result: FactLookup.Result?
      if let message {
        seen.append(message.id)
        result = lookup.handle(
          FactLookup.Message(
            sequence: message.sequence, id: Array(message.id.utf8),
            stored: Timestamp(nanoseconds: message.second * 1_000_000_000)))
      } else {
        result = lookup.handleNoMessage()
      }
      if let result { return (result, questions, seen) }
    }
    XCTFail("it does not end")
    return (.init(isThere: false, last: 0), 0, [])
  }

  private let stream = (1...9).map {
    Message(sequence: UInt64($0) * 3, id: "R-\($0)", second: Int64($0) * 10)
  }

  func testAnEmptySubject() {
    let (result, questions, _) = look(for: "R-1", in: [], behind: 0)
    XCTAssertEqual(result, .init(isThere: false, last: 0))
    XCTAssertEqual(questions, 1)
  }

  func testEveryPlaceFromEveryFloor() {
    for wanted in 1...9 as ClosedRange<Int> {
      for floor in 0...30 as ClosedRange<UInt64> {
        let (result, _, seen) = look(for: "R-\(wanted)", in: stream, behind: floor)
        XCTAssertEqual(result.last, 27)
        // The last is asked for in any case.
        XCTAssertEqual(result.isThere, UInt64(wanted) * 3 > floor || wanted == 9)
        for message in stream where message.sequence > floor {
          XCTAssertTrue(seen.contains(message.id), "all behind the floor is seen")
        }
      }
    }
  }

  func testOnlyTheLastIsWanted() {
    let (result, questions, _) = look(for: "R-10", in: stream, behind: .max)
    XCTAssertEqual(result, .init(isThere: false, last: 27))
    XCTAssertEqual(questions, 1)
  }

  /// A million messages and a fact of which is known when it happened.
  func testHalving() {
    let many = (1...100_000).map {
      Message(sequence: UInt64($0) * 10, id: "R-\($0)", second: Int64($0))
    }
    for wanted in [99_000, 99_990] {
      let (result, questions, _) = look(
        for: "R-\(wanted)", in: Array(many.suffix(100_000)), behind: 0,
        notBefore: Int64(wanted) - 5)
      XCTAssertEqual(result, .init(isThere: true, last: 1_000_000))
      XCTAssertLessThan(questions, 100_000 - wanted + 40)
    }
    let (result, _, _) = look(for: "R-x", in: many, behind: 0, notBefore: 200_000)
    XCTAssertEqual(result, .init(isThere: false, last: 1_000_000))
  }
}
