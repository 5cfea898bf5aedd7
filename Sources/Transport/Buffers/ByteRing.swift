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
  mutating func append(_ source: Span<UInt8>) {
    append(length: source.count) { $0.append(source) }
  }

  mutating func append(_ byte: UInt8) {
    append(length: 1) { $0.append(byte) }
  }

  /// Appends `length` bytes, which are those that `write` writes; the owner has made sure that they fit.
  mutating func append(length: Int, _ write: (inout RingCursor) -> Void) {
    assert(length <= freeCount)
    if length > freeCount { return }
    var cursor = RingCursor(storage, capacity: capacity, offset: index(count))
    write(&cursor)
    count += length
    assert(cursor.offset == index(count) % capacity)
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

/// Writes bytes one after the other into the memory of a ring. It never leaves that memory.
struct RingCursor: ByteSink {
  private let storage: UnsafeMutablePointer<UInt8>
  private let end: UnsafeMutablePointer<UInt8>
  private var next: UnsafeMutablePointer<UInt8>

  fileprivate init(_ storage: UnsafeMutablePointer<UInt8>, capacity: Int, offset: Int) {
    self.storage = storage
    end = storage + capacity
    next = storage + offset
  }

  fileprivate var offset: Int { next == end ? 0 : next - storage }

  mutating func append(_ byte: UInt8) {
    if next == end { next = storage }
    next.pointee = byte
    next += 1
  }

  mutating func append(_ source: Span<UInt8>) {
    source.withUnsafeBufferPointer { bytes in
      if let base = bytes.baseAddress { append(base, bytes.count) }
    }
  }

  @inline(never)
  private mutating func append(_ source: UnsafePointer<UInt8>, _ count: Int) {
    let room = end - next
    if count <= room {
      copyBytes(to: next, from: source, count: count)
      next += count
    } else {
      let rest = min(count - room, end - storage)
      copyBytes(to: next, from: source, count: room)
      copyBytes(to: storage, from: source + room, count: rest)
      next = storage + rest
    }
  }
}
