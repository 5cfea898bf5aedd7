import XCTest

@testable import Transport

final class ParserTests: XCTestCase {
  private struct Case {
    let input: [UInt8]
    let frames: [SeenFrame]
    var error: ParseError?
    var capacity = 4096

    init(_ input: String, _ frames: [SeenFrame], error: ParseError? = nil, capacity: Int = 4096) {
      self.init(bytes(input), frames, error: error, capacity: capacity)
    }

    init(_ input: [UInt8], _ frames: [SeenFrame], error: ParseError? = nil, capacity: Int = 4096) {
      self.input = input
      self.frames = frames
      self.error = error
      self.capacity = capacity
    }
  }

  /// Whole frames; nothing is left over.
  private let good: [Case] = [
    Case("", []),
    Case("PING\r\n", [.ping]),
    Case("PONG\r\n", [.pong]),
    Case("+OK\r\n", [.ok]),
    Case("ping\r\nPong\r\n+ok\r\n", [.ping, .pong, .ok]),
    Case("PING \t\r\n\tPONG\r\n", [.ping, .pong]),
    Case("PING ignored\r\n", [.ping]),
    Case("INFO {\"a\":1} \r\n", [.info("{\"a\":1} ")]),
    Case("info\t{}\r\n", [.info("{}")]),
    Case("INFO \r\nINFO\r\n", [.info(""), .info("")]),
    Case("-ERR 'Stale Connection'\r\n", [.error("Stale Connection")]),
    Case("-err 'a 'quoted' word'  \r\n", [.error("a 'quoted' word")]),
    Case("-ERR unquoted text\r\n", [.error("unquoted text")]),
    Case("-ERR\r\n-ERR '\r\n-ERR ''\r\n", [.error(""), .error("'"), .error("")]),
    Case("MSG a 1 5\r\nhello\r\n", [.message(sid: 1, "a", bytes("hello"))]),
    Case("MSG a.b 42 r.s 2\r\nhi\r\n", [.message(sid: 42, "a.b", reply: "r.s", bytes("hi"))]),
    Case("MSG a 1 0\r\n\r\n", [.message(sid: 1, "a", [])]),
    Case("MSG a 1 r 0\r\n\r\n", [.message(sid: 1, "a", reply: "r", [])]),
    Case("msg\ta   1\t \t3 \r\nabc\r\n", [.message(sid: 1, "a", bytes("abc"))]),
    Case("MSG a 4294967295 1\r\nx\r\n", [.message(sid: .max, "a", bytes("x"))]),
    Case("MSG a 0001 0003\r\nabc\r\n", [.message(sid: 1, "a", bytes("abc"))]),
    Case("MSG a 1 8\r\n\r\nPING\r\n\r\n", [.message(sid: 1, "a", bytes("\r\nPING\r\n"))]),
    Case("MSG a 1 2\r\n\r\n\r\nPING\r\n", [.message(sid: 1, "a", bytes("\r\n")), .ping]),
    Case(
      bytes("MSG \u{E4} 1 4\r\n") + [0, 255, 10, 13] + bytes("\r\n"),
      [.message(sid: 1, "\u{E4}", [0, 255, 10, 13])]),
    Case(
      "HMSG a 1 12 17\r\nNATS/1.0\r\n\r\nhello\r\n",
      [.message(sid: 1, "a", headers: bytes("NATS/1.0\r\n\r\n"), bytes("hello"))]),
    Case(
      "HMSG a 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n",
      [.message(sid: 1, "a", reply: "r", headers: bytes("NATS/1.0\r\n\r\n"), [])]),
    Case("hmsg a 1 0 2\r\nhi\r\n", [.message(sid: 1, "a", bytes("hi"))]),
    Case("HMSG a 1 0 0\r\n\r\n", [.message(sid: 1, "a", [])]),
    Case(
      "PING\r\nMSG a 1 1\r\nx\r\nPONG\r\nMSG b 2 1\r\ny\r\n",
      [.ping, .message(sid: 1, "a", bytes("x")), .pong, .message(sid: 2, "b", bytes("y"))]),
    // The largest line and the largest message that a buffer of 64 bytes takes.
    Case(
      "INFO " + String(repeating: "x", count: 57) + "\r\n",
      [.info(String(repeating: "x", count: 57))], capacity: 64),
    Case(
      "MSG a 1 50\r\n" + String(repeating: "x", count: 50) + "\r\n",
      [.message(sid: 1, "a", bytes(String(repeating: "x", count: 50)))], capacity: 64),
    Case(
      "MSG a 1 r 51\r\n" + String(repeating: "\n", count: 51) + "\r\nPING\r\n",
      [
        .oversized(sid: 1, "a", reply: "r", size: 51),
        .part([UInt8](repeating: 0x0A, count: 51), offset: 0), .ping,
      ], capacity: 64),
    Case(
      "HMSG a 1 12 5000\r\n" + String(repeating: "\r\n", count: 2500) + "\r\nMSG b 2 1\r\nx\r\n",
      [
        .oversized(sid: 1, "a", size: 5000),
        .part(bytes(String(repeating: "\r\n", count: 2500)), offset: 0),
        .message(sid: 2, "b", bytes("x")),
      ], capacity: 64),
  ]

  /// The last frame is not whole.
  private let unfinished: [Case] = [
    Case("P", []),
    Case("PING", []),
    Case("PING\r", []),
    Case("PING\r\nPON", [.ping]),
    Case("MSG a 1 5\r\n", []),
    Case("MSG a 1 5\r\nhello", []),
    Case("MSG a 1 5\r\nhello\r", []),
    Case(
      "MSG a 1 100\r\n" + String(repeating: "x", count: 60),
      [
        .oversized(sid: 1, "a", size: 100),
        .part([UInt8](repeating: 0x78, count: 60), offset: 0),
      ], capacity: 64),
    // Sizes beyond memory, 32 bits, and what 64 bits can hold with a CRLF.
    Case(
      "MSG a 1 2147483648\r\nxPING\r\n",
      [.oversized(sid: 1, "a", size: 2_147_483_648), .part(bytes("xPING\r\n"), offset: 0)]),
    Case(
      "MSG a 1 4294967296\r\nxPING\r\n",
      [.oversized(sid: 1, "a", size: 4_294_967_296), .part(bytes("xPING\r\n"), offset: 0)]),
    Case(
      "MSG a 1 18446744073709551615\r\nx",
      [.oversized(sid: 1, "a", size: .max), .part(bytes("x"), offset: 0)]),
    Case(
      "HMSG a 1 18446744073709551614 18446744073709551614\r\nx",
      [.oversized(sid: 1, "a", size: .max - 1), .part(bytes("x"), offset: 0)]),
  ]

  private let bad: [Case] = [
    Case("\r\n", [], error: .unknownOperation),
    Case("\n", [], error: .unknownOperation),
    Case("PING\n", [], error: .unknownOperation),
    Case("PING\r\n\nPING\r\n", [.ping], error: .unknownOperation),
    Case("   \r\n", [], error: .unknownOperation),
    Case("PINGS\r\n", [], error: .unknownOperation),
    Case("PUB a 1\r\n", [], error: .unknownOperation),
    Case("M\r\n", [], error: .unknownOperation),
    Case([0, 255, 0x0D, 0x0A], [], error: .unknownOperation),
    Case("GET / HTTP/1.1\r\n", [], error: .unknownOperation),
    Case("MSG\r\n", [], error: .malformed("MSG")),
    Case("MSG a\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 r r 5\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 r r r r r 5\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 x\r\n", [], error: .malformed("MSG")),
    Case("MSG a x 1\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 -1\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 +1\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 1.0\r\n", [], error: .malformed("MSG")),
    Case("MSG a 4294967296 1\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 18446744073709551616\r\n", [], error: .malformed("MSG")),
    Case("MSG a 1 99999999999999999999999999\r\n", [], error: .malformed("MSG")),
    Case("HMSG a 1 5\r\n", [], error: .malformed("HMSG")),
    Case("HMSG a 1 r r 5 5\r\n", [], error: .malformed("HMSG")),
    Case("HMSG a 1 6 5\r\n", [], error: .malformed("HMSG")),
    Case("HMSG a 1 x 5\r\n", [], error: .malformed("HMSG")),
    Case("HMSG a 1 18446744073709551616 5\r\n", [], error: .malformed("HMSG")),
    Case("MSG a 1 1\r\nxyz", [], error: .payloadNotTerminated),
    Case(
      "MSG a 1 60\r\n" + String(repeating: "x", count: 62),
      [.oversized(sid: 1, "a", size: 60), .part([UInt8](repeating: 0x78, count: 60), offset: 0)],
      error: .payloadNotTerminated, capacity: 64),
    Case("MSG a 1 1\r\nx\n\n", [], error: .payloadNotTerminated),
    Case("MSG a 1 5\r\nhi\r\nPING\r\n", [], error: .payloadNotTerminated),
    Case("PONG\r\nMSG a 1 0\r\nPING\r\n", [.pong], error: .payloadNotTerminated),
    Case(
      "INFO " + String(repeating: "x", count: 100), [], error: .controlLineTooLong(limit: 64),
      capacity: 64),
    Case(
      "PING\r\nINFO " + String(repeating: "x", count: 59), [.ping],
      error: .controlLineTooLong(limit: 64), capacity: 64),
  ]

  func testGoodBytes() {
    for test in good {
      check(test, rest: "")
      // Whatever follows stays where it is.
      for rest in ["P", "MSG a 1 1\r"] {
        let pieces = [test.input + bytes(rest)]
        XCTAssertEqual(
          Parsing(pieces, capacity: test.capacity).frames, test.frames, test.input.string)
        XCTAssertEqual(
          Parsing(pieces, capacity: test.capacity).rest, bytes(rest), test.input.string)
      }
    }
  }

  func testUnfinishedBytes() {
    for test in unfinished { check(test, rest: nil) }
  }

  func testBadBytes() {
    for test in bad {
      check(test, rest: nil)
      // The error ends everything: good frames behind it are not looked at.
      let pieces = [test.input + bytes("\r\nPING\r\n")]
      let parsing = Parsing(pieces, capacity: test.capacity)
      XCTAssertEqual(parsing.frames, test.frames, test.input.string)
      XCTAssertEqual(parsing.error, test.error, test.input.string)
    }
  }

  /// Whole, byte by byte, and in two parts cut at every place.
  private func check(_ test: Case, rest: String?, line: UInt = #line) {
    var feedings = [[test.input], test.input.map { [$0] }]
    if test.input.count < 100 {
      for cut in test.input.indices {
        feedings.append([Array(test.input[..<cut]), Array(test.input[cut...])])
      }
    }
    for pieces in feedings {
      let parsing = Parsing(pieces, capacity: test.capacity)
      let name = "\(test.input.string.debugDescription) in \(pieces.count) pieces"
      XCTAssertEqual(parsing.frames, test.frames, name, line: line)
      XCTAssertEqual(parsing.error, test.error, name, line: line)
      if let rest { XCTAssertEqual(parsing.rest.string, rest, name, line: line) }
    }
  }

  // MARK: random sequences

  func testRandomSequencesInRandomPieces() {
    for seed in UInt64(1)...300 {
      var random = RandomGenerator(seed: seed)
      let capacity = 64 + random.index(below: 65)
      var input: [UInt8] = []
      var frames: [SeenFrame] = []
      for _ in 0..<30 { appendFrame(&random, capacity, &input, &frames) }
      let pieces = random.chop(input, maximum: 1 + random.index(below: 2 * capacity))
      let parsing = Parsing(pieces, capacity: capacity)
      XCTAssertEqual(parsing.frames, frames, "seed \(seed)")
      XCTAssertNil(parsing.error, "seed \(seed)")
      XCTAssertEqual(parsing.rest, [], "seed \(seed)")
    }
  }

  /// Whatever the bytes: frames or an error, the same however they are cut.
  func testRandomDamage() {
    for seed in UInt64(1)...500 {
      var random = RandomGenerator(seed: seed)
      var input: [UInt8] = []
      var frames: [SeenFrame] = []
      for _ in 0..<5 { appendFrame(&random, 100, &input, &frames) }
      for _ in 0..<3 {
        input[random.index(below: input.count)] = random.element(of: bytes("\r\n 019MSGx\u{0}"))
      }
      let whole = Parsing([input], capacity: 100)
      XCTAssertEqual(Parsing(random.chop(input, maximum: 9), capacity: 100), whole, "seed \(seed)")
      XCTAssertEqual(Parsing(input.map { [$0] }, capacity: 100), whole, "seed \(seed)")
    }
  }

  private func appendFrame(
    _ random: inout RandomGenerator, _ capacity: Int, _ input: inout [UInt8],
    _ frames: inout [SeenFrame]
  ) {
    let sid = UInt32(truncatingIfNeeded: random.next())
    switch random.index(below: 8) {
    case 0:
      input += bytes("PING\r\n")
      frames.append(.ping)
    case 1:
      let json = String(repeating: "j", count: random.index(below: capacity - 6))
      input += bytes("INFO \(json)\r\n")
      frames.append(.info(json))
    case 2:
      input += bytes("-ERR 'x'\r\n")
      frames.append(.error("x"))
    default:
      let reply: String? = random.oneIn(2) ? "_R.1" : nil
      let headers = random.oneIn(2) ? random.bytes(count: 1 + random.index(below: 40)) : []
      let payload = random.bytes(count: random.oneIn(3) ? 3 * capacity : random.index(below: 40))
      let frame = ServerOperation.message(
        sid: sid, subject: "s.t", reply: reply, headers: headers, payload: payload)
      input += frame
      if frame.count > capacity {
        let body = headers + payload
        frames.append(
          .oversized(sid: sid, "s.t", reply: reply ?? "", size: UInt64(body.count)))
        frames.append(.part(body, offset: 0))
      } else {
        frames.append(
          .message(sid: sid, "s.t", reply: reply ?? "", headers: headers, payload))
      }
    }
  }
}
