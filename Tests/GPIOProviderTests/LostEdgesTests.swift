import XCTest

@testable import GPIOProvider

final class LostEdgesTests: XCTestCase {
  func testGapsAreCounted() {
    let table: [(String, [UInt32], lost: [UInt32])] = [
      ("none", [1, 2, 3], [0, 0, 0]),
      ("before the first", [4, 5], [3, 0]),
      ("one and many", [1, 3, 4, 1_000_004], [0, 1, 0, 999_999]),
      ("repeated", [7, 7, 8], [6, 0, 0]),
      ("back, as after a restart that nobody told", [9, 1, 2, 4], [8, 0, 0, 1]),
      ("0, which is no first number", [0, 1, 3], [0, 0, 1]),
    ]
    for (name, sequences, lost) in table {
      var edges = LostEdges()
      XCTAssertEqual(sequences.map { edges.take($0) }, lost, name)
      XCTAssertEqual(edges.total, lost.reduce(0) { $0 + UInt64($1) }, name)
    }
  }

  func testNumbersWrapAround() {
    for (first, second, lost) in [
      (UInt32.max, 0, 0), (.max, 1, 1), (.max - 1, 3, 4), (.max - 5, .max, 4),
    ] as [(UInt32, UInt32, UInt32)] {
      var edges = LostEdges()
      // Up to there in steps that are no larger than half the range.
      _ = edges.take(.max / 2)
      _ = edges.take(first)
      let before = edges.total
      XCTAssertEqual(edges.take(second), lost, "\(first) to \(second)")
      XCTAssertEqual(edges.total - before, UInt64(lost), "\(first) to \(second)")
    }
  }

  func testARestartKeepsTheTotal() {
    var edges = LostEdges()
    XCTAssertEqual(edges.take(5), 4)
    edges.restart()
    XCTAssertEqual(edges.total, 4)
    XCTAssertEqual(edges.take(1), 0)
    edges.restart()
    XCTAssertEqual(edges.take(3), 2)
    XCTAssertEqual(edges.total, 6)
  }

  /// Whatever is lost, what arrived and what was counted as lost are all edges together.
  func testNothingIsUnaccountedFor() {
    for seed in UInt64(1)...300 {
      var random = SeededGenerator(seed: seed)
      var edges = LostEdges()
      var (happened, arrived) = (UInt64(0), UInt64(0))
      for _ in 0..<5 {
        var sequence: UInt32 = 0
        for _ in 0..<50 {
          let lost =
            Bool.random(using: &random) ? 0 : UInt32.random(in: 0...90_000_000, using: &random)
          happened += UInt64(lost) + 1
          arrived += 1
          sequence &+= lost &+ 1
          XCTAssertEqual(edges.take(sequence), lost, "seed \(seed)")
        }
        edges.restart()
      }
      XCTAssertEqual(arrived + edges.total, happened, "seed \(seed)")
    }
  }
}
