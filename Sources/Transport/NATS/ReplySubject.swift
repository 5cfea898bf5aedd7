/// Where the answer to one request is to go: the connection's inbox and the request's token. It lives on
/// the stack, so that a request allocates nothing.
struct ReplySubject {
  /// `_INBOX.`, twelve random characters, a dot, and the digits of a token.
  private var bytes: InlineArray<40, UInt8> = .init(repeating: 0)
  private var count = 0

  init(inboxPrefix: Span<UInt8>, token: UInt64) {
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    let first = writeDecimal(token, into: &digits)
    append(inboxPrefix)
    append(digits.span.extracting(first..<20))
  }

  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span.extracting(0..<count) }
  }

  private mutating func append(_ source: Span<UInt8>) {
    assert(source.count <= bytes.count - count)
    for index in 0..<min(source.count, bytes.count - count) {
      bytes[count] = source[index]
      count += 1
    }
  }
}
