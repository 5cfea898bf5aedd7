/// What the server says, in place of a message, of a pull request.
///
/// Source: server/consumer.go of nats-server, its `NATS/1.0` lines; ADR-9 and ADR-13.
enum PullStatus: Equatable {
  /// It is still there. The last delivery that the consumer has made, when it says so.
  case heartbeat(consumerSequence: UInt64?)
  /// It is over: answered, expired, or without anything to answer.
  case ended
  /// The next message is larger than what is left of `max_bytes`.
  case tooLarge
  /// The server gave it up because it is about to stop or to hand the consumer over.
  case interrupted
  /// There is no such consumer.
  case gone
  case refused(JetStreamError)

  /// Nil for what is no status.
  init?(_ block: Span<UInt8>) {
    guard let headers = HeaderReader(block), let code = headers.status else { return nil }
    let text = block.extracting(headers.statusDescription)
    switch code {
    case 100:
      let sequence = headers.value(of: "Nats-Last-Consumer")
      self = .heartbeat(
        consumerSequence: sequence.flatMap { block.extracting($0).unsignedNumber })
    case 404: self = .ended
    case 408 where !text.startsIgnoringCase(with: "Bad Request"): self = .ended
    case 409 where text.startsIgnoringCase(with: "Batch Completed"): self = .ended
    case 409 where text.startsIgnoringCase(with: "Message Size Exceeds"): self = .tooLarge
    case 409 where text.startsIgnoringCase(with: "Leadership Change"): self = .interrupted
    case 409 where text.startsIgnoringCase(with: "Server Shutdown"): self = .interrupted
    case 409 where text.startsIgnoringCase(with: "Consumer Deleted"): self = .gone
    case 503: self = .gone
    default:
      self = .refused(JetStreamError(status: code, of: headers, in: block))
    }
  }
}
