/// Messages that a stream is to keep together: all of them, one behind the other, or none. They cost one
/// round trip in place of one each.
///
/// Only a stream whose `StreamInfo` allows it takes them so; another would keep them one by one, and say
/// nothing of those before the last.
///
/// What became of a batch when nobody says so is seen by its last message: it is in the stream with all
/// others before it, or nothing is. A copy that comes late is refused when the first message of each
/// subject has a condition, `.lastSubjectSequence`; a second one of a subject must have none.
///
/// Source: ADR-50 (JetStream batch publishing); what servers do was tried with nats-server 2.15.
public struct MessageBatch {
  struct Message {
    let subject: [UInt8]
    let headers: HeaderWriter
    let payload: [UInt8]
  }

  /// Far below what a server takes, which is 1,000.
  public static let messagesMax = 32
  /// Of whole frames, as many as the queue of bulk holds. A leaf node takes them at once, and what is
  /// urgent then waits behind them on its uplink: a second, at 64 kbit/s.
  public static let bytesMax = 8 * 1024
  /// What a server takes.
  static let idBytesMax = 64
  /// Of each frame beside subject, headers, payload and id: the rest of the control line, line ends, and
  /// two headers of the batch.
  private static let frameBytes = 64
  /// Of the last frame beside that: the reply subject, and the header that commits.
  private static let lastFrameBytes = 64

  let id: String
  private(set) var messages: [Message] = []
  /// Of the frames; they are not larger.
  private(set) var byteCount = MessageBatch.lastFrameBytes

  /// - Parameter id: never used before. What is left of a batch that was cut off waits on the server for
  ///   ten seconds, and messages under the same id would be taken for its continuation.
  public init(id: String) { self.id = id }

  public var count: Int { messages.count }

  /// Adds a message; false when the batch is full, or the message too large for any.
  public mutating func append(subject: [UInt8], headers: HeaderWriter, payload: [UInt8]) -> Bool {
    let length =
      MessageBatch.frameBytes + id.utf8.count + subject.count + headers.byteCount + payload.count
    if count == MessageBatch.messagesMax || length > MessageBatch.bytesMax - byteCount {
      return false
    }
    byteCount += length
    messages.append(Message(subject: subject, headers: headers, payload: payload))
    return true
  }

  /// Whether this is the stream's word for the whole batch.
  func isKept(_ ack: PubAck) -> Bool {
    guard let batch = ack.batch else { return false }
    return batch == id && ack.batchCount == UInt64(count)
  }
}

extension JetStream {
  /// Publishes a batch and waits for the stream's word for all of it.
  ///
  /// When it comes, its sequence is that of the last message, and the others have those before it. When
  /// it `isSurelyNotDone`, the stream has kept nothing of this batch, though it may have a message of the
  /// same id from another time (`isBatchWithDuplicate`). Otherwise all of it was kept, or nothing, or the
  /// server has since become one that knows no batches: each message has to be asked for by itself.
  ///
  /// Calls of other messages may come between; order within the batch is the stream's to see to.
  ///
  /// - Parameters:
  ///   - timeout: until the answer; nothing that is not sent by then is sent at all.
  public func publish(
    _ batch: MessageBatch, as trafficClass: TrafficClass = .bulk, timeout: Duration,
    at now: Instant, completion: @escaping (Result<PubAck, JetStreamFailure>) -> Void
  ) {
    if batch.id.utf8.isEmpty || batch.id.utf8.count > MessageBatch.idBytesMax {
      return completion(.failure(.invalidName(batch.id)))
    }
    guard let last = batch.messages.last else {
      return completion(.failure(.notSent(.invalidSubject)))
    }
    // Behind a link that is down the first would be kept for the next one, and the last not.
    if !bus.isConnected { return completion(.failure(.notSent(.notConnected))) }
    do throws(PublishError) {
      for (index, message) in batch.messages.dropLast().enumerated() {
        try send(message, number: index + 1, of: batch, as: trafficClass, expires: now + timeout)
      }
    } catch {
      return completion(.failure(.notSent(error)))
    }
    let block = JetStream.headers(of: last, number: batch.count, of: batch, commits: true)
    publish(
      subject: last.subject.span, headers: block.span, payload: last.payload.span,
      as: trafficClass, timeout: timeout
    ) { result in
      if case .success(let ack) = result, !batch.isKept(ack) {
        completion(.failure(.notKeptAsBatch))
      } else {
        completion(result)
      }
    }
  }

  /// A message before the last: it brings no answer, as what is wrong with it makes the last refused.
  private func send(
    _ message: MessageBatch.Message, number: Int, of batch: MessageBatch,
    as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError) {
    let block = JetStream.headers(of: message, number: number, of: batch, commits: false)
    let none: [UInt8] = []
    let outgoing = OutgoingMessage(
      subject: message.subject.span, reply: none.span, headers: block.span,
      payload: message.payload.span)
    try bus.publish(outgoing, as: trafficClass, expires: expires)
  }

  private static func headers(
    of message: MessageBatch.Message, number: Int, of batch: MessageBatch, commits: Bool
  ) -> [UInt8] {
    var headers = message.headers
    headers.append("Nats-Batch-Id", batch.id)
    headers.append("Nats-Batch-Sequence", decimal(UInt64(number)))
    if commits { headers.append("Nats-Batch-Commit", "1") }
    return headers.finished()
  }
}
