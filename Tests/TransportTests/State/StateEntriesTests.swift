import XCTest

@testable import Transport

final class StateEntriesTests: XCTestCase {
  func testLayout() throws {
    var entries = StateEntries()
    XCTAssertTrue(try entries.set(bytes("b"), [1, 2], bytesMax: 100))
    XCTAssertTrue(try entries.set(bytes("ab"), [], bytesMax: 100))
    XCTAssertEqual(entries.bytes, [2, 0, 0x61, 0x62, 1, 2, 0x62, 1, 2])
    XCTAssertEqual(entries.value(of: bytes("ab")), [])
    XCTAssertEqual(entries.value(of: bytes("b")), [1, 2])
    XCTAssertNil(entries.value(of: bytes("a")))
    XCTAssertNil(entries.value(of: bytes("c")))
  }

  func testAgainstModel() throws {
    for seed in UInt64(1)...100 {
      var random = RandomGenerator(seed: seed)
      let room = 20 + random.index(below: 100)
      var entries = StateEntries()
      var model: [[UInt8]: [UInt8]] = [:]
      for _ in 0..<100 {
        let key = (0...random.index(below: 3)).map { _ in UInt8(random.index(below: 3)) }
        if random.oneIn(4) {
          XCTAssertEqual(entries.remove(key), model.removeValue(forKey: key) != nil, "seed \(seed)")
        } else {
          let value = random.bytes(count: random.index(below: 5))
          var wanted = model
          wanted[key] = value
          let needed = wanted.reduce(0) { $0 + 2 + $1.key.count + $1.value.count }
          if needed <= room {
            XCTAssertEqual(
              try entries.set(key, value, bytesMax: room), model[key] != value, "seed \(seed)")
            model = wanted
          } else {
            XCTAssertThrowsError(try entries.set(key, value, bytesMax: room)) {
              XCTAssertEqual($0 as? StateRefusal, .full(needed: needed, bytesMax: room))
            }
          }
        }
        for (key, value) in model { XCTAssertEqual(entries.value(of: key), value, "seed \(seed)") }
        XCTAssertEqual(
          entries.bytes.count, model.reduce(0) { $0 + 2 + $1.key.count + $1.value.count })
        XCTAssertEqual(StateEntries(entries.bytes.span), entries, "seed \(seed)")
      }
    }
  }

  func testLimits() throws {
    var entries = StateEntries()
    let long = [UInt8](repeating: 7, count: 128)
    let longest = [UInt8](repeating: 8, count: 255)
    XCTAssertThrowsError(try entries.set([], [1], bytesMax: 1000)) {
      XCTAssertEqual("\($0)", "the key has 0 bytes; 1 to 127 can be kept")
    }
    XCTAssertThrowsError(try entries.set(long, [1], bytesMax: 1000))
    XCTAssertThrowsError(try entries.set([1], longest + [1], bytesMax: 1000)) {
      XCTAssertEqual("\($0)", "the value has 256 bytes; up to 255 can be kept")
    }
    XCTAssertThrowsError(try entries.set(Array(long.dropFirst()), longest, bytesMax: 383)) {
      XCTAssertEqual("\($0)", "with it all values would need 384 bytes; there are 383")
    }
    XCTAssertEqual(entries, StateEntries())
    XCTAssertTrue(try entries.set(Array(long.dropFirst()), longest, bytesMax: 384))
    XCTAssertEqual(entries.value(of: Array(long.dropFirst())), longest)
    XCTAssertEqual(StateEntries(entries.bytes.span), entries)
  }

  func testMalformed() {
    let malformed: [[UInt8]] = [
      [1], [1, 0], [0, 0], [0, 1, 5], [1, 2, 0x61, 1],
      [128, 0] + [UInt8](repeating: 1, count: 128),
      [1, 0, 0x62, 1, 0, 0x61], [1, 0, 0x61, 1, 0, 0x61], [1, 0, 0x61, 0],
      [2, 0, 0x61, 0x61, 1, 0, 0x61],
    ]
    for bytes in malformed { XCTAssertNil(StateEntries(bytes.span), "\(bytes)") }
    XCTAssertNotNil(StateEntries([1, 0, 0x61, 2, 0, 0x61, 0x61].span))
  }

  /// What is here already stays, and what does not fit is left out.
  func testAdopting() throws {
    var old = StateEntries()
    for key in UInt8(1)...4 { _ = try old.set([key], [key], bytesMax: 100) }
    var new = StateEntries()
    _ = try new.set([2], [9], bytesMax: 100)
    new.adopt(old, bytesMax: 12)
    XCTAssertEqual(new.bytes, [1, 1, 1, 1, 1, 1, 2, 9, 1, 1, 3, 3])
  }
}
