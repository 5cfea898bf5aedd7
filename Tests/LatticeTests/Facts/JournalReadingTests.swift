import Transport
import XCTest

@testable import Lattice

/// `journal.read`: what a host has told, told again.
final class JournalReadingTests: XCTestCase {
  private let subject = "edge.wh7.dock-7.journal.read"

  /// A host that has told so many edges, a second apart, behind the fact that it has started.
  private func harness(edges: Int, bytes: Int = 10) -> ServicesHarness {
    let harness = ServicesHarness(isConnected: false)
    let text = String(repeating: "x", count: bytes)
    for number in 0..<edges {
      harness.time.advance(.seconds(1))
      harness.emit(
        "door", .durable, [("n", .integer(Int64(number + 1))), ("text", .string(text))])
    }
    return harness
  }

  private func read(_ harness: ServicesHarness, _ request: String) throws -> Record {
    let answer = try XCTUnwrap(harness.request(subject, request).first)
    XCTAssertEqual(answer.headers, "", request)
    XCTAssertLessThan(answer.payload.utf8.count, 16_000)
    return try XCTUnwrap(json(answer.payload), answer.payload)
  }

  private func numbers(_ answer: Record) -> [Int64] {
    guard case .list(let facts)? = answer["facts"] else { return [] }
    return facts.compactMap { fact in
      guard case .record(let fact) = fact else { return nil }
      return fact["seq"]?.integer
    }
  }

  func testAFactIsAsItWasSent() throws {
    let answer = try read(harness(edges: 1), #"{"from":2}"#)
    let text = String(decoding: answer.jsonBytes, as: UTF8.self)
    XCTAssertEqual(
      text,
      #"{"facts":[{"subject":"edge.wh7.dock-7.gpio.door.edge","seq":2,"#
        + #""id":"K6HEGCYKDMRGFWVDTAZB6O-2","data":{"n":1,"text":"xxxxxxxxxx","#
        + #""time":"2026-11-03T07:54:44.000000000Z","monotonic_ns":101000000000,"#
        + #""time_quality":"synced"}}],"next":3,"end":true}"#)
  }

  func testAllIsReadInBoundedParts() throws {
    let harness = harness(edges: 100, bytes: 300)
    var next: Int64 = 0
    var read: [Int64] = []
    var parts = 0
    while true {
      let answer = try self.read(harness, #"{"from":\#(next)}"#)
      read += numbers(answer)
      next = try XCTUnwrap(answer["next"]?.integer)
      parts += 1
      if answer["end"] == .bool(true) { break }
      XCTAssertLessThan(parts, 20)
    }
    XCTAssertEqual(read, Array(1...101))
    XCTAssertEqual(next, 102)
    XCTAssertGreaterThan(parts, 2)
  }

  func testSinceATimeAndAtMostSoMany() throws {
    let harness = harness(edges: 20)
    let answer = try read(harness, #"{"since":"2026-11-03T07:54:53Z","max":3}"#)
    // The edge of number n + 1 was n seconds after 07:54:43.
    XCTAssertEqual(numbers(answer), [11, 12, 13])
    XCTAssertEqual(answer["next"], .integer(14))
    XCTAssertEqual(answer["end"], .bool(false))
    XCTAssertEqual(
      numbers(try read(harness, #"{"since":"1970-01-01T00:00:00Z","max":2}"#)), [1, 2])
    let late = try read(harness, #"{"since":"2030-01-01T00:00:00Z"}"#)
    XCTAssertEqual(numbers(late), [])
    XCTAssertEqual(late["end"], .bool(true))
    XCTAssertEqual(late["next"], .integer(22))
  }

  func testTheLargestFactsCome() throws {
    let harness = harness(edges: 3, bytes: 8000)
    for number in 2...4 as ClosedRange<Int64> {
      XCTAssertEqual(numbers(try read(harness, #"{"from":\#(number)}"#)), [number])
    }
  }

  func testMistakes() throws {
    let harness = harness(edges: 1)
    let table = [
      ("{}", "journal read needs 'from' or 'since'"),
      (#"{"from":1,"since":"2026-11-03T07:54:53Z"}"#, "journal read needs 'from' or 'since'"),
      (#"{"from":-1}"#, "'from' must be the number of a fact, not '-1'"),
      (#"{"since":"now"}"#, "'since' must be an RFC 3339 time, not '\"now\"'"),
      (#"{"from":1,"max":0}"#, "'max' must be a whole number from 1 to 500, not '0'"),
      (#"{"from":1,"to":2}"#, "journal read takes 'from' or 'since', and 'max', not 'to'"),
    ]
    for (request, reason) in table {
      let answer = try XCTUnwrap(harness.request(subject, request).first)
      XCTAssertEqual(answer.payload, refusal("journal", 400, reason).payload)
    }
    XCTAssertEqual(harness.diagnostics.reports, [])
  }
}
