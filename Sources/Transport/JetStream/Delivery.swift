/// What a consumer's message says of itself in its reply subject, which is also where it is
/// acknowledged.
public struct Delivery: Equatable {
  public let replySubject: [UInt8]
  /// Offsets of the consumer's name in `replySubject`.
  private let consumerRange: Range<Int>
  /// The message's number in its stream.
  public let streamSequence: UInt64
  /// Counts the consumer's deliveries from 1.
  public let consumerSequence: UInt64
  /// How often this message has been delivered, this time included.
  public let deliveryCount: UInt64
  /// Messages of this consumer that wait behind this one.
  public let pendingCount: UInt64
  /// When the stream took the message.
  public let stored: Timestamp

  /// Reads `$JS.ACK.{stream}.{consumer}.{deliveries}.{stream sequence}.{consumer sequence}.{time}.{pending}`,
  /// or the form with `{domain}.{account hash}` before the stream and perhaps more at the end. Nil when
  /// it is neither.
  ///
  /// Source: server/consumer.go of nats-server, `replyInfo`; ADR-15.
  public init?(replySubject reply: Span<UInt8>) {
    guard reply.starts(with: "$JS.ACK.") else { return nil }
    var tokens = TokenReader(reply)
    var count = 0
    while tokens.next() != nil { count += 1 }
    guard count == 9 || count >= 11 else { return nil }

    tokens = TokenReader(reply)
    for _ in 0..<(count == 9 ? 3 : 5) { _ = tokens.next() }
    guard let consumer = tokens.next(), !consumer.isEmpty else { return nil }
    guard let deliveries = Delivery.number(&tokens, reply),
      let streamSequence = Delivery.number(&tokens, reply),
      let consumerSequence = Delivery.number(&tokens, reply),
      let time = Delivery.number(&tokens, reply), let stored = Int64(exactly: time),
      let pending = Delivery.number(&tokens, reply)
    else { return nil }
    consumerRange = consumer
    deliveryCount = deliveries
    self.streamSequence = streamSequence
    self.consumerSequence = consumerSequence
    pendingCount = pending
    self.stored = Timestamp(nanoseconds: stored)
    replySubject = reply.array
  }

  private static func number(_ tokens: inout TokenReader, _ reply: Span<UInt8>) -> UInt64? {
    guard let token = tokens.next() else { return nil }
    return reply.extracting(token).unsignedNumber
  }

  func isOf(consumer: [UInt8]) -> Bool {
    replySubject.span.extracting(consumerRange).equals(consumer.span)
  }
}

/// What the receiver of a message says to its consumer.
public enum Acknowledgement: Equatable {
  /// It is done and need not come again.
  case done
  /// It could not be done now; it comes again, after this time.
  case again(after: Duration)
  /// It never can be done and is not to come again.
  case never
  /// It is being done: the time until it comes again starts anew.
  case inProgress

  var payload: [UInt8] {
    var text = Text()
    switch self {
    case .done: text.append("+ACK")
    case .again(let delay):
      text.append("-NAK")
      if delay > .zero { text += " {\"delay\":\(delay.nanoseconds)}" }
    case .never: text.append("+TERM")
    case .inProgress: text.append("+WPI")
    }
    return text.bytes
  }
}
