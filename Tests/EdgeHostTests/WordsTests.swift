import Transport
import XCTest

@testable import EdgeHost

final class WordsTests: XCTestCase {
  func testEditDistance() {
    let table: [(String, String, Int)] = [
      ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("line", "line", 0), ("line", "lin", 1),
      ("lien", "line", 1), ("kind", "line", 2), ("debuonce", "debounce", 1), ("ca", "abc", 3),
      ("kitten", "sitting", 3), ("abcd", "dcba", 3),
    ]
    for (left, right, distance) in table {
      XCTAssertEqual(
        editDistance(Array(left.utf8), Array(right.utf8)), distance, "\(left) \(right)")
      XCTAssertEqual(
        editDistance(Array(right.utf8), Array(left.utf8)), distance, "\(right) \(left)")
    }
    let long = [UInt8](repeating: 1, count: 100_000)
    XCTAssertEqual(editDistance(long, long), 32)
  }

  func testTheNearestWord() {
    func nearestText(_ text: String, _ words: Words) -> String? {
      nearest(to: Array(text.utf8), in: words)?.string
    }
    XCTAssertEqual(nearestText("Name", "line name"), "name")
    XCTAssertEqual(nearestText("nmae", "line name"), "name")
    XCTAssertEqual(nearestText("capabilties", "labels capabilities"), "capabilities")
    XCTAssertNil(nearestText("kind", "line"))
    XCTAssertNil(nearestText("", "line"))
    XCTAssertNil(nearestText("anything", ""))
  }

  func testAlternatives() {
    XCTAssertEqual(alternatives("").string, "")
    XCTAssertEqual(alternatives("a").string, "a")
    XCTAssertEqual(alternatives("a b").string, "a or b")
    XCTAssertEqual(alternatives("a b c", joinedBy: " and ").string, "a, b and c")
  }

  func testNames() {
    for name in [
      "a", "dock-7", "GPIO17", "a_b", "7", "$x", "a/b", String(repeating: "x", count: 63),
    ] {
      XCTAssertTrue(Name.isValid(Array(name.utf8)), name)
      XCTAssertEqual(Name.suggestion(for: Array(name.utf8)), name)
    }
    let table: [(String, String?)] = [
      ("", nil), ("...", nil), ("dock.7", "dock-7"), (".dock .*> 7.", "dock-7"), ("a b", "a-b"),
      ("T\u{fc}r", "T-r"), ("a\u{7f}", "a"), ("pi.local", "pi-local"),
      (String(repeating: "x", count: 64), String(repeating: "x", count: 63)),
    ]
    for (name, suggestion) in table {
      XCTAssertFalse(Name.isValid(Array(name.utf8)), name)
      XCTAssertEqual(Name.suggestion(for: Array(name.utf8)), suggestion, name)
    }
  }

  func testMessages() {
    let name = "x"
    let word: StaticString = "y"
    let inner: Text = "<\(name)\(word)>"
    let message: Text =
      "\(inner) \(-12) \(Int64.min) \(0) \(Mark(line: 3, column: .max)) \(quoted: Array("z".utf8))"
    XCTAssertEqual(message.string, "<xy> -12 -9223372036854775808 0 3:4294967295 'z'")
  }

  func testQuotedTextIsShortAndHarmless() {
    func quoted(_ text: String) -> String { ("\(quoted: Array(text.utf8))" as Text).string }
    XCTAssertEqual(quoted(""), "''")
    XCTAssertEqual(quoted("a\n\u{1b}[31m\u{7f}\u{9b}\u{a0}b"), "'a??[31m??\u{a0}b'")
    let long = String(repeating: "\u{20ac}", count: 100)
    XCTAssertEqual(quoted(long), "'" + String(repeating: "\u{20ac}", count: 13) + "...'")
  }
}
