@testable import Transport

/// A JetStream stream as publishers see it: what it keeps, which ids it knows again, what it refuses and
/// with which words. Without I/O and without a clock; `ModelStreams` puts the API before it.
/// `StreamModelTests` runs the same operations against this and against real servers.
struct ModelStream {
  struct Options {
    var name = "FACTS"
    var subjects = ["edge.>"]
    /// For this long, from when it was stored, a message's id is known again.
    var duplicateWindow = Duration.seconds(120)
    /// More than this are not kept: the oldest goes, or the new one is refused.
    var messagesMax = Int.max
    var refusesWhenFull = false
    /// Headers and payload together.
    var messageBytesMax = Int.max
    var release = Release.v2_10
    /// Whether it takes batches: `allow_atomic`, which only the newest server knows.
    var allowsAtomic = false

    var allowsBatches: Bool { allowsAtomic && release == .v2_15 }
  }

  /// Servers that differ in what is modelled.
  enum Release: CaseIterable {
    /// 2.9.10 and 2.10.27 make their window of ids, after a restart, when the first id comes: of what made
    /// room before that they know no ids.
    case v2_10
    /// 2.15.1 looks at expected sequences before it looks for the id: a message that it has already is
    /// then refused, and not said to be a duplicate.
    case v2_15
  }

  struct Stored {
    let sequence: UInt64
    let message: ModelServer.Message
    let at: Instant
  }

  let options: Options
  /// By sequence; nil for what made room.
  private(set) var messages: [Stored?] = []
  /// How many of them are still there.
  private(set) var count = 0
  /// Sequences of each subject, ascending, of what was ever stored.
  private var sequences: [String: [UInt64]] = [:]
  private var lastMessageID = ""
  /// The first that may still be there.
  private var first = 0

  private struct Known {
    let sequence: UInt64
    let at: Instant
  }

  private var known: [String: Known] = [:]
  private var rebuildsWindow = false
  var open = OpenBatches()

  init(_ options: Options = Options()) { self.options = options }

  var lastSequence: UInt64 { UInt64(messages.count) }

  func keeps(_ subject: String) -> Bool {
    options.subjects.contains { Pattern.matches($0, subject) }
  }

  // MARK: publishing

  /// The JSON of the answer, without what concerns a domain.
  mutating func publish(_ message: ModelServer.Message, at now: Instant) -> [UInt8] {
    let isNew = options.release == .v2_15
    // Others keep the messages of a batch one by one.
    if isNew, let batch = message.header("Nats-Batch-Id"), !batch.isEmpty {
      return publish(message, of: batch, at: now)
    }
    if isNew, let refusal = sizeRefusal(message) { return refusal }
    if let refusal = streamRefusal(message) { return refusal }
    if isNew, let refusal = sequenceRefusal(message) { return refusal }
    let id = message.header("Nats-Msg-Id") ?? ""
    let expectedID = message.header("Nats-Expected-Last-Msg-Id")
    if rebuildsWindow, !id.isEmpty || expectedID != nil { rebuildWindow(at: now) }
    if let before = known[id], isKnown(id, at: now) {
      return bytes(
        "{\"stream\":\"\(options.name)\",\"seq\":\(before.sequence),\"duplicate\": true}")
    }
    if !isNew, let refusal = sequenceRefusal(message) { return refusal }
    if let expectedID, expectedID != lastMessageID {
      return refusal(400, 10_070, "wrong last msg ID: \(lastMessageID)")
    }
    if let refusal = sizeRefusal(message) ?? roomRefusal(for: 1) { return refusal }
    store(message, id: id, at: now)
    return bytes("{\"stream\":\"\(options.name)\",\"seq\":\(lastSequence)}")
  }

  func isKnown(_ id: String, at now: Instant) -> Bool {
    known[id].map { now - $0.at < options.duplicateWindow } ?? false
  }

  mutating func store(_ message: ModelServer.Message, id: String, at now: Instant) {
    let sequence = lastSequence + 1
    messages.append(Stored(sequence: sequence, message: message, at: now))
    count += 1
    sequences[message.subject, default: []].append(sequence)
    lastMessageID = id
    if !id.isEmpty { known[id] = Known(sequence: sequence, at: now) }
    while count > options.messagesMax, first < messages.count {
      remove(UInt64(first + 1))
      first += 1
    }
  }

  func streamRefusal(_ message: ModelServer.Message) -> [UInt8]? {
    guard let expected = message.header("Nats-Expected-Stream"), expected != options.name else {
      return nil
    }
    return refusal(400, 10_060, "expected stream does not match")
  }

  func sequenceRefusal(_ message: ModelServer.Message) -> [UInt8]? {
    if let text = message.header("Nats-Expected-Last-Subject-Sequence") {
      let last = last(message.subject)?.sequence ?? 0
      if UInt64(text) != last { return wrongSequence(last) }
    }
    if let text = message.header("Nats-Expected-Last-Sequence"), UInt64(text) != lastSequence {
      return wrongSequence(lastSequence)
    }
    return nil
  }

  func sizeRefusal(_ message: ModelServer.Message) -> [UInt8]? {
    message.headers.count + message.payload.count > options.messageBytesMax
      ? refusal(400, 10_054, "message size exceeds maximum allowed") : nil
  }

  func roomRefusal(for new: Int) -> [UInt8]? {
    options.refusesWhenFull && count + new > options.messagesMax
      ? refusal(503, 10_077, "maximum messages exceeded") : nil
  }

  private func wrongSequence(_ last: UInt64) -> [UInt8] {
    refusal(400, 10_071, "wrong last sequence: \(last)")
  }

  func refusal(_ code: Int, _ errorCode: Int, _ text: String) -> [UInt8] {
    bytes(
      "{\"error\":{\"code\":\(code),\"err_code\":\(errorCode),\"description\":\"\(text)\"},"
        + "\"stream\":\"\(options.name)\",\"seq\":0}")
  }

  // MARK: what is kept

  func message(_ sequence: UInt64) -> Stored? {
    sequence >= 1 && sequence <= lastSequence ? messages[Int(sequence - 1)] : nil
  }

  /// The first of a subject or a pattern with at least this sequence.
  func next(_ pattern: String, from sequence: UInt64) -> Stored? {
    if Pattern.isPlain(pattern) {
      guard let all = sequences[pattern] else { return nil }
      // Subjects have many messages: the place is found by halving.
      var (low, high) = (0, all.count)
      while low < high {
        let middle = (low + high) / 2
        if all[middle] < sequence { low = middle + 1 } else { high = middle }
      }
      return all[low...].lazy.compactMap { message($0) }.first
    }
    let start = Int(clamping: max(sequence, 1) - 1)
    if start >= messages.count { return nil }
    return messages[start...].lazy.compactMap { $0 }
      .first { Pattern.matches(pattern, $0.message.subject) }
  }

  func last(_ pattern: String) -> Stored? {
    if Pattern.isPlain(pattern) {
      return sequences[pattern]?.reversed().lazy.compactMap { message($0) }.first
    }
    return messages.reversed().lazy.compactMap { $0 }
      .first { Pattern.matches(pattern, $0.message.subject) }
  }

  private mutating func remove(_ sequence: UInt64) {
    guard message(sequence) != nil else { return }
    messages[Int(sequence - 1)] = nil
    count -= 1
  }

  // MARK: the server's fate

  /// The server starts again, with all that it kept. It makes the window of ids from what is stored, so
  /// that it knows no ids of what made room; or it has lost the window.
  mutating func restart(at now: Instant, losesWindow: Bool = false) {
    known = [:]
    lastMessageID = messages.last.flatMap { $0 }?.message.header("Nats-Msg-Id") ?? ""
    rebuildsWindow = !losesWindow
    open.forget()
    if options.release == .v2_15, rebuildsWindow { rebuildWindow(at: now) }
  }

  private mutating func rebuildWindow(at now: Instant) {
    rebuildsWindow = false
    for case let stored? in messages.reversed() {
      if now - stored.at >= options.duplicateWindow { break }
      if let id = stored.message.header("Nats-Msg-Id"), !id.isEmpty, known[id] == nil {
        known[id] = Known(sequence: stored.sequence, at: stored.at)
      }
    }
  }
}

extension ModelServer.Message {
  /// The first value of a header.
  func header(_ name: StaticString) -> String? {
    guard let reader = HeaderReader(headers.span), let value = reader.value(of: name) else {
      return nil
    }
    return String(decoding: headers[value], as: UTF8.self)
  }
}
