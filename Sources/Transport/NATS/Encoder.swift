/// A message to be published, as views of the caller's bytes.
public struct OutgoingMessage: ~Escapable {
  public let subject: Span<UInt8>
  /// Where an answer is to go; empty for none.
  public let reply: Span<UInt8>
  /// A whole header block as `HeaderWriter` makes it; empty for none.
  public let headers: Span<UInt8>
  public let payload: Span<UInt8>

  @_lifetime(copy subject, copy reply, copy headers, copy payload)
  public init(
    subject: Span<UInt8>, reply: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>
  ) {
    self.subject = subject
    self.reply = reply
    self.headers = headers
    self.payload = payload
  }

  /// Bytes of the control line with its CRLF.
  var controlLineLength: Int {
    var length = subject.count + 1 + decimalDigits(UInt64(headers.count + payload.count)) + 2
    length += headers.isEmpty ? 4 : 5 + decimalDigits(UInt64(headers.count)) + 1
    if !reply.isEmpty { length += reply.count + 1 }
    return length
  }

  /// Bytes of the whole frame.
  var frameLength: Int { controlLineLength + headers.count + payload.count + 2 }
}

/// Where the encoder puts bytes; room has been made before.
protocol ByteSink: ~Copyable {
  mutating func append(_ byte: UInt8)
  mutating func append(_ source: Span<UInt8>)
}

extension WriteBuffer: ByteSink {}

extension ByteSink where Self: ~Copyable {
  mutating func append(ascii literal: StaticString) { append(Transport.ascii(literal)) }

  mutating func appendLineEnd() {
    append(0x0D)
    append(0x0A)
  }

  mutating func append(decimal number: UInt64) {
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    let first = writeDecimal(number, into: &digits)
    append(digits.span.extracting(first..<20))
  }
}

/// Writes client operations. Lengths are known before anything is written, so a frame is written
/// whole or not at all.
///
/// Source: NATS client protocol (docs.nats.io), client to server operations.
enum Encoder {
  /// Servers close a connection whose control line is longer (`max_control_line`, its default).
  static let controlLineBytesMax = 4096

  /// `PUB subject [reply] size` or `HPUB subject [reply] header-size size`, and the body. The caller
  /// has made sure that `message.frameLength` bytes fit.
  static func publish<Sink: ByteSink & ~Copyable>(
    _ message: borrowing OutgoingMessage, into sink: inout Sink
  ) {
    if !message.headers.isEmpty { sink.append(0x48) }
    sink.append(ascii: "PUB ")
    sink.append(message.subject)
    if !message.reply.isEmpty {
      sink.append(0x20)
      sink.append(message.reply)
    }
    if !message.headers.isEmpty {
      sink.append(0x20)
      sink.append(decimal: UInt64(message.headers.count))
    }
    sink.append(0x20)
    sink.append(decimal: UInt64(message.headers.count + message.payload.count))
    sink.appendLineEnd()
    sink.append(message.headers)
    sink.append(message.payload)
    sink.appendLineEnd()
  }

  /// Whether the frame that begins at this offset is a PUB or HPUB to this subject.
  static func isFrame(_ frames: borrowing ByteRing, at offset: Int, of subject: Span<UInt8>) -> Bool
  {
    let operation = frames.matches(ascii("PUB "), at: offset) ? 4 : 5
    return frames.matches(subject, at: offset + operation)
      && frames.matches(ascii(" "), at: offset + operation + subject.count)
  }

  /// Bytes of a SUB line with its CRLF.
  static func subscribeLength(_ subject: Span<UInt8>, queueGroup: Span<UInt8>, sid: UInt32) -> Int {
    let queueLength = queueGroup.isEmpty ? 0 : queueGroup.count + 1
    return 4 + subject.count + 1 + queueLength + decimalDigits(UInt64(sid)) + 2
  }

  /// `SUB subject [queue group] sid`; false when it does not fit.
  static func subscribe(
    _ subject: Span<UInt8>, queueGroup: Span<UInt8>, sid: UInt32, into buffer: inout WriteBuffer
  ) -> Bool {
    let length = subscribeLength(subject, queueGroup: queueGroup, sid: sid)
    if !buffer.reserve(length) { return false }
    buffer.append(ascii: "SUB ")
    buffer.append(subject)
    buffer.append(0x20)
    if !queueGroup.isEmpty {
      buffer.append(queueGroup)
      buffer.append(0x20)
    }
    buffer.append(decimal: UInt64(sid))
    buffer.appendLineEnd()
    return true
  }

  static let unsubscribeBytesMax = 6 + 10 + 1 + 10 + 2

  /// `UNSUB sid [max]`; false when it does not fit.
  static func unsubscribe(sid: UInt32, after maximum: UInt32, into buffer: inout WriteBuffer)
    -> Bool
  {
    if !buffer.reserve(unsubscribeBytesMax) { return false }
    buffer.append(ascii: "UNSUB ")
    buffer.append(decimal: UInt64(sid))
    if maximum > 0 {
      buffer.append(0x20)
      buffer.append(decimal: UInt64(maximum))
    }
    buffer.appendLineEnd()
    return true
  }

  /// PING, PONG and CONNECT lines; false when they do not fit.
  static func line(
    _ operation: StaticString, _ argument: Span<UInt8>, into buffer: inout WriteBuffer
  ) -> Bool {
    let length = operation.utf8CodeUnitCount + (argument.isEmpty ? 0 : argument.count + 1) + 2
    if !buffer.reserve(length) { return false }
    buffer.append(ascii: operation)
    if !argument.isEmpty {
      buffer.append(0x20)
      buffer.append(argument)
    }
    buffer.appendLineEnd()
    return true
  }
}
