@testable import Transport

/// Batches that have begun in a stream and are not committed yet: the messages of each, in order.
struct OpenBatches {
  private struct Batch {
    var messages: [ModelServer.Message] = []
    var touched: Instant
  }

  /// What a server takes.
  static let messagesMax = 1000
  private static let idBytesMax = 64
  private static let batchesMax = 50
  /// After so long without a message of it a batch is forgotten.
  private static let silenceMax = Duration.seconds(10)

  private var batches: [String: Batch] = [:]

  /// What a message of a batch brings about.
  enum Step {
    case waits
    case commits([ModelServer.Message])
    /// The error's code and its text; the batch is gone.
    case refused(Int, Int, String)
  }

  mutating func take(_ message: ModelServer.Message, of id: String, at now: Instant) -> Step {
    batches = batches.filter { now - $0.value.touched < OpenBatches.silenceMax }
    if id.utf8.count > OpenBatches.idBytesMax {
      return .refused(400, 10_179, "atomic publish batch ID is invalid")
    }
    guard let number = message.header("Nats-Batch-Sequence").flatMap({ Int($0) }) else {
      return .refused(400, 10_175, "atomic publish sequence is missing")
    }
    var batch = batches.removeValue(forKey: id) ?? Batch(touched: now)
    if number != batch.messages.count + 1 {
      return .refused(400, 10_176, "atomic publish batch is incomplete")
    }
    if number > OpenBatches.messagesMax {
      return .refused(
        400, 10_199, "atomic publish batch is too large: \(OpenBatches.messagesMax)")
    }
    if batches.count == OpenBatches.batchesMax {
      return .refused(429, 10_210, "atomic publish too many inflight")
    }
    batch.messages.append(message)
    batch.touched = now
    if message.header("Nats-Batch-Commit") == "1" { return .commits(batch.messages) }
    batches[id] = batch
    return .waits
  }

  /// The server starts again: it knows of none.
  mutating func forget() { batches = [:] }
}

extension ModelStream {
  /// The answer to a message of a batch: nothing before the last one.
  mutating func publish(
    _ message: ModelServer.Message, of batch: String, at now: Instant
  ) -> [UInt8] {
    if !options.allowsBatches { return refusal(400, 10_174, "atomic publish is disabled") }
    switch open.take(message, of: batch, at: now) {
    case .waits: return []
    case .refused(let code, let errorCode, let text): return refusal(code, errorCode, text)
    case .commits(let messages):
      if let refusal = batchRefusal(messages, at: now) { return refusal }
      for message in messages {
        store(message, id: message.header("Nats-Msg-Id") ?? "", at: now)
      }
      return bytes(
        "{\"stream\":\"\(options.name)\",\"seq\":\(lastSequence),\"batch\":\"\(batch)\","
          + "\"count\":\(messages.count)}")
    }
  }

  /// Why a batch cannot be kept; nil when all of it can.
  private func batchRefusal(_ messages: [ModelServer.Message], at now: Instant) -> [UInt8]? {
    var ids: Set<String> = []
    var subjects: Set<String> = []
    for message in messages {
      if let refusal = streamRefusal(message) ?? sizeRefusal(message) { return refusal }
      if message.header("Nats-Expected-Last-Msg-Id") != nil {
        return refusal(
          400, 10_177, "atomic publish unsupported header used: Nats-Expected-Last-Msg-Id")
      }
      if let id = message.header("Nats-Msg-Id"), !id.isEmpty,
        !ids.insert(id).inserted || isKnown(id, at: now)
      {
        return refusal(400, 10_201, "atomic publish batch contains duplicate message id")
      }
      let isFirst = subjects.insert(message.subject).inserted
      if !isFirst, message.header("Nats-Expected-Last-Subject-Sequence") != nil {
        return refusal(400, 10_164, "wrong last sequence")
      }
      if let refusal = sequenceRefusal(message) { return refusal }
    }
    return roomRefusal(for: messages.count)
  }
}
