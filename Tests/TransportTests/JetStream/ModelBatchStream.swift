@testable import Transport

/// A stream as nats-server 2.15 keeps batches, or one that does not.
struct ModelBatchStream {
  enum Kind { case takesBatches, refusesBatches, knowsNoBatches }

  private struct Message {
    let id: String
    let payload: String
  }

  let kind: Kind
  /// Payloads, in order.
  private(set) var kept: [String] = []
  private var ids: Set<String> = []
  private var open: [String: [Message]] = [:]

  init(_ kind: Kind) { self.kind = kind }

  /// What the batches that were not finished come to after ten seconds, or with a restart.
  mutating func forgetOpenBatches() { open = [:] }

  /// Takes a message; gives the answer, if it brings one.
  mutating func take(_ headers: String, _ payload: String) -> String {
    let id = ModelBatchStream.value("Nats-Msg-Id", headers) ?? ""
    let message = Message(id: id, payload: payload)
    guard let batch = ModelBatchStream.value("Nats-Batch-Id", headers), kind != .knowsNoBatches
    else { return keepOne(message) }
    if kind == .refusesBatches { return refusal(10_174) }
    let number = ModelBatchStream.value("Nats-Batch-Sequence", headers).flatMap { Int($0) } ?? 0
    if (open[batch]?.count ?? 0) + 1 != number {
      open[batch] = nil
      return refusal(10_176)
    }
    open[batch, default: []].append(message)
    if ModelBatchStream.value("Nats-Batch-Commit", headers) != "1" { return "" }
    return commit(batch, open.removeValue(forKey: batch) ?? [])
  }

  private mutating func commit(_ batch: String, _ messages: [Message]) -> String {
    let new = Set(messages.map(\.id))
    if new.count < messages.count || !new.isDisjoint(with: ids) { return refusal(10_201) }
    ids.formUnion(new)
    kept += messages.map(\.payload)
    return #"{"stream":"E","seq":\#(kept.count),"batch":"\#(batch)","count":\#(messages.count)}"#
  }

  private mutating func keepOne(_ message: Message) -> String {
    if !ids.insert(message.id).inserted { return #"{"stream":"E","seq":1,"duplicate":true}"# }
    kept.append(message.payload)
    return #"{"stream":"E","seq":\#(kept.count)}"#
  }

  private func refusal(_ code: Int) -> String {
    #"{"error":{"code":400,"err_code":\#(code),"description":"no"},"stream":"E","seq":0}"#
  }

  private static func value(_ name: StaticString, _ headers: String) -> String? {
    let block = bytes(headers)
    guard let value = HeaderReader(block.span)?.value(of: name) else { return nil }
    return block.span.extracting(value).string
  }
}
