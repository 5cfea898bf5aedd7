import XCTest

@testable import Transport

final class JSONReaderTests: XCTestCase {
  private func tokens(_ text: [UInt8]) throws -> [JSONToken] {
    var reader = JSONReader(text.span)
    var tokens: [JSONToken] = []
    while true {
      let token = try reader.next()
      if token == .end { return tokens }
      tokens.append(token)
      // A token costs at least a byte.
      if tokens.count > text.count { throw JSONError(reason: .tooDeep, offset: -1) }
    }
  }

  private func error(_ text: [UInt8]) -> JSONError? {
    do { _ = try tokens(text) } catch { return error as? JSONError }
    return nil
  }

  // MARK: grammar (RFC 8259)

  private let good = [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "0.5", "-0.5", "1e5", "1E5", "1e+5",
    "1e-5",
    "0e0", "1.25e10", "123456789012345678901234567890", "\"\"", "\"a\"", "[]", "{}", "[[]]", "[{}]",
    "{\"\":0}", "{\"a\":{\"b\":[]}}", "[1,2,3]", "[null,true,false]", "{\"a\":1,\"a\":2}",
    " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n", " { \"a\" : 1 , \"b\" : 2 } ", " 1 ",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\\u00e4\\u2603\"", "\"\\uD83D\\uDE00\"",
    "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"ä☃😀\"", "\"\u{7F}\"",
    "\"\u{80}\u{7FF}\u{800}\u{FFFF}\"",
    "\"\u{10000}\u{10FFFF}\"", "\"/\"",
  ]

  private let bad: [(String, JSONError.Reason)] = [
    ("", .unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd), ("{", .unexpectedEnd),
    ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd), ("{\"a\"", .unexpectedEnd),
    ("{\"a\":", .unexpectedEnd), ("{\"a\":1", .unexpectedEnd), ("{\"a\":1,", .unexpectedEnd),
    ("\"a", .unexpectedEnd), ("{\"a", .unexpectedEnd),
    ("nul", .unexpectedByte), ("tru", .unexpectedByte), ("True", .unexpectedByte),
    ("falsy", .unexpectedByte), ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte),
    ("'a'", .unexpectedByte), ("+1", .unexpectedByte), (".5", .unexpectedByte),
    ("]", .unexpectedByte),
    ("}", .unexpectedByte), (",", .unexpectedByte), (":", .unexpectedByte),
    ("[,]", .unexpectedByte),
    ("[1,]", .unexpectedByte), ("[1,,2]", .unexpectedByte), ("[1 2]", .unexpectedByte),
    ("[1}", .unexpectedByte), ("{]", .unexpectedByte), ("{,}", .unexpectedByte),
    ("{1:2}", .unexpectedByte),
    ("{a:1}", .unexpectedByte), ("{\"a\" 1}", .unexpectedByte), ("{\"a\",1}", .unexpectedByte),
    ("{\"a\":}", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte),
    ("{\"a\":1 \"b\":2}", .unexpectedByte),
    ("{\"a\":1]", .unexpectedByte), ("{\"a\":1:2}", .unexpectedByte), ("[01]", .unexpectedByte),
    ("[1 // c\n]", .unexpectedByte), ("\u{FEFF}1", .unexpectedByte), ("[\u{A0}1]", .unexpectedByte),
    ("-", .badNumber), ("-a", .badNumber), ("--1", .badNumber), ("1.", .badNumber),
    ("1.e5", .badNumber),
    ("1e", .badNumber), ("1e+", .badNumber), ("1e-", .badNumber), ("-.5", .badNumber),
    ("01", .trailingBytes), ("1 2", .trailingBytes), ("nulll", .trailingBytes),
    ("[]]", .trailingBytes),
    ("{}}", .trailingBytes), ("\"a\"b", .trailingBytes), ("0x1", .trailingBytes),
    ("1\u{0}", .trailingBytes),
    ("\"\\x\"", .badEscape), ("\"\\", .badEscape), ("\"\\u", .badEscape), ("\"\\u12", .badEscape),
    ("\"\\u12G4\"", .badEscape), ("\"\\U0041\"", .badEscape), ("\"\\'\"", .badEscape),
    ("\"\\uD800\"", .badEscape), ("\"\\uDC00\"", .badEscape), ("\"\\uD800\\n\"", .badEscape),
    ("\"\\uD800\\u0041\"", .badEscape), ("\"\\uD800\\uD800\"", .badEscape),
    ("\"\\uD800\\uDC0\"", .badEscape),
    ("\"\\uD800x\"", .badEscape), ("\"\\uD83D\\uDE0", .badEscape),
    ("\"\n\"", .controlCharacter), ("\"\t\"", .controlCharacter), ("\"\u{0}\"", .controlCharacter),
    ("\"\u{1F}\"", .controlCharacter), ("{\"\n\":1}", .controlCharacter),
  ]

  func testGoodTexts() {
    for text in good { XCTAssertNil(error(bytes(text)), text.debugDescription) }
  }

  func testBadTexts() {
    for (text, reason) in bad {
      let error = error(bytes(text))
      XCTAssertEqual(error?.reason, reason, text.debugDescription)
      XCTAssertLessThanOrEqual(error?.offset ?? 0, text.utf8.count)
    }
  }

  func testOffsetsOfErrors() {
    let cases = [
      ("[1,x]", 3), ("{\"a\":tru}", 5), ("[1] ,", 4), ("\"a\nb\"", 2), ("", 0), ("[1", 2),
    ]
    for (text, offset) in cases { XCTAssertEqual(error(bytes(text))?.offset, offset, text) }
  }

  /// Every prefix of a text is an error, and no prefix traps; nor does any suffix.
  func testTruncated() {
    for text in good {
      let whole = bytes(text)
      // Prefixes of numbers are numbers, and blanks at the end may be missing.
      let mustBeWhole = text.contains { "[{\"nt".contains($0) } && whole.last ?? 0 > 0x20
      for length in whole.indices {
        let prefix = Array(whole[..<length])
        let error = error(prefix)
        if mustBeWhole { XCTAssertNotNil(error, prefix.string.debugDescription) }
        _ = self.error(Array(whole[length...]))
      }
    }
  }

  func testRandomBytes() {
    for seed in UInt64(1)...2000 {
      var random = RandomGenerator(seed: seed)
      let text = (0..<40).map { _ in
        random.element(of: bytes("[]{}\",:\\u0d8etrn-1. \u{C3}\u{A4}\n"))
      }
      _ = error(text)
    }
  }

  func testUTF8IsValidated() {
    let bad: [[UInt8]] = [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80],
      [0xE0, 0x9F, 0xBF], [0xE2, 0x98], [0xE2, 0x41, 0x83], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
      [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98],
      [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ]
    for sequence in bad {
      XCTAssertEqual(error([0x22] + sequence + [0x22])?.reason, .badUTF8, "\(sequence)")
      XCTAssertEqual(error([0x22] + sequence)?.reason, .badUTF8, "\(sequence)")
    }
    // Against the standard library, for every sequence of two bytes and many of four.
    for first in UInt8(0x80)...0xFF {
      for second in UInt8(0x20)...0xFF where second != 0x22 && second != 0x5C {
        let text = [first, second]
        XCTAssertEqual(
          error([0x22] + text + [0x22]) == nil, String(validating: text, as: UTF8.self) != nil)
      }
    }
    var random = RandomGenerator(seed: 1)
    for _ in 0..<20_000 {
      let text = [
        UInt8(0xE0 + random.index(below: 24)), UInt8(0x80 + random.index(below: 64)),
        UInt8(0x80 + random.index(below: 64)), UInt8(0x80 + random.index(below: 64)),
      ]
      XCTAssertEqual(
        error([0x22] + text + [0x22]) == nil, String(validating: text, as: UTF8.self) != nil)
    }
  }

  func testDepth() {
    func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
      bytes(String(repeating: open, count: depth) + String(repeating: close, count: depth))
    }
    let depthMax = JSONReader.depthMax
    XCTAssertNil(error(nested(depthMax, "[", "]")))
    XCTAssertEqual(error(nested(depthMax + 1, "[", "]"))?.reason, .tooDeep)
    XCTAssertEqual(error(nested(100_000, "[", ""))?.reason, .tooDeep)
    let object = bytes(
      String(repeating: "{\"a\":", count: depthMax) + "1" + String(repeating: "}", count: depthMax))
    XCTAssertNil(error(object))
    // Brackets must pair at every depth.
    let mixed = String(repeating: "[{\"a\":", count: 16)
    XCTAssertNil(error(bytes(mixed + "1" + String(repeating: "}]", count: 16))))
    XCTAssertEqual(
      error(bytes(mixed + "1" + String(repeating: "]}", count: 16)))?.reason, .unexpectedByte)
  }

  // MARK: values

  func testTokensAndRanges() throws {
    let text = bytes("{\"key\": [1.5, \"v\", null, true]}")
    XCTAssertEqual(
      try tokens(text),
      [
        .beginObject, .key(2..<5), .beginArray, .number(9..<12), .string(15..<16), .null,
        .bool(true),
        .endArray, .endObject,
      ])
  }

  func testStrings() throws {
    let cases = [
      ("\"\"", ""), ("\"plain\"", "plain"),
      ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"),
      ("\"\\u0041\\u00e4\\u2603\\uFFFF\"", "Aä☃\u{FFFF}"), ("\"x\\uD83D\\uDE00y\"", "x😀y"),
      ("\"\\uDBFF\\uDFFF\\ud800\\udc00\"", "\u{10FFFF}\u{10000}"), ("\"\\u0000\"", "\0"),
      ("\"\\u007f\\u0080\\u07FF\\u0800\"", "\u{7F}\u{80}\u{7FF}\u{800}"), ("\"ä\\n☃\"", "ä\n☃"),
    ]
    for (text, expected) in cases {
      XCTAssertEqual(try JSONValue(bytes(text)), .string(expected), text)
    }
  }

  func testIntegers() throws {
    let cases: [(String, Int64?)] = [
      ("0", 0), ("-0", 0), ("1", 1), ("-1", -1), ("9223372036854775807", .max),
      ("-9223372036854775808", .min), ("9223372036854775808", nil), ("-9223372036854775809", nil),
      ("18446744073709551615", nil), ("18446744073709551616", nil), ("-18446744073709551616", nil),
      ("99999999999999999999999", nil), ("1.0", nil), ("1e2", nil), ("-1E0", nil),
    ]
    for (text, expected) in cases {
      let text = bytes(text)
      var reader = JSONReader(text.span)
      guard case .number(let range) = try reader.next() else { return XCTFail(text.string) }
      XCTAssertEqual(reader.integer(range), expected, text.string)
    }
  }

  func testDoubles() throws {
    let cases: [(String, Double?)] = [
      ("0.5", 0.5), ("-1.25e2", -125), ("1e309", nil), ("-1e999", nil),
      ("1e-400", 0),
      ("4.9e-324", .leastNonzeroMagnitude),
      ("123456789012345678901234567890", 1.2345678901234568e29),
    ]
    for (text, expected) in cases {
      let text = bytes(text)
      var reader = JSONReader(text.span)
      guard case .number(let range) = try reader.next() else { return XCTFail(text.string) }
      XCTAssertEqual(reader.double(range), expected, text.string)
    }
  }

  func testTypedValues() {
    func type(_ text: String, _ read: (inout JSONReader) throws(JSONError) -> Void) -> JSONError
      .Reason?
    {
      let text = bytes(text)
      var reader = JSONReader(text.span)
      do throws(JSONError) { try read(&reader) } catch { return error.reason }
      return nil
    }
    XCTAssertNil(type("\"a\"") { reader throws(JSONError) in _ = try reader.nextString() })
    XCTAssertNil(type("true") { reader throws(JSONError) in _ = try reader.nextBool() })
    XCTAssertNil(type("7") { reader throws(JSONError) in _ = try reader.nextInteger() })
    for text in ["1", "null", "[]", "{}"] {
      XCTAssertEqual(
        type(text) { reader throws(JSONError) in _ = try reader.nextString() }, .unexpectedType)
      XCTAssertEqual(
        type(text) { reader throws(JSONError) in _ = try reader.nextBool() }, .unexpectedType)
    }
    for text in ["1.5", "\"1\"", "9223372036854775808"] {
      XCTAssertEqual(
        type(text) { reader throws(JSONError) in _ = try reader.nextInteger() }, .unexpectedType)
    }
  }

  func testSkipValue() throws {
    for value in good {
      let text = bytes("{\"skipped\":\(value),\"next\":7}")
      var reader = JSONReader(text.span)
      XCTAssertEqual(try reader.next(), .beginObject)
      guard case .key = try reader.next() else { return XCTFail(value) }
      try reader.skipValue()
      guard case .key(let key) = try reader.next() else { return XCTFail(value) }
      XCTAssertTrue(reader.matches(key, "next"))
      XCTAssertEqual(try reader.nextInteger(), 7)
      XCTAssertEqual(try reader.next(), .endObject)
      XCTAssertEqual(try reader.next(), .end)
    }
    for text in ["", "[1", "[[[", "{\"a\":"] {
      let text = bytes(text)
      var reader = JSONReader(text.span)
      XCTAssertThrowsError(try reader.skipValue())
    }
    // Nothing follows a whole value.
    let text = bytes("1")
    var reader = JSONReader(text.span)
    try reader.skipValue()
    XCTAssertEqual(try reader.next(), .end)
    XCTAssertThrowsError(try reader.skipValue())
  }

  func testMatchesOnlyPlainTexts() throws {
    let text = bytes("[\"abc\",\"\\u0061bc\"]")
    var reader = JSONReader(text.span)
    _ = try reader.next()
    guard case .string(let plain) = try reader.next(), case .string(let escaped) = try reader.next()
    else { return XCTFail() }
    XCTAssertTrue(reader.matches(plain, "abc"))
    XCTAssertFalse(reader.matches(plain, "ab"))
    XCTAssertFalse(reader.matches(escaped, "abc"))
    XCTAssertEqual(reader.text(escaped), "abc")
  }
}
