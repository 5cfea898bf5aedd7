import Lattice
import Transport
import XCTest

@testable import EdgeHost

final class CallCommandTests: XCTestCase {
  private func request(
    _ arguments: [String], lattice: String = "wh7", host: String = "dock-7",
    capability: String = "gpio", operation: String = "set"
  ) -> CallRequest {
    CallRequest(
      lattice: lattice, host: host, capability: capability, operation: operation,
      arguments: arguments)
  }

  /// Subject and body, or the mistake.
  private func message(_ request: CallRequest) -> String {
    do throws(UsageError) {
      let (subject, body) = try CallCommand.message(request)
      return subject.span.string + " " + body.span.string
    } catch {
      return error.message.string
    }
  }

  func testArgumentsAreTyped() {
    let table: [(String, String)] = [
      ("true", "true"), ("false", "false"), ("True", "\"True\""), ("null", "\"null\""),
      ("0", "0"), ("-5", "-5"), ("250", "250"), ("007", "7"),
      ("9223372036854775807", "9223372036854775807"),
      ("9223372036854775808", "9.223372036854776e+18"), ("0.5", "0.5"), ("-21.25", "-21.25"),
      ("1e3", "1000.0"), ("1.", "\"1.\""), (".5", "\".5\""), ("0x10", "\"0x10\""),
      ("1e999", "\"1e999\""), ("inf", "\"inf\""), ("nan", "\"nan\""), ("", "\"\""),
      ("12V", "\"12V\""), ("a=b", "\"a=b\""), ("a \"b\"", "\"a \\\"b\\\"\""),
      ("\u{b0}C", "\"\u{b0}C\""),
    ]
    for (text, json) in table {
      XCTAssertEqual(
        message(request(["name=siren", "v=\(text)"])),
        "edge.wh7.dock-7.gpio.siren.set {\"v\":\(json)}", text)
    }
  }

  func testNameSaysWhichLineOrSensor() {
    XCTAssertEqual(
      message(request(["name=siren", "active=true", "pulse_ms=250"])),
      "edge.wh7.dock-7.gpio.siren.set {\"active\":true,\"pulse_ms\":250}")
    XCTAssertEqual(
      message(request(["active=false", "name=siren"])),
      "edge.wh7.dock-7.gpio.siren.set {\"active\":false}")
    XCTAssertEqual(
      message(request(["name=door"], operation: "get")), "edge.wh7.dock-7.gpio.door.get ")
    XCTAssertEqual(
      message(request(["name=true"], operation: "get")), "edge.wh7.dock-7.gpio.true.get ")
    XCTAssertEqual(
      message(request([], capability: "", operation: "describe")), "edge.wh7.dock-7.describe ")
  }

  func testWithoutANameTheWholeIsAsked() {
    XCTAssertEqual(
      message(request(["names=[\"door\", \"siren\"]"], operation: "get-many")),
      "edge.wh7.dock-7.gpio.get-many {\"names\":[\"door\",\"siren\"]}")
    XCTAssertEqual(
      message(request(["states={\"siren\":true}"], operation: "set-many")),
      "edge.wh7.dock-7.gpio.set-many {\"states\":{\"siren\":true}}")
    XCTAssertEqual(message(request([])), "edge.wh7.dock-7.gpio.set ")
  }

  func testNobodyAnswers() {
    func text(_ arguments: [String], capability: String = "gpio") -> String {
      CallCommand.nobodyAnswers(request(arguments, capability: capability)).string
    }
    let named =
      "nobody answers for host 'dock-7' in lattice 'wh7': is it up, and does it have that "
      + "capability and operation? (edge-host hosts lists all)"
    XCTAssertEqual(text(["name=siren", "active=true"]), named)
    XCTAssertEqual(text([], capability: ""), named)
    XCTAssertEqual(
      text(["active=true"]),
      "nobody answers for host 'dock-7' in lattice 'wh7': is it up, and does it have that "
        + "capability and operation, or does it need name=NAME, for one line or sensor? "
        + "(edge-host hosts lists all)")
  }

  func testMistakes() {
    XCTAssertEqual(message(request(["name=siren", "on"])), "\"on\" is not key=value")
    XCTAssertEqual(message(request(["name=siren", ""])), "\"\" is not key=value")
    XCTAssertEqual(message(request(["name=siren", "=1"])), "\"=1\" is not key=value")
    XCTAssertEqual(message(request(["name=a", "x=1", "x=1"])), "\"x\" is given twice")
    XCTAssertEqual(
      message(request(["x=[1,"])), "x='[1,' is no JSON: the text ends too early at byte 3")
    XCTAssertEqual(
      message(request(["x={\"a\":1,\"a\":2}"])),
      "x='{\"a\":1,\"a\":2}' is no JSON: repeated key at byte 10")
    XCTAssertEqual(
      message(request(["x=[]]"])), "x='[]]' is no JSON: something follows the value at byte 2")
    XCTAssertEqual(message(request(["name=a", "name=b"])), "\"name\" is given twice")
  }

  /// A name is one token of the subject; else another subject were meant, or none.
  func testNamesThatAreNone() {
    let rule = "is no name: 1 to 63 printable characters of ASCII without blank, '.', '*' and '>'"
    let long = String(repeating: "x", count: 64)
    for name in ["", "a.b", "a b", "*", ">", "a*", "t\u{fc}r", ".", long] {
      let quoted = ("\(quoted: name)" as Text).string
      XCTAssertEqual(message(request(["name=\(name)"])), "\(quoted) \(rule)")
      XCTAssertEqual(message(request(["name=a"], host: name)), "\(quoted) \(rule)")
      XCTAssertEqual(message(request(["name=a"], lattice: name)), "\(quoted) \(rule)")
      XCTAssertEqual(message(request(["name=a"], operation: name)), "\(quoted) \(rule)")
      if !name.isEmpty {
        XCTAssertEqual(message(request(["name=a"], capability: name)), "\(quoted) \(rule)")
      }
    }
  }
}
