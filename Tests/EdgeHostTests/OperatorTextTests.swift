import Lattice
import XCTest

@testable import EdgeHost
@testable import Transport

/// What the operator commands print.
final class TableTests: XCTestCase {
  private func text(_ rows: [[String]], heads: [String]? = nil) -> String {
    var table = heads.map { Table(heads: $0) } ?? Table()
    for row in rows { table.append(row) }
    return table.text.string
  }

  func testColumnsAreAligned() {
    XCTAssertEqual(text([]), "")
    XCTAssertEqual(text([], heads: ["A", "B"]), "A  B\n")
    XCTAssertEqual(
      text([["wh7", "dock-7"], ["w", "d"]], heads: ["LATTICE", "HOST"]),
      "LATTICE  HOST\nwh7      dock-7\nw        d\n")
    XCTAssertEqual(
      text([["name", "siren"], ["active", "true"]]), "name    siren\nactive  true\n")
  }

  func testTheLastColumnIsNotPadded() {
    XCTAssertEqual(text([["a", "b"], ["c", "ddd"]]), "a  b\nc  ddd\n")
    XCTAssertEqual(text([["a", ""], ["ccc", "d"]]), "a    \nccc  d\n")
  }

  func testRowsOfDifferentLengths() {
    XCTAssertEqual(text([["a"], ["bb", "c"], [], ["d", "e", "f"]]), "a\nbb  c\n\nd   e  f\n")
  }

  /// A column is as wide as its characters, not as their bytes.
  func testWidthIsThatOfCharacters() {
    XCTAssertEqual(text([["21\u{b0}", "x"], ["abcd", "y"]]), "21\u{b0}   x\nabcd  y\n")
  }

  /// Hosts and lines have the names that others gave them.
  func testCellsSteerNoTerminal() {
    XCTAssertEqual(
      text([["a\u{1b}[2J\n", "\u{9b}1m\u{7f}"], ["b", "\u{a0}\u{20ac}"]]),
      "a?[2J?  ?1m?\nb       \u{a0}\u{20ac}\n")
  }
}

final class WatchTextTests: XCTestCase {
  private func line(_ subject: String, _ payload: String, json: Bool = false) -> String {
    let bytes = Array((subject + payload).utf8)
    let length = subject.utf8.count
    let frame = MessageFrame(
      subscription: 1, subject: 0..<length, reply: 0..<0, headers: 0..<0,
      payload: length..<bytes.count)
    let message = IncomingMessage(frame, in: bytes.span)
    return (json ? WatchCommand.json(message) : WatchCommand.line(message)).string
  }

  func testLines() {
    XCTAssertEqual(
      line(
        "edge.wh7.dock-7.gpio.dock-door.edge",
        "{\"name\":\"dock-door\",\"edge\":\"rising\",\"active\":true,"
          + "\"time\":\"2026-11-03T07:54:43.000000000Z\",\"seq\":4}"),
      "2026-11-03T07:54:43.000000000Z  edge.wh7.dock-7.gpio.dock-door.edge     "
        + "edge=rising  active=true  seq=4\n")
    let blank = String(repeating: " ", count: 32)
    XCTAssertEqual(line("a.b", "{}"), blank + "a.b" + String(repeating: " ", count: 37) + "\n")
    XCTAssertEqual(
      line("a.b", "hello"), blank + "a.b" + String(repeating: " ", count: 37) + "hello\n")
    XCTAssertEqual(line("a.b", ""), blank + "a.b" + String(repeating: " ", count: 37) + "\n")
    let long = "edge.warehouse-7.dock-7.gpio.the-door-of-dock-7.edge"
    XCTAssertEqual(line(long, "{\"a\":{\"b\":[1]}}"), blank + long + "  a={\"b\":[1]}\n")
  }

  func testJSON() {
    XCTAssertEqual(
      line("a.b", "{ \"x\" : 1.5,\n \"y\":null}", json: true),
      "{\"subject\":\"a.b\",\"data\":{\"x\":1.5,\"y\":null}}\n")
    XCTAssertEqual(line("a.b", "hi\n", json: true), "{\"subject\":\"a.b\",\"data\":\"hi\\n\"}\n")
    XCTAssertEqual(line("a.b", "", json: true), "{\"subject\":\"a.b\",\"data\":\"\"}\n")
  }

  func testLinesSteerNoTerminal() {
    for payload in ["\u{1b}[2J\n", "{\"a\":\"\\u001b[2J\\n\"}", "{\"\\u001b[2J\\n\":1}"] {
      let text = line("a.\u{1b}c", payload)
      XCTAssertFalse(text.utf8.contains(0x1b), payload)
      XCTAssertTrue(text.hasPrefix(String(repeating: " ", count: 32) + "a.?c "))
      XCTAssertEqual(text.utf8.filter { $0 == 0x0a }.count, 1, "one line each")
    }
  }
}

final class RecentIDsTests: XCTestCase {
  private func insert(_ id: String, into ids: inout RecentIDs) -> Bool {
    let bytes = Array(id.utf8)
    return ids.insert(bytes.span)
  }

  func testAnIDIsNewOnce() {
    var ids = RecentIDs()
    for id in ["", "a", "b", "A"] {
      XCTAssertTrue(insert(id, into: &ids))
      XCTAssertFalse(insert(id, into: &ids))
    }
  }

  func testTheOldestAreForgotten() {
    var ids = RecentIDs()
    let capacity = RecentIDs.capacity
    for number in 0..<(3 * capacity) {
      XCTAssertTrue(insert("id-\(number)", into: &ids))
      XCTAssertFalse(insert("id-\(max(number - capacity + 1, 0))", into: &ids), "among the last")
      if number >= capacity, number % 100 == 0 {
        var copy = ids
        XCTAssertTrue(insert("id-\(number - capacity)", into: &copy), "forgotten")
      }
    }
  }
}
