import XCTest

@testable import Transport

final class JSONWriterTests: XCTestCase {
  private func text(_ value: JSONValue) -> String {
    var writer = JSONWriter()
    value.write(to: &writer)
    return writer.bytes.string
  }

  func testTexts() {
    let cases: [(JSONValue, String)] = [
      (.null, "null"), (.bool(true), "true"), (.bool(false), "false"), (.integer(0), "0"),
      (.integer(.max), "9223372036854775807"), (.integer(.min), "-9223372036854775808"),
      (.double(0.5), "0.5"), (.double(-21.25), "-21.25"), (.double(.infinity), "null"),
      (.double(-.infinity), "null"), (.double(.nan), "null"), (.string(""), "\"\""),
      (
        .string("\"\\/\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}"),
        #""\"\\/\n\r\t\u0008\u000c\u0000\u001f"# + "\u{7F}\""
      ),
      (.string("ä☃😀"), "\"ä☃😀\""), (.array([]), "[]"), (.object([]), "{}"),
      (.array([.integer(1), .array([]), .object([]), .null]), "[1,[],{},null]"),
      (
        .object([
          .init(key: "a", value: .integer(1)), .init(key: "b\n", value: .array([.bool(true)])),
          .init(key: "", value: .object([.init(key: "c", value: .null)])),
        ]), #"{"a":1,"b\n":[true],"":{"c":null}}"#
      ),
    ]
    for (value, expected) in cases { XCTAssertEqual(text(value), expected) }
  }

  func testEveryASCIICharacterComesBack() throws {
    for scalar in UInt8(0)..<0x80 {
      let value = JSONValue.string("x\(Character(UnicodeScalar(scalar)))y")
      XCTAssertEqual(try JSONValue(bytes(text(value))), value)
    }
  }

  func testRandomTreesComeBack() throws {
    for seed in UInt64(1)...500 {
      var random = RandomGenerator(seed: seed)
      let value = tree(&random, depth: 0)
      XCTAssertEqual(try JSONValue(bytes(text(value))), value, "seed \(seed)")
    }
  }

  private func tree(_ random: inout RandomGenerator, depth: Int) -> JSONValue {
    switch random.index(below: depth < 6 ? 8 : 6) {
    case 0: return .null
    case 1: return .bool(random.oneIn(2))
    case 2: return .integer(Int64(truncatingIfNeeded: random.next()) >> random.index(below: 64))
    case 3: return double(&random)
    case 4, 5: return .string(string(&random))
    case 6: return .array((0..<random.index(below: 5)).map { _ in tree(&random, depth: depth + 1) })
    default:
      return .object(
        (0..<random.index(below: 5)).map { _ in
          .init(key: string(&random), value: tree(&random, depth: depth + 1))
        })
    }
  }

  /// A double of at most 15 digits, which is read exactly, and not as an integer.
  private func double(_ random: inout RandomGenerator) -> JSONValue {
    while true {
      let number = Double(Int64(random.next(through: 1_999_999_999)) - 999_999_999) / 256
      if number != number.rounded() { return .double(number) }
    }
  }

  private func string(_ random: inout RandomGenerator) -> String {
    var text = ""
    for _ in 0..<random.index(below: 8) {
      let value = UInt32(random.next(through: random.element(of: [0x7F, 0x7FF, 0xFFFF, 0x10FFFF])))
      if let scalar = UnicodeScalar(value) { text.unicodeScalars.append(scalar) }
    }
    return text
  }
}
