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
    storage = .allocate(capacity: self.capacity)
    storage.initialize(repeating: 0, count: self.capacity)
  }

  deinit { storage.deallocate() }

  var freeCount: Int { capacity - count }

  /// Appends bytes; the owner has made sure that they fit.
  @inline(never)
  mutating func append(_ source: Span<UInt8>) {
    assert(source.count <= freeCount)
    if source.count > freeCount { return }
    let tail = (head + count) % capacity
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
    storage[(head + count) % capacity] = byte
    count += 1
  }

  /// Gives `length` bytes, `offset` after the oldest, to `body` in at most two pieces.
  func forEachPiece(offset: Int = 0, length: Int, _ body: (Span<UInt8>) -> Void) {
    assert(offset >= 0 && length >= 0 && offset + length <= count)
    if offset < 0 || length <= 0 || offset > count || length > count - offset { return }
    let start = (head + offset) % capacity
    let first = min(length, capacity - start)
    body(Span(_unsafeStart: UnsafePointer(storage) + start, count: first))
    if first < length {
      body(Span(_unsafeStart: UnsafePointer(storage), count: length - first))
    }
  }

  /// Drops the oldest bytes.
  @inline(never)
  mutating func removeFirst(_ length: Int) {
    assert(length <= count)
    let removed = min(max(length, 0), count)
    head = (head + removed) % capacity
    count -= removed
    if count == 0 { head = 0 }
  }
}
