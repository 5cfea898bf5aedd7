/// A NATS subject or subscription pattern, checked once: tokens separated by dots, none of them empty,
/// no blanks or control characters.
public struct Subject: Equatable {
  public let bytes: [UInt8]

  /// Nil when the bytes are no subject to publish to; with `allowsWildcards` no pattern to subscribe
  /// to (`*` for one token, `>` for one or more at the end).
  public init?(_ bytes: [UInt8], allowsWildcards: Bool = false) {
    if !Subject.isValid(bytes.span, allowsWildcards: allowsWildcards) { return nil }
    self.bytes = bytes
  }

  public var string: String { bytes.span.string }

  @inline(never)
  public static func isValid(_ bytes: Span<UInt8>, allowsWildcards: Bool = false) -> Bool {
    let dot: UInt8 = 0x2E
    var previous = dot
    for index in bytes.indices {
      let byte = bytes[index]
      // Letters and `_`, most of every subject, with one comparison.
      if byte &- 0x3F < 0x40 {
        previous = byte
        continue
      }
      if byte == dot {
        if previous == dot { return false }
      } else if byte <= 0x20 || byte == 0x7F {
        return false
      } else if previous == dot, byte == 0x2A || byte == 0x3E {
        let isLast = index + 1 == bytes.count
        let isAlone = isLast || bytes[index + 1] == dot
        if isAlone && !allowsWildcards || byte == 0x3E && isAlone && !isLast { return false }
      }
      previous = byte
    }
    return previous != dot
  }

  /// Whether a subject falls under this pattern.
  public func matches(_ subject: Span<UInt8>) -> Bool {
    var pattern = TokenReader(bytes.span)
    var tokens = TokenReader(subject)
    while let expected = pattern.next() {
      guard let token = tokens.next() else { return false }
      let text = bytes.span.extracting(expected)
      if text.equals(">") { return true }
      if !text.equals("*") && !text.equals(subject.extracting(token)) { return false }
    }
    return tokens.next() == nil
  }
}

/// Walks over the tokens of a subject, or over other parts between separators.
public struct TokenReader: ~Escapable {
  private let subject: Span<UInt8>
  private let separator: UInt8
  private var offset = 0

  @_lifetime(copy subject)
  public init(_ subject: Span<UInt8>, separator: UInt8 = 0x2E) {
    self.subject = subject
    self.separator = separator
  }

  /// The next token as offsets into the subject; nil after the last.
  public mutating func next() -> Range<Int>? {
    if offset > subject.count || subject.isEmpty { return nil }
    let end = subject.firstOffset(of: separator, from: offset) ?? subject.count
    let token = offset..<end
    offset = end + 1
    return token
  }
}
