/// A first-in, first-out store of bytes that wraps around a fixed allocation. It knows nothing of the
/// records its owner keeps in it.
struct ByteRing: ~Copyable {
  private let storage: UnsafeMutablePointer<UInt8>
  let capacity: Int
  private var head = 0
  private(set) var count = 0

  /// - Parameter capacity: at least 1; less is taken as 1.
  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    // Not filled: only what was appended is ever read, and memory that is not touched costs nothing.
    storage = .allocate(capacity: self.capacity)
  }

  deinit { storage.deallocate() }

  var freeCount: Int { capacity - count }

  /// Appends bytes; the owner has made sure that they fit.
  @inline(never)
  mutating func append(_ source: Span<UInt8>) {
    assert(source.count <= freeCount)
    if source.count > freeCount { return }
    let tail = index(count)
    let first = min(source.count, capacity - tail)
    source.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      moveBytes(to: storage + tail, from: base, count: first)
      if first < bytes.count {
        moveBytes(to: storage, from: base + first, count: bytes.count - first)
      }
    }
    count += source.count
  }

  @inline(never)
  mutating func append(_ byte: UInt8) {
    assert(freeCount > 0)
    if freeCount == 0 { return }
    storage[index(count)] = byte
    count += 1
  }

  /// Gives `length` bytes, `offset` after the oldest, to `body` in at most two pieces.
  func forEachPiece(offset: Int = 0, length: Int, _ body: (Span<UInt8>) -> Void) {
    assert(offset >= 0 && length >= 0 && offset + length <= count)
    if offset < 0 || length <= 0 || offset > count || length > count - offset { return }
    let start = index(offset)
    let first = min(length, capacity - start)
    body(Span(_unsafeStart: UnsafePointer(storage) + start, count: first))
    if first < length {
      body(Span(_unsafeStart: UnsafePointer(storage), count: length - first))
    }
  }

  /// Gives `length` bytes, `offset` after the oldest, as pieces to write.
  func append(offset: Int, length: Int, to pieces: inout OutputPieces) {
    if offset < 0 || length <= 0 || offset > count || length > count - offset { return }
    let start = index(offset)
    let first = min(length, capacity - start)
    pieces.append(storage + start, first)
    pieces.append(storage, length - first)
  }

  /// Whether these bytes stand `offset` after the oldest.
  func matches(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
    if offset < 0 || offset > count || bytes.count > count - offset { return false }
    for position in bytes.indices
    where storage[index(offset + position)] != bytes[position] {
      return false
    }
    return true
  }

  /// Drops `length` bytes, `offset` after the oldest: the older ones close the gap.
  mutating func remove(at offset: Int, length: Int) {
    if offset < 0 || length <= 0 || offset > count || length > count - offset { return }
    var position = offset
    while position > 0 {
      position -= 1
      storage[index(position + length)] = storage[index(position)]
    }
    removeFirst(length)
  }

  /// Where the byte is that comes `offset` after the oldest; `offset` is at most `capacity`.
  private func index(_ offset: Int) -> Int {
    let index = head + offset
    return index < capacity ? index : index - capacity
  }

  /// Drops the oldest bytes.
  @inline(never)
  mutating func removeFirst(_ length: Int) {
    assert(length <= count)
    let removed = min(max(length, 0), count)
    head = index(removed)
    count -= removed
    if count == 0 { head = 0 }
  }
}
