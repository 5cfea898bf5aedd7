/// One complete frame from a server. Offsets refer to `ReadBuffer.bytes` and hold until the buffer is
/// next read into.
public enum Frame: Equatable {
  /// INFO: the JSON text.
  case info(Range<Int>)
  case message(MessageFrame)
  /// A message that is larger than the read buffer: its head arrived, its body follows in parts.
  /// `size` is the announced length of headers and payload; the frame's headers and payload are empty.
  case oversizedMessage(MessageFrame, size: UInt64)
  /// Bytes of an oversized message, headers and payload, `offset` after its first.
  case messagePart(Range<Int>, offset: UInt64)
  case ping
  case pong
  case ok
  /// -ERR: the text between the quotes.
  case error(Range<Int>)
}

/// Where the parts of a MSG or HMSG are. An absent reply or header block is empty.
public struct MessageFrame: Equatable {
  public var subscription: UInt32
  public var subject: Range<Int>
  public var reply: Range<Int>
  /// The whole header block, from `NATS/1.0` through its empty line.
  public var headers: Range<Int>
  public var payload: Range<Int>
}

/// What makes a server's bytes unusable. The connection ends: what follows cannot be told apart.
public enum ParseError: Error, Equatable {
  case controlLineTooLong(limit: Int)
  case unknownOperation
  /// The operation's arguments are not what the protocol says.
  case malformed(StaticString)
  /// No CRLF where the announced payload ends.
  case payloadNotTerminated

  public static func == (left: ParseError, right: ParseError) -> Bool {
    left.description == right.description
  }
}

extension ParseError: TextConvertible {
  public var text: Text {
    switch self {
    case .controlLineTooLong(let limit): "control line longer than \(limit) bytes"
    case .unknownOperation: "unknown protocol operation"
    case .malformed(let operation): "malformed \(operation)"
    case .payloadNotTerminated: "payload not followed by CRLF"
    }
  }
}

/// Turns a server's bytes into frames, incrementally: it remembers how far it has searched, so bytes
/// that trickle in one by one cost no more than bytes that come at once. No I/O, no allocation.
///
/// Source: NATS client protocol (docs.nats.io), server to client operations.
public struct Parser {
  private enum State: Equatable {
    /// Looking for the end of a control line; this many of its bytes hold none.
    case controlLine(searched: Int)
    /// Waiting until head and body, `length` bytes in all, are in the buffer. The frame's offsets
    /// count from the frame's first byte.
    case body(MessageFrame, length: Int)
    /// The body of an oversized message arrives.
    case parts(offset: UInt64, size: UInt64)
    /// Its CRLF is awaited.
    case terminator
    case failed(ParseError)
  }

  private var state = State.controlLine(searched: 0)

  public init() {}

  /// The next frame, or nil when more bytes are needed. After an error every call throws it again.
  public mutating func next(in buffer: inout ReadBuffer) throws(ParseError) -> Frame? {
    while true {
      switch state {
      case .failed(let error):
        throw error
      case .parts(let offset, let size):
        let count = Int(min(size - offset, UInt64(buffer.count)))
        if offset == size {
          state = .terminator
        } else if count == 0 {
          return nil
        } else {
          let start = buffer.start
          buffer.consume(count)
          state = .parts(offset: offset + UInt64(count), size: size)
          return .messagePart(start..<(start + count), offset: offset)
        }
      case .terminator:
        if buffer.count < 2 { return nil }
        try expectTerminator(at: buffer.start, in: buffer)
        buffer.consume(2)
        state = .controlLine(searched: 0)
      case .body(let frame, let length):
        if buffer.count < length { return nil }
        return try finish(frame, length: length, in: &buffer)
      case .controlLine(let searched):
        guard let length = try controlLineLength(in: buffer, from: searched) else { return nil }
        if let frame = try handleLine(length: length, in: &buffer) { return frame }
      }
    }
  }

  /// The control line's length without CRLF, once it has arrived.
  private mutating func controlLineLength(
    in buffer: borrowing ReadBuffer, from searched: Int
  ) throws(ParseError) -> Int? {
    let bytes = buffer.bytes
    if let newline = bytes.firstOffset(of: 0x0A, from: buffer.start + searched) {
      let length = newline - buffer.start - 1
      if length < 0 || bytes[newline - 1] != 0x0D { throw fail(.unknownOperation) }
      return length
    }
    if buffer.count == buffer.capacity { throw fail(.controlLineTooLong(limit: buffer.capacity)) }
    state = .controlLine(searched: buffer.count)
    return nil
  }

  private mutating func fail(_ error: ParseError) -> ParseError {
    state = .failed(error)
    return error
  }

  /// Takes a whole control line: a frame without a body is returned; a message changes the state, or
  /// is reported when it is oversized.
  private mutating func handleLine(
    length: Int, in buffer: inout ReadBuffer
  ) throws(ParseError) -> Frame? {
    let line: ControlLine
    do {
      line = try Parser.parseLine(buffer.bytes, start: buffer.start, length: length)
    } catch {
      throw fail(error)
    }
    switch line {
    case .complete(let frame):
      buffer.consume(length + 2)
      state = .controlLine(searched: 0)
      return frame
    case .message(let frame, let size):
      return expectBody(of: frame, size: size, in: &buffer)
    }
  }

  private enum ControlLine {
    case complete(Frame)
    case message(MessageFrame, size: UInt64)
  }

  private static func parseLine(
    _ bytes: Span<UInt8>, start: Int, length: Int
  ) throws(ParseError) -> ControlLine {
    let line = bytes.extracting(start..<(start + length))
    var fields = Fields(line)
    guard let name = fields.next() else { throw .unknownOperation }
    let operation = line.extracting(name)
    if operation.equalsIgnoringCase("MSG") || operation.equalsIgnoringCase("HMSG") {
      return try message(line, &fields, hasHeaders: operation.count == 4)
    }
    let rest = (start + fields.offset)..<(start + length)
    if operation.equalsIgnoringCase("PING") { return .complete(.ping) }
    if operation.equalsIgnoringCase("PONG") { return .complete(.pong) }
    if operation.equalsIgnoringCase("+OK") { return .complete(.ok) }
    if operation.equalsIgnoringCase("INFO") { return .complete(.info(rest)) }
    if operation.equalsIgnoringCase("-ERR") { return .complete(.error(unquoted(bytes, rest))) }
    throw .unknownOperation
  }

  /// `MSG subject sid [reply] size` and `HMSG subject sid [reply] header-size size`. Offsets in the
  /// frame count from the line's start; payload and headers are placed behind its CRLF.
  private static func message(
    _ line: Span<UInt8>, _ fields: inout Fields, hasHeaders: Bool
  ) throws(ParseError) -> ControlLine {
    let error = ParseError.malformed(hasHeaders ? "HMSG" : "MSG")
    guard let subject = fields.next(), let sid = fields.next(), var last = fields.next() else {
      throw error
    }
    // Between sid and the sizes a reply subject may stand; how many fields there are decides.
    var parts: InlineArray<3, Range<Int>> = .init(repeating: 0..<0)
    var count = 1
    parts[0] = last
    while let field = fields.next() {
      if count == 3 { throw error }
      parts[count] = field
      count += 1
    }
    last = parts[count - 1]
    let sizes = hasHeaders ? 2 : 1
    guard count == sizes || count == sizes + 1,
      let identifier = line.extracting(sid).unsignedNumber,
      let subscription = UInt32(exactly: identifier),
      let size = line.extracting(last).unsignedNumber
    else { throw error }
    var headerSize: UInt64 = 0
    if hasHeaders {
      guard let number = line.extracting(parts[count - 2]).unsignedNumber, number <= size else {
        throw error
      }
      headerSize = number
    }
    let bodyStart = line.count + 2
    // Offsets must not overflow; a body this large is never in the buffer but passed over.
    let addressable: UInt64 = 1 << 30
    let headerEnd = bodyStart + Int(min(headerSize, addressable))
    let bodyEnd = bodyStart + Int(min(size, addressable))
    let frame = MessageFrame(
      subscription: subscription, subject: subject, reply: count > sizes ? parts[0] : 0..<0,
      headers: bodyStart..<headerEnd, payload: headerEnd..<bodyEnd)
    return .message(frame, size: size)
  }

  private mutating func expectBody(
    of frame: MessageFrame, size: UInt64, in buffer: inout ReadBuffer
  ) -> Frame? {
    let headLength = frame.headers.lowerBound
    let (length, overflow) = size.addingReportingOverflow(UInt64(headLength) + 2)
    if !overflow && length <= UInt64(buffer.capacity) {
      state = .body(frame, length: Int(length))
      return nil
    }
    var head = frame.shifted(by: buffer.start)
    head.headers = 0..<0
    head.payload = 0..<0
    buffer.consume(headLength)
    state = .parts(offset: 0, size: size)
    return .oversizedMessage(head, size: size)
  }

  private mutating func finish(
    _ frame: MessageFrame, length: Int, in buffer: inout ReadBuffer
  ) throws(ParseError) -> Frame {
    let start = buffer.start
    try expectTerminator(at: start + length - 2, in: buffer)
    buffer.consume(length)
    state = .controlLine(searched: 0)
    return .message(frame.shifted(by: start))
  }

  private mutating func expectTerminator(
    at offset: Int, in buffer: borrowing ReadBuffer
  ) throws(ParseError) {
    if !buffer.bytes.extracting(offset..<(offset + 2)).equals("\r\n") {
      throw fail(.payloadNotTerminated)
    }
  }

  /// The text of an -ERR, without the quotes that surround it.
  private static func unquoted(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var lower = range.lowerBound
    var upper = range.upperBound
    while lower < upper, Fields.isBlank(bytes[upper - 1]) { upper -= 1 }
    if upper - lower >= 2, bytes[lower] == 0x27, bytes[upper - 1] == 0x27 {
      lower += 1
      upper -= 1
    }
    return lower..<upper
  }
}

extension MessageFrame {
  fileprivate func shifted(by offset: Int) -> MessageFrame {
    func shift(_ range: Range<Int>) -> Range<Int> {
      (range.lowerBound + offset)..<(range.upperBound + offset)
    }
    return MessageFrame(
      subscription: subscription, subject: shift(subject),
      reply: reply.isEmpty ? 0..<0 : shift(reply), headers: shift(headers),
      payload: shift(payload))
  }
}

/// The blank-separated fields of a control line.
private struct Fields: ~Escapable {
  private let line: Span<UInt8>
  /// Where the next field, if there is one, begins.
  private(set) var offset = 0

  @_lifetime(copy line)
  init(_ line: Span<UInt8>) { self.line = line }

  mutating func next() -> Range<Int>? {
    skipBlanks()
    let start = offset
    while offset < line.count, !Fields.isBlank(line[offset]) { offset += 1 }
    if offset == start { return nil }
    let field = start..<offset
    skipBlanks()
    return field
  }

  private mutating func skipBlanks() {
    while offset < line.count, Fields.isBlank(line[offset]) { offset += 1 }
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
