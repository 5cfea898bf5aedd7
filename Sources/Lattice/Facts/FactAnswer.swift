import Transport

/// What a reply to a fact says.
enum FactAnswer {
  /// A stream keeps it.
  case stored(PubAck)
  /// Somebody else does.
  case kept
  /// Who should keep it does not, and why.
  case refused(Text, outcome: FactOutcome)
  /// There is no reply.
  case ended(FactOutcome)

  init(_ outcome: borrowing RequestOutcome) {
    switch outcome {
    case .failed(.noResponders): self = .ended(.noResponders)
    case .failed(.timedOut): self = .ended(.timedOut)
    case .failed(.disconnected): self = .ended(.disconnected)
    case .response(let message): self = FactAnswer(message)
    }
  }

  /// A stream that could not store the fact answers as well, with an error.
  private init(_ message: borrowing IncomingMessage) {
    if let headers = HeaderReader(message.headers) {
      if let status = headers.status, status >= 300 {
        self = .refused("status \(status)", outcome: .refused)
        return
      }
      for name: StaticString in ["Nats-Service-Error", "Nats-Service-Error-Code"] {
        guard let value = headers.value(of: name) else { continue }
        let reason = message.headers.extracting(value).array
        self = .refused("\(quoted: reason)", outcome: .refused)
        return
      }
    }
    switch PubAck.read(message.payload) {
    case .success(let ack): self = .stored(ack)
    case .failure(.refused(let error)):
      let outcome: FactOutcome = error.isWrongLastSequence ? .outOfPlace : .refused
      self = .refused(error.text, outcome: outcome)
    case .failure:
      // No stream's answer: anything but an error says that somebody keeps it.
      let body = try? Record(json: message.payload)
      if let body, !ArgumentCheck.isAbsent(body["error"]) {
        self = .refused("\(quoted: message.payload.array)", outcome: .refused)
      } else {
        self = .kept
      }
    }
  }

  var outcome: FactOutcome {
    switch self {
    case .stored, .kept: .kept
    case .refused(_, let outcome): outcome
    case .ended(let outcome): outcome
    }
  }
}
