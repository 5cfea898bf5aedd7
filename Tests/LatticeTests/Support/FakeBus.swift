import XCTest

@testable import Transport

/// A bus without a server: it keeps what is published and requested, delivers what a test makes up,
/// and completes requests when it is told to.
final class FakeBus: MessageBus {
  struct Published: Equatable {
    var subject: String
    var headers: String
    var payload: String
    var expires: Instant
    var reply = ""
  }

  struct Request {
    let subject: String
    let headers: String
    let payload: String
    let timeout: Transport.Duration
    let completion: (borrowing RequestOutcome) -> Void
  }

  private struct Subscription {
    let sid: UInt32
    let subject: Subject
    let handler: (borrowing IncomingMessage) -> Void
  }

  private var subscriptions: [Subscription] = []
  private(set) var published: [Published] = []
  private(set) var requests: [Request] = []
  /// Thrown by every publish and request, until taken away.
  var error: PublishError?
  var subscriptionsMax = 1000
  /// Larger ones are refused.
  var payloadMax = 16_000
  var isConnected = true
  var linkStatus = LinkStatus()
  var takenAfter: Instant?
  private(set) var renewals = 0
  /// What requests of these subjects are answered at once; nil: nothing, until the test does. What the host
  /// says of itself is kept.
  var answerAtOnce: ((String) -> String?)? = { $0.contains(".host.") ? "" : nil }
  /// Whether what is asked of a JetStream waits for the test's answer; otherwise nobody is there.
  var hasJetStream = false

  func renewTakenAfter() { renewals += 1 }

  var subjects: [String] { subscriptions.map { $0.subject.string } }

  func subscribe(
    _ subject: Subject, queueGroup: [UInt8],
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32? {
    XCTAssertTrue(queueGroup.isEmpty, "every host answers for itself")
    if subscriptions.count == subscriptionsMax { return nil }
    let sid = UInt32(subscriptions.count + 1)
    subscriptions.append(Subscription(sid: sid, subject: subject, handler: handler))
    return sid
  }

  func unsubscribe(_ sid: UInt32) { subscriptions.removeAll { $0.sid == sid } }

  func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError) {
    if let error { throw error }
    if message.payload.count > payloadMax {
      throw .tooLarge(size: message.payload.count, limit: payloadMax)
    }
    published.append(
      Published(
        subject: message.subject.string, headers: message.headers.string,
        payload: message.payload.string, expires: expires, reply: message.reply.string))
  }

  func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Transport.Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError) {
    if let error { throw error }
    if payload.count > payloadMax { throw .tooLarge(size: payload.count, limit: payloadMax) }
    if let answer = answerAtOnce?(subject.string) {
      return withMessage("_INBOX.1", reply: "", headers: "", Array(answer.utf8), oversized: nil) {
        completion(.response($0))
      }
    }
    if !hasJetStream, subject.starts(with: "$JS.") { return completion(.failed(.noResponders)) }
    requests.append(
      Request(
        subject: subject.string, headers: headers.string, payload: payload.string,
        timeout: timeout, completion: completion))
  }

  // MARK: what tests do

  /// What has been published since the last call.
  func takePublished() -> [Published] {
    defer { published = [] }
    return published
  }

  /// Delivers a message to every subscription whose pattern its subject matches.
  func deliver(
    _ subject: String, reply: String = "_INBOX.1", headers: String = "", _ payload: [UInt8],
    oversized: UInt64? = nil
  ) {
    for subscription in subscriptions where subscription.subject.matches(Array(subject.utf8).span) {
      withMessage(subject, reply: reply, headers: headers, payload, oversized: oversized) {
        subscription.handler($0)
      }
    }
  }

  func deliver(
    _ subject: String, reply: String = "_INBOX.1", headers: String = "", _ payload: String = ""
  ) {
    deliver(subject, reply: reply, headers: headers, Array(payload.utf8))
  }

  /// Answers the oldest request that waits.
  func answer(headers: String = "", _ payload: String = "") {
    guard !requests.isEmpty else { return XCTFail("no request waits") }
    let request = requests.removeFirst()
    withMessage("_INBOX.1", reply: "", headers: headers, Array(payload.utf8), oversized: nil) {
      request.completion(.response($0))
    }
  }

  func fail(_ failure: RequestFailure) {
    guard !requests.isEmpty else { return XCTFail("no request waits") }
    requests.removeFirst().completion(.failed(failure))
  }

  private func withMessage(
    _ subject: String, reply: String, headers: String, _ payload: [UInt8], oversized: UInt64?,
    _ body: (borrowing IncomingMessage) -> Void
  ) {
    var bytes: [UInt8] = []
    func add(_ part: [UInt8]) -> Range<Int> {
      bytes += part
      return (bytes.count - part.count)..<bytes.count
    }
    let frame = MessageFrame(
      subscription: 1, subject: add(Array(subject.utf8)), reply: add(Array(reply.utf8)),
      headers: add(Array(headers.utf8)), payload: add(payload))
    body(IncomingMessage(frame, in: bytes.span, oversizedBytes: oversized))
  }
}
