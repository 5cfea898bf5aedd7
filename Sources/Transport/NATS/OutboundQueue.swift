/// The messages of one traffic class that wait for the link: encoded frames, oldest first, in a fixed
/// amount of memory. Each has an instant after which it is not worth sending: it is dropped unsent
/// rather than sent late.
final class OutboundQueue {
  private struct Entry {
    var expires: Instant
    /// Of the whole frame, in bytes.
    var length: UInt32
    /// Of the subject, where the policy looks for equal ones.
    var subjectHash: UInt32
    var isRequest: Bool
  }

  /// What a message takes beside its frame, in bytes.
  static var entryBytes: Int { MemoryLayout<Entry>.stride }

  private var frames: ByteRing
  private let entries: UnsafeMutablePointer<Entry>
  private let messagesMax: Int
  /// Index of the oldest entry: `entries` is a ring over its whole capacity.
  private var first = 0
  private(set) var count = 0
  /// Bytes of the oldest frame that are written already: it is neither dropped nor replaced.
  private(set) var begunBytes = 0
  /// No entry expires before this.
  private var earliestExpiry = Instant(nanoseconds: .max)
  private let policy: FullPolicy
  private(set) var statistics = QueueStatistics()

  init(_ limits: QueueLimits) {
    frames = ByteRing(capacity: limits.bytes)
    policy = limits.whenFull
    messagesMax = limits.messagesMax
    // Not filled, as the frames are not: an entry is written before it is read.
    entries = .allocate(capacity: messagesMax)
  }

  deinit { entries.deallocate() }

  var capacity: Int { frames.capacity }
  var byteCount: Int { frames.count }
  var isEmpty: Bool { count == 0 }
  var isHalfFull: Bool { count > messagesMax / 2 || frames.count > frames.capacity / 2 }

  /// Accepts a message, for which others go as the policy says; false when it is refused. The caller
  /// has made sure that a frame of this length, which is the message's, can fit at all.
  func append(
    _ message: borrowing OutgoingMessage, length: Int, expires: Instant, isRequest: Bool,
    at now: Instant
  ) -> Bool {
    let hash = policy == .newest ? OutboundQueue.hash(message.subject) : 0
    if policy == .newest { replace(message.subject, hash) }
    if !makeRoom(for: length, at: now) {
      statistics.refused += 1
      return false
    }
    frames.append(length: length) { Encoder.publish(message, into: &$0) }
    entries[slot(count)] = Entry(
      expires: expires, length: UInt32(clamping: length), subjectHash: hash, isRequest: isRequest)
    count += 1
    earliestExpiry = min(earliestExpiry, expires)
    statistics.accepted += 1
    return true
  }

  private func hasRoom(for length: Int) -> Bool {
    count < messagesMax && length <= frames.freeCount
  }

  private func makeRoom(for length: Int, at now: Instant) -> Bool {
    if hasRoom(for: length) { return true }
    dropExpired(at: now)
    while !hasRoom(for: length) {
      let oldest = begunBytes > 0 ? 1 : 0
      if policy == .refuse || count <= oldest { return false }
      remove(oldest, offset: oldest == 0 ? 0 : Int(entries[first].length))
      statistics.dropped += 1
    }
    return true
  }

  /// Removes an unsent message with the same subject.
  private func replace(_ subject: Span<UInt8>, _ hash: UInt32) {
    var offset = 0
    for position in 0..<count {
      let entry = entries[slot(position)]
      let isBegun = position == 0 && begunBytes > 0
      if entry.subjectHash == hash, !isBegun, Encoder.isFrame(frames, at: offset, of: subject) {
        remove(position, offset: offset)
        statistics.replaced += 1
        return
      }
      offset += Int(entry.length)
    }
  }

  /// Drops what has expired, wherever it is.
  func dropExpired(at now: Instant) {
    if earliestExpiry > now { return }
    var earliest = Instant(nanoseconds: .max)
    var offset = 0
    var position = 0
    while position < count {
      let entry = entries[slot(position)]
      let isBegun = position == 0 && begunBytes > 0
      if entry.expires <= now, !isBegun {
        remove(position, offset: offset)
        statistics.expired += 1
      } else {
        if !isBegun { earliest = min(earliest, entry.expires) }
        offset += Int(entry.length)
        position += 1
      }
    }
    earliestExpiry = earliest
  }

  /// Lets all requests expire: whoever made them has been told that they failed.
  func expireRequests() {
    for position in 0..<count where entries[slot(position)].isRequest {
      entries[slot(position)].expires = Instant(nanoseconds: .min)
      earliestExpiry = Instant(nanoseconds: .min)
    }
  }

  /// The link is gone and with it the frame that was begun: it is sent whole on the next.
  func forgetBegun() { begunBytes = 0 }

  // MARK: writing

  /// What is left of the frame that was begun, in bytes.
  var begunRest: Int { begunBytes == 0 ? 0 : Int(entries[first].length) - begunBytes }

  func appendBegun(to pieces: inout OutputPieces) {
    frames.append(offset: begunBytes, length: begunRest, to: &pieces)
  }

  /// Gives whole frames, those behind a frame that was begun, until there are `limit` bytes or one
  /// frame more.
  func append(to pieces: inout OutputPieces, limit: Int) {
    var position = begunBytes > 0 ? 1 : 0
    let offset = begunBytes > 0 ? Int(entries[first].length) : 0
    var length = 0
    while position < count, pieces.byteCount + length < limit {
      length += Int(entries[slot(position)].length)
      position += 1
    }
    frames.append(offset: offset, length: length, to: &pieces)
  }

  /// Forgets what was written; returns the bytes that were not ours.
  func consume(_ written: Int) -> Int {
    var rest = written
    var removed = 0
    while rest > 0, count > 0 {
      let length = Int(entries[first].length)
      if rest < length - begunBytes {
        begunBytes += rest
        rest = 0
      } else {
        rest -= length - begunBytes
        begunBytes = 0
        removed += length
        first = slot(1)
        count -= 1
      }
    }
    frames.removeFirst(removed)
    return rest
  }

  // MARK: entries

  private func slot(_ position: Int) -> Int {
    let index = first + position
    return index < messagesMax ? index : index - messagesMax
  }

  /// Removes the message at this position, whose frame is `offset` bytes behind the oldest.
  private func remove(_ position: Int, offset: Int) {
    frames.remove(at: offset, length: Int(entries[slot(position)].length))
    var index = position
    while index > 0 {
      entries[slot(index)] = entries[slot(index - 1)]
      index -= 1
    }
    first = slot(1)
    count -= 1
  }

  private static func hash(_ subject: Span<UInt8>) -> UInt32 {
    var hash = FNV1a()
    hash.mix(subject)
    return UInt32(truncatingIfNeeded: hash.value)
  }
}
