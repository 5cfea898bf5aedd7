@testable import Transport

/// Sends numbered facts to a stream, as `MessageBatch` is meant to be used: facts go in a batch the first
/// time, and each by itself once its fate is not known.
final class BatchSender {
  private let jetStream: JetStream
  private let last: Int
  private let random: (Int) -> Int
  /// The first that nobody has answered for.
  private(set) var next = 1
  /// Those up to this one go by themselves.
  private var alone = 0
  private var tries = 0
  /// Batches that the stream answered for, and facts that it kept before.
  private(set) var batches = 0
  private(set) var duplicates = 0
  private(set) var failures: [JetStreamFailure] = []

  init(on jetStream: JetStream, count: Int, random: @escaping (Int) -> Int) {
    self.jetStream = jetStream
    self.random = random
    last = count
  }

  var isDone: Bool { next > last }

  static func id(_ number: Int) -> String { "run-\(number)" }

  private static func headers(of number: Int) -> HeaderWriter {
    var headers = HeaderWriter()
    headers.append(messageID: id(number))
    return headers
  }

  /// Sends what is next and calls `done` when its end is known.
  func send(at now: Instant, done: @escaping () -> Void) {
    if next <= alone { sendOne(done) } else { sendBatch(at: now, done) }
  }

  private func sendBatch(at now: Instant, _ done: @escaping () -> Void) {
    tries += 1
    var batch = MessageBatch(id: "run-b\(tries)")
    let end = min(next + random(MessageBatch.messagesMax), last)
    for number in next...end {
      let isAdded = batch.append(
        subject: bytes("edge.\(number % 3)"), headers: BatchSender.headers(of: number),
        payload: bytes("\(number)"))
      if !isAdded { break }
    }
    let count = batch.count
    jetStream.publish(batch, timeout: .seconds(2), at: now) { [self] result in
      switch result {
      case .success:
        next += count
        batches += 1
      case .failure(let failure):
        failures.append(failure)
        alone = failure.isSurelyNotDone ? next : next + count - 1
      }
      done()
    }
  }

  private func sendOne(_ done: @escaping () -> Void) {
    let block = BatchSender.headers(of: next).finished()
    jetStream.publish(
      subject: bytes("edge.\(next % 3)").span, headers: block.span, payload: bytes("\(next)").span,
      as: .bulk, timeout: .seconds(2)
    ) { [self] result in
      switch result {
      case .success(let ack):
        next += 1
        if ack.isDuplicate { duplicates += 1 }
      case .failure(let failure): failures.append(failure)
      }
      done()
    }
  }
}
