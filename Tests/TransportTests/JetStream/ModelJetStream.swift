import XCTest

@testable import Transport

/// A stream on a model of a server behind a link that delays, loses and breaks, in virtual time: the
/// bus that a `PullConsumer` speaks over. From one seed it does the same again.
final class ModelJetStream: MessageBus {
  private struct Consumer {
    let isDurable: Bool
    /// The stream's next message for it.
    var next: UInt64
    var deliveries: UInt64 = 0
    /// Delivered and not acknowledged, with when they come again.
    var unacknowledged: [UInt64: Instant] = [:]
    var pull: Pull?
  }

  private struct Pull {
    let reply: String
    var remaining: Int
    let expires: Instant
    let heartbeat: Transport.Duration
    var heartbeatAt: Instant
    let connection: Int
  }

  private struct Event {
    let at: Instant
    let number: Int
    let action: () -> Void
  }

  private var random: RandomGenerator
  private let time: FakeTime
  private var events: [Event] = []
  private var eventCount = 0
  private var consumers: [String: Consumer] = [:]
  private var handlers: [UInt32: (borrowing IncomingMessage) -> Void] = [:]
  private var completions: [Int: (borrowing RequestOutcome) -> Void] = [:]
  private var connection = 1
  /// Chance in a hundred of each kind of trouble.
  var trouble = 0
  private(set) var last: UInt64 = 0
  private(set) var isConnected = true
  var linkStatus = LinkStatus()
  var takenAfter: Instant? { nil }
  func renewTakenAfter() {}
  private(set) var acknowledged: Set<UInt64> = []
  private(set) var pulls = 0
  /// Consumers that were made.
  private(set) var creations = 0
  var consumerCount: Int { consumers.count }

  init(seed: UInt64, time: FakeTime) {
    random = RandomGenerator(seed: seed)
    self.time = time
  }

  // MARK: what the test does

  func addMessage() {
    last += 1
    deliverAll()
  }

  /// The stream is deleted and made anew, empty.
  func replaceStream() {
    for name in consumers.keys { delete(name) }
    last = 0
    acknowledged = []
  }

  func cut() {
    isConnected = false
    connection += 1
    for (_, completion) in completions { completion(.failed(.disconnected)) }
    completions = [:]
  }

  func heal() { isConnected = true }

  /// A consumer is lost, with or without a word about it.
  func loseConsumer() {
    guard let name = consumers.keys.sorted().first else { return }
    if random.oneIn(2) { consumers[name]?.pull = nil }
    delete(name)
  }

  /// Does what is due; the next instant at which something is.
  func run() -> Instant? {
    while let event = earliest, event.at <= time.now {
      events.removeAll { $0.number == event.number }
      event.action()
    }
    serverTimers()
    return consumers.values.reduce(earliest?.at) { instant, consumer in
      var instant = consumer.unacknowledged.values.reduce(instant) { Instant.earlier($0, $1) }
      if let pull = consumer.pull {
        instant = Instant.earlier(instant, min(pull.expires, pull.heartbeatAt))
      }
      return instant
    }
  }

  private var earliest: Event? { events.min { ($0.at, $0.number) < ($1.at, $1.number) } }

  private func isTroubled() -> Bool { random.index(below: 100) < trouble }

  /// In the order of the connection, a little later. Lost with it.
  private func later(_ action: @escaping () -> Void) {
    let from = connection
    eventCount += 1
    let arrival = time.now + .milliseconds(20)
    events.append(
      Event(at: arrival, number: eventCount) { [self] in if connection == from { action() } })
  }

  // MARK: MessageBus

  func subscribe(
    _ subject: Subject, queueGroup: [UInt8],
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32? {
    handlers[1] = handler
    return 1
  }

  func unsubscribe(_ sid: UInt32) { handlers[sid] = nil }

  func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError) {
    if !isConnected || isTroubled() { throw .outboxFull }
    let (subject, reply) = (message.subject.string, message.reply.string)
    let payload = message.payload.array
    later { [self] in
      let tokens = subject.split(separator: ".").map(String.init)
      if subject.hasPrefix("$JS.ACK.") {
        acknowledge(tokens, payload.string)
      } else if subject.hasPrefix("$JS.API.CONSUMER.MSG.NEXT.") {
        pull(tokens[6], reply, payload)
      } else if subject.hasPrefix("$JS.API.CONSUMER.DELETE.") {
        consumers[tokens[5]] = nil
      } else {
        XCTFail("nobody expects \(subject)")
      }
    }
  }

  func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Transport.Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError) {
    if !isConnected { throw .notConnected }
    let (subject, payload) = (subject.string, payload.array)
    eventCount += 1
    let id = eventCount
    completions[id] = completion
    if isTroubled() {
      events.append(
        Event(at: time.now + timeout, number: id) { [self] in
          completions.removeValue(forKey: id)?(.failed(.timedOut))
        })
      return
    }
    later { [self] in
      let answer = answer(subject, payload)
      later { [self] in
        guard let completion = completions.removeValue(forKey: id) else { return }
        withMessage("_INBOX.x", reply: "", headers: "", answer) { completion(.response($0)) }
      }
    }
  }

  // MARK: the server

  private func answer(_ subject: String, _ payload: [UInt8]) -> String {
    let name = subject.split(separator: ".").last.map(String.init) ?? ""
    if subject.hasPrefix("$JS.API.CONSUMER.CREATE.") {
      guard let json = try? JSONValue(payload), let config = json["config"] else { return "" }
      var next: UInt64 = 1
      if case .integer(let start)? = config["opt_start_seq"] {
        next = min(max(UInt64(start), 1), last + 1)
      }
      if consumers[name] == nil {
        consumers[name] = Consumer(isDurable: config["durable_name"] != nil, next: next)
        creations += 1
      }
    }
    guard let consumer = consumers[name] else {
      return #"{"error":{"code":404,"err_code":10014,"description":"consumer not found"}}"#
    }
    return
      #"{"name":"\#(name)","delivered":{"stream_seq":\#(consumer.next - 1)},"num_pending":\#(last + 1 - consumer.next)}"#
  }

  private func pull(_ name: String, _ reply: String, _ payload: [UInt8]) {
    pulls += 1
    guard consumers[name] != nil else { return send(reply, headers: "503") }
    guard let json = try? JSONValue(payload), case .integer(let batch)? = json["batch"],
      case .integer(let expires)? = json["expires"],
      case .integer(let heartbeat)? = json["idle_heartbeat"]
    else { return XCTFail("no pull: \(payload.string)") }
    XCTAssertLessThanOrEqual(heartbeat, expires / 2)
    consumers[name]?.pull = Pull(
      reply: reply, remaining: Int(batch), expires: time.now + .nanoseconds(expires),
      heartbeat: .nanoseconds(heartbeat), heartbeatAt: time.now + .nanoseconds(heartbeat),
      connection: connection)
    deliverAll()
  }

  private func acknowledge(_ tokens: [String], _ payload: String) {
    guard let sequence = UInt64(tokens[5]) else { return }
    if payload == "+ACK" {
      consumers[tokens[3]]?.unacknowledged[sequence] = nil
      acknowledged.insert(sequence)
    } else {
      XCTAssertEqual(payload, "-NAK")
      consumers[tokens[3]]?.unacknowledged[sequence] = time.now
    }
  }

  private func delete(_ name: String) {
    if let pull = consumers[name]?.pull { send(pull.reply, headers: "409 Consumer Deleted") }
    consumers[name] = nil
  }

  private func deliverAll() {
    for name in consumers.keys.sorted() {
      while let sequence = nextSequence(name), let pull = consumers[name]?.pull {
        deliver(sequence, name, pull)
      }
    }
  }

  private func nextSequence(_ name: String) -> UInt64? {
    guard let consumer = consumers[name] else { return nil }
    let due = consumer.unacknowledged.filter { $0.value <= time.now }.keys.min()
    return due ?? (consumer.next <= last ? consumer.next : nil)
  }

  private func deliver(_ sequence: UInt64, _ name: String, _ pull: Pull) {
    guard var consumer = consumers[name] else { return }
    consumer.next = max(consumer.next, sequence + 1)
    consumer.deliveries += 1
    if consumer.isDurable {
      consumer.unacknowledged[sequence] = time.now + .seconds(60)
    }
    consumer.pull?.remaining -= 1
    consumer.pull?.heartbeatAt = time.now + pull.heartbeat
    if pull.remaining == 1 { consumer.pull = nil }
    consumers[name] = consumer
    // A dead connection takes it all the same.
    if pull.connection != connection || isTroubled() { return }
    let pending = last + 1 - consumer.next
    let reply = "$JS.ACK.EDGE.\(name).1.\(sequence).\(consumer.deliveries).1.\(pending)"
    later { [self] in hand("edge.a", reply: reply, headers: "", "\(sequence)") }
  }

  private func serverTimers() {
    for name in consumers.keys.sorted() {
      guard let consumer = consumers[name], let pull = consumer.pull else { continue }
      if pull.expires <= time.now {
        consumers[name]?.pull = nil
        send(pull.reply, headers: "408 Request Timeout")
      } else if pull.heartbeatAt <= time.now {
        consumers[name]?.pull?.heartbeatAt = time.now + pull.heartbeat
        send(
          pull.reply, headers: "100 Idle Heartbeat\r\nNats-Last-Consumer: \(consumer.deliveries)")
      }
    }
    // What was not acknowledged waits for a request.
    for name in consumers.keys where consumers[name]?.pull == nil {
      for (sequence, at) in consumers[name]?.unacknowledged ?? [:] where at <= time.now {
        consumers[name]?.unacknowledged[sequence] = time.now + .seconds(1)
      }
    }
    deliverAll()
  }

  private func send(_ subject: String, headers: String) {
    later { [self] in hand(subject, reply: "", headers: "NATS/1.0 \(headers)\r\n\r\n", "") }
  }

  private func hand(_ subject: String, reply: String, headers: String, _ payload: String) {
    guard let handler = handlers[1] else { return }
    withMessage(subject, reply: reply, headers: headers, payload) { handler($0) }
  }

  private func withMessage(
    _ subject: String, reply: String, headers: String, _ payload: String,
    _ body: (borrowing IncomingMessage) -> Void
  ) {
    var bytes: [UInt8] = []
    func add(_ part: String) -> Range<Int> {
      bytes += Array(part.utf8)
      return (bytes.count - part.utf8.count)..<bytes.count
    }
    let frame = MessageFrame(
      subscription: 1, subject: add(subject), reply: add(reply), headers: add(headers),
      payload: add(payload))
    body(IncomingMessage(frame, in: bytes.span))
  }
}
