import XCTest

@testable import Transport

/// The three buffers against plain arrays, under random operations.
final class BufferTests: XCTestCase {
  func testByteRingAgainstModel() {
    for seed in UInt64(1)...100 {
      var random = RandomGenerator(seed: seed)
      let capacity = 1 + random.index(below: 40)
      var ring = ByteRing(capacity: capacity)
      var model: [UInt8] = []
      for _ in 0..<200 {
        switch random.index(below: 4) {
        case 0:
          let bytes = random.bytes(count: random.index(below: capacity - model.count + 1))
          ring.append(bytes.span)
          model += bytes
        case 1 where model.count < capacity:
          ring.append(7)
          model.append(7)
        case 2:
          let count = random.index(below: model.count + 1)
          ring.removeFirst(count)
          model.removeFirst(count)
        default:
          let offset = random.index(below: model.count + 1)
          let length = random.index(below: model.count - offset + 1)
          XCTAssertEqual(
            ring.contents(offset: offset, length: length), Array(model[offset..<(offset + length)]))
        }
        XCTAssertEqual(ring.contents, model, "seed \(seed)")
        XCTAssertEqual(ring.count, model.count)
        XCTAssertEqual(ring.freeCount, capacity - model.count)
      }
    }
  }

  func testByteRingOfNoBytesHoldsOne() {
    var ring = ByteRing(capacity: 0)
    ring.append([UInt8]().span)
    ring.removeFirst(0)
    XCTAssertEqual(ring.contents, [])
    ring.append(1)
    XCTAssertEqual(ring.contents, [1])
  }

  func testReadBufferAgainstModel() {
    for seed in UInt64(1)...100 {
      var random = RandomGenerator(seed: seed)
      let capacity = 1 + random.index(below: 40)
      var buffer = ReadBuffer(capacity: capacity)
      var model: [UInt8] = []
      for _ in 0..<200 {
        switch random.index(below: 5) {
        case 0:
          let bytes = random.bytes(count: random.index(below: capacity + 3))
          let isTaken = buffer.appendOrRefuse(bytes.span)
          XCTAssertEqual(isTaken, bytes.count <= capacity - model.count)
          if isTaken { model += bytes }
        case 1, 2:
          let bytes = random.bytes(count: random.index(below: capacity))
          buffer.withFreeSpace { free in
            XCTAssertEqual(free.count, capacity - model.count)
            let count = min(bytes.count, free.count)
            free.copyBytes(from: bytes[..<count])
            model += bytes[..<count]
            return count
          }
        case 3:
          let count = random.index(below: model.count + 1)
          let start = buffer.start
          buffer.consume(count)
          // What was consumed stays readable.
          XCTAssertEqual(
            buffer.bytes.extracting(start..<(start + count)).array, Array(model[..<count]))
          model.removeFirst(count)
        default:
          if random.oneIn(10) {
            buffer.removeAll()
            model = []
          }
        }
        XCTAssertEqual(
          buffer.bytes.extracting(buffer.start..<buffer.end).array, model, "seed \(seed)")
        XCTAssertEqual(buffer.count, model.count)
      }
    }
  }

  /// A reader that claims more, or less than nothing, moves no cursor out of the buffer.
  func testReadBufferDistrustsItsReader() {
    var buffer = ReadBuffer(capacity: 4)
    buffer.withFreeSpace { _ in -5 }
    XCTAssertEqual(buffer.count, 0)
    buffer.withFreeSpace { _ in 99 }
    XCTAssertEqual(buffer.count, 4)
    buffer.withFreeSpace { free in
      XCTAssertEqual(free.count, 0)
      return 1
    }
    XCTAssertEqual(buffer.count, 4)
  }

  func testWriteBufferAgainstModel() {
    for seed in UInt64(1)...100 {
      var random = RandomGenerator(seed: seed)
      let capacity = 1 + random.index(below: 40)
      var buffer = WriteBuffer(capacity: capacity)
      var model: [UInt8] = []
      for _ in 0..<200 {
        switch random.index(below: 4) {
        case 0, 1:
          let bytes = random.bytes(count: random.index(below: capacity + 3))
          let isTaken = buffer.appendOrRefuse(bytes.span)
          XCTAssertEqual(isTaken, bytes.count <= capacity - model.count)
          if isTaken { model += bytes }
        case 2:
          let count = random.index(below: model.count + 1)
          buffer.consume(count)
          model.removeFirst(count)
        default:
          if random.oneIn(10) {
            buffer.removeAll()
            model = []
          }
        }
        XCTAssertEqual(buffer.bytes.array, model, "seed \(seed)")
        XCTAssertEqual(buffer.count, model.count)
        XCTAssertEqual(buffer.isEmpty, model.isEmpty)
        XCTAssertEqual(buffer.freeCount, capacity - model.count)
      }
    }
  }

  func testComparingBytes() {
    XCTAssertTrue(bytes("MSG").span.equals("MSG"))
    XCTAssertFalse(bytes("msg").span.equals("MSG"))
    XCTAssertFalse(bytes("MSGS").span.equals("MSG"))
    XCTAssertTrue(bytes("mSg").span.equalsIgnoringCase("MsG"))
    // Only letters have case: '[' and '{', '@' and '`' differ by the same bit.
    XCTAssertFalse(bytes("[").span.equalsIgnoringCase("{"))
    XCTAssertFalse(bytes("@").span.equalsIgnoringCase("`"))
    XCTAssertTrue(bytes("NATS/1.0 x").span.starts(with: "NATS/1.0"))
    XCTAssertFalse(bytes("NATS").span.starts(with: "NATS/1.0"))
    XCTAssertTrue(
      bytes("Permissions Violation for").span.startsIgnoringCase(with: "permissions violation"))
    XCTAssertTrue([UInt8]().span.starts(with: ""))
    XCTAssertEqual(bytes("abcabc").span.firstOffset(of: 0x62, from: 2), 4)
    XCTAssertEqual(bytes("abc").span.firstOffset(of: 0x61, from: -9), 0)
    XCTAssertNil(bytes("abc").span.firstOffset(of: 0x61, from: 9))
    XCTAssertEqual([0x61, 0xFF, 0x62].span.string, "a\u{FFFD}b")
  }
}
