// Invariant: any bytes are a journal's disk, a small one: recovery ends, what waits is as many as status says
// and comes in ascending order, and so it does after a fact was added, all was acknowledged, and the
// process begun again. The inspection of it finds as many facts as it says.
//
// The input stands where its first byte says: at the first cursor slot, at the first segment or at the
// beginning of the tail. Its second byte says how many more segments have it. Else there is what a
// journal has written.

@testable import Transport

/// Only pages that were written are there, so that an input costs no more than what it changes.
private final class MemoryStorage: JournalStorage {
  private static let pageBytes = 4096

  let name = "memory"
  var onSynced: ((Instant) -> Void)?
  private(set) var byteCount = 0
  private var pages: [Int: [UInt8]] = [:]

  init() {}

  init(copyOf other: MemoryStorage) {
    byteCount = other.byteCount
    pages = other.pages
  }

  func open(bytes count: Int) throws(SystemError) { byteCount = max(byteCount, count) }
  func close() {}

  func read(at offset: Int, into buffer: inout [UInt8], count: Int) throws(SystemError) {
    if offset < 0 || offset + count > byteCount { throw SystemError("pread", -5) }
    var end = offset
    while end < offset + count {
      let (page, part) = MemoryStorage.part(of: end..<(offset + count))
      let target = (end - offset)..<(end - offset + part.count)
      if let bytes = pages[page] {
        buffer.replaceSubrange(target, with: bytes[part])
      } else {
        buffer.replaceSubrange(target, with: repeatElement(0, count: part.count))
      }
      end += part.count
    }
  }

  func write(_ source: Span<UInt8>, at offset: Int) throws(SystemError) {
    require(offset >= 0 && offset + source.count <= byteCount)
    var end = offset
    while end < offset + source.count {
      let (page, part) = MemoryStorage.part(of: end..<(offset + source.count))
      var bytes =
        pages.removeValue(forKey: page) ?? [UInt8](repeating: 0, count: MemoryStorage.pageBytes)
      for index in part { bytes[index] = source[end - offset + index - part.lowerBound] }
      pages[page] = bytes
      end += part.count
    }
  }

  /// The first page of a range, and the range's part in it.
  private static func part(of range: Range<Int>) -> (page: Int, part: Range<Int>) {
    let (page, start) = range.lowerBound.quotientAndRemainder(dividingBy: pageBytes)
    return (page, start..<min(start + range.count, pageBytes))
  }

  func beginSync() throws(SystemError) {}
  func syncResult(waits: Bool) throws(SystemError) -> Bool { true }
}

private let fileBytes = 256 << 10
private let time = FactTime(
  instant: Instant(nanoseconds: 1), wallClock: Timestamp(nanoseconds: 2), isSynchronised: true)

private let subject: [UInt8] = [0x61]

private func journal(_ disk: MemoryStorage, _ tail: MemoryStorage?) -> Journal {
  var configuration = JournalConfiguration()
  configuration.size = fileBytes
  configuration.memory = 16 << 10
  let run = JournalRun(id: [0x52], boot: [1])
  return Journal(configuration, run: run, disk: disk, tail: tail)
}

private func waiting(_ journal: Journal) -> [UInt64] {
  var found: [UInt64] = []
  while let record = journal.nextWaiting(from: (found.last ?? 0) + 1) {
    require(record.sequence > found.last ?? 0)
    found.append(record.sequence)
  }
  require(journal.status.waiting == UInt64(found.count))
  return found
}

/// A disk with some facts of each class, made once.
private let made: MemoryStorage = {
  let disk = MemoryStorage()
  let journal = journal(disk, nil)
  let now = Instant(nanoseconds: 0)
  journal.open(at: now)
  for number in 0..<30 {
    for factClass in FactClass.allCases {
      _ = journal.append(
        factClass, time, subject: [0x61].span,
        payload: [UInt8](repeating: 0x7B, count: number).span,
        at: now)
    }
  }
  journal.close(at: now)
  return disk
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  guard input.count >= 2 else { return 0 }
  let content = Array(input[2...])
  let disk = MemoryStorage(copyOf: made)
  let tail = MemoryStorage()
  switch input[0] % 3 {
  case 0: try? disk.write(content.span, at: 0)
  case 1:
    for index in 0...Int(input[1] % 4) {
      let start = JournalGeometry.segmentsStart + index * (16 << 10)
      try? disk.write(content.span, at: start)
    }
  default:
    try? tail.open(bytes: content.count)
    try? tail.write(content.span, at: 0)
  }
  _ = try? JournalInspection(MemoryStorage(copyOf: disk)).forEachRecord { _, _ in }

  let now = Instant(nanoseconds: 10_000_000_000)
  let first = journal(disk, tail)
  first.open(at: now)
  let found = waiting(first)
  let sequence = first.append(.alarm, time, subject: subject.span, payload: subject.span, at: now)
  require(sequence != nil || first.status.droppedTotal > 0)
  for sequence in found { first.acknowledge(sequence, at: now) }
  require(waiting(first) == [sequence].compactMap { $0 })
  first.close(at: now)

  let second = journal(disk, tail)
  second.open(at: now)
  require(waiting(second) == [sequence].compactMap { $0 } || first.problem != nil)
  second.close(at: now)
  return 0
}
