import Transport
import XCTest

@testable import Lattice

final class JSONValueTests: XCTestCase {
  private func read(_ text: String) -> Result<Record, JSONError> {
    let bytes = Array(text.utf8)
    do throws(JSONError) {
      return .success(try Record(json: bytes.span))
    } catch {
      return .failure(error)
    }
  }

  private func problem(_ text: String) -> String? {
    if case .failure(let error) = read(text) { return error.description }
    return nil
  }

  func testRoundTrip() {
    let inner = Record([("", .null), ("a b", .list([])), ("\"\\\n\u{1}", .record(Record()))])
    let values: [(Value, String)] = [
      (.null, "null"), (.bool(true), "true"), (.bool(false), "false"), (.integer(0), "0"),
      (.integer(.max), "9223372036854775807"), (.integer(.min), "-9223372036854775808"),
      (.double(0.5), "0.5"), (.double(-21.25), "-21.25"), (.double(5), "5.0"),
      (.double(1e22), "1e+22"), (.string(""), "\"\""), (.string("a/b"), "\"a/b\""),
      (.string("\"\\\n\r\t\u{8}\u{1f}"), "\"\\\"\\\\\\n\\r\\t\\u0008\\u001f\""),
      (.string("21 \u{b0}C \u{1f600}"), "\"21 \u{b0}C \u{1f600}\""),
      (.list([]), "[]"),
      (.list([.integer(1), .list([.null]), .string("x")]), "[1,[null],\"x\"]"),
      (.record(Record()), "{}"),
      (.record(inner), "{\"\":null,\"a b\":[],\"\\\"\\\\\\n\\u0001\":{}}"),
    ]
    for (value, text) in values {
      XCTAssertEqual(String(decoding: value.jsonBytes, as: UTF8.self), text)
      XCTAssertEqual(read("{\"v\":\(text)}"), .success(Record([("v", value)])), text)
    }
    let all = Record(values.enumerated().map { ("v\($0.offset)", $0.element.0) })
    XCTAssertEqual(read(String(decoding: all.jsonBytes, as: UTF8.self)), .success(all))
  }

  /// What comes back as something else than what went out.
  func testOneWay() {
    let table: [(Value, Value)] = [
      (.bytes([]), .list([])), (.bytes([0, 255]), .list([.integer(0), .integer(255)])),
      (.double(.infinity), .null), (.double(.nan), .null),
    ]
    for (value, back) in table {
      let text = String(decoding: value.jsonBytes, as: UTF8.self)
      XCTAssertEqual(read("{\"v\":\(text)}"), .success(Record([("v", back)])))
    }
    XCTAssertEqual(
      read("{\"v\":9223372036854775808}"), .success(Record([("v", .double(0x1p63))])))
    XCTAssertEqual(read("{\"v\":1e2}"), .success(Record([("v", .double(100))])))
  }

  func testOrderIsKept() {
    guard case .success(let record) = read("{\"z\":1,\"a\":2,\"m\":3}") else {
      return XCTFail("not read")
    }
    XCTAssertEqual(record.fields.map { $0.name }, ["z", "a", "m"])
    XCTAssertEqual(record["a"], .integer(2))
    XCTAssertNil(record["b"])
  }

  func testAnEmptyBodyIsAnEmptyRecord() {
    XCTAssertEqual(read(""), .success(Record()))
    XCTAssertEqual(read(" {\r\n\t} "), .success(Record()))
    XCTAssertEqual(problem(" "), "the text ends too early at byte 1")
  }

  func testMalformed() {
    let table: [(String, String)] = [
      ("{", "the text ends too early at byte 1"), ("{]", "unexpected character at byte 1"),
      ("{\"a\":1", "the text ends too early at byte 6"),
      ("{\"a\":1,}", "unexpected character at byte 7"),
      ("{\"a\" 1}", "unexpected character at byte 5"),
      ("{\"a\":01}", "unexpected character at byte 6"),
      ("{\"a\":-}", "malformed number at byte 6"), ("{\"a\":1.}", "malformed number at byte 7"),
      ("{\"a\":1e999}", "malformed number at byte 10"),
      ("{\"a\":True}", "unexpected character at byte 5"),
      ("{\"a\":\"\\x\"}", "malformed escape at byte 6"),
      ("{\"a\":\"\\ud800\"}", "malformed escape at byte 6"),
      ("{\"a\":\"\n\"}", "control character in a string at byte 6"),
      ("{\"a\":1}x", "something follows the value at byte 7"),
      ("{}{}", "something follows the value at byte 2"),
      ("[]", "value of an unexpected type at byte 1"),
      ("null", "value of an unexpected type at byte 4"),
      ("\"a\"", "value of an unexpected type at byte 3"),
      ("5", "value of an unexpected type at byte 1"), ("a=b", "unexpected character at byte 0"),
    ]
    for (text, expected) in table { XCTAssertEqual(problem(text), expected, text) }
    var bytes = Array("{\"a\":\"x\"}".utf8)
    bytes[6] = 0xff
    XCTAssertThrowsError(try Record(json: bytes.span)) {
      XCTAssertEqual("\($0)", "malformed UTF-8 at byte 6")
    }
  }

  func testRepeatedNames() {
    XCTAssertEqual(problem("{\"a\":1,\"a\":1}"), "repeated key at byte 10")
    XCTAssertEqual(problem("{\"a\":1,\"\\u0061\":2}"), "repeated key at byte 15")
    XCTAssertEqual(problem("{\"x\":{\"a\":1,\"b\":2,\"a\":3}}"), "repeated key at byte 21")
    XCTAssertEqual(problem("{\"x\":[{\"a\":1},{\"a\":1,\"a\":3}]}"), "repeated key at byte 24")
    XCTAssertNil(problem("{\"x\":{\"a\":1},\"a\":{\"a\":1}}"))
    // Not the same bytes, though the same text to Unicode.
    XCTAssertNil(problem("{\"\u{e9}\":1,\"e\u{301}\":2}"))
  }

  func testDepth() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    XCTAssertNil(problem("{\"a\":\(nested(31))}"))
    XCTAssertEqual(problem("{\"a\":\(nested(32))}"), "nested too deeply at byte 36")
    XCTAssertEqual(
      problem(String(repeating: "{\"a\":", count: 5000)), "nested too deeply at byte 160")
  }
}
