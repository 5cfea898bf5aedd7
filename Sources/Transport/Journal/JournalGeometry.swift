/// How a journal's file is divided: two slots for the cursor, then segments of the same size.
///
///     0        cursor slot
///     4096     cursor slot
///     8192     segment 0, 1, ... up to the end
struct JournalGeometry: Equatable {
  static let slotBytes = 4096
  static let segmentsStart = 2 * slotBytes
  /// What a disk writes as a whole, or not.
  static let sectorBytes = 512
  static let segmentSizes = (16 << 10)...(256 << 10)

  let segmentBytes: Int
  let segmentCount: Int

  /// A file of so many bytes has some 255 segments, or what their sizes allow.
  init(fileBytes: Int) {
    let page = JournalGeometry.slotBytes
    let size = (fileBytes / 256 + page - 1) / page * page
    segmentBytes = min(
      max(size, JournalGeometry.segmentSizes.lowerBound), JournalGeometry.segmentSizes.upperBound)
    segmentCount = max(fileBytes - JournalGeometry.segmentsStart, 0) / segmentBytes
  }

  /// Nil when no file could be like that. Without segments it is that of facts in memory only.
  init?(segmentBytes: Int, segmentCount: Int) {
    guard JournalGeometry.segmentSizes.contains(segmentBytes),
      segmentBytes % JournalGeometry.slotBytes == 0, segmentCount >= 0,
      segmentCount <= JournalConfiguration.sizes.upperBound / segmentBytes
    else { return nil }
    self.segmentBytes = segmentBytes
    self.segmentCount = segmentCount
  }

  var fileBytes: Int { JournalGeometry.segmentsStart + segmentCount * segmentBytes }

  func offset(ofSegment index: Int) -> Int {
    JournalGeometry.segmentsStart + index * segmentBytes
  }

  static func sectorAligned(_ count: Int) -> Int {
    (count + sectorBytes - 1) / sectorBytes * sectorBytes
  }
}

/// What is known of a segment that is in use.
struct JournalSegment: Equatable {
  let index: Int
  /// The first fact's, by which the segments of a class stand in order; it seeds the checks of all entries,
  /// so that those of an earlier use are none.
  let firstSequence: UInt64
  var lastSequence: UInt64
  /// Behind the last entry, from the segment's beginning.
  var end: Int
  /// How many facts in it wait.
  var waiting: Int = 0
  /// How many places in it cannot be read.
  var damage = 0
  /// Whether what follows may be the remains of a write that broke off: nothing is appended then.
  var isClosed = false

  var seed: UInt32 { JournalSegment.seed(firstSequence) }
  static func seed(_ sequence: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: sequence) ^ UInt32(truncatingIfNeeded: sequence >> 32)
  }
}

/// What stands at the beginning of a segment; zeros: it is free.
///
///     offset   bytes
///     0        4       "EHJS"
///     4        1       version of this format: 1
///     5        1       class of the facts in it
///     6        2       0
///     8        4       bytes of a segment
///     12       4       number of this one
///     16       8       sequence of its first fact
///     24       4       where the segment before it in its class ends; 0: there was none
///     28       4       CRC-32C of all before it
struct JournalSegmentHeader: Equatable {
  static let bytes = 32
  static let version: UInt8 = 1
  private static let magic: StaticString = "EHJS"

  let factClass: FactClass
  let segmentBytes: Int
  let index: Int
  let firstSequence: UInt64
  let formerEnd: Int

  init(
    _ factClass: FactClass, segmentBytes: Int, index: Int, firstSequence: UInt64, formerEnd: Int
  ) {
    self.factClass = factClass
    self.segmentBytes = segmentBytes
    self.index = index
    self.firstSequence = firstSequence
    self.formerEnd = formerEnd
  }

  /// Nil when the bytes do not begin with a whole header.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.starts(with: JournalSegmentHeader.magic), bytes.count >= JournalSegmentHeader.bytes,
      bytes[4] == JournalSegmentHeader.version, let factClass = FactClass(rawValue: bytes[5]),
      let segmentBytes = bytes.length32(at: 8), let index = bytes.length32(at: 12),
      let firstSequence = bytes.littleEndian(at: 16, width: 8), firstSequence > 0,
      firstSequence < JournalEntry.sequenceEnd,
      let formerEnd = bytes.length32(at: 24),
      bytes.littleEndian(at: 28, width: 4) == UInt64(crc32c(bytes.extracting(0..<28)))
    else { return nil }
    self.init(
      factClass, segmentBytes: segmentBytes, index: index, firstSequence: firstSequence,
      formerEnd: formerEnd)
  }

  func append(to bytes: inout [UInt8]) {
    let start = bytes.count
    bytes.append(ascii: JournalSegmentHeader.magic)
    bytes.append(JournalSegmentHeader.version)
    bytes.append(factClass.rawValue)
    bytes.append(littleEndian: 0, width: 2)
    bytes.append(littleEndian: UInt64(segmentBytes), width: 4)
    bytes.append(littleEndian: UInt64(index), width: 4)
    bytes.append(littleEndian: firstSequence, width: 8)
    bytes.append(littleEndian: UInt64(formerEnd), width: 4)
    let check = crc32c(bytes.span.extracting(start..<bytes.count))
    bytes.append(littleEndian: UInt64(check), width: 4)
  }
}
