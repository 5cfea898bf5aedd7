import Transport

extension Caller {
  /// Says who asks. NATS does not tell a host which of its users has published.
  static let header: StaticString = "Edge-Caller"

  /// Who a request of the services dialect says it is from: by its header, else by its inbox, which
  /// most clients keep for as long as they are connected.
  init(of message: borrowing IncomingMessage) {
    var name = Caller.inbox(message.reply)
    if let reader = HeaderReader(message.headers), let value = reader.value(of: Caller.header),
      !value.isEmpty
    {
      name = message.headers.extracting(value)
    }
    self.init(dialect: "services", name: name)
  }

  /// The first two tokens of a reply subject, without its last token, which is the request's own:
  /// `_INBOX.x` of `_INBOX.x.1`, but `_INBOX` of `_INBOX.1`.
  @_lifetime(copy reply)
  private static func inbox(_ reply: Span<UInt8>) -> Span<UInt8> {
    var tokens = TokenReader(reply)
    guard let first = tokens.next(), let second = tokens.next() else { return reply }
    return reply.extracting(0..<(tokens.next() == nil ? first : second).upperBound)
  }
}
