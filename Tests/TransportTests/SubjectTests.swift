import XCTest

@testable import Transport

final class SubjectTests: XCTestCase {
  private enum Kind { case subject, pattern, invalid }

  private let table: [(String, Kind)] = [
    ("a", .subject), ("a.b", .subject), ("a.b.c-d_e", .subject), ("$SRV.PING", .subject),
    ("_INBOX.ABC.1", .subject), ("ä.☃", .subject), ("a*", .subject), ("a.b*c", .subject),
    ("a>", .subject), (">a.b", .subject), ("**", .subject), ("a,b", .subject),
    ("*", .pattern), (">", .pattern), ("a.*", .pattern), ("*.b", .pattern), ("a.*.c.>", .pattern),
    ("*.*", .pattern), ("a.>", .pattern),
    ("", .invalid), (".", .invalid), ("a.", .invalid), (".a", .invalid), ("a..b", .invalid),
    (">.a", .invalid), ("a.>.b", .invalid), (">.>", .invalid), ("a b", .invalid), (" a", .invalid),
    ("a\t", .invalid), ("a\r\n", .invalid), ("a\u{0}", .invalid), ("a.\u{7F}", .invalid),
  ]

  func testValidity() {
    for (text, kind) in table {
      let subject = bytes(text)
      XCTAssertEqual(Subject.isValid(subject.span), kind == .subject, text)
      XCTAssertEqual(Subject.isValid(subject.span, allowsWildcards: true), kind != .invalid, text)
      XCTAssertEqual(Subject(subject) != nil, kind == .subject, text)
      XCTAssertEqual(
        Subject(subject, allowsWildcards: true)?.string, kind == .invalid ? nil : text, text)
    }
  }

  func testMatching() {
    let matching: [(String, String)] = [
      ("a", "a"), ("a.b", "a.b"), ("*", "a"), ("a.*", "a.b"), ("*.b", "a.b"), ("*.*", "a.b"),
      (">", "a"), (">", "a.b.c"), ("a.>", "a.b"), ("a.>", "a.b.c"), ("a.*.>", "a.b.c.d"),
    ]
    let different: [(String, String)] = [
      ("a", "b"), ("a", "a.b"), ("a.b", "a"), ("*", "a.b"), ("a.*", "a"), ("a.*", "a.b.c"),
      ("a.>", "a"), ("a.>", "b.c"), ("a.*.>", "a.b"), ("a", "A"), ("a", ""), (">", ""),
      ("a.b", "ab"),
    ]
    for (pattern, subject) in matching {
      XCTAssertTrue(matches(pattern, subject), "\(pattern) \(subject)")
    }
    for (pattern, subject) in different {
      XCTAssertFalse(matches(pattern, subject), "\(pattern) \(subject)")
    }
  }

  /// Against a matcher written otherwise, on short random patterns.
  func testMatchingAgainstModel() {
    var random = RandomGenerator(seed: 9)
    var count = 0
    for _ in 0..<5000 {
      let pattern = (0...random.index(below: 4)).map { _ in
        random.element(of: ["a", "b", "*", ">"])
      }
      .joined(separator: ".")
      let subject = (0...random.index(below: 4)).map { _ in random.element(of: ["a", "b", "cc"]) }
        .joined(separator: ".")
      guard Subject(bytes(pattern), allowsWildcards: true) != nil else { continue }
      let expected = Pattern.matches(pattern, subject)
      XCTAssertEqual(matches(pattern, subject), expected, "\(pattern) \(subject)")
      if expected { count += 1 }
    }
    XCTAssertGreaterThan(count, 200)
  }

  func testTokens() {
    let cases: [(String, [String])] = [
      ("", []), ("a", ["a"]), ("a.b.c", ["a", "b", "c"]), (".", ["", ""]), ("a.", ["a", ""]),
      ("a..b", ["a", "", "b"]),
    ]
    for (text, tokens) in cases {
      let subject = bytes(text)
      var reader = TokenReader(subject.span)
      var seen: [String] = []
      while let token = reader.next() { seen.append(Array(subject[token]).string) }
      XCTAssertEqual(seen, tokens, text)
      XCTAssertNil(reader.next())
    }
  }

  private func matches(_ pattern: String, _ subject: String) -> Bool {
    guard let pattern = Subject(bytes(pattern), allowsWildcards: true) else {
      XCTFail("no pattern: \(pattern)")
      return false
    }
    return pattern.matches(bytes(subject).span)
  }
}
