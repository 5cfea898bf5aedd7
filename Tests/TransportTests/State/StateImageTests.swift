import XCTest

@testable import Transport

final class StateImageTests: XCTestCase {
  private static let slotBytes = 96

  private func entries(_ pairs: [UInt8: [UInt8]]) -> StateEntries {
    var entries = StateEntries()
    for (key, value) in pairs { _ = try? entries.set([key], value, bytesMax: 68) }
    return entries
  }

  private func image(_ file: [UInt8], doubting slot: Int? = nil) -> StateImage {
    StateImage(file.span, slotBytes: StateImageTests.slotBytes, doubting: slot)
  }

  /// The file with the image's next slot, or the beginning of it, in its place.
  private func write(
    _ entries: StateEntries, to file: [UInt8], bytes count: Int = slotBytes
  ) -> [UInt8] {
    let image = image(file)
    let start = image.nextSlot * StateImageTests.slotBytes
    var file = file
    for (index, byte) in image.slot(of: entries).prefix(count).enumerated() {
      if file.count > start + index {
        file[start + index] = byte
      } else {
        file += [UInt8](repeating: 0, count: start + index - file.count) + [byte]
      }
    }
    return file
  }

  /// The slot with the right check value for what is before it.
  private func withCheck(_ slot: [UInt8], at offset: Int) -> [UInt8] {
    let check = crc32c(slot.span.extracting(0..<offset))
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: check >> UInt32(8 * $0)) }
    return slot[..<offset] + bytes + slot[(offset + 4)...]
  }

  func testLayout() {
    let first = entries([0x6B: [1, 2]])
    let file = write(first, to: [])
    let header: [UInt8] =
      bytes("EHST") + [1, 0, 0, 0, 96, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
      + [1, 2, 0x6B, 1, 2]
    let padding = [UInt8](repeating: 0, count: 96 - 33)
    XCTAssertEqual(file, withCheck(header + [0, 0, 0, 0] + padding, at: 29))
  }

  func testSlotsTakeTurns() {
    var file: [UInt8] = []
    XCTAssertEqual(image(file).nextSlot, 0)
    for generation in UInt64(1)...9 {
      file = write(entries([1: [UInt8(generation)]]), to: file)
      let image = image(file)
      XCTAssertEqual(image.generation, generation)
      XCTAssertEqual(image.entries, entries([1: [UInt8(generation)]]))
      XCTAssertEqual(image.nextSlot, generation % 2 == 1 ? 1 : 0)
    }
    XCTAssertEqual(file.count, 192)
  }

  /// What is accepted in memory is what is read back.
  func testAcceptingIsReading() {
    var inMemory = image([])
    var file: [UInt8] = []
    for value in UInt8(1)...5 {
      file = write(entries([1: [value]]), to: file)
      inMemory.accept(entries([1: [value]]))
      let read = image(file)
      XCTAssertEqual(read.entries, inMemory.entries)
      XCTAssertEqual(read.generation, inMemory.generation)
      XCTAssertEqual(read.nextSlot, inMemory.nextSlot)
    }
  }

  func testGenerationsWrapAround() {
    var slot = image([]).slot(of: entries([1: [1]]))
    slot.replaceSubrange(16..<24, with: [UInt8](repeating: 0xFF, count: 8))
    slot = withCheck(slot, at: 28)
    XCTAssertEqual(image(slot).generation, .max)
    let file = write(entries([1: [2]]), to: slot)
    XCTAssertEqual(image(file).generation, 0)
    XCTAssertEqual(image(file).entries, entries([1: [2]]))
  }

  /// For every length that a write may break off at, over every kind of file that may have been there.
  func testTornWrites() {
    let contents = [
      entries([:]), entries([1: [1]]), entries([1: [2]]), entries([1: [2], 9: bytes("nine")]),
      entries([3: [UInt8](repeating: 5, count: 60)]),
    ]
    var files: [[UInt8]] = [[], [UInt8](repeating: 0, count: 192)]
    for first in contents {
      files.append(write(first, to: []))
      for second in contents {
        files.append(write(second, to: write(first, to: [])))
        files.append(write(first, to: write(second, to: write(first, to: []))))
      }
    }
    for file in files {
      let old = image(file)
      for new in contents {
        for count in 0...StateImageTests.slotBytes {
          let torn = image(write(new, to: file, bytes: count))
          let isOld = torn.entries == old.entries && torn.generation == old.generation
          let isNew = torn.entries == new && torn.generation == old.generation + 1
          XCTAssertTrue(isOld || isNew, "\(count) bytes")
          XCTAssertTrue(isNew || count < 28 + new.bytes.count)
          XCTAssertTrue(isOld || count >= 16)
        }
      }
    }
  }

  /// The disk writes a slot in any order of its sectors: any mixture is old or new.
  func testMixedSectors() {
    for seed in UInt64(1)...200 {
      var random = RandomGenerator(seed: seed)
      var file = write(entries([1: random.bytes(count: 40)]), to: [])
      file = write(entries([1: random.bytes(count: 40), 2: [1]]), to: file)
      let old = image(file)
      let new = entries([1: random.bytes(count: 30)])
      let after = write(new, to: file)
      for start in stride(from: 0, to: file.count, by: 8) where random.oneIn(2) {
        file.replaceSubrange(start..<(start + 8), with: after[start..<(start + 8)])
      }
      let mixed = image(file)
      XCTAssertTrue(mixed.entries == old.entries || mixed.entries == new, "seed \(seed)")
    }
  }

  func testEveryFlippedBit() {
    let (first, second) = (entries([1: [1]]), entries([1: [2], 2: bytes("two")]))
    let file = write(second, to: write(first, to: []))
    for bit in 0..<(file.count * 8) {
      var flipped = file
      flipped[bit / 8] ^= 1 << (bit % 8)
      let image = image(flipped)
      // Behind the check value of the second slot nothing is read.
      let isHit = bit / 8 >= 96 && bit / 8 < 96 + 28 + second.bytes.count
      XCTAssertEqual(image.entries, isHit ? first : second, "bit \(bit)")
      XCTAssertFalse(image.isUnreadable)
    }
  }

  func testWhatSlotsAre() {
    let file = write(entries([1: [2]]), to: write(entries([1: [1]]), to: []))
    func slot(_ change: (inout [UInt8]) -> Void) -> StateSlot {
      var file = file
      change(&file)
      return image(file).slots.first
    }
    XCTAssertEqual(slot { _ in }, .whole(generation: 1, payload: 24..<28))
    XCTAssertEqual(
      slot { $0.replaceSubrange(0..<96, with: [UInt8](repeating: 0, count: 96)) }, .empty)
    XCTAssertEqual(slot { $0[0] = 0 }, .foreign)
    XCTAssertEqual(slot { $0[4] = 2 }, .otherVersion(2))
    XCTAssertEqual(slot { $0[9] = 16 }, .otherSize(bytes: 4096 + 96))
    XCTAssertEqual(slot { $0[12] = 69 }, .damaged)
    XCTAssertEqual(slot { $0[15] = 255 }, .damaged)
    XCTAssertEqual(slot { $0[31] ^= 1 }, .damaged)
    XCTAssertEqual(slot { $0 = Array($0[..<27]) }, .damaged)
    XCTAssertEqual(slot { $0 = Array($0[..<32]) }, .whole(generation: 1, payload: 24..<28))
    XCTAssertEqual(StateSlot.otherSize(bytes: 9).description, "made for slots of 9 bytes")
    XCTAssertEqual(StateSlot.otherVersion(2).description, "of version 2, not 1")
  }

  /// A check value that is right for a payload that no version of ours would write.
  func testMalformedPayloadIsDamaged() {
    var slot = image([]).slot(of: entries([1: [1]]))
    slot[24] = 200
    slot = withCheck(slot, at: 28)
    XCTAssertEqual(image(slot).slots.first, .damaged)
  }

  func testUnreadableFiles() {
    let file = write(entries([1: [2]]), to: write(entries([1: [1]]), to: []))
    XCTAssertFalse(image([]).isUnreadable)
    XCTAssertFalse(image([UInt8](repeating: 0, count: 500)).isUnreadable)
    XCTAssertFalse(image(Array(file[..<20])).isUnreadable)
    XCTAssertTrue(image(bytes("This has been written by somebody else.")).isUnreadable)
    var damaged = file
    damaged[24] ^= 1
    XCTAssertFalse(image(damaged).isUnreadable)
    damaged[96 + 24] ^= 1
    XCTAssertTrue(image(damaged).isUnreadable)
    XCTAssertEqual(image(damaged).entries, StateEntries())
    let larger = StateImage(file.span, slotBytes: 192)
    XCTAssertTrue(larger.isUnreadable)
  }

  /// A slot whose sync failed is read from memory as it was written, and the disk has something else.
  func testDoubtedSlot() {
    let (first, second) = (entries([1: [1]]), entries([1: [2]]))
    let file = write(second, to: write(first, to: []))
    XCTAssertEqual(image(file, doubting: 1).entries, first)
    XCTAssertEqual(image(file, doubting: 1).nextSlot, 1)
    XCTAssertEqual(image(file, doubting: 0).entries, second)
    XCTAssertEqual(image(Array(file[..<96]), doubting: 0).entries, first)
  }

  /// A host that sets values, is cut off in the middle of writes, meets disks that fail, and starts again:
  /// what was on the disk last is there, or something that it was tried to write since.
  func testCrashes() {
    for seed in UInt64(1)...300 {
      var random = RandomGenerator(seed: seed)
      var disk: [UInt8] = [UInt8](repeating: 0, count: 192)
      var inMemory = image(disk)
      var entries = StateEntries()
      var tried: [StateEntries] = []
      for _ in 0..<60 {
        let key = UInt8(random.index(below: 4))
        _ = try? entries.set([key], random.bytes(count: random.index(below: 12)), bytesMax: 68)
        if random.oneIn(5) { _ = entries.remove([key]) }
        let start = inMemory.nextSlot * StateImageTests.slotBytes
        let slot = inMemory.slot(of: entries)
        tried.append(entries)
        let isCut = random.oneIn(3)
        let count = isCut ? random.index(below: slot.count) : slot.count
        disk.replaceSubrange(start..<(start + count), with: slot[..<count])
        if !isCut {
          inMemory.accept(entries)
          tried = []
        } else if random.oneIn(2) {
          // The power went.
          tried.append(inMemory.entries)
          inMemory = image(disk)
          XCTAssertTrue(tried.contains(inMemory.entries), "seed \(seed)")
          entries = inMemory.entries
          tried = []
        }
        // Else the write failed, and the next one goes to the same slot.
      }
    }
  }
}
