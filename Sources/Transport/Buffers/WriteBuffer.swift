/// Bytes on their way to a socket, in whole frames. Allocated once.
///
///     0      start       end         capacity
///     | written | to write | free          |
public struct WriteBuffer: ~Copyable {
  private let storage: UnsafeMutablePointer<UInt8>
  public let capacity: Int
  private var start = 0
  private var end = 0

  public init(capacity: Int) {
    self.capacity = capacity
    storage = .allocate(capacity: capacity)
    storage.initialize(repeating: 0, count: capacity)
  }

  /// All of the memory is wiped when everything was written or given up.
  var holdsSecret = false

  deinit {
    if holdsSecret { wipe(storage, capacity) }
    storage.deallocate()
  }

  /// Bytes that wait to be written.
  public var count: Int { end - start }
  public var isEmpty: Bool { end == start }
  /// What an append may add.
  public var freeCount: Int { capacity - count }

  /// The bytes to write.
  public var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      let span = Span(_unsafeStart: UnsafePointer(storage) + start, count: end - start)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// Gives the bytes as a piece to write.
  func append(to pieces: inout OutputPieces) { pieces.append(storage + start, end - start) }

  /// Forgets bytes that were written.
  mutating func consume(_ count: Int) {
    assert(count >= 0 && count <= end - start)
    start += min(max(count, 0), end - start)
    if start == end { removeAll() }
  }

  public mutating func removeAll() {
    if holdsSecret { wipe(storage, capacity) }
    holdsSecret = false
    start = 0
    end = 0
  }

  /// Room for `count` bytes at the end, or nothing when they do not fit. The caller then appends at
  /// most that many.
  @inline(never)
  mutating func reserve(_ count: Int) -> Bool {
    if count > freeCount { return false }
    if count > capacity - end {
      moveBytes(to: storage, from: storage + start, count: end - start)
      end -= start
      start = 0
    }
    return true
  }

  @inline(never)
  mutating func append(_ byte: UInt8) {
    assert(end < capacity)
    if end == capacity { return }
    storage[end] = byte
    end += 1
  }

  @inline(never)
  mutating func append(_ source: Span<UInt8>) {
    assert(source.count <= capacity - end)
    if source.count > capacity - end { return }
    source.withUnsafeBufferPointer { bytes in
      if let base = bytes.baseAddress {
        moveBytes(to: storage + end, from: base, count: bytes.count)
      }
    }
    end += source.count
  }

  /// Appends bytes, all or nothing.
  @inline(never)
  public mutating func appendOrRefuse(_ source: Span<UInt8>) -> Bool {
    if !reserve(source.count) { return false }
    append(source)
    return true
  }
}
