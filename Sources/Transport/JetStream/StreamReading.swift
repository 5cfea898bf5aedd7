/// Which message of a subject is asked for.
public enum StreamQuery: Equatable, Sendable {
  case last
  /// The first with at least this sequence.
  case next(from: UInt64)
}

/// Looking for messages in a stream that others made.
extension JetStream {
  /// The name of a stream that keeps the subject, the first of several; nil when there is none.
  public func streamName(
    keeping subject: Span<UInt8>, timeout: Duration,
    completion: @escaping (Result<String?, JetStreamFailure>) -> Void
  ) {
    var json = JSONWriter()
    json.beginObject()
    json.key("subject")
    json.string(subject)
    json.endObject()
    call("STREAM.NAMES", json.bytes, timeout: timeout) { answer in
      switch answer {
      case .failed(let failure): completion(.failure(failure))
      case .body(let json): completion(JetStream.firstName(json))
      }
    }
  }

  private static func firstName(_ json: Span<UInt8>) -> Result<String?, JetStreamFailure> {
    var name: String?
    let failure = JetStreamError.failure(in: json, isWhole: { true }) {
      (reader, key) throws(JSONError) in
      if reader.matches(key, "streams") {
        name = try JetStream.readFirst(&reader)
      } else {
        try reader.skipValue()
      }
    }
    return failure.map { .failure($0) } ?? .success(name)
  }

  /// The first text of a list, which may be null.
  private static func readFirst(_ reader: inout JSONReader) throws(JSONError) -> String? {
    switch try reader.next() {
    case .null: return nil
    case .beginArray: break
    default: throw reader.unexpectedType
    }
    var first: String?
    while true {
      switch try reader.next() {
      case .endArray: return first
      case .string(let range): if first == nil { first = reader.text(range) }
      default: throw reader.unexpectedType
      }
    }
  }

  /// A message of a stream, from its leader. With its headers and in its Base64 form it must fit the read
  /// buffer. There being none is a refusal with `isNoMessage`.
  ///
  /// Source: ADR-31; `next_by_subj` since nats-server 2.9.
  public func message(
    _ query: StreamQuery, of subject: Span<UInt8>, in stream: String, timeout: Duration,
    completion: @escaping (Result<StoredMessage, JetStreamFailure>) -> Void
  ) {
    do throws(JetStreamFailure) {
      try JetStream.checkName(stream)
    } catch {
      return completion(.failure(error))
    }
    var json = JSONWriter()
    json.beginObject()
    switch query {
    case .last: json.key("last_by_subj")
    case .next(let sequence):
      json.key("seq")
      json.integer(Int64(clamping: sequence))
      json.key("next_by_subj")
    }
    json.string(subject)
    json.endObject()
    call("STREAM.MSG.GET.\(stream)", json.bytes, timeout: timeout) { answer in
      switch answer {
      case .failed(let failure): completion(.failure(failure))
      case .body(let json): completion(StoredMessage.read(json))
      }
    }
  }
}
