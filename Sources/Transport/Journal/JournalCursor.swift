/// What is known beside the facts themselves: which are settled, and which numbers may have been used. It
/// stands in two slots of the disk, of which one is written while the other keeps what was before, and at
/// the beginning of the tail.
///
///     offset   bytes
///     0        4       "EHJC"
///     4        1       version of this format: 1
///     5        1       1: ended by `close`; 2: there is a stream position
///     6        2       number of settled ranges
///     8        4       bytes of all, with the check
///     12       4       bytes of a segment
///     16       4       number of segments
///     20       4       milliseconds of `sync`
///     24       8       generation: one more than that of the slot written before
///     32       8       number of the next fact
///     40       8       numbers from here on were never used
///     48       8       stream position: sequence
///     56       1       stream position: bytes of the stream's name
///     57       1       stream position: bytes of the domain
///     58       1       bytes of the run's id
///     59       1       0
///     60       4       tail only: number of the pass, which has the first half when it is even
///     64       36      for each class: first sequence and end of its last segment
///     100      16      boot id of the run
///     116      ...     run's id, stream's name, domain
///     ...      16 * n  settled ranges: first number, and the first behind
///     ...      4       CRC-32C of all before it
struct JournalCursor: Equatable {
  static let version: UInt8 = 1
  private static let magic: StaticString = "EHJC"
  private static let headerBytes = 116

  var geometry: JournalGeometry
  var syncMilliseconds: UInt32
  var isClean = false
  var generation: UInt64 = 0
  var nextSequence: UInt64
  var reservedEnd: UInt64
  var settled: SettledSequences
  var position: StreamPosition?
  var run: JournalRun
  var tailPass: UInt32 = 0
  /// By class: the last segment's first sequence and end; 0 and 0 when there is none.
  var ends = noEnds
  static let noEnds = [JournalChainEnd(), JournalChainEnd(), JournalChainEnd()]

  init(
    geometry: JournalGeometry, sync: Duration, nextSequence: UInt64, reservedEnd: UInt64,
    settled: SettledSequences, run: JournalRun
  ) {
    self.geometry = geometry
    syncMilliseconds = UInt32(clamping: sync.milliseconds)
    self.nextSequence = nextSequence
    self.reservedEnd = reservedEnd
    self.settled = settled
    self.run = run
  }

  /// Nil when the bytes do not begin with a whole cursor.
  init?(_ all: Span<UInt8>) {
    guard all.starts(with: JournalCursor.magic), all.count >= JournalCursor.headerBytes,
      all[4] == JournalCursor.version, let length = all.length32(at: 8), length <= all.count,
      length >= JournalCursor.headerBytes + 4,
      all.littleEndian(at: length - 4, width: 4)
        == UInt64(crc32c(all.extracting(0..<(length - 4))))
    else { return nil }
    let bytes = all.extracting(0..<(length - 4))
    guard let segmentBytes = bytes.length32(at: 12), let segmentCount = bytes.length32(at: 16),
      let geometry = JournalGeometry(segmentBytes: segmentBytes, segmentCount: segmentCount),
      let sync = bytes.littleEndian(at: 20, width: 4),
      let generation = bytes.littleEndian(at: 24, width: 8),
      let nextSequence = bytes.littleEndian(at: 32, width: 8),
      let reservedEnd = bytes.littleEndian(at: 40, width: 8),
      reservedEnd < JournalEntry.sequenceEnd, nextSequence <= reservedEnd,
      let tailPass = bytes.littleEndian(at: 60, width: 4),
      let names = JournalCursorNames(bytes, at: JournalCursor.headerBytes),
      let settled = JournalCursor.settled(bytes, at: names.end),
      settled.ranges.last.map({ $0.upperBound <= nextSequence }) ?? true
    else { return nil }
    self.init(
      geometry: geometry, sync: .milliseconds(Int64(sync)), nextSequence: nextSequence,
      reservedEnd: reservedEnd, settled: settled, run: names.run)
    self.generation = generation
    isClean = bytes[5] & 1 != 0
    position = bytes[5] & 2 != 0 ? names.position : nil
    self.tailPass = UInt32(truncatingIfNeeded: tailPass)
    for index in 0..<3 {
      ends[index].firstSequence = bytes.littleEndian(at: 64 + 12 * index, width: 8) ?? 0
      ends[index].end = bytes.length32(at: 72 + 12 * index) ?? 0
    }
  }

  private static func settled(_ bytes: Span<UInt8>, at start: Int) -> SettledSequences? {
    guard let count = bytes.littleEndian(at: 6, width: 2), count <= SettledSequences.rangesMax,
      bytes.count - start == Int(count) * 16
    else { return nil }
    var ranges: [Range<UInt64>] = []
    for index in 0..<Int(count) {
      guard let lower = bytes.littleEndian(at: start + 16 * index, width: 8),
        let upper = bytes.littleEndian(at: start + 16 * index + 8, width: 8), lower <= upper
      else { return nil }
      ranges.append(lower..<upper)
    }
    return SettledSequences(ranges)
  }

  /// Less than a slot.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(ascii: JournalCursor.magic)
    bytes.append(JournalCursor.version)
    bytes.append((isClean ? 1 : 0) | (position == nil ? 0 : 2))
    bytes.append(littleEndian: UInt64(settled.ranges.count), width: 2)
    let stream = position?.stream ?? []
    let domain = position?.domain ?? []
    let length =
      JournalCursor.headerBytes + run.id.count + stream.count + domain.count
      + 16 * settled.ranges.count + 4
    bytes.append(littleEndian: UInt64(length), width: 4)
    bytes.append(littleEndian: UInt64(geometry.segmentBytes), width: 4)
    bytes.append(littleEndian: UInt64(geometry.segmentCount), width: 4)
    bytes.append(littleEndian: UInt64(syncMilliseconds), width: 4)
    bytes.append(littleEndian: generation, width: 8)
    bytes.append(littleEndian: nextSequence, width: 8)
    bytes.append(littleEndian: reservedEnd, width: 8)
    bytes.append(littleEndian: position?.sequence ?? 0, width: 8)
    bytes.append(UInt8(clamping: stream.count))
    bytes.append(UInt8(clamping: domain.count))
    bytes.append(UInt8(clamping: run.id.count))
    bytes.append(0)
    bytes.append(littleEndian: UInt64(tailPass), width: 4)
    for end in ends {
      bytes.append(littleEndian: end.firstSequence, width: 8)
      bytes.append(littleEndian: UInt64(end.end), width: 4)
    }
    for part in [run.boot, run.id, stream, domain] { bytes.append(part.span) }
    for range in settled.ranges {
      bytes.append(littleEndian: range.lowerBound, width: 8)
      bytes.append(littleEndian: range.upperBound, width: 8)
    }
    bytes.append(littleEndian: UInt64(crc32c(bytes.span)), width: 4)
    return bytes
  }
}

/// Where the facts of a class end on the disk.
struct JournalChainEnd: Equatable, Sendable {
  var firstSequence: UInt64 = 0
  var end = 0
}

/// The parts of a cursor with lengths of their own.
private struct JournalCursorNames {
  let run: JournalRun
  let position: StreamPosition
  let end: Int

  init?(_ bytes: Span<UInt8>, at start: Int) {
    let (streamBytes, domainBytes, idBytes) = (Int(bytes[56]), Int(bytes[57]), Int(bytes[58]))
    guard idBytes > 0, idBytes <= JournalRun.idBytesMax,
      let sequence = bytes.littleEndian(at: 48, width: 8),
      bytes.count - start >= streamBytes + domainBytes + idBytes
    else { return nil }
    let stream = start + idBytes
    let domain = stream + streamBytes
    end = domain + domainBytes
    run = JournalRun(
      id: bytes.extracting(start..<stream).array,
      boot: bytes.extracting((start - JournalRun.bootBytes)..<start).array)
    position = StreamPosition(
      stream: bytes.extracting(stream..<domain).array,
      domain: bytes.extracting(domain..<end).array, sequence: sequence)
  }
}
