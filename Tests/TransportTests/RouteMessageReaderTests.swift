import XCTest

@testable import Transport

final class RouteMessageReaderTests: XCTestCase {
  private typealias Vectors = RouteMessageVectors

  private func events(_ bytes: [UInt8]) -> [NetworkEvent] {
    var events: [NetworkEvent] = []
    var reader = RouteMessageReader(bytes.span)
    while let event = reader.next() { events.append(event) }
    return events
  }

  private func address(_ bytes: UInt8...) throws -> NetworkAddress {
    try XCTUnwrap(NetworkAddress(bytes.span))
  }

  private let all = [
    Vectors.carrierCame, Vectors.carrierWent, Vectors.linkDeleted, Vectors.addressAdded,
    Vectors.addressRemoved, Vectors.peerAddressAdded, Vectors.linkLocalAdded,
    Vectors.tentativeAdded, Vectors.addressUsable, Vectors.address6Removed, Vectors.routeAdded,
    Vectors.routeRemoved, Vectors.broadcastRoute, Vectors.multicastRoute,
  ].map(hexadecimal)

  func testARealKernelsReports() throws {
    let v4 = try address(10, 1, 2, 3)
    let v6 = try address(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7)
    let expected: [[NetworkEvent]] = [
      [.linkUp], [.linkDown], [.linkDown], [.addressAdded(v4)], [.addressRemoved(v4)],
      // The peer's address is not ours.
      [.addressAdded(try address(10, 9, 9, 1))], [], [], [.addressAdded(v6)],
      [.addressRemoved(v6)], [.routeAdded], [.routeRemoved], [], [],
    ]
    XCTAssertEqual(all.map(events), expected)
    // Several in one datagram, which the kernel may do.
    XCTAssertEqual(events(all.flatMap { $0 }), expected.flatMap { $0 })
  }

  /// What is cut off is not understood, and says so; what was whole before it is not lost.
  func testCutOffAnywhere() {
    for message in all {
      XCTAssertEqual(events([]), [])
      for length in 1..<message.count {
        XCTAssertEqual(events(Array(message[..<length])), [.lost], "\(length)")
      }
      let whole = events(message)
      XCTAssertEqual(events(message + message[..<15]), whole + [.lost])
    }
  }

  func testBytesBehindAMessage() {
    for message in all {
      XCTAssertEqual(events(message + [0]), events(message) + [.lost])
      // A length that is more than there is, or less than a header.
      for length in [UInt8(0), 15, 255] {
        var broken = message
        broken[0] = length
        broken[1] = 255
        broken[3] = 255
        XCTAssertEqual(events(broken), [.lost])
      }
    }
  }

  func testOverrunAndUnknownMessages() {
    XCTAssertEqual(events(header(type: 4)), [.lost])
    XCTAssertEqual(events(header(type: 1)), [])
    XCTAssertEqual(events(header(type: 3)), [])
    XCTAssertEqual(events(header(type: 999)), [])
  }

  func testLoopbackBridgePortsAndRadioScansAreNoChange() {
    var loopback = hexadecimal(Vectors.carrierWent)
    loopback[24] |= 0x8
    XCTAssertEqual(events(loopback), [])
    var bridge = hexadecimal(Vectors.carrierWent)
    bridge[16] = 7
    XCTAssertEqual(events(bridge), [])
    let scan = Array(hexadecimal(Vectors.carrierCame)[..<32]) + [4, 0, 11, 0]
    XCTAssertEqual(events([36, 0, 0, 0] + scan[4...]), [])
    let other = Array(hexadecimal(Vectors.carrierCame)[..<32]) + [4, 0, 12, 0]
    XCTAssertEqual(events([36, 0, 0, 0] + other[4...]), [.linkUp])
  }

  func testBrokenAttributes() {
    let start = Array(hexadecimal(Vectors.addressAdded)[..<24])
    func attributes(_ bytes: [UInt8]) -> [NetworkEvent] {
      events([UInt8(24 + bytes.count), 0, 0, 0] + start[4...] + bytes)
    }
    XCTAssertEqual(attributes([]), [.lost])
    XCTAssertEqual(attributes([8, 0, 1]), [.lost])
    XCTAssertEqual(attributes([3, 0, 1, 0, 10, 1, 2, 3]), [.lost])
    XCTAssertEqual(attributes([9, 0, 1, 0, 10, 1, 2, 3]), [.lost])
    XCTAssertEqual(attributes([7, 0, 1, 0, 10, 1, 2, 3]), [.lost])
    XCTAssertEqual(attributes([255, 255, 1, 0, 10, 1, 2, 3]), [.lost])
    XCTAssertNotEqual(attributes([8, 0, 1, 0, 10, 1, 2, 3]), [.lost])
    // Flags and alignment: a value of five bytes takes eight.
    XCTAssertNotEqual(
      attributes([9, 0, 77, 0, 1, 2, 3, 4, 5, 0, 0, 0, 8, 0, 1, 0x80, 1, 2, 3, 4]), [.lost])
  }

  func testChangedBytesNeverTrap() {
    var random = RandomGenerator(seed: 1)
    for _ in 0..<20_000 {
      var message = all[Int(random.next(through: UInt64(all.count - 1)))]
      for _ in 0...random.next(through: 4) {
        message[Int(random.next(through: UInt64(message.count - 1)))] = UInt8(
          truncatingIfNeeded: random.next())
      }
      XCTAssertLessThanOrEqual(events(message).count, message.count / 16 + 1)
    }
  }

  func testAddresses() throws {
    XCTAssertNil(NetworkAddress([UInt8]().span))
    XCTAssertNil(NetworkAddress([1, 2, 3].span))
    XCTAssertNotEqual(try address(1, 2, 3, 4), try address(1, 2, 3, 5))
    // An IPv4 address is not the IPv6 address of the same number.
    XCTAssertNotEqual(
      try address(1, 2, 3, 4), try address(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4))
    for index in 0..<16 {
      var bytes = [UInt8](repeating: 7, count: 16)
      let one = NetworkAddress(bytes.span)
      bytes[index] = 8
      XCTAssertNotEqual(NetworkAddress(bytes.span), one)
    }
  }

  func testAdvice() throws {
    let own = try address(10, 1, 2, 3)
    let other = try address(10, 1, 2, 4)
    let table: [(NetworkEvent, connected: NetworkAdvice, waiting: NetworkAdvice)] = [
      (.addressRemoved(own), .close, .nothing), (.addressRemoved(other), .checkPath, .nothing),
      (.addressAdded(other), .nothing, .tryNow), (.linkUp, .nothing, .tryNow),
      (.linkDown, .checkPath, .nothing), (.routeAdded, .nothing, .tryNow),
      (.routeRemoved, .checkPath, .nothing), (.lost, .checkPath, .tryNow),
    ]
    for (event, connected, waiting) in table {
      XCTAssertEqual(NetworkAdvice(for: event, local: own), connected, "\(event)")
      XCTAssertEqual(NetworkAdvice(for: event, local: nil), waiting, "\(event)")
    }
    XCTAssertEqual([NetworkAdvice.checkPath, .nothing, .close, .tryNow].max(), .close)
  }

  private func header(type: UInt16) -> [UInt8] {
    [16, 0, 0, 0, UInt8(type & 255), UInt8(type >> 8)] + [UInt8](repeating: 0, count: 10)
  }
}

private func hexadecimal(_ text: String) -> [UInt8] {
  let digits = Array(text.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
