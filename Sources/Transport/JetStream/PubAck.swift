/// A stream's word that it keeps a message.
public struct PubAck: Equatable {
  public var stream = ""
  /// The message's number in the stream; for a duplicate that of the one before.
  public var sequence: UInt64 = 0
  /// Of the JetStream that answered, when it has one.
  public var domain: String?
  /// The stream had a message of this id already and did not keep this one again.
  public var isDuplicate = false

  /// Reads the answer to a published message: a stream's word, or why there is none.
  public static func read(_ json: Span<UInt8>) -> Result<PubAck, JetStreamFailure> {
    var ack = PubAck()
    // An answer without stream and sequence is some other service's: nobody has said that it keeps
    // the message.
    let failure = JetStreamError.failure(
      in: json, isWhole: { !ack.stream.utf8.isEmpty && ack.sequence > 0 }
    ) { (reader, key) throws(JSONError) in
      if reader.matches(key, "stream") {
        ack.stream = try reader.nextString()
      } else if reader.matches(key, "seq") {
        ack.sequence = try reader.nextSequence()
      } else if reader.matches(key, "domain") {
        ack.domain = try reader.nextString()
      } else if reader.matches(key, "duplicate") {
        ack.isDuplicate = try reader.nextBool()
      } else {
        try reader.skipValue()
      }
    }
    return failure.map { .failure($0) } ?? .success(ack)
  }
}

/// What must be so for a stream to keep a message; otherwise it refuses it.
public enum StreamExpectation: Equatable {
  case stream(String)
  /// The last sequence of the stream.
  case lastSequence(UInt64)
  /// The last sequence of this subject; 0 when there must be none.
  case lastSubjectSequence(UInt64)
  case lastMessageID(String)
}

extension HeaderWriter {
  /// By which a stream tells a message that it has already.
  public mutating func append(messageID: String) { append("Nats-Msg-Id", messageID) }

  public mutating func append(_ expectation: StreamExpectation) {
    switch expectation {
    case .stream(let name): append("Nats-Expected-Stream", name)
    case .lastSequence(let sequence):
      append("Nats-Expected-Last-Sequence", JetStream.decimal(sequence))
    case .lastSubjectSequence(let sequence):
      append("Nats-Expected-Last-Subject-Sequence", JetStream.decimal(sequence))
    case .lastMessageID(let id): append("Nats-Expected-Last-Msg-Id", id)
    }
  }
}

extension JetStream {
  /// `Text` interpolates no number beyond Int64.
  static func decimal(_ number: UInt64) -> String {
    var digits: [UInt8] = []
    digits.append(decimal: number)
    return digits.span.string
  }
}

extension JSONReader {
  /// A sequence number or a count.
  mutating func nextSequence() throws(JSONError) -> UInt64 {
    guard let number = UInt64(exactly: try nextInteger()) else { throw unexpectedType }
    return number
  }
}
