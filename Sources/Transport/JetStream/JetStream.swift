/// A JetStream as it is reached over the bus: the one of the server we are connected to, or that of a
/// domain behind leaf nodes.
///
/// Takes and gives bytes and closures, holds no state and keeps no time: a request ends by the bus's
/// timeout. Every completion comes exactly once, before the call returns when nothing could be sent.
///
/// Source: docs.nats.io, "NATS API Reference" of JetStream; server/jetstream_api.go of nats-server.
public struct JetStream {
  let bus: any MessageBus
  /// `$JS.API.` or `$JS.{domain}.API.`
  let prefix: [UInt8]
  /// Whether another JetStream than the server's own is meant.
  let hasDomain: Bool

  /// - Throws: `.invalidName` for a domain that is not one token of a subject.
  public init(over bus: any MessageBus, domain: String? = nil) throws(JetStreamFailure) {
    self.bus = bus
    hasDomain = domain != nil
    var prefix: [UInt8] = []
    prefix.append(ascii: "$JS.")
    if let domain {
      try JetStream.checkName(domain)
      prefix += domain.bytes
      prefix.append(0x2E)
    }
    prefix.append(ascii: "API.")
    self.prefix = prefix
  }

  /// Names of domains, streams and consumers are one token of the subjects they stand in; some of them
  /// are file names on the server as well.
  static func checkName(_ name: String) throws(JetStreamFailure) {
    let isGood = name.utf8.allSatisfy { byte in
      switch byte {
      case 0x2A, 0x2E, 0x2F, 0x3E, 0x5C: false
      default: byte > 0x20 && byte < 0x7F
      }
    }
    // Longer names are refused by the server.
    if !isGood || name.utf8.isEmpty || name.utf8.count > 255 { throw .invalidName(name) }
  }

  // MARK: publishing

  /// Publishes to whatever stream keeps the subject and waits for its word. With a message id among the
  /// headers it may be tried again within the stream's duplicate window.
  ///
  /// A domain changes nothing: ordinary subjects cross leaf nodes by themselves.
  public func publish(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass = .facts, timeout: Duration,
    completion: @escaping (Result<PubAck, JetStreamFailure>) -> Void
  ) {
    request(
      subject: subject, headers: headers, payload: payload, as: trafficClass, timeout: timeout
    ) { answer in
      switch answer {
      case .failed(let failure): completion(.failure(failure))
      case .body(let json): completion(PubAck.read(json))
      }
    }
  }

  // MARK: the API

  /// Calls `$JS.API.{operation}`.
  func call(
    _ operation: Text, _ argument: [UInt8], timeout: Duration,
    completion: @escaping (borrowing JetStreamAnswer) -> Void
  ) {
    let subject = prefix + operation.bytes
    let none: [UInt8] = []
    request(
      subject: subject.span, headers: none.span, payload: argument.span, as: .commands,
      timeout: timeout, completion: completion)
  }

  private func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Duration,
    completion: @escaping (borrowing JetStreamAnswer) -> Void
  ) {
    do throws(PublishError) {
      try bus.request(
        subject: subject, headers: headers, payload: payload, as: trafficClass, timeout: timeout
      ) { completion(JetStreamAnswer($0)) }
    } catch {
      completion(.failed(.notSent(error)))
    }
  }

  /// Publishes without waiting for anything.
  func send(
    _ subject: Span<UInt8>, reply: Span<UInt8>, _ payload: Span<UInt8>, expires: Instant
  ) throws(PublishError) {
    let none: [UInt8] = []
    let message = OutgoingMessage(
      subject: subject, reply: reply, headers: none.span, payload: payload)
    try bus.publish(message, as: .commands, expires: expires)
  }
}

/// What a JetStream request brought: a text to read, valid during the call, or why there is none. An
/// error within the text is still to be found.
enum JetStreamAnswer: ~Escapable {
  case body(Span<UInt8>)
  case failed(JetStreamFailure)

  @_lifetime(copy outcome)
  init(_ outcome: borrowing RequestOutcome) {
    switch outcome {
    case .failed(let failure): self = .failed(JetStreamFailure(failure))
    case .response(let message):
      if let size = message.oversizedBytes {
        self = .failed(.oversizedAnswer(size))
      } else if let headers = HeaderReader(message.headers), let status = headers.status,
        status >= 300
      {
        self = .failed(.refused(JetStreamError(status: status, of: headers, in: message.headers)))
      } else {
        self = .body(message.payload)
      }
    }
  }
}
