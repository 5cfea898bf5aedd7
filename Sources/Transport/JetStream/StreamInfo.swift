/// What a publisher needs to know of a stream.
public struct StreamInfo: Equatable {
  /// How long the stream knows a message id: a message sent again later may be kept twice. Two minutes
  /// unless it was made otherwise, or keeps messages for less.
  public var duplicateWindow = Duration.zero
  /// Whether it takes a `MessageBatch`; servers before 2.12 have none that does.
  public var allowsBatches = false

  static func read(_ json: Span<UInt8>) -> Result<StreamInfo, JetStreamFailure> {
    var info = StreamInfo()
    var hasConfiguration = false
    let failure = JetStreamError.failure(in: json, isWhole: { hasConfiguration }) {
      (reader, key) throws(JSONError) in
      if reader.matches(key, "config") {
        try info.readConfiguration(&reader)
        hasConfiguration = true
      } else {
        try reader.skipValue()
      }
    }
    return failure.map { .failure($0) } ?? .success(info)
  }

  private mutating func readConfiguration(_ reader: inout JSONReader) throws(JSONError) {
    guard try reader.next() == .beginObject else { throw reader.unexpectedType }
    while case .key(let key) = try reader.next() {
      if reader.matches(key, "duplicate_window") {
        duplicateWindow = .nanoseconds(max(try reader.nextInteger(), 0))
      } else if reader.matches(key, "allow_atomic") {
        allowsBatches = try reader.nextBool()
      } else {
        try reader.skipValue()
      }
    }
  }
}

extension JetStream {
  /// Asks about a stream. The answer, 1 to 2 kB, must fit the read buffer.
  public func info(
    of stream: String, timeout: Duration,
    completion: @escaping (Result<StreamInfo, JetStreamFailure>) -> Void
  ) {
    do throws(JetStreamFailure) { try JetStream.checkName(stream) } catch {
      return completion(.failure(error))
    }
    call("STREAM.INFO.\(stream)", [], timeout: timeout) { answer in
      switch answer {
      case .failed(let failure): completion(.failure(failure))
      case .body(let json): completion(StreamInfo.read(json))
      }
    }
  }
}
