/// Encoded messages that wait for the link, oldest first, in a fixed amount of memory. Each has an
/// instant after which it is not worth sending: it is dropped unsent rather than sent late. When full
/// it refuses; nothing that was accepted is pushed out by something newer.
struct Outbox: ~Copyable {
  private struct Entry {
    var length: Int
    var expires: Instant
    var isRequest: Bool
  }

  private var frames: ByteRing
  private var entries: [Entry] = []
  /// Index of the oldest entry: `entries` is a ring over its whole capacity.
  private var first = 0
  private(set) var count = 0
  private(set) var expiredCount: UInt64 = 0
  private let messagesMax: Int

  init(bytes: Int, messagesMax: Int) {
    frames = ByteRing(capacity: bytes)
    self.messagesMax = max(messagesMax, 1)
    let none = Entry(length: 0, expires: Instant(nanoseconds: 0), isRequest: false)
    entries = Array(repeating: none, count: self.messagesMax)
  }

  var isEmpty: Bool { count == 0 }
  var isHalfFull: Bool { count > messagesMax / 2 || frames.count > frames.capacity / 2 }
  var byteCount: Int { frames.count }

  /// Whether a frame of this length can be accepted now.
  func hasRoom(for length: Int) -> Bool { count < messagesMax && length <= frames.freeCount }

  mutating func append(
    _ message: borrowing OutgoingMessage, expires: Instant, isRequest: Bool = false
  ) -> Bool {
    let length = message.frameLength
    if !hasRoom(for: length) { return false }
    Encoder.publish(message, into: &frames)
    entries[(first + count) % messagesMax] = Entry(
      length: length, expires: expires, isRequest: isRequest)
    count += 1
    return true
  }

  /// Moves messages into the buffer while they fit, leaving out those that have expired.
  mutating func write(into buffer: inout WriteBuffer, at now: Instant) {
    dropExpired(at: now)
    while count > 0 {
      let length = entries[first].length
      if !buffer.reserve(length) { return }
      frames.forEachPiece(length: length) { buffer.append($0) }
      removeOldest()
      dropExpired(at: now)
    }
  }

  /// Drops expired messages from the front; those behind a living one go when they come up.
  mutating func dropExpired(at now: Instant) {
    while count > 0, entries[first].expires <= now {
      expiredCount += 1
      removeOldest()
    }
  }

  /// Lets all requests expire: whoever made them has been told that they failed.
  mutating func expireRequests() {
    for offset in 0..<count {
      let index = (first + offset) % messagesMax
      if entries[index].isRequest { entries[index].expires = Instant(nanoseconds: .min) }
    }
  }

  private mutating func removeOldest() {
    frames.removeFirst(entries[first].length)
    first = (first + 1) % messagesMax
    count -= 1
  }
}
