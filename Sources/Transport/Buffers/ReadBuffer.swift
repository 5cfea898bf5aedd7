/// Bytes from a socket that are not yet understood. Allocated once.
///
///     0        start            end            capacity
///     | consumed | to be parsed | free for reading |
///
/// Offsets handed out stay valid until the next `withFreeSpace`, which may move the bytes down.
public struct ReadBuffer: ~Copyable {
  private let storage: UnsafeMutablePointer<UInt8>
  public let capacity: Int
  public private(set) var start = 0
  public private(set) var end = 0

  public init(capacity: Int) {
    self.capacity = capacity
    storage = .allocate(capacity: capacity)
    storage.initialize(repeating: 0, count: capacity)
  }

  deinit { storage.deallocate() }

  /// Bytes waiting to be parsed.
  public var count: Int { end - start }

  /// Everything from offset 0 to `end`; parsed frames refer into it by offset.
  public var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      let span = Span(_unsafeStart: UnsafePointer(storage), count: end)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// Moves past `count` parsed bytes, which stay readable.
  public mutating func consume(_ count: Int) {
    assert(count >= 0 && count <= end - start)
    start += min(max(count, 0), end - start)
  }

  /// Forgets everything.
  public mutating func removeAll() {
    start = 0
    end = 0
  }

  /// Lets `read` fill the free space; it returns how many bytes it wrote there.
  public mutating func withFreeSpace(_ read: (UnsafeMutableRawBufferPointer) -> Int) {
    if start > 0 {
      moveBytes(to: storage, from: storage + start, count: end - start)
      end -= start
      start = 0
    }
    let free = UnsafeMutableRawBufferPointer(start: storage + end, count: capacity - end)
    end += min(max(read(free), 0), capacity - end)
  }

  /// Appends bytes, all or nothing.
  public mutating func appendOrRefuse(_ source: Span<UInt8>) -> Bool {
    if source.count > capacity - count { return false }
    withFreeSpace { free in
      source.withUnsafeBytes { free.copyMemory(from: $0) }
      return source.count
    }
    return true
  }
}
