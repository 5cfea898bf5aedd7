import Transport
import XCTest

@testable import Lattice

final class ArgumentCheckTests: XCTestCase {
  private let operation = Operation(
    name: "set",
    parameters: [
      Parameter("active", .bool, isRequired: true), Parameter("label", .string),
      Parameter("factor", .double(-0.5...5)), Parameter("pulse_ms", .integer(-1...3_600_000)),
      Parameter("unit", .string, isRequired: true), Parameter("names", .names(max: 2)),
      Parameter("states", .states(max: 2)),
    ])

  /// Why the arguments are refused; nil when they are not.
  private func refusal(_ arguments: [(String, Value)], without left: [String] = []) -> String? {
    let required: [(String, Value)] = [("active", .bool(true)), ("unit", .string("V"))]
    let names = arguments.map { $0.0 } + left
    let record = Record(required.filter { !names.contains($0.0) } + arguments)
    do throws(InvocationError) {
      try ArgumentCheck.check(record, against: operation)
      return nil
    } catch {
      XCTAssertEqual(error.code, .badRequest)
      return error.reason
    }
  }

  func testKinds() {
    let kinds = [
      "active": "true or false", "label": "text", "factor": "a number from -0.5 to 5.0",
      "pulse_ms": "a whole number from -1 to 3600000", "names": "a list of 1 to 2 names",
      "states": "an object of 1 to 2 names with true or false",
    ]
    let states: Value = .record(Record([("siren", .bool(true))]))
    let values: [(Value, String, taken: [String])] = [
      (.bool(true), "true", ["active"]), (.bool(false), "false", ["active"]),
      (.string("x"), "\"x\"", ["label"]), (.string(""), "\"\"", ["label"]),
      (.string("1"), "\"1\"", ["label"]), (.integer(5), "5", ["factor", "pulse_ms"]),
      (.double(5), "5.0", ["factor"]), (.double(0.5), "0.5", ["factor"]),
      (.list([.string("x")]), "[\"x\"]", ["names"]), (states, "{\"siren\":true}", ["states"]),
      (.bytes([1]), "[1]", []),
    ]
    for (value, text, taken) in values {
      for (name, expected) in kinds {
        XCTAssertEqual(
          refusal([(name, value)]),
          taken.contains(name) ? nil : "\"\(name)\" must be \(expected), not '\(text)'")
      }
    }
  }

  func testListsAndStates() {
    func names(_ values: Value...) -> String? { refusal([("names", .list(values))]) }
    func states(_ values: Value...) -> String? {
      let fields = values.enumerated().map { ("l\($0)", $1) }
      return refusal([("states", .record(Record(fields)))])
    }
    let (a, on) = (Value.string("a"), Value.bool(true))
    XCTAssertNil(names(a, a))
    XCTAssertNil(states(on, on))
    XCTAssertEqual(names(), "\"names\" has 0 entries, but must have 1 to 2")
    XCTAssertEqual(names(a, a, a), "\"names\" has 3 entries, but must have 1 to 2")
    XCTAssertEqual(states(), "\"states\" has 0 entries, but must have 1 to 2")
    XCTAssertEqual(states(on, on, on), "\"states\" has 3 entries, but must have 1 to 2")
    XCTAssertEqual(names(a, .integer(17)), "an entry of \"names\" is '17', but must be text")
    XCTAssertEqual(names(.null), "an entry of \"names\" is 'null', but must be text")
    XCTAssertEqual(
      states(on, .integer(1)), "'l1' of \"states\" is '1', but must be true or false")
    XCTAssertEqual(
      states(.null), "'l0' of \"states\" is 'null', but must be true or false")
  }

  func testRanges() {
    for number in [-1, 0, 1, 3_600_000] as [Int64] {
      XCTAssertNil(refusal([("pulse_ms", .integer(number))]))
    }
    for number in [.min, -2, 3_600_001, .max] as [Int64] {
      XCTAssertEqual(
        refusal([("pulse_ms", .integer(number))]),
        "\"pulse_ms\" is \(number), but must be -1 to 3600000")
    }
    for number in [.double(-0.5), .double(5), .integer(0), .integer(5)] as [Value] {
      XCTAssertNil(refusal([("factor", number)]))
    }
    let outside: [(Value, String)] = [
      (.double(-0.51), "-0.51"), (.double(5.5), "5.5"), (.integer(6), "6"),
      (.integer(.min), "-9223372036854775808"), (.double(.nan), "null"),
    ]
    for (number, text) in outside {
      XCTAssertEqual(
        refusal([("factor", number)]), "\"factor\" is \(text), but must be -0.5 to 5.0")
    }
  }

  func testMissing() {
    XCTAssertEqual(refusal([], without: ["active"]), "set needs the argument \"active\"")
    XCTAssertEqual(refusal([], without: ["unit"]), "set needs the argument \"unit\"")
    XCTAssertNil(refusal([]))
  }

  /// Null is how many clients leave an argument out.
  func testNull() {
    for name in ["label", "factor", "pulse_ms", "names", "states"] {
      XCTAssertNil(refusal([(name, .null)]))
    }
    XCTAssertEqual(refusal([("active", .null)]), "set needs the argument \"active\"")
  }

  func testUnknown() {
    XCTAssertEqual(refusal([("speed", .integer(1))]), "set takes no argument 'speed'")
    XCTAssertEqual(refusal([("speed", .null)]), "set takes no argument 'speed'")
    XCTAssertEqual(refusal([("Active", .bool(true))]), "set takes no argument 'Active'")
    XCTAssertEqual(refusal([("\n", .null)]), "set takes no argument '?'")
  }
}
