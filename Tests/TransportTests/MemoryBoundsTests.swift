import XCTest

@testable import Transport

/// That a client holds no more than it says.
final class MemoryBoundsTests: XCTestCase {
  private func fill(_ connection: inout Connection, _ limits: ConnectionLimits) -> Int {
    let now = Instant(nanoseconds: 0)
    var count = 0
    let payload = [UInt8](repeating: 0x78, count: 10)
    let none: [UInt8] = []
    for trafficClass in TrafficClass.allCases {
      for number in 0..<(2 * limits[trafficClass].messagesMax) {
        let subject = bytes("s.\(number)")
        let message = OutgoingMessage(
          subject: subject.span, reply: none.span, headers: none.span, payload: payload.span)
        try? connection.publish(message, as: trafficClass, expires: now + .seconds(9), at: now)
      }
      count += connection.queueStatus(of: trafficClass).messages
    }
    for number in 0..<10_000 {
      guard let subject = Subject(bytes("subject.number.\(number)")) else { continue }
      if connection.subscribe(subject, queueGroup: bytes("group")) == nil { break }
      count += 1
    }
    return count
  }

  func testAFullConnectionTakesNothingMore() throws {
    let limits = ConnectionLimits()
    let servers = [try ServerURL(parsing: "hub")]
    var connection = Connection(
      options: ConnectionOptions(servers: servers, name: "n", version: "1"), limits: limits, seed: 1
    )
    connection.start(at: Instant(nanoseconds: 0))
    let count = fill(&connection, limits)
    let messagesMax = TrafficClass.allCases.reduce(0) { $0 + limits[$1].messagesMax }
    XCTAssertEqual(count, messagesMax + limits.subscriptionsMax)
    XCTAssertEqual(fill(&connection, limits), messagesMax)
    for trafficClass in TrafficClass.allCases {
      let status = connection.queueStatus(of: trafficClass)
      XCTAssertLessThanOrEqual(status.bytes, limits[trafficClass].bytes)
      XCTAssertEqual(status.capacity, limits[trafficClass].bytes)
    }
  }

  func testLongSubjectsTakeThePlaceOfMany() throws {
    var limits = ConnectionLimits()
    limits.subscriptionsMax = 10
    let pair = Pair(limits: limits)
    XCTAssertNotNil(pair.subscribe(String(repeating: "x", count: 1000)))
    XCTAssertNil(pair.subscribe(String(repeating: "y", count: 1000)))
    XCTAssertNotNil(pair.subscribe("short"))
  }

  func testTheSumFollowsTheLimits() {
    func sum(_ limits: ConnectionLimits) -> Int { limits.memoryBounds.reduce(0) { $0 + $1.bytes } }
    var limits = ConnectionLimits()
    let before = sum(limits)
    // There may be two links.
    limits.readBufferBytes += 1000
    XCTAssertEqual(sum(limits), before + 2000)
    limits.bulk.bytes += 6400
    XCTAssertEqual(sum(limits), before + 2000 + 6400 + 200 * OutboundQueue.entryBytes)
    XCTAssertLessThan(before, (256 + (TLSConfiguration.isAvailable ? 128 : 0)) * 1024)
  }
}
