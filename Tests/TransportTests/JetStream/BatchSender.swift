@testable import Transport

/// Sends numbered facts to a stream, as `MessageBatch` is meant to be used: each subject's first message of
/// a batch has the condition that the subject has had no other meanwhile. What became of a batch that was
/// not acknowledged is seen by its last message: all of it was kept, or nothing.
final class BatchSender {
  private let jetStream: JetStream
  private let last: Int
  private let random: (Int) -> Int
  /// Messages of a batch at most: 1 for a stream that takes no batches.
  private let batchMax: Int
  /// The first that nobody has answered for.
  private(set) var next = 1
  /// Of each subject the last sequence in the stream.
  private var positions = [UInt64](repeating: 0, count: 3)
  /// Facts that are on their way, or were and may be kept.
  private var doubted: ClosedRange<Int>?
  private var tries = 0
  /// Batches that the stream answered for, and those that were found in it.
  private(set) var batches = 0
  private(set) var found = 0

  init(
    on jetStream: JetStream, count: Int, batchMax: Int = MessageBatch.messagesMax,
    random: @escaping (Int) -> Int
  ) {
    self.jetStream = jetStream
    self.batchMax = batchMax
    self.random = random
    last = count
  }

  var isDone: Bool { next > last }

  private static func subject(_ number: Int) -> Int { number % 3 }

  private func headers(of number: Int, isFirst: Bool) -> HeaderWriter {
    var headers = HeaderWriter()
    headers.append(messageID: "run-\(number)")
    if isFirst { headers.append(.lastSubjectSequence(positions[BatchSender.subject(number)])) }
    return headers
  }

  /// Does what is next and calls `done` when its end is known.
  func step(at now: Instant, done: @escaping () -> Void) {
    if let doubted {
      lookUp(doubted, done)
    } else {
      send(next...min(next + random(batchMax), last), at: now, done)
    }
  }

  private func send(_ numbers: ClosedRange<Int>, at now: Instant, _ done: @escaping () -> Void) {
    doubted = numbers
    let finish: (Result<PubAck, JetStreamFailure>) -> Void = { [self] result in
      switch result {
      case .success(let ack):
        kept(numbers, endingAt: ack.sequence)
        if numbers.count > 1 { batches += 1 }
      case .failure(let failure):
        // A condition may have failed because a copy was first.
        if failure.isSurelyNotDone, failure.refusal == nil { doubted = nil }
      }
      done()
    }
    if batchMax == 1 { return sendOne(numbers.lowerBound, finish) }
    tries += 1
    var batch = MessageBatch(id: "run-b\(tries)")
    for number in numbers {
      _ = batch.append(
        subject: bytes("edge.\(BatchSender.subject(number))"),
        headers: headers(of: number, isFirst: number - numbers.lowerBound < 3),
        payload: bytes("\(number)"))
    }
    jetStream.publish(batch, timeout: .seconds(2), at: now, completion: finish)
  }

  private func sendOne(
    _ number: Int, _ finish: @escaping (Result<PubAck, JetStreamFailure>) -> Void
  ) {
    let block = headers(of: number, isFirst: true).finished()
    jetStream.publish(
      subject: bytes("edge.\(BatchSender.subject(number))").span, headers: block.span,
      payload: bytes("\(number)").span, as: .bulk, timeout: .seconds(2), completion: finish)
  }

  private func lookUp(_ numbers: ClosedRange<Int>, _ done: @escaping () -> Void) {
    let subject = "edge.\(BatchSender.subject(numbers.upperBound))"
    jetStream.call(
      "STREAM.MSG.GET.EDGE", bytes(#"{"last_by_subj":"\#(subject)"}"#), timeout: .seconds(2)
    ) { [self] answer in
      if case .body(let json) = answer {
        switch StoredMessage.read(json) {
        case .success(let message) where message.payload.string == "\(numbers.upperBound)":
          kept(numbers, endingAt: message.sequence)
          found += 1
        case .success: doubted = nil
        case .failure(let failure): if failure.refusal?.isNoMessage ?? false { doubted = nil }
        }
      }
      done()
    }
  }

  private func kept(_ numbers: ClosedRange<Int>, endingAt sequence: UInt64) {
    for number in numbers {
      let behind = UInt64(numbers.upperBound - number)
      positions[BatchSender.subject(number)] = sequence - behind
    }
    next = numbers.upperBound + 1
    doubted = nil
  }
}
