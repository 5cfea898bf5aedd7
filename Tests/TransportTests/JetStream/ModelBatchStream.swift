import Foundation

@testable import Transport

/// A stream as nats-server 2.15 keeps batches, or one that takes none. It forgets message ids at once.
struct ModelBatchStream {
  private struct Message {
    let subject: String
    let payload: String
    let expected: UInt64?
  }

  let takesBatches: Bool
  /// Subjects and payloads, in order.
  private var messages: [Message] = []
  private var open: [String: [Message]] = [:]
  var kept: [String] { messages.map(\.payload) }

  init(takesBatches: Bool) { self.takesBatches = takesBatches }

  /// What becomes of batches that are not finished after ten seconds, or with a restart.
  mutating func forgetOpenBatches() { open = [:] }

  /// Takes a message or a question; gives the answer, if it brings one.
  mutating func take(_ subject: String, _ headers: String, _ payload: String) -> String {
    if subject.hasPrefix("$JS.API.STREAM.MSG.GET.") { return last(payload) }
    let expected = ModelBatchStream.value("Nats-Expected-Last-Subject-Sequence", headers)
    let message = Message(
      subject: subject, payload: payload, expected: expected.flatMap { UInt64($0) })
    guard let batch = ModelBatchStream.value("Nats-Batch-Id", headers) else {
      return keep([message]) ?? #"{"stream":"EDGE","seq":\#(messages.count)}"#
    }
    if !takesBatches { return refusal(10_174) }
    let number = ModelBatchStream.value("Nats-Batch-Sequence", headers).flatMap { Int($0) } ?? 0
    if (open[batch]?.count ?? 0) + 1 != number {
      open[batch] = nil
      return refusal(10_176)
    }
    open[batch, default: []].append(message)
    if ModelBatchStream.value("Nats-Batch-Commit", headers) != "1" { return "" }
    let new = open.removeValue(forKey: batch) ?? []
    return keep(new)
      ?? #"{"stream":"EDGE","seq":\#(messages.count),"batch":"\#(batch)","count":\#(new.count)}"#
  }

  /// Keeps all or nothing; gives why not.
  private mutating func keep(_ new: [Message]) -> String? {
    var written: Set<String> = []
    for message in new {
      if let expected = message.expected {
        if written.contains(message.subject) { return refusal(10_164) }
        if sequence(of: message.subject) != expected { return refusal(10_071) }
      }
      written.insert(message.subject)
    }
    messages += new
    return nil
  }

  private func sequence(of subject: String) -> UInt64 {
    UInt64((messages.lastIndex { $0.subject == subject } ?? -1) + 1)
  }

  private func last(_ question: String) -> String {
    guard let index = messages.lastIndex(where: { question.contains("\"\($0.subject)\"") }) else {
      return refusal(10_037)
    }
    let data = Data(messages[index].payload.utf8).base64EncodedString()
    return #"{"message":{"subject":"x","seq":\#(index + 1),"data":"\#(data)"}}"#
  }

  private func refusal(_ code: Int) -> String {
    #"{"error":{"code":400,"err_code":\#(code),"description":"no"},"stream":"EDGE","seq":0}"#
  }

  private static func value(_ name: StaticString, _ headers: String) -> String? {
    let block = bytes(headers)
    guard let value = HeaderReader(block.span)?.value(of: name) else { return nil }
    return block.span.extracting(value).string
  }
}
