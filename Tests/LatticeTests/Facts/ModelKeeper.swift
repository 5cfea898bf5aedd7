import XCTest

@testable import Lattice
@testable import Transport

/// Whoever keeps facts, behind a link and an uplink that lose, delay, double, stall and break, in virtual
/// time: the bus that a `FactDelivery` speaks over. From one seed it does the same again.
final class ModelKeeper: MessageBus {
  struct Stored: Equatable {
    var subject: String
    var id: String
    var payload: String
    var at: Instant
  }

  private struct Event {
    let at: Instant
    let number: Int
    let action: () -> Void
  }

  private let time: FakeTime
  private var random: RandomGenerator
  private var events: [Event] = []
  private var eventCount = 0
  private var completions: [Int: (borrowing RequestOutcome) -> Void] = [:]
  private var connection = 0
  /// What reached a stalled uplink and goes on, in order, when it moves again.
  private var stalled: [() -> Void] = []

  private(set) var isConnected = false
  /// The uplink takes bytes and moves none.
  private(set) var isStalled = false
  /// The uplink is known to be cut: nobody is behind it.
  var isCut = false
  /// Subjects' ends that the stream keeps; empty: there is no stream.
  var kept: [String] = [""]
  var streamName = "EDGE"
  var hasAPI = true
  /// Questions get lost, as in a cluster without JetStream.
  var isAPISilent = false
  /// Whether somebody listens to look-ups.
  var hasLookUps = true
  /// Chance in a hundred of an answer to get lost.
  var loss = 0
  /// Answers every fact with an error, as a stream that is full.
  var isFull = false
  /// Gives a reply for a fact that no stream keeps; nil: silence.
  var reply: ((String) -> String?)?
  /// Servers since 2.12 look at the expected sequence before they look at the id.
  var looksAtSequenceFirst = false
  /// Whether the stream takes batches; and a chance in a hundred that it finds one incomplete.
  var takesBatches = false
  var incomplete = 0
  /// Batches that were kept, and the facts in them.
  private(set) var batchCount = 0
  private(set) var batchedCount = 0
  /// Parts of batches that have left the host.
  private var parts: [(subject: String, headers: [UInt8], payload: String)] = []
  static let window = Transport.Duration.seconds(120)

  private(set) var stream: [Stored] = []
  private(set) var published: [String] = []
  private(set) var requested: [String] = []
  /// Ids in the order in which they were first sent as news, without an age.
  private(set) var sentLive: Set<String> = []
  var error: PublishError?

  var linkStatus = LinkStatus()
  var takenAfter: Instant? { nil }
  func renewTakenAfter() {}

  init(seed: UInt64, time: FakeTime) {
    random = RandomGenerator(seed: seed)
    self.time = time
  }

  // MARK: time

  var nextEvent: Instant? { events.map(\.at).min() }

  func runDue() {
    while let event = events.min(by: { ($0.at, $0.number) < ($1.at, $1.number) }),
      event.at <= time.now
    {
      events.removeAll { $0.number == event.number }
      event.action()
    }
  }

  private func after(_ delay: Transport.Duration, _ action: @escaping () -> Void) {
    eventCount += 1
    events.append(Event(at: time.now + delay, number: eventCount, action: action))
  }

  private var latency: Transport.Duration { .milliseconds(Int64(5 + random.index(below: 60))) }

  // MARK: what tests do

  func connect() {
    isConnected = true
    connection += 1
  }

  func disconnect() {
    isConnected = false
    connection += 1
    for (_, completion) in completions.sorted(by: { $0.key < $1.key }) {
      completion(.failed(.disconnected))
    }
    completions = [:]
  }

  /// The board's process is gone, and with it whoever waits for answers.
  func forget() {
    isConnected = false
    connection += 1
    completions = [:]
  }

  func stall() { isStalled = true }

  func move() {
    isStalled = false
    let waiting = stalled
    stalled = []
    for action in waiting { action() }
  }

  func deleteStream() { stream = [] }

  // MARK: MessageBus

  func subscribe(
    _ subject: Subject, queueGroup: [UInt8], handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32? { 1 }
  func unsubscribe(_ sid: UInt32) {}

  func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError) {
    if let error { throw error }
    let headers = message.headers.array
    if header(headers, "Nats-Batch-Id") != nil {
      parts.append((message.subject.string, headers, message.payload.string))
      noteLive(headers, message.payload.string)
    } else {
      published.append(message.payload.string)
    }
  }

  func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Transport.Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError) {
    if let error { throw error }
    if !isConnected { throw .notConnected }
    let (subject, headers, payload) = (subject.string, headers.array, payload.string)
    requested.append(subject)
    let from = connection
    eventCount += 1
    let id = eventCount
    completions[id] = completion
    after(timeout) { [self] in completions.removeValue(forKey: id)?(.failed(.timedOut)) }
    let mayBeLost = random.index(below: 100) < loss
    // What is on its way when a link breaks may still arrive, long after.
    let straying = random.oneIn(2) ? random.duration(through: .seconds(300)) : nil
    let batch = parts
    parts = []
    noteLive(headers, payload)
    after(latency) { [self] in
      let arrive = { [self] in
        handle(subject, headers, payload, behind: batch) { [self] headers, payload in
          answer(id, headers, payload, from: from, isLost: mayBeLost)
        }
      }
      if from != connection {
        if let straying {
          after(straying) { [self] in isStalled ? stalled.append(arrive) : arrive() }
        }
      } else if isStalled {
        stalled.append(arrive)
      } else {
        arrive()
      }
    }
  }

  private func noteLive(_ headers: [UInt8], _ payload: String) {
    if let id = header(headers, "Nats-Msg-Id"), !payload.contains("age_ms") { sentLive.insert(id) }
  }

  private func answer(
    _ id: Int, _ headers: String, _ payload: String, from: Int, isLost: Bool
  ) {
    if isLost { return }
    after(latency) { [self] in
      let arrive = { [self] in
        guard from == connection, let completion = completions.removeValue(forKey: id) else {
          return
        }
        withMessage(headers, payload) { completion(.response($0)) }
      }
      if isStalled { stalled.append(arrive) } else { arrive() }
    }
    if headers.hasPrefix("503") {
      // Said by the board's own server, at once.
      completions.removeValue(forKey: id)?(.failed(.noResponders))
    }
  }

  // MARK: the server

  private func handle(
    _ subject: String, _ headers: [UInt8], _ payload: String,
    behind parts: [(subject: String, headers: [UInt8], payload: String)],
    _ answer: (String, String) -> Void
  ) {
    if isCut { return answer("503", "") }
    if subject.hasPrefix("$JS.") {
      if isAPISilent { return }
      let isLookUp = subject.contains(".MSG.GET.")
      if !hasAPI || isLookUp && !hasLookUps { return answer("503", "") }
      return answer("", call(subject, payload))
    }
    if let batch = header(headers, "Nats-Batch-Id") {
      return answer("", store(batch, parts + [(subject, headers, payload)]))
    }
    if kept.contains(where: { subject.hasSuffix($0) }) {
      return answer("", store(subject, headers, payload))
    }
    guard let reply else { return answer("503", "") }
    if let text = reply(header(headers, "Nats-Msg-Id") ?? "") { answer("", text) }
  }

  private func store(_ subject: String, _ headers: [UInt8], _ payload: String) -> String {
    let id = header(headers, "Nats-Msg-Id") ?? ""
    let last = (stream.lastIndex { $0.subject == subject } ?? -1) + 1
    let expected = header(headers, "Nats-Expected-Last-Subject-Sequence").flatMap { Int($0) }
    func wrong() -> String? {
      guard let expected, expected != last else { return nil }
      return refusal(10_071, "wrong last sequence: \(last)")
    }
    if looksAtSequenceFirst, let refusal = wrong() { return refusal }
    if let index = stream.lastIndex(where: { $0.id == id }),
      time.now - stream[index].at < ModelKeeper.window
    {
      return #"{"stream":"\#(streamName)","seq":\#(index + 1),"duplicate":true}"#
    }
    if let refusal = wrong() { return refusal }
    if isFull { return refusal(10_077, "maximum messages exceeded") }
    stream.append(Stored(subject: subject, id: id, payload: payload, at: time.now))
    return #"{"stream":"\#(streamName)","seq":\#(stream.count)}"#
  }

  /// All of a batch or nothing.
  private func store(
    _ batch: String, _ messages: [(subject: String, headers: [UInt8], payload: String)]
  ) -> String {
    XCTAssertTrue(takesBatches, "nobody allowed batches")
    for (index, message) in messages.enumerated() {
      XCTAssertEqual(header(message.headers, "Nats-Batch-Id"), batch)
      XCTAssertEqual(header(message.headers, "Nats-Batch-Sequence"), "\(index + 1)")
      if !kept.contains(where: { message.subject.hasSuffix($0) }) {
        return refusal(10_176, "incomplete")
      }
    }
    if random.index(below: 100) < incomplete { return refusal(10_176, "incomplete") }
    let before = stream
    for message in messages {
      let isWritten = stream[before.count...].contains { $0.subject == message.subject }
      if isWritten, header(message.headers, "Nats-Expected-Last-Subject-Sequence") != nil {
        stream = before
        return refusal(10_164, "wrong last sequence")
      }
      let answer = store(message.subject, message.headers, message.payload)
      if answer.contains("duplicate") || answer.contains("error") {
        stream = before
        return answer.contains("error") ? answer : refusal(10_201, "duplicate message id")
      }
    }
    batchCount += 1
    batchedCount += messages.count
    return
      #"{"stream":"\#(streamName)","seq":\#(stream.count),"batch":"\#(batch)","count":\#(messages.count)}"#
  }

  private func refusal(_ code: Int, _ text: String) -> String {
    #"{"error":{"code":400,"err_code":\#(code),"description":"\#(text)"},"stream":"E","seq":0}"#
  }

  private func call(_ subject: String, _ payload: String) -> String {
    let request = json(payload)
    if subject.hasSuffix("STREAM.NAMES") {
      let wanted = request?["subject"]?.string ?? ""
      let isKept = kept.contains { wanted.hasSuffix($0) }
      return isKept ? #"{"total":1,"streams":["\#(streamName)"]}"# : #"{"total":0,"streams":null}"#
    }
    if subject.hasSuffix("STREAM.INFO." + streamName) {
      return #"{"config":{"duplicate_window":120000000000,"allow_atomic":\#(takesBatches)}}"#
    }
    guard subject.hasSuffix("STREAM.MSG.GET." + streamName) else {
      return refusal(10_059, "stream not found")
    }
    var found: Int?
    if let wanted = request?["last_by_subj"]?.string {
      found = stream.lastIndex { $0.subject == wanted }
    } else if let wanted = request?["next_by_subj"]?.string, let from = request?["seq"]?.integer {
      found = stream.indices.first { $0 >= Int(from) - 1 && stream[$0].subject == wanted }
    }
    guard let found else { return refusal(10_037, "no message found") }
    let headers = Data("NATS/1.0\r\nNats-Msg-Id: \(stream[found].id)\r\n\r\n".utf8)
    let stored = time.wallClock + (stream[found].at - time.now)
    return #"{"message":{"subject":"\#(stream[found].subject)","seq":\#(found + 1),"#
      + #""hdrs":"\#(headers.base64EncodedString())","time":"\#(stored.rfc3339)"}}"#
  }

  private func header(_ block: [UInt8], _ name: StaticString) -> String? {
    guard let reader = HeaderReader(block.span), let value = reader.value(of: name) else {
      return nil
    }
    return block.span.extracting(value).string
  }

  private func withMessage(
    _ headers: String, _ payload: String, _ body: (borrowing IncomingMessage) -> Void
  ) {
    let bytes = Array(headers.utf8) + Array(payload.utf8)
    let frame = MessageFrame(
      subscription: 1, subject: 0..<0, reply: 0..<0, headers: 0..<headers.utf8.count,
      payload: headers.utf8.count..<bytes.count)
    body(IncomingMessage(frame, in: bytes.span))
  }
}

extension RandomGenerator {
  mutating func index(below bound: Int) -> Int { Int(next(through: UInt64(bound - 1))) }
  mutating func oneIn(_ count: Int) -> Bool { index(below: count) == 0 }
}
