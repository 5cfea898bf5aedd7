import XCTest

@testable import Transport

/// One table for both directions: an operation is written by the encoder, and the bytes are read back
/// by the test's own strict reader.
final class EncoderTests: XCTestCase {
  private let table: [(ClientOperation, String)] = [
    (.ping, "PING\r\n"),
    (.pong, "PONG\r\n"),
    (.connect(json: bytes("{\"a\":1}")), "CONNECT {\"a\":1}\r\n"),
    (.subscribe(subject: "a", queueGroup: nil, sid: 1), "SUB a 1\r\n"),
    (.subscribe(subject: "a.*.>", queueGroup: "q", sid: .max), "SUB a.*.> q 4294967295\r\n"),
    (.unsubscribe(sid: 9, after: nil), "UNSUB 9\r\n"),
    (.unsubscribe(sid: .max, after: .max), "UNSUB 4294967295 4294967295\r\n"),
    (.publish(subject: "a", reply: nil, headers: [], payload: []), "PUB a 0\r\n\r\n"),
    (
      .publish(subject: "a.b", reply: "r", headers: [], payload: bytes("hello")),
      "PUB a.b r 5\r\nhello\r\n"
    ),
    (
      .publish(subject: "a", reply: nil, headers: [], payload: bytes("\r\nPING\r\n")),
      "PUB a 8\r\n\r\nPING\r\n\r\n"
    ),
    (
      .publish(subject: "a", reply: nil, headers: bytes("NATS/1.0\r\n\r\n"), payload: []),
      "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n"
    ),
    (
      .publish(subject: "a", reply: "r", headers: bytes("NATS/1.0\r\n\r\n"), payload: bytes("x")),
      "HPUB a r 12 13\r\nNATS/1.0\r\n\r\nx\r\n"
    ),
  ]

  func testTableInBothDirections() throws {
    for (operation, text) in table {
      var buffer = WriteBuffer(capacity: 200)
      XCTAssertTrue(encode(operation, into: &buffer))
      XCTAssertEqual(buffer.bytes.string, text)
      var reader = ClientOperationReader()
      for byte in bytes(text).dropLast() {
        reader.append([byte])
        XCTAssertNil(try reader.next(), text)
      }
      reader.append([0x0A])
      XCTAssertEqual(try reader.next(), operation)
      XCTAssertTrue(reader.isEmpty)
    }
  }

  /// A frame is written whole or not at all, in every amount of room.
  func testAllOrNothing() {
    for (operation, text) in table {
      let length = text.utf8.count
      for capacity in 0...40 {
        var buffer = WriteBuffer(capacity: capacity)
        let isWritten = encode(operation, into: &buffer)
        XCTAssertEqual(buffer.bytes.string, isWritten ? text : "")
        if case .unsubscribe = operation { continue }
        XCTAssertEqual(isWritten, length <= capacity, text)
      }
    }
  }

  func testAnnouncedLengthsAreTrue() {
    var random = RandomGenerator(seed: 1)
    for _ in 0..<300 {
      let subject = [UInt8](repeating: 0x73, count: 1 + random.index(below: 50))
      let reply = [UInt8](repeating: 0x72, count: random.index(below: 50))
      let headers = [UInt8](repeating: 0x68, count: random.index(below: 1200))
      let payload = [UInt8](repeating: 0x70, count: random.index(below: 1200))
      let message = OutgoingMessage(
        subject: subject.span, reply: reply.span, headers: headers.span, payload: payload.span)
      var buffer = WriteBuffer(capacity: 4096)
      Encoder.publish(message, into: &buffer)
      XCTAssertEqual(buffer.count, message.frameLength)
      XCTAssertEqual(buffer.bytes.firstOffset(of: 0x0A), message.controlLineLength - 1)
    }
    let queueGroup = bytes("q")
    for sid in [UInt32(1), 9, 10, 99, 100, 1_000_000, .max] {
      let length = Encoder.subscribeLength(bytes("s").span, queueGroup: queueGroup.span, sid: sid)
      XCTAssertEqual(length, "SUB s q \(sid)\r\n".utf8.count)
    }
  }

  func testDecimalNumbers() {
    for number in [0, 1, 9, 10, 99, 100, 12345, UInt64(UInt32.max), .max / 10, .max] {
      var text: [UInt8] = []
      text.append(decimal: number)
      XCTAssertEqual(text.string, "\(number)")
      XCTAssertEqual(text.span.unsignedNumber, number)
      XCTAssertEqual(decimalDigits(number), text.count)
    }
    for text in ["", " ", "-1", "+1", "1 ", "0x1", "18446744073709551616", "99999999999999999999"] {
      XCTAssertNil(bytes(text).span.unsignedNumber, text)
    }
    XCTAssertEqual(bytes("00000000000000000000000000007").span.unsignedNumber, 7)
  }

  private func encode(_ operation: ClientOperation, into buffer: inout WriteBuffer) -> Bool {
    let none: [UInt8] = []
    switch operation {
    case .ping: return Encoder.line("PING", none.span, into: &buffer)
    case .pong: return Encoder.line("PONG", none.span, into: &buffer)
    case .connect(let json): return Encoder.line("CONNECT", json.span, into: &buffer)
    case .subscribe(let subject, let queueGroup, let sid):
      let subject = bytes(subject)
      let queueGroup = bytes(queueGroup ?? "")
      return Encoder.subscribe(subject.span, queueGroup: queueGroup.span, sid: sid, into: &buffer)
    case .unsubscribe(let sid, let maximum):
      return Encoder.unsubscribe(sid: sid, after: maximum ?? 0, into: &buffer)
    case .publish(let subject, let reply, let headers, let payload):
      let subject = bytes(subject)
      let reply = bytes(reply ?? "")
      let message = OutgoingMessage(
        subject: subject.span, reply: reply.span, headers: headers.span, payload: payload.span)
      if !buffer.reserve(message.frameLength) { return false }
      Encoder.publish(message, into: &buffer)
      return true
    }
  }
}

extension ByteRing {
  /// A copy of everything in the ring, or of a part.
  var contents: [UInt8] { contents(offset: 0, length: count) }

  func contents(offset: Int, length: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    forEachPiece(offset: offset, length: length) { bytes.append($0) }
    return bytes
  }
}
