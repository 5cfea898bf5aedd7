@testable import Transport

/// An operation of a client, as the server end of a connection understands it.
enum ClientOperation: Equatable {
  case connect(json: [UInt8])
  case subscribe(subject: String, queueGroup: String?, sid: UInt32)
  case unsubscribe(sid: UInt32, after: UInt32?)
  case publish(subject: String, reply: String?, headers: [UInt8], payload: [UInt8])
  case ping
  case pong
}

/// What a client must never send.
struct ProtocolViolation: Error, Equatable {
  let text: String
}

/// Decodes client operations. Stricter than real servers: upper case, single blanks, no numbers with
/// leading zeros, control lines of at most 4 096 bytes; just the one form a clean encoder writes.
struct ClientOperationReader {
  static let controlLineMax = 4096

  private var buffer: [UInt8] = []
  private var start = 0

  mutating func append(_ bytes: [UInt8]) {
    if start == buffer.count {
      buffer = bytes
    } else {
      buffer.removeFirst(start)
      buffer += bytes
    }
    start = 0
  }

  /// Whether every byte so far belonged to a whole operation.
  var isEmpty: Bool { start == buffer.count }

  /// The next whole operation, or nil when more bytes are needed.
  mutating func next() throws(ProtocolViolation) -> ClientOperation? {
    guard let newline = buffer[start...].firstIndex(of: 0x0A) else {
      if buffer.count - start > ClientOperationReader.controlLineMax {
        throw ProtocolViolation(text: "maximum control line exceeded")
      }
      return nil
    }
    if newline - start + 1 > ClientOperationReader.controlLineMax {
      throw ProtocolViolation(text: "maximum control line exceeded")
    }
    guard newline > start, buffer[newline - 1] == 0x0D else {
      throw ProtocolViolation(text: "line feed without carriage return")
    }
    let line = start..<(newline - 1)
    let fields = fields(of: line)
    if equals(fields[0], "PUB") || equals(fields[0], "HPUB") {
      return try publication(fields, bodyStart: newline + 1)
    }
    start = newline + 1
    return try operation(line, fields)
  }

  private func operation(
    _ line: Range<Int>, _ fields: [Range<Int>]
  ) throws(ProtocolViolation) -> ClientOperation {
    switch (text(fields[0]), fields.count) {
    case ("PING", 1): return .ping
    case ("PONG", 1): return .pong
    case ("CONNECT", 2...): return .connect(json: Array(buffer[line].dropFirst(8)))
    case ("SUB", 3):
      return .subscribe(
        subject: try subject(fields[1]), queueGroup: nil, sid: try number(fields[2]))
    case ("SUB", 4):
      return .subscribe(
        subject: try subject(fields[1]), queueGroup: try subject(fields[2]),
        sid: try number(fields[3]))
    case ("UNSUB", 2): return .unsubscribe(sid: try number(fields[1]), after: nil)
    case ("UNSUB", 3):
      return .unsubscribe(sid: try number(fields[1]), after: try number(fields[2]))
    default: throw ProtocolViolation(text: "unknown operation: \(text(line))")
    }
  }

  private mutating func publication(
    _ fields: [Range<Int>], bodyStart: Int
  ) throws(ProtocolViolation) -> ClientOperation? {
    let sizes = equals(fields[0], "HPUB") ? 2 : 1
    guard fields.count == 2 + sizes || fields.count == 3 + sizes else {
      throw ProtocolViolation(text: "malformed \(text(fields[0]))")
    }
    let total = Int(try number(fields[fields.count - 1]))
    let headerSize = sizes == 2 ? Int(try number(fields[fields.count - 2])) : 0
    if headerSize > total { throw ProtocolViolation(text: "headers longer than the message") }
    let bodyEnd = bodyStart + total
    if buffer.count < bodyEnd + 2 { return nil }
    if buffer[bodyEnd] != 0x0D || buffer[bodyEnd + 1] != 0x0A {
      throw ProtocolViolation(text: "payload not followed by CRLF")
    }
    start = bodyEnd + 2
    return .publish(
      subject: try subject(fields[1]),
      reply: fields.count == 3 + sizes ? try subject(fields[2]) : nil,
      headers: Array(buffer[bodyStart..<(bodyStart + headerSize)]),
      payload: Array(buffer[(bodyStart + headerSize)..<bodyEnd]))
  }

  // MARK: fields

  private func fields(of line: Range<Int>) -> [Range<Int>] {
    var fields: [Range<Int>] = []
    var begin = line.lowerBound
    for index in line where buffer[index] == 0x20 {
      fields.append(begin..<index)
      begin = index + 1
    }
    fields.append(begin..<line.upperBound)
    return fields
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: buffer[range], as: UTF8.self)
  }

  private func equals(_ range: Range<Int>, _ literal: StaticString) -> Bool {
    buffer[range].elementsEqual(
      UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  private func number(_ field: Range<Int>) throws(ProtocolViolation) -> UInt32 {
    var number: UInt64 = 0
    for index in field {
      let digit = buffer[index] &- 0x30
      let isNumber = digit <= 9 && number <= UInt64(UInt32.max)
      number = isNumber ? number * 10 + UInt64(digit) : .max
    }
    let hasLeadingZero = field.count > 1 && buffer[field.lowerBound] == 0x30
    guard !field.isEmpty, !hasLeadingZero, let number = UInt32(exactly: number) else {
      throw ProtocolViolation(text: "no number: \(text(field))")
    }
    return number
  }

  private func subject(_ field: Range<Int>) throws(ProtocolViolation) -> String {
    var before: UInt8 = 0x2E
    for index in field {
      let byte = buffer[index]
      if byte < 0x21 || byte == 0x2E && before == 0x2E {
        before = 0x2E
        break
      }
      before = byte
    }
    if before == 0x2E { throw ProtocolViolation(text: "no subject: \(text(field))") }
    return text(field)
  }
}
