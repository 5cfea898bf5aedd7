/// Reads a header block: `NATS/1.0[ status[ description]]`, then `name: value` lines, then an empty
/// line. Names keep their case and are compared without it (ADR-4).
public struct HeaderReader: ~Escapable {
  private let block: Span<UInt8>
  /// Where the header lines begin.
  private let start: Int
  private var offset: Int

  /// The status of a message the server made itself, such as 503 (no responders); nil on others.
  public let status: UInt16?

  /// Nil when the block does not begin as one.
  @_lifetime(copy block)
  public init?(_ block: Span<UInt8>) {
    guard block.starts(with: "NATS/1.0"), let newline = block.firstOffset(of: 0x0A) else {
      return nil
    }
    self.block = block
    start = newline + 1
    offset = start
    status = HeaderReader.status(block.extracting(8..<newline))
  }

  /// The next header, as offsets into the block; nil at the empty line or at the end. Lines without a
  /// colon are passed over.
  public mutating func next() -> (name: Range<Int>, value: Range<Int>)? {
    while let newline = block.firstOffset(of: 0x0A, from: offset) {
      let line = offset..<newline
      if block.trimmingBlanks(line).isEmpty {
        offset = block.count
        return nil
      }
      offset = newline + 1
      if let colon = block.extracting(line).firstOffset(of: 0x3A) {
        let name = line.lowerBound..<(line.lowerBound + colon)
        return (name, block.trimmingBlanks((name.upperBound + 1)..<line.upperBound))
      }
    }
    return nil
  }

  /// The first value of a header, as offsets into the block, wherever `next` has come to.
  @inline(never)
  public func value(of name: StaticString) -> Range<Int>? {
    var rest = self
    rest.offset = start
    while let header = rest.next() {
      if block.extracting(header.name).equalsIgnoringCase(name) { return header.value }
    }
    return nil
  }

  /// The words after the status, such as `No Messages`, as offsets into the block; empty for none.
  public var statusDescription: Range<Int> {
    let rest = block.trimmingBlanks(8..<(start - 1))
    if status == nil { return rest.upperBound..<rest.upperBound }
    return block.trimmingBlanks((rest.lowerBound + 3)..<rest.upperBound)
  }

  /// The three digits after the version, if any.
  private static func status(_ rest: Span<UInt8>) -> UInt16? {
    var start = 0
    while start < rest.count, rest[start] == 0x20 { start += 1 }
    guard rest.count - start >= 3 else { return nil }
    guard let number = rest.extracting(start..<(start + 3)).unsignedNumber else { return nil }
    return UInt16(exactly: number)
  }
}

/// Builds a header block for a message to be published.
public struct HeaderWriter {
  private var block: [UInt8] = []

  public init() { block.append(ascii: "NATS/1.0\r\n") }

  /// Of the finished block.
  public var byteCount: Int { block.count + 2 }

  /// Adds a header. Line breaks in the value would forge further headers; they become blanks.
  @inline(never)
  public mutating func append(_ name: StaticString, _ value: String) {
    block.append(ascii: name)
    block.append(ascii: ": ")
    for byte in value.utf8 { block.append(byte == 0x0D || byte == 0x0A ? 0x20 : byte) }
    block.append(ascii: "\r\n")
  }

  /// The whole block with its closing empty line.
  @inline(never)
  public func finished() -> [UInt8] {
    var bytes = block
    bytes.append(ascii: "\r\n")
    return bytes
  }
}
