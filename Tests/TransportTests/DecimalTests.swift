import XCTest

@testable import Transport

final class DecimalTests: XCTestCase {
  private func parse(_ text: String) -> Double? { parseDecimal(Array(text.utf8).span) }

  func testFifteenDigitsAreExact() {
    var random = RandomGenerator(seed: 5)
    for _ in 0..<20_000 {
      let digits = random.next(through: 999_999_999_999_999)
      let exponent = Int(random.next(through: 44)) - 22
      let text = "\(random.next() & 1 == 0 ? "-" : "")\(digits)e\(exponent)"
      XCTAssertEqual(parse(text), Double(text), text)
    }
  }

  func testAnyDoubleIsReadAlmostExactly() {
    var random = RandomGenerator(seed: 6)
    for _ in 0..<20_000 {
      let number = Double(bitPattern: random.next())
      guard number.isNormal, number.magnitude < 1e307, number.magnitude > 1e-290 else { continue }
      guard let read = parse(number.description) else { return XCTFail(number.description) }
      XCTAssertLessThanOrEqual(
        (read - number).magnitude, number.ulp * 200, number.description)
    }
  }

  func testEdges() {
    XCTAssertEqual(parse("0"), 0)
    XCTAssertEqual(parse("-0")?.sign, .minus)
    XCTAssertEqual(parse("1e-400"), 0)
    XCTAssertEqual(parse("0e99999999999"), 0)
    XCTAssertNil(parse("1e309"))
    XCTAssertNil(parse("1e99999999999999999999"))
    XCTAssertEqual(parse(String(repeating: "0", count: 1_000) + "7"), 7)
    XCTAssertEqual(parse("0." + String(repeating: "0", count: 18) + "1"), 1e-19)
    for text in ["", "-", ".", "1.", ".5", "+1", "1e", "1e+", "e1", "nan", "1.2.3", "1 ", "0x1"] {
      XCTAssertNil(parse(text), text)
    }
  }
}
