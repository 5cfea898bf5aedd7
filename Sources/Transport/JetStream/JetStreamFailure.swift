/// The `error` of a JetStream answer.
public struct JetStreamError: Error, Equatable {
  /// As in HTTP: 400 for a bad request, 404 for what is not there, 503 for what cannot be had now.
  public var code: UInt16
  /// What exactly, of the server's list (`err_code`); 0 when it was not said.
  public var errorCode: UInt16
  /// The server's words, at most `reasonBytesMax`.
  public var reason: String

  /// Arbitrary; the server's own texts are shorter.
  static let reasonBytesMax = 200

  public init(code: UInt16, errorCode: UInt16 = 0, reason: String = "") {
    self.code = code
    self.errorCode = errorCode
    self.reason = reason
  }

  /// From a message that carries a status instead of a text.
  init(status: UInt16, of headers: borrowing HeaderReader, in block: Span<UInt8>) {
    let description = block.extracting(headers.statusDescription)
    self.init(code: status, reason: JetStreamError.bounded(description.string))
  }

  /// Reads the value of an `error` key; nil for null.
  init?(nextIn reader: inout JSONReader) throws(JSONError) {
    self.init(code: 0)
    switch try reader.next() {
    case .null: return nil
    case .beginObject: try readMembers(&reader)
    default: throw reader.unexpectedType
    }
  }

  private mutating func readMembers(_ reader: inout JSONReader) throws(JSONError) {
    while case .key(let key) = try reader.next() {
      if reader.matches(key, "code") {
        code = UInt16(clamping: try reader.nextInteger())
      } else if reader.matches(key, "err_code") {
        errorCode = UInt16(clamping: try reader.nextInteger())
      } else if reader.matches(key, "description") {
        reason = JetStreamError.bounded(try reader.nextString())
      } else {
        try reader.skipValue()
      }
    }
  }

  /// Reads an answer; gives what is wrong with it, nil when nothing is.
  ///
  /// - Parameters:
  ///   - isWhole: asked at the end of an answer without an error: whether what was read of it is enough.
  ///   - readMember: reads or skips the value of any key but `error`.
  @inline(never)
  static func failure(
    in json: Span<UInt8>, isWhole: () -> Bool = { true },
    readMember: (inout JSONReader, Range<Int>) throws(JSONError) -> Void = {
      (reader, _) throws(JSONError) in try reader.skipValue()
    }
  ) -> JetStreamFailure? {
    do throws(JSONError) {
      var reader = JSONReader(json)
      var error: JetStreamError?
      guard try reader.next() == .beginObject else { throw reader.unexpectedType }
      while case .key(let key) = try reader.next() {
        if reader.matches(key, "error") {
          error = try JetStreamError(nextIn: &reader)
        } else {
          try readMember(&reader, key)
        }
      }
      _ = try reader.next()
      if let error { return .refused(error) }
      if !isWhole() { throw reader.unexpectedType }
      return nil
    } catch {
      return .malformedAnswer(error)
    }
  }

  static func bounded(_ text: String) -> String {
    if text.utf8.count <= reasonBytesMax { return text }
    return text.bytes.prefix(reasonBytesMax).string
  }

  // Source: server/errors.json of nats-server.

  /// There is no message of that sequence or subject.
  public var isNoMessage: Bool { errorCode == 10_037 }
  public var isConsumerNotFound: Bool { errorCode == 10_014 }
  public var isStreamNotFound: Bool { errorCode == 10_059 }
  /// A stream of that name is there, made otherwise than was asked for.
  public var isStreamNameInUse: Bool { errorCode == 10_058 }
  /// An expected last sequence, of the stream or of the subject, is not the last; 10164 is how servers
  /// in a cluster say it while another write is under way.
  public var isWrongLastSequence: Bool { errorCode == 10_071 || errorCode == 10_164 }
  /// The stream takes messages only one by one.
  public var isBatchDisabled: Bool { errorCode == 10_174 }
  /// The stream has a message of the batch already.
  public var isBatchWithDuplicate: Bool { errorCode == 10_201 }
}

extension JetStreamError: TextConvertible {
  public var text: Text { "\(reason) (\(code), \(errorCode))" }
}

/// Why a JetStream operation did not end as it should.
public enum JetStreamFailure: Error, Equatable {
  /// A domain, stream, consumer, bucket or key of this name cannot be.
  case invalidName(String)
  /// It did not leave this host.
  case notSent(PublishError)
  /// Nobody listens: no JetStream, no such domain, stream or consumer there, or the link to it is cut.
  case noResponders
  /// Done or not, nobody knows.
  case timedOut
  /// The connection went first. Done or not, nobody knows.
  case disconnected
  /// The server said no.
  case refused(JetStreamError)
  /// The answer is not what JetStream answers. Done or not, nobody knows.
  case malformedAnswer(JSONError)
  /// The answer, of this many bytes, did not fit the read buffer. Done or not, nobody knows.
  case oversizedAnswer(UInt64)
  /// The answer tells of another batch or of a single message. Which messages of ours were kept, nobody
  /// knows.
  case notKeptAsBatch
  /// The next message of a consumer is larger than one batch may be, in bytes: nothing after it can
  /// come until it is gone.
  case messageTooLarge(limit: Int)

  /// Whether it surely has not happened, so that trying again can double nothing.
  public var isSurelyNotDone: Bool {
    switch self {
    case .invalidName, .notSent, .noResponders, .refused, .messageTooLarge: true
    case .timedOut, .disconnected, .malformedAnswer, .oversizedAnswer, .notKeptAsBatch: false
    }
  }

  init(_ failure: RequestFailure) {
    switch failure {
    case .noResponders: self = .noResponders
    case .timedOut: self = .timedOut
    case .disconnected: self = .disconnected
    }
  }

  /// The server's no, when there was one.
  public var refusal: JetStreamError? {
    if case .refused(let error) = self { return error }
    return nil
  }
}

extension JetStreamFailure: TextConvertible {
  public var text: Text {
    switch self {
    case .invalidName(let name): "\(quoted: name) is no name that JetStream takes"
    case .notSent(let error): "not sent: \(error)"
    case .noResponders: "no JetStream answers there"
    case .timedOut: "no answer in time"
    case .disconnected: "the connection went before the answer came"
    case .refused(let error): "JetStream refused: \(error)"
    case .malformedAnswer(let error): "the answer is not JetStream's: \(error)"
    case .oversizedAnswer(let size): "the answer of \(size) bytes is larger than the read buffer"
    case .notKeptAsBatch: "the answer is not that of the batch"
    case .messageTooLarge(let limit): "the next message is larger than a batch's \(limit) bytes"
    }
  }
}
