import XCTest

@testable import Transport

final class HeadersTests: XCTestCase {
  private struct Block: Equatable {
    var status: UInt16?
    var headers: [String] = []
  }

  /// Blocks and what is read from them; nil: no header block.
  private let table: [(String, Block?)] = [
    ("NATS/1.0\r\n\r\n", Block()),
    ("NATS/1.0\r\nA: 1\r\nB:2\r\n\r\n", Block(headers: ["A=1", "B=2"])),
    (
      "NATS/1.0\r\nKey-Case: Value\r\nkey-case: other\r\n\r\n",
      Block(headers: ["Key-Case=Value", "key-case=other"])
    ),
    ("NATS/1.0\r\nA:  \t spaced \t out \t \r\n\r\n", Block(headers: ["A=spaced \t out"])),
    ("NATS/1.0\r\nA:\r\nB: \r\n\r\n", Block(headers: ["A=", "B="])),
    ("NATS/1.0\r\nA: b:c: d\r\n\r\n", Block(headers: ["A=b:c: d"])),
    ("NATS/1.0\r\n: no name\r\n\r\n", Block(headers: ["=no name"])),
    ("NATS/1.0\r\nno colon\r\nA: 1\r\n\r\n", Block(headers: ["A=1"])),
    ("NATS/1.0\r\nA: ä ☃\r\n\r\n", Block(headers: ["A=ä ☃"])),
    // Bare line feeds, a missing empty line, a last line without an end.
    ("NATS/1.0\nA: 1\nB: 2\n\n", Block(headers: ["A=1", "B=2"])),
    ("NATS/1.0\r\nA: 1\r\n", Block(headers: ["A=1"])),
    ("NATS/1.0\r\nA: 1\r\nB: 2", Block(headers: ["A=1"])),
    // Nothing behind the empty line is a header.
    ("NATS/1.0\r\nA: 1\r\n\r\nB: 2\r\n", Block(headers: ["A=1"])),
    ("NATS/1.0 503\r\n\r\n", Block(status: 503)),
    (
      "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\n\r\n",
      Block(status: 100, headers: ["Nats-Last-Consumer=1"])
    ),
    ("NATS/1.0    404   No Messages\r\n\r\n", Block(status: 404)),
    ("NATS/1.0 50\r\n\r\n", Block()),
    ("NATS/1.0 5x3\r\n\r\n", Block()),
    ("NATS/1.0 -99\r\n\r\n", Block()),
    ("NATS/1.0 \r\n\r\n", Block()),
    ("", nil),
    ("\r\n", nil),
    ("NATS/1.0", nil),
    ("NATS/1.0 503", nil),
    ("nats/1.0\r\n\r\n", nil),
    ("NATS/2.0\r\n\r\n", nil),
    ("HTTP/1.1 200\r\n\r\n", nil),
  ]

  private func read(_ text: [UInt8]) -> Block? {
    guard var reader = HeaderReader(text.span) else { return nil }
    var block = Block(status: reader.status)
    while let header = reader.next() {
      block.headers.append(
        Array(text[header.name]).string + "=" + Array(text[header.value]).string)
    }
    XCTAssertNil(reader.next())
    return block
  }

  func testTable() {
    for (text, block) in table { XCTAssertEqual(read(bytes(text)), block, text.debugDescription) }
  }

  /// Every part of every block, cut off at either end, is read without harm.
  func testTruncated() {
    for (text, _) in table {
      let whole = bytes(text)
      for length in whole.indices {
        _ = read(Array(whole[..<length]))
        _ = read(Array(whole[length...]))
      }
    }
  }

  func testRandomBytes() {
    for seed in UInt64(1)...500 {
      var random = RandomGenerator(seed: seed)
      let noise = (0..<60).map { _ in random.element(of: bytes("NATS/1.0 503:\r\n\t\u{0}ab")) }
      _ = read(noise)
      _ = read(bytes("NATS/1.0") + noise)
    }
  }

  func testValueIsFoundWithoutCaseFirstOneFirst() throws {
    let block = bytes("NATS/1.0\r\nA: 1\r\nEdge-Deadline: x\r\nedge-deadline: y\r\n\r\n")
    var reader = try XCTUnwrap(HeaderReader(block.span)?.value(of: "EDGE-deadline"))
    XCTAssertEqual(Array(block[reader]).string, "x")
    // Also when the lines were walked over before.
    guard var walked = HeaderReader(block.span) else { return XCTFail() }
    while walked.next() != nil {}
    reader = try XCTUnwrap(walked.value(of: "A"))
    XCTAssertEqual(Array(block[reader]).string, "1")
    XCTAssertNil(walked.value(of: "Edge"))
    XCTAssertNil(walked.value(of: ""))
  }

  func testWriterThroughReader() {
    var writer = HeaderWriter()
    writer.append("Nats-Msg-Id", "dock-7.42")
    writer.append("Empty", "")
    writer.append("Text", "a: b ☃")
    let block = writer.finished()
    XCTAssertEqual(
      read(block), Block(headers: ["Nats-Msg-Id=dock-7.42", "Empty=", "Text=a: b ☃"]))
    XCTAssertEqual(block.suffix(4), bytes("\r\n\r\n")[...])
    XCTAssertEqual(read(HeaderWriter().finished()), Block())
  }

  func testValuesCannotForgeHeaders() {
    for value in ["x\r\nForged: 1", "x\nForged: 1", "x\rForged: 1", "\r\n\r\nbody", "x\r\n"] {
      var writer = HeaderWriter()
      writer.append("A", value)
      let block = read(writer.finished())
      XCTAssertEqual(block?.headers.count, 1, value)
      XCTAssertTrue(block?.headers[0].hasPrefix("A=") ?? false)
    }
  }
}
