import Transport

/// Carries facts from a `FactQueue` over the bus: each with a reply subject and a `Nats-Msg-Id`, the
/// next only when somebody has acknowledged the one before. The PubAck of a JetStream stream counts,
/// and so does any consumer's reply that is no error.
final class FactDelivery {
  /// How long an acknowledgement is waited for before the fact is sent again, at first and at most:
  /// the time doubles with each try, so that a link slower than the first still gets facts through.
  private static let acknowledgementTimeoutFirst = Duration.seconds(5)
  private static let acknowledgementTimeoutMax = Duration.seconds(80)

  private let bus: any MessageBus
  private let time: any TimeSource
  private let diagnostics: any Diagnostics
  /// Start of every message id; a stream tells a repeated fact by the whole id.
  private let idPrefix: String
  private let queue: FactQueue
  /// The time waited for the fact that was sent last.
  private var acknowledgementTimeout = acknowledgementTimeoutFirst

  init(
    over bus: any MessageBus, time: any TimeSource, diagnostics: any Diagnostics, hostID: String,
    capacity: Int, seed: UInt64
  ) {
    self.bus = bus
    self.time = time
    self.diagnostics = diagnostics
    idPrefix = hostID + "-"
    queue = FactQueue(capacity: capacity, seed: seed)
  }

  var deadline: Instant? { queue.deadline }
  func handleDeadline(at now: Instant) { sendNext(at: now) }

  func append(subject: [UInt8], payload: [UInt8], at now: Instant) {
    let dropped = queue.droppedCount
    queue.append(subject: subject, payload: payload)
    if queue.droppedCount > dropped {
      diagnostics.report(
        "facts dropped", "the fact queue is full: \(queue.droppedCount) facts were dropped so far")
    }
    sendNext(at: now)
  }

  func linkChanged(isConnected: Bool, at now: Instant) {
    if isConnected { queue.handleConnected() } else { queue.handleDisconnected() }
    sendNext(at: now)
  }

  /// Facts wait in memory only: says how many go with the process.
  func stop() {
    if queue.count > 0 {
      diagnostics.report(
        "facts lost", "\(queue.count) facts were not acknowledged and are lost with this process")
    }
  }

  /// What a host's status says of its facts.
  var status: Record {
    var record = Record()
    record.append("waiting", .integer(Int64(clamping: queue.count)))
    record.append("delivered", .integer(Int64(clamping: queue.deliveredCount)))
    record.append("dropped", .integer(Int64(clamping: queue.droppedCount)))
    record.append("bytes", .integer(Int64(queue.byteCount)))
    record.append("capacity_bytes", .integer(Int64(queue.capacity)))
    return record
  }

  private func sendNext(at now: Instant) {
    // More than one only when the first can never be sent.
    while let fact = queue.next(at: now) { send(fact, at: now) }
  }

  private func send(_ fact: Fact, at now: Instant) {
    var headers = HeaderWriter()
    headers.append(messageID: ("\(idPrefix)\(fact.sequence)" as Text).string)
    let block = headers.finished()
    do throws(PublishError) {
      try bus.request(
        subject: fact.subject.span, headers: block.span, payload: fact.payload.span,
        as: .facts, timeout: acknowledgementTimeout
      ) { [self] outcome in
        if case .failed(.timedOut) = outcome {
          acknowledgementTimeout = min(
            acknowledgementTimeout * 2, FactDelivery.acknowledgementTimeoutMax)
        }
        finished(fact.sequence, FactDelivery.isAcknowledgement(outcome))
      }
    } catch {
      switch error {
      case .tooLarge, .invalidSubject:
        diagnostics.report("fact dropped", "a fact can never be sent: \(error)")
        queue.handle(.unsendable, of: fact.sequence, at: now)
      case .outboxFull, .notConnected, .tooManyRequests:
        diagnostics.report("fact not sent", "a fact could not be sent and waits: \(error)")
        queue.handle(.notAcknowledged, of: fact.sequence, at: now)
      }
    }
  }

  private func finished(_ sequence: UInt64, _ isAcknowledged: Bool) {
    let now = time.now
    if isAcknowledged { acknowledgementTimeout = FactDelivery.acknowledgementTimeoutFirst }
    queue.handle(isAcknowledged ? .acknowledged : .notAcknowledged, of: sequence, at: now)
    sendNext(at: now)
  }

  /// A stream that could not store the fact answers as well, with an error.
  private static func isAcknowledgement(_ outcome: borrowing RequestOutcome) -> Bool {
    switch outcome {
    case .failed: return false
    case .response(let message):
      if let headers = HeaderReader(message.headers) {
        if let status = headers.status, status >= 300 { return false }
        if headers.value(of: "Nats-Service-Error") != nil { return false }
        if headers.value(of: "Nats-Service-Error-Code") != nil { return false }
      }
      guard let body = try? Record(json: message.payload) else { return true }
      return ArgumentCheck.isAbsent(body["error"])
    }
  }
}
