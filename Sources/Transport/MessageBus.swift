/// A received message, as views of the read buffer: valid during the call that hands it over.
public struct IncomingMessage: ~Escapable {
  public let subject: Span<UInt8>
  /// Where an answer is wanted; empty for nowhere.
  public let reply: Span<UInt8>
  /// The whole header block; empty for none.
  public let headers: Span<UInt8>
  public let payload: Span<UInt8>
  /// The message did not fit the read buffer: its headers and payload have this many bytes. It can only
  /// be refused, unless its subscription takes parts: they follow in calls of their own.
  public let oversizedBytes: UInt64?

  @_lifetime(copy bytes)
  public init(_ frame: MessageFrame, in bytes: Span<UInt8>, oversizedBytes: UInt64? = nil) {
    subject = bytes.extracting(frame.subject)
    reply = bytes.extracting(frame.reply)
    headers = bytes.extracting(frame.headers)
    payload = bytes.extracting(frame.payload)
    self.oversizedBytes = oversizedBytes
  }
}

/// How a request ended.
public enum RequestOutcome: ~Escapable {
  case response(IncomingMessage)
  case failed(RequestFailure)
}

/// Bytes of a message that is larger than the read buffer: its headers and payload in order.
public struct MessagePart: ~Escapable {
  public let bytes: Span<UInt8>
  /// How many bytes came before, and how many there are in all.
  public let offset: UInt64
  public let size: UInt64

  public var isLast: Bool { size - offset == UInt64(bytes.count) }

  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>, offset: UInt64, size: UInt64) {
    self.bytes = bytes
    self.offset = offset
    self.size = size
  }
}

/// Publishing and subscribing, as those see it who speak over a connection without owning it: the
/// dialects and the operator commands.
public protocol MessageBus: AnyObject {
  var isConnected: Bool { get }

  var linkStatus: LinkStatus { get }

  /// What arrives now was taken by the server after this instant (see `CommandFence`); nil when
  /// nothing can arrive.
  var takenAfter: Instant? { get }
  /// Asks the server for a sign of life, so that `takenAfter` moves on within a round trip.
  func renewTakenAfter()

  /// Calls `handler` for each message; nil when no more subscriptions can be kept.
  func subscribe(
    _ subject: Subject, queueGroup: [UInt8],
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32?
  func unsubscribe(_ sid: UInt32)

  /// Queues a message; dropped unsent when `expires` comes first.
  func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError)

  /// Publishes and calls `completion` once with the answer or the failure.
  func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError)
}
