/// What is asked of a stream as a whole.
public enum StreamOperation: Sendable {
  case info
  case create
  case update

  fileprivate var text: StaticString {
    switch self {
    case .info: "INFO"
    case .create: "CREATE"
    case .update: "UPDATE"
    }
  }
}

extension JetStream {
  /// Has a stream described, made or changed.
  ///
  /// - Parameters:
  ///   - configuration: a JSON object; empty for `info`.
  ///   - completion: the answer as JSON, which has the stream's `config`.
  public func manage(
    _ operation: StreamOperation, stream: String, _ configuration: [UInt8], timeout: Duration,
    completion: @escaping (Result<[UInt8], JetStreamFailure>) -> Void
  ) {
    do throws(JetStreamFailure) {
      try JetStream.checkName(stream)
    } catch {
      return completion(.failure(error))
    }
    call("STREAM.\(operation.text).\(stream)", configuration, timeout: timeout) { answer in
      switch answer {
      case .failed(let failure): completion(.failure(failure))
      case .body(let json):
        let failure = JetStreamError.failure(in: json)
        completion(failure.map { .failure($0) } ?? .success(json.array))
      }
    }
  }
}
