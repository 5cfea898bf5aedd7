@testable import Transport

/// The bus of a simulated host: what `Client` is on an event loop, over an endpoint's connection.
final class HostBus: MessageBus, EndpointObserver {
  private struct Subscriber {
    let sid: UInt32
    let handler: (borrowing IncomingMessage) -> Void
  }

  private struct Requester {
    let id: RequestID
    let completion: (borrowing RequestOutcome) -> Void
  }

  private let endpoint: Endpoint
  private let canary: Canary?
  private let requestsMax: Int
  private var subscribers: [Subscriber] = []
  private var requesters: [Requester] = []
  private var idCount = 0
  /// Facts that were reported as delivered and are sent once more later (`Canary.replaysLater`).
  private var replays: [Replay] = []
  private var deferred: [() -> Void] = []
  private let time: SimulatedTime

  /// Gets what is not a message: `connected`, `disconnected`, `open` and so on.
  var linkAction: (ConnectionAction) -> Void = { _ in }
  /// Told of every urgent message that was queued, by its subject.
  var queuedUrgent: ([UInt8]) -> Void = { _ in }
  /// Told of every fact that is sent, by its id, and whether it goes before others.
  var sentFact: (String, Bool) -> Void = { _, _ in }
  /// Told how many bytes are in a read buffer.
  var read: (Int) -> Void = { _ in }

  private struct Replay {
    let subject: [UInt8]
    let headers: [UInt8]
    let payload: [UInt8]
  }

  init(over endpoint: Endpoint, time: SimulatedTime, requestsMax: Int, canary: Canary?) {
    self.endpoint = endpoint
    self.time = time
    self.requestsMax = requestsMax
    self.canary = canary
    endpoint.observer = self
  }

  var waitingRequests: Int { requesters.count }
  var isConnected: Bool { endpoint.connection.isConnected }

  /// Forgets who listens and who waits.
  func release() {
    (subscribers, requesters, deferred) = ([], [], [])
    linkAction = { _ in }
  }

  // MARK: MessageBus

  var linkStatus: LinkStatus { endpoint.connection.linkStatus(at: time.now) }
  var takenAfter: Instant? {
    canary == .ignoresAge ? time.now : endpoint.connection.takenAfter
  }
  func renewTakenAfter() { endpoint.connection.renewTakenAfter(at: time.now) }

  func subscribe(
    _ subject: Subject, queueGroup: [UInt8],
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32? {
    guard let sid = endpoint.connection.subscribe(subject, queueGroup: queueGroup) else {
      return nil
    }
    subscribers.append(Subscriber(sid: sid, handler: handler))
    return sid
  }

  func unsubscribe(_ sid: UInt32) {
    endpoint.connection.unsubscribe(sid)
    subscribers.removeAll { $0.sid == sid }
  }

  func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError) {
    let actual = canary == .usesOneQueue ? TrafficClass.bulk : trafficClass
    // All of a batch but its last message.
    tellSent(message.headers.array, trafficClass)
    try endpoint.connection.publish(message, as: actual, expires: expires, at: time.now)
    if trafficClass == .replies { queuedUrgent(message.subject.array) }
  }

  func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError) {
    let actual = canary == .usesOneQueue ? TrafficClass.bulk : trafficClass
    if canary == .repeatsBlindly, subject.string.contains("STREAM.MSG.GET") {
      return deferred.append { [self] in complete(HostBus.noMessage, completion) }
    }
    let block = broken(headers)
    tellSent(block, trafficClass)
    let id = try endpoint.connection.request(
      subject: subject, headers: block.span, payload: payload, as: actual, timeout: timeout,
      at: time.now)
    guard trafficClass == .facts, canary == .trustsTheQueue || canary == .replaysLater else {
      return requesters.append(Requester(id: id, completion: completion))
    }
    pretend(
      id, Replay(subject: subject.array, headers: block, payload: payload.array), completion)
  }

  private func tellSent(_ headers: [UInt8], _ trafficClass: TrafficClass) {
    guard let reader = HeaderReader(headers.span), let id = reader.value(of: "Nats-Msg-Id") else {
      return
    }
    sentFact(headers.span.extracting(id).string, trafficClass == .facts)
  }

  // MARK: what canaries do

  private static let noMessage = bytes(
    "{\"error\":{\"code\":404,\"err_code\":10037,\"description\":\"no message found\"}}")

  /// The headers of a fact, as the canary wants them.
  private func broken(_ headers: Span<UInt8>) -> [UInt8] {
    guard let canary, [.forgetsIDs, .repeatsBlindly, .replaysLater].contains(canary),
      let reader = HeaderReader(headers), let value = reader.value(of: "Nats-Msg-Id")
    else { return headers.array }
    var id = headers.extracting(value).string
    var writer = HeaderWriter()
    if canary == .forgetsIDs {
      idCount += 1
      id = "other\(idCount)-\(id.split(separator: "-").last ?? "")"
      if let last = reader.value(of: "Nats-Expected-Last-Subject-Sequence") {
        writer.append(
          "Nats-Expected-Last-Subject-Sequence", headers.extracting(last).string)
      }
    }
    writer.append("Nats-Msg-Id", id)
    return writer.finished()
  }

  /// Gives an answer that nobody has sent.
  private func complete(
    _ payload: [UInt8], _ completion: (borrowing RequestOutcome) -> Void
  ) {
    let frame = MessageFrame(
      subscription: 1, subject: 0..<0, reply: 0..<0, headers: 0..<0, payload: 0..<payload.count)
    completion(.response(IncomingMessage(frame, in: payload.span)))
  }

  /// Says at once that somebody has stored it, and perhaps sends it again when nobody has.
  private func pretend(
    _ id: RequestID, _ replay: Replay, _ completion: @escaping (borrowing RequestOutcome) -> Void
  ) {
    requesters.append(
      Requester(id: id) { [self] outcome in
        if case .failed = outcome, canary == .replaysLater { replays.append(replay) }
      })
    let answer = bytes("{\"stream\":\"FACTS\",\"seq\":1}")
    deferred.append { [self] in complete(answer, completion) }
  }

  /// Does what canaries have put off.
  func replay() {
    let actions = deferred
    deferred = []
    for action in actions { action() }
    while isConnected, let replay = replays.first {
      replays.removeFirst()
      try? request(
        subject: replay.subject.span, headers: replay.headers.span, payload: replay.payload.span,
        as: .facts, timeout: .seconds(5)
      ) { _ in }
    }
  }

  // MARK: EndpointObserver

  func take(_ action: ConnectionAction, reading input: borrowing ReadBuffer, at now: Instant) {
    read(input.bytes.count)
    switch action {
    case .message(let frame):
      deliver(IncomingMessage(frame, in: input.bytes), to: frame.subscription)
    case .oversizedMessage(let frame, let size):
      deliver(
        IncomingMessage(frame, in: input.bytes, oversizedBytes: size), to: frame.subscription)
    case .response(let id, let frame):
      complete(id, .response(IncomingMessage(frame, in: input.bytes)))
    default: break
    }
  }

  func take(_ action: ConnectionAction, at now: Instant) {
    if case .requestFailed(let id, let failure) = action { return complete(id, .failed(failure)) }
    linkAction(action)
  }

  private func deliver(_ message: borrowing IncomingMessage, to sid: UInt32) {
    guard let subscriber = subscribers.first(where: { $0.sid == sid }) else { return }
    if canary == .ignoresDeadlines, !message.headers.isEmpty {
      return deliverWithoutHeaders(message, to: subscriber)
    }
    subscriber.handler(message)
    if canary == .executesTwice { subscriber.handler(message) }
  }

  private func deliverWithoutHeaders(
    _ message: borrowing IncomingMessage, to subscriber: Subscriber
  ) {
    var bytes = message.subject.array
    let subject = 0..<bytes.count
    bytes += message.reply.array
    let reply = subject.upperBound..<bytes.count
    bytes += message.payload.array
    let frame = MessageFrame(
      subscription: subscriber.sid, subject: subject, reply: reply, headers: 0..<0,
      payload: reply.upperBound..<bytes.count)
    subscriber.handler(IncomingMessage(frame, in: bytes.span))
  }

  private func complete(_ id: RequestID, _ outcome: borrowing RequestOutcome) {
    guard let index = requesters.firstIndex(where: { $0.id == id }) else { return }
    requesters.remove(at: index).completion(outcome)
  }
}
