/// A copy of what is in memory, in a file that survives the process but not the machine. It has the cursor and
/// two halves, of which one holds the entries, so that a process that is killed at any moment leaves
/// either what was before or what is now.
///
/// Without it, or when it cannot be written, only a killed process loses more.
final class JournalTail {
  /// Where the second half begins behind the first, whatever the manifest says of the memory. What is not
  /// written takes no room.
  private static let halfBytes = JournalConfiguration.memories.upperBound

  private let storage: any JournalStorage
  private var half: UInt8 = 0
  private(set) var isUsable = false

  init(_ storage: any JournalStorage) { self.storage = storage }

  private var start: Int { JournalGeometry.slotBytes + Int(half) * JournalTail.halfBytes }

  /// What the run before has left, and its entries; nil when there is nothing.
  func open() -> (cursor: JournalCursor, entries: [UInt8])? {
    do throws(SystemError) {
      try storage.open(bytes: JournalGeometry.slotBytes + 2 * JournalTail.halfBytes)
      isUsable = true
      var slot = [UInt8](repeating: 0, count: JournalGeometry.slotBytes)
      try storage.read(at: 0, into: &slot, count: slot.count)
      guard let cursor = JournalCursor(slot.span), cursor.tailBytes <= JournalTail.halfBytes else {
        return nil
      }
      half = cursor.tailHalf
      var entries = [UInt8](repeating: 0, count: cursor.tailBytes)
      if !entries.isEmpty { try storage.read(at: start, into: &entries, count: entries.count) }
      return (cursor, entries)
    } catch {
      isUsable = false
      return nil
    }
  }

  func close() {
    storage.close()
    isUsable = false
  }

  /// Entries were appended.
  func append(_ range: Range<Int>, of bytes: Span<UInt8>, _ cursor: JournalCursor) {
    write(bytes.extracting(range), at: start + range.lowerBound)
    write(cursor, bytes: range.upperBound)
  }

  /// The mark of an entry has changed.
  func mark(_ offset: Int, of bytes: Span<UInt8>) {
    write(bytes.extracting((offset + 4)..<(offset + 8)), at: start + offset + 4)
  }

  /// The entries are others than before.
  func replace(with bytes: Span<UInt8>, _ cursor: JournalCursor) {
    half = 1 - half
    write(bytes, at: start)
    write(cursor, bytes: bytes.count)
  }

  func write(_ cursor: JournalCursor, bytes: Int) {
    var cursor = cursor
    cursor.tailHalf = half
    cursor.tailBytes = bytes
    write(cursor.bytes.span, at: 0)
  }

  private func write(_ bytes: Span<UInt8>, at offset: Int) {
    if !isUsable || bytes.isEmpty { return }
    do throws(SystemError) {
      try storage.write(bytes, at: offset)
    } catch {
      // What is there now would be taken for the whole, if it began as a cursor.
      try? storage.write([0, 0, 0, 0].span, at: 0)
      isUsable = false
      storage.close()
    }
  }
}
