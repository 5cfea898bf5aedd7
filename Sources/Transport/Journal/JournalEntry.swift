/// A fact, or the run that recorded those after it, as it stands in memory, in the tail and on the disk:
///
///     offset   bytes
///     0        4       CRC-32C of all from 8 on, seeded with the place it stands in
///     4        4       mark: in memory what became of it, on the disk 0
///     8        2       length of all, without the zeros up to the next multiple of 8
///     10       2       length of the subject
///     12       1       0, 1, 2: the fact's class; 15: a run
///     13       1       1: the time of day was synchronised
///     14       2       on the disk the number of the batch, in memory 0
///     16       8       sequence; of a run 0
///     24       8       nanoseconds of the monotonic clock
///     32       8       nanoseconds since 1970
///     40       n       subject; of a run its id
///     40 + n   m       payload; of a run the boot id
///
/// All numbers are little endian.
struct JournalEntry {
  static let headerBytes = 40
  static let alignment = 8
  /// What a fact may take with all: so much is read and written at once.
  static let bytesMax = 8192
  static let runKind: UInt8 = 15
  /// No number of a fact is as large.
  static let sequenceEnd: UInt64 = 1 << 63
  /// Of the longest run.
  static let runBytesMax = aligned(headerBytes + JournalRun.idBytesMax + JournalRun.bootBytes)

  let offset: Int
  let length: Int
  let subjectLength: Int
  let kind: UInt8
  let isSynchronised: Bool
  let sequence: UInt64
  let instant: Instant
  let wallClock: Timestamp
  let mark: JournalMark
  let batch: UInt16

  /// Where the next one may begin.
  var end: Int { offset + JournalEntry.aligned(length) }
  /// Nil for a run.
  var factClass: FactClass? { FactClass(rawValue: kind) }
  var time: FactTime {
    FactTime(instant: instant, wallClock: wallClock, isSynchronised: isSynchronised)
  }
  var subject: Range<Int> {
    (offset + JournalEntry.headerBytes)..<(offset + JournalEntry.headerBytes + subjectLength)
  }
  var payload: Range<Int> { subject.upperBound..<(offset + length) }

  static func aligned(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  static func bytes(subject: Int, payload: Int) -> Int { aligned(headerBytes + subject + payload) }

  /// Nil when no whole entry can begin at this offset; its check is not yet looked at.
  init?(in bytes: Span<UInt8>, at offset: Int) {
    guard offset >= 0, bytes.count - offset >= JournalEntry.headerBytes else { return nil }
    kind = bytes[offset + 12]
    let flags = bytes[offset + 13]
    guard kind <= FactClass.alarm.rawValue || kind == JournalEntry.runKind, flags <= 1,
      let length = bytes.littleEndian(at: offset + 8, width: 2),
      let subjectLength = bytes.littleEndian(at: offset + 10, width: 2),
      let batch = bytes.littleEndian(at: offset + 14, width: 2)
    else { return nil }
    self.offset = offset
    self.length = Int(length)
    self.subjectLength = Int(subjectLength)
    guard self.length - JournalEntry.headerBytes >= self.subjectLength,
      self.length <= JournalEntry.bytesMax,
      bytes.count - offset >= JournalEntry.aligned(self.length),
      let sequence = bytes.littleEndian(at: offset + 16, width: 8),
      sequence < JournalEntry.sequenceEnd,
      let instant = bytes.littleEndian(at: offset + 24, width: 8),
      let wallClock = bytes.littleEndian(at: offset + 32, width: 8),
      let mark = bytes.littleEndian(at: offset + 4, width: 4)
    else { return nil }
    isSynchronised = flags == 1
    self.batch = UInt16(truncatingIfNeeded: batch)
    self.sequence = sequence
    self.instant = Instant(nanoseconds: Int64(bitPattern: instant))
    self.wallClock = Timestamp(nanoseconds: Int64(bitPattern: wallClock))
    self.mark = JournalMark(word: UInt32(truncatingIfNeeded: mark))
  }

  /// Whether the check is that of the content, in the place with this seed.
  func isWhole(in bytes: Span<UInt8>, seed: UInt32) -> Bool {
    let content = bytes.extracting((offset + 8)..<(offset + length))
    return bytes.littleEndian(at: offset, width: 4) == UInt64(crc32c(content, seed: seed))
  }

  /// The run that it says; nil for a fact.
  func run(in bytes: Span<UInt8>) -> JournalRun? {
    guard kind == JournalEntry.runKind, payload.count == JournalRun.bootBytes,
      !subject.isEmpty, subject.count <= JournalRun.idBytesMax
    else { return nil }
    return JournalRun(
      id: bytes.extracting(subject).array, boot: bytes.extracting(payload).array)
  }
}

/// What became of an entry that is held in memory.
struct JournalMark: Equatable {
  enum State: UInt8 {
    case waiting = 0
    /// Waiting, and on its way to the disk.
    case writing = 1
    /// Acknowledged, or dropped.
    case settled = 2
  }

  var state: State
  /// When it was appended, in hundredths of a second, of which 30 bits are kept.
  var age: UInt32

  init(state: State, at now: Instant) {
    self.state = state
    age = JournalMark.hundredths(now)
  }

  fileprivate init(word: UInt32) {
    state = State(rawValue: UInt8(word & 3)) ?? .settled
    age = word >> 2
  }

  var word: UInt32 { age << 2 | UInt32(state.rawValue) }

  /// When it was appended, or a little earlier, if that was within the last four months.
  func appended(before now: Instant) -> Instant {
    let passed = (JournalMark.hundredths(now) &- age) & JournalMark.mask
    return Instant(nanoseconds: (now.nanoseconds / 10_000_000 - Int64(passed)) * 10_000_000)
  }

  private static let mask: UInt32 = 1 << 30 - 1
  private static func hundredths(_ now: Instant) -> UInt32 {
    UInt32(truncatingIfNeeded: now.nanoseconds / 10_000_000) & mask
  }
}

extension Array where Element == UInt8 {
  /// Appends a fact as an entry.
  mutating func append(
    journalEntry factClass: FactClass, _ sequence: UInt64, _ time: FactTime, _ mark: JournalMark,
    subject: Span<UInt8>, payload: Span<UInt8>, seed: UInt32
  ) {
    appendEntry(factClass.rawValue, sequence, time, mark, subject, payload, seed: seed)
  }

  /// Appends the run of the entries that follow.
  mutating func append(journalRun run: JournalRun, seed: UInt32) {
    let never = FactTime(
      instant: Instant(nanoseconds: 0), wallClock: Timestamp(nanoseconds: 0), isSynchronised: false)
    let mark = JournalMark(state: .waiting, at: never.instant)
    appendEntry(
      JournalEntry.runKind, 0, never, mark, run.id.span, run.boot.span, seed: seed)
  }

  private mutating func appendEntry(
    _ kind: UInt8, _ sequence: UInt64, _ time: FactTime, _ mark: JournalMark,
    _ subject: Span<UInt8>, _ payload: Span<UInt8>, seed: UInt32
  ) {
    let start = count
    let length = JournalEntry.headerBytes + subject.count + payload.count
    append(littleEndian: UInt64(mark.word) << 32, width: 8)
    append(littleEndian: UInt64(length), width: 2)
    append(littleEndian: UInt64(subject.count), width: 2)
    append(kind)
    append(time.isSynchronised ? 1 : 0)
    append(littleEndian: 0, width: 2)
    append(littleEndian: sequence, width: 8)
    append(littleEndian: UInt64(bitPattern: time.instant.nanoseconds), width: 8)
    append(littleEndian: UInt64(bitPattern: time.wallClock.nanoseconds), width: 8)
    append(subject)
    append(payload)
    while (count - start) % JournalEntry.alignment != 0 { append(0) }
    setCheck(at: start, length: length, seed: seed)
  }

  /// Appends a whole entry of memory, as it stands on the disk.
  mutating func append(
    _ entry: JournalEntry, of bytes: Span<UInt8>, seed: UInt32, batch: UInt16
  ) {
    let start = count
    append(littleEndian: 0, width: 8)
    append(bytes.extracting((entry.offset + 8)..<entry.end))
    self[start + 14] = UInt8(truncatingIfNeeded: batch)
    self[start + 15] = UInt8(truncatingIfNeeded: batch >> 8)
    setCheck(at: start, length: entry.length, seed: seed)
  }

  /// Sets the check of the entry that begins there.
  mutating func setCheck(at start: Int, length: Int, seed: UInt32) {
    let check = crc32c(span.extracting((start + 8)..<(start + length)), seed: seed)
    set(littleEndian: check, at: start)
  }

  mutating func set(littleEndian number: UInt32, at offset: Int) {
    for index in 0..<4 {
      self[offset + index] = UInt8(truncatingIfNeeded: number >> UInt32(8 * index))
    }
  }
}
