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
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer += bytes
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
    let line = Array(buffer[start..<(newline - 1)]).string
    let fields = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    if fields[0] == "PUB" || fields[0] == "HPUB" {
      return try publication(fields, bodyStart: newline + 1)
    }
    start = newline + 1
    return try operation(line, fields)
  }

  private func operation(
    _ line: String, _ fields: [String]
  ) throws(ProtocolViolation) -> ClientOperation {
    switch (fields[0], fields.count) {
    case ("PING", 1): return .ping
    case ("PONG", 1): return .pong
    case ("CONNECT", 2...): return .connect(json: Array(line.utf8.dropFirst(8)))
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
    default: throw ProtocolViolation(text: "unknown operation: \(line)")
    }
  }

  private mutating func publication(
    _ fields: [String], bodyStart: Int
  ) throws(ProtocolViolation) -> ClientOperation? {
    let sizes = fields[0] == "HPUB" ? 2 : 1
    guard fields.count == 2 + sizes || fields.count == 3 + sizes else {
      throw ProtocolViolation(text: "malformed \(fields[0])")
    }
    let total = Int(try number(fields[fields.count - 1]))
    let headerSize = sizes == 2 ? Int(try number(fields[fields.count - 2])) : 0
    if headerSize > total { throw ProtocolViolation(text: "headers longer than the message") }
    if buffer.count < bodyStart + total + 2 { return nil }
    let body = Array(buffer[bodyStart..<(bodyStart + total)])
    if Array(buffer[(bodyStart + total)..<(bodyStart + total + 2)]).string != "\r\n" {
      throw ProtocolViolation(text: "payload not followed by CRLF")
    }
    start = bodyStart + total + 2
    return .publish(
      subject: try subject(fields[1]),
      reply: fields.count == 3 + sizes ? try subject(fields[2]) : nil,
      headers: Array(body[..<headerSize]), payload: Array(body[headerSize...]))
  }

  private func number(_ field: String) throws(ProtocolViolation) -> UInt32 {
    guard let number = UInt32(field), String(number) == field else {
      throw ProtocolViolation(text: "no number: \(field)")
    }
    return number
  }

  private func subject(_ field: String) throws(ProtocolViolation) -> String {
    let tokens = field.split(separator: ".", omittingEmptySubsequences: false)
    if tokens.contains(where: { $0.isEmpty }) || field.utf8.contains(where: { $0 < 0x21 }) {
      throw ProtocolViolation(text: "no subject: \(field)")
    }
    return field
  }
}
