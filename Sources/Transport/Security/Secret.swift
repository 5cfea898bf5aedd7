import CSodium

/// Bytes that nobody else may learn, in memory of a fixed size that is wiped when it is given up. It has
/// no text: it cannot get into a message or a log.
public final class Secret: @unchecked Sendable {
  /// With one byte more, which is 0: C functions read PEM texts up to there.
  private let storage: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  public private(set) var count = 0

  /// - Parameter fill: writes at most `capacity` bytes and returns how many.
  init(capacity: Int, fill: (UnsafeMutablePointer<UInt8>) -> Int) {
    self.capacity = max(capacity, 0)
    storage = .allocate(capacity: self.capacity + 1)
    storage.initialize(repeating: 0, count: self.capacity + 1)
    count = min(max(fill(storage), 0), self.capacity)
  }

  convenience init(copying bytes: Span<UInt8>) {
    self.init(capacity: bytes.count) { buffer in
      for index in bytes.indices { buffer[index] = bytes[index] }
      return bytes.count
    }
  }

  deinit {
    wipe(storage, capacity + 1)
    storage.deallocate()
  }

  public var isEmpty: Bool { count == 0 }

  public var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      let span = Span(_unsafeStart: UnsafePointer(storage), count: count)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes, with a 0 behind them.
  func withPointer<Value>(_ body: (UnsafePointer<UInt8>) -> Value) -> Value { body(storage) }
}

/// Overwrites memory; the compiler does not leave it out because nobody reads it any more.
func wipe(_ memory: UnsafeMutablePointer<UInt8>, _ count: Int) { sodium_memzero(memory, count) }
