import XCTest

@testable import Transport

final class OutboxTests: XCTestCase {
  private func instant(_ seconds: Int64) -> Instant {
    Instant(nanoseconds: seconds * 1_000_000_000)
  }

  private func append(
    _ payload: String, expires: Int64, isRequest: Bool = false, to outbox: inout Outbox
  ) -> Bool {
    let subject = bytes("s")
    let none: [UInt8] = []
    let payload = bytes(payload)
    let message = OutgoingMessage(
      subject: subject.span, reply: none.span, headers: none.span, payload: payload.span)
    return outbox.append(message, expires: instant(expires), isRequest: isRequest)
  }

  /// The payloads that are written at a time.
  private func written(_ outbox: inout Outbox, at now: Int64, capacity: Int = 4096) throws
    -> [String]
  {
    var buffer = WriteBuffer(capacity: capacity)
    outbox.write(into: &buffer, at: instant(now))
    var reader = ClientOperationReader()
    reader.append(buffer.bytes.array)
    var payloads: [String] = []
    while case .publish(_, _, _, let payload) = try reader.next() {
      payloads.append(payload.string)
    }
    XCTAssertTrue(reader.isEmpty)
    return payloads
  }

  func testOldestFirst() throws {
    var outbox = Outbox(bytes: 1000, messagesMax: 10)
    for payload in ["a", "b", "c"] { XCTAssertTrue(append(payload, expires: 9, to: &outbox)) }
    XCTAssertEqual(try written(&outbox, at: 0), ["a", "b", "c"])
    XCTAssertTrue(outbox.isEmpty)
    XCTAssertEqual(outbox.byteCount, 0)
  }

  func testExpiredAreLeftOutWhereverTheyAre() throws {
    var outbox = Outbox(bytes: 1000, messagesMax: 10)
    for (payload, expires) in [("a", 1), ("b", 9), ("c", 1), ("d", 5), ("e", 6)] {
      XCTAssertTrue(append(payload, expires: Int64(expires), to: &outbox))
    }
    // At its instant of expiry a message is gone.
    XCTAssertEqual(try written(&outbox, at: 5), ["b", "e"])
    XCTAssertEqual(outbox.expiredCount, 3)
    XCTAssertTrue(outbox.isEmpty)
  }

  func testFullByBytes() {
    var outbox = Outbox(bytes: 32, messagesMax: 10)
    XCTAssertTrue(append("12345", expires: 9, to: &outbox))  // PUB s 5, 16 bytes
    XCTAssertTrue(append("12345", expires: 9, to: &outbox))
    XCTAssertFalse(outbox.hasRoom(for: 1))
    XCTAssertFalse(append("", expires: 9, to: &outbox))
    XCTAssertEqual(outbox.count, 2)
  }

  func testFullByMessages() {
    var outbox = Outbox(bytes: 1000, messagesMax: 2)
    XCTAssertTrue(append("a", expires: 1, to: &outbox))
    XCTAssertTrue(append("b", expires: 9, to: &outbox))
    XCTAssertFalse(append("c", expires: 9, to: &outbox))
    outbox.dropExpired(at: instant(1))
    XCTAssertTrue(append("c", expires: 9, to: &outbox))
  }

  func testWhatDoesNotFitWaits() throws {
    var outbox = Outbox(bytes: 1000, messagesMax: 10)
    for payload in ["11111", "22222", "33333"] {
      XCTAssertTrue(append(payload, expires: 9, to: &outbox))
    }
    XCTAssertEqual(try written(&outbox, at: 0, capacity: 14), [])
    XCTAssertEqual(try written(&outbox, at: 0, capacity: 32), ["11111", "22222"])
    XCTAssertEqual(try written(&outbox, at: 0, capacity: 32), ["33333"])
  }

  func testRequestsExpireTogether() throws {
    var outbox = Outbox(bytes: 1000, messagesMax: 3)
    // Turned by one, so that the entries wrap around.
    XCTAssertTrue(append("0", expires: 9, to: &outbox))
    XCTAssertEqual(try written(&outbox, at: 0), ["0"])
    XCTAssertTrue(append("fact", expires: 9, to: &outbox))
    XCTAssertTrue(append("request", expires: 9, isRequest: true, to: &outbox))
    XCTAssertTrue(append("fact", expires: 9, to: &outbox))
    outbox.expireRequests()
    XCTAssertTrue(append("after", expires: 9, to: &outbox) == false)
    XCTAssertEqual(try written(&outbox, at: 0), ["fact", "fact"])
    XCTAssertEqual(outbox.expiredCount, 1)
  }

  func testAgainstModel() throws {
    for seed in UInt64(1)...100 {
      var random = RandomGenerator(seed: seed)
      let messagesMax = 1 + random.index(below: 6)
      var outbox = Outbox(bytes: 100, messagesMax: messagesMax)
      var model: [(payload: String, expires: Int64)] = []
      for now in Int64(0)..<100 {
        let payload = "\(now)" + String(repeating: "x", count: random.index(below: 40))
        let expires = now + Int64(random.index(below: 20))
        switch random.index(below: 3) {
        case 0, 1:
          while let first = model.first, first.expires <= now { model.removeFirst(); _ = first }
          outbox.dropExpired(at: instant(now))
          let size = model.reduce(0) {
            $0 + "PUB s \($1.payload.count)\r\n\r\n".utf8.count + $1.payload.utf8.count
          }
          let length = "PUB s \(payload.count)\r\n\r\n".utf8.count + payload.utf8.count
          let fits = model.count < messagesMax && size + length <= 100
          XCTAssertEqual(append(payload, expires: expires, to: &outbox), fits, "seed \(seed)")
          if fits { model.append((payload, expires)) }
        default:
          let living = model.filter { $0.expires > now }.map(\.payload)
          XCTAssertEqual(try written(&outbox, at: now), living, "seed \(seed)")
          model = []
        }
      }
    }
  }
}
