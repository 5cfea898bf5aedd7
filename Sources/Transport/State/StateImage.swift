/// The state file's content: two slots of the same size, of which one is written while the other keeps
/// what was there before. In go the file's bytes, out come the newest entries, and the bytes of the slot
/// that is to be written next. A write that breaks off, wherever, leaves the other slot.
///
///     offset   bytes
///     0        4       "EHST"
///     4        4       version of this format: 1
///     8        4       bytes of a slot
///     12       4       bytes of the payload
///     16       8       generation: one more than that of the slot written before
///     24       n       payload: `StateEntries`
///     24 + n   4       CRC-32C of all bytes before it
///     28 + n           zeros up to the end of the slot
///
/// All numbers are little endian. A generation is newer when it is ahead of the other by less than half
/// of what 64 bits can count, so there is no last one.
struct StateImage {
  static let version: UInt64 = 1
  static let headerBytes = 24
  static let checkBytes = 4

  let slotBytes: Int
  /// What is read: of the newest slot that is whole.
  private(set) var entries = StateEntries()
  private(set) var generation: UInt64 = 0
  /// What was found in the slots.
  let slots: (first: StateSlot, second: StateSlot)
  /// The slot that is written next: never the one that `entries` are from.
  private(set) var nextSlot = 0

  /// - Parameters:
  ///   - bytes: the file, or its beginning; what lies behind the second slot is not looked at.
  ///   - slotBytes: at least 28.
  ///   - doubtedSlot: one that was written with an unknown outcome: the disk may not hold what is read. It
  ///     counts only when the other is not whole.
  init(_ bytes: Span<UInt8>, slotBytes: Int, doubting doubtedSlot: Int? = nil) {
    self.slotBytes = slotBytes
    let middle = min(slotBytes, bytes.count)
    let end = bytes.count - middle < slotBytes ? bytes.count : middle + slotBytes
    let first = StateSlot(bytes.extracting(0..<middle), slotBytes: slotBytes)
    let second = StateSlot(bytes.extracting(middle..<end), slotBytes: slotBytes)
    slots = (first, second)
    var newest: Int?
    switch (first.generation, second.generation) {
    case (let one?, let two?):
      // A doubted slot loses against the other.
      let isSecond = doubtedSlot.map { $0 == 0 } ?? (Int64(bitPattern: two &- one) > 0)
      newest = isSecond ? 1 : 0
    case (_?, nil): newest = 0
    case (nil, _?): newest = 1
    case (nil, nil): break
    }
    guard let newest, case .whole(let generation, let payload) = newest == 0 ? first : second,
      let entries = StateEntries(bytes.extracting(payload.shifted(by: newest * middle)))
    else { return }
    self.entries = entries
    self.generation = generation
    nextSlot = 1 - newest
  }

  /// Whether there is something in the file that is not ours, or was and cannot be read. Else the file is
  /// new, or no more than its first write has ever been begun.
  var isUnreadable: Bool {
    switch slots {
    case (.whole, _), (_, .whole), (.empty, .empty), (.empty, .damaged), (.damaged, .empty): false
    default: true
    }
  }

  /// What entries may take together in slots of some size.
  static func payloadBytesMax(slotBytes: Int) -> Int { slotBytes - headerBytes - checkBytes }

  /// All bytes of the next slot, for its place in the file; `entries` fit.
  func slot(of entries: StateEntries) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(slotBytes)
    bytes.append(ascii: StateSlot.magic)
    bytes.append(littleEndian: StateImage.version, width: 4)
    bytes.append(littleEndian: UInt64(slotBytes), width: 4)
    bytes.append(littleEndian: UInt64(entries.bytes.count), width: 4)
    bytes.append(littleEndian: generation &+ 1, width: 8)
    bytes.append(entries.bytes.span)
    bytes.append(littleEndian: UInt64(crc32c(bytes.span)), width: 4)
    assert(bytes.count <= slotBytes)
    while bytes.count < slotBytes { bytes.append(0) }
    return bytes
  }

  /// The next slot has been written and is on the disk.
  mutating func accept(_ entries: StateEntries) {
    self.entries = entries
    generation = generation &+ 1
    nextSlot = 1 - nextSlot
  }
}

/// What a slot of the state file is.
enum StateSlot: Equatable {
  /// Where its payload is, in the slot.
  case whole(generation: UInt64, payload: Range<Int>)
  /// Never written: nothing, or zeros.
  case empty
  /// Cut, torn or changed.
  case damaged
  /// Not of a state file.
  case foreign
  case otherVersion(UInt32)
  /// Made for slots of another size.
  case otherSize(bytes: UInt32)

  fileprivate static let magic: StaticString = "EHST"

  fileprivate init(_ slot: Span<UInt8>, slotBytes: Int) {
    if slot.isZero {
      self = .empty
      return
    }
    if slot.count < StateImage.headerBytes + StateImage.checkBytes {
      self = .damaged
      return
    }
    if !slot.starts(with: StateSlot.magic) {
      self = .foreign
      return
    }
    guard let version = slot.littleEndian(at: 4, width: 4),
      let size = slot.littleEndian(at: 8, width: 4), let payloadBytes = slot.length32(at: 12),
      let generation = slot.littleEndian(at: 16, width: 8)
    else {
      self = .damaged
      return
    }
    if version != StateImage.version {
      self = .otherVersion(UInt32(clamping: version))
    } else if size != UInt64(slotBytes) {
      self = .otherSize(bytes: UInt32(clamping: size))
    } else if StateSlot.isWhole(slot, payloadBytes: payloadBytes) {
      let start = StateImage.headerBytes
      self = .whole(generation: generation, payload: start..<(start + payloadBytes))
    } else {
      self = .damaged
    }
  }

  private static func isWhole(_ slot: Span<UInt8>, payloadBytes: Int) -> Bool {
    if payloadBytes > StateImage.payloadBytesMax(slotBytes: slot.count) { return false }
    let end = StateImage.headerBytes + payloadBytes
    let check = UInt64(crc32c(slot.extracting(0..<end)))
    return slot.littleEndian(at: end, width: StateImage.checkBytes) == check
      && StateEntries(slot.extracting(StateImage.headerBytes..<end)) != nil
  }

  fileprivate var generation: UInt64? {
    if case .whole(let generation, _) = self { return generation }
    return nil
  }
}

extension StateSlot: TextConvertible {
  var text: Text {
    switch self {
    case .whole: "whole"
    case .empty: "empty"
    case .damaged: "damaged"
    case .foreign: "not of a state file"
    case .otherVersion(let version): "of version \(version), not \(StateImage.version)"
    case .otherSize(let bytes): "made for slots of \(bytes) bytes"
    }
  }
}

extension Span where Element == UInt8 {
  fileprivate var isZero: Bool {
    for index in indices where self[index] != 0 { return false }
    return true
  }
}

extension Range where Bound == Int {
  fileprivate func shifted(by offset: Int) -> Range<Int> {
    (lowerBound + offset)..<(upperBound + offset)
  }
}
