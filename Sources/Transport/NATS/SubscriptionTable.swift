/// What a subscription wants beyond its subject.
public struct SubscriptionOptions: Equatable, Sendable {
  /// Ends by itself after this many messages; 0 for never.
  public var messagesMax: UInt32 = 0
  /// A message larger than the read buffer is wanted in parts instead of being refused.
  public var takesParts = false

  public init() {}
}

/// The subscriptions of a connection and what the server has been told of them, so that they are
/// restored after a reconnect, queue groups included.
struct SubscriptionTable {
  private enum State { case unwritten, active, unsubscribing }

  private struct Entry {
    let sid: UInt32
    let subject: [UInt8]
    let queueGroup: [UInt8]
    let takesParts: Bool
    /// Messages until it ends by itself; 0 for never.
    var remaining: UInt32
    var state = State.unwritten
    /// The server that we are leaving knows it.
    var isKnownToOld = false
  }

  /// What a subscription takes beside its subject and its queue group, in bytes: its entry, the heads of
  /// two arrays, and its handler with what that holds.
  static var entryBytes: Int { MemoryLayout<Entry>.stride + 2 * 48 + 128 }

  private var entries: [Entry] = []
  private var nextSID: UInt32 = 1
  private let capacity: Int
  private let bytesMax: Int
  /// Index of the entry whose UNSUB is written next to a server that we leave.
  private var unsubscribingAll: Int?

  /// - Parameters:
  ///   - capacity: how many subscriptions there are at most.
  ///   - bytesMax: of all their subjects and queue groups together.
  init(capacity: Int, bytesMax: Int) {
    self.capacity = capacity
    self.bytesMax = bytesMax
  }

  /// Nil when the table is full.
  mutating func add(
    _ subject: Subject, queueGroup: [UInt8], _ options: SubscriptionOptions = .init()
  ) -> UInt32? {
    let bytes = entries.reduce(subject.bytes.count + queueGroup.count) {
      $0 + $1.subject.count + $1.queueGroup.count
    }
    if entries.count >= capacity || bytes > bytesMax { return nil }
    let sid = nextSID
    nextSID = nextSID == .max ? 1 : nextSID + 1
    entries.append(
      Entry(
        sid: sid, subject: subject.bytes, queueGroup: queueGroup,
        takesParts: options.takesParts, remaining: options.messagesMax))
    return sid
  }

  mutating func remove(_ sid: UInt32) {
    guard let index = index(of: sid) else { return }
    switch entries[index].state {
    case .unwritten: entries.remove(at: index)
    case .active: entries[index].state = .unsubscribing
    case .unsubscribing: break
    }
  }

  /// Where a subscription stands whose messages are wanted, until the table is changed; a few arrive
  /// after an UNSUB.
  func activeIndex(of sid: UInt32) -> Int? {
    guard let index = index(of: sid), entries[index].state != .unsubscribing else { return nil }
    return index
  }

  private func index(of sid: UInt32) -> Int? { entries.firstIndex { $0.sid == sid } }

  func hasQueueGroup(at index: Int) -> Bool { !entries[index].queueGroup.isEmpty }
  func takesParts(at index: Int) -> Bool { entries[index].takesParts }

  /// Counts a message of a subscription that ends by itself; behind its last one it is gone.
  mutating func countDelivered(at index: Int) {
    if entries[index].remaining == 0 { return }
    entries[index].remaining -= 1
    if entries[index].remaining == 0 { entries.remove(at: index) }
  }

  /// A new link: its server knows of none. That of the link before may still have to be told.
  mutating func forgetWritten() {
    entries.removeAll { $0.state == .unsubscribing }
    for index in entries.indices {
      entries[index].isKnownToOld = entries[index].state == .active
      entries[index].state = .unwritten
    }
    unsubscribingAll = nil
  }

  /// The new link is lost and the one before is used again.
  mutating func returnToOld() {
    entries.removeAll { $0.state == .unsubscribing && !$0.isKnownToOld }
    for index in entries.indices where entries[index].state != .unsubscribing {
      entries[index].state = entries[index].isKnownToOld ? .active : .unwritten
    }
    unsubscribingAll = nil
  }

  /// Writes what the server has not been told; false when the buffer is full before all is told.
  mutating func write(into buffer: inout WriteBuffer) -> Bool {
    var index = 0
    while index < entries.count {
      switch entries[index].state {
      case .active:
        index += 1
      case .unwritten:
        if !SubscriptionTable.write(entries[index], into: &buffer) { return false }
        entries[index].state = .active
        index += 1
      case .unsubscribing:
        guard Encoder.unsubscribe(sid: entries[index].sid, after: 0, into: &buffer) else {
          return false
        }
        entries.remove(at: index)
      }
    }
    return true
  }

  /// SUB and, where it ends by itself, UNSUB; both or nothing.
  private static func write(_ entry: Entry, into buffer: inout WriteBuffer) -> Bool {
    let length = Encoder.subscribeLength(
      entry.subject.span, queueGroup: entry.queueGroup.span, sid: entry.sid)
    if entry.remaining > 0, buffer.freeCount < length + Encoder.unsubscribeBytesMax { return false }
    guard
      Encoder.subscribe(
        entry.subject.span, queueGroup: entry.queueGroup.span, sid: entry.sid, into: &buffer)
    else { return false }
    if entry.remaining == 0 { return true }
    return Encoder.unsubscribe(sid: entry.sid, after: entry.remaining, into: &buffer)
  }

  // MARK: leaving a server

  /// Begins to end all subscriptions on the link that is left; the table itself stays as it is.
  mutating func beginUnsubscribingAll() { unsubscribingAll = 0 }

  var hasUnsubscribedAll: Bool { unsubscribingAll.map { $0 >= entries.count } ?? false }

  /// False when the buffer is full before all are ended.
  mutating func writeUnsubscribing(into buffer: inout WriteBuffer) -> Bool {
    while let index = unsubscribingAll, index < entries.count {
      if entries[index].isKnownToOld,
        !Encoder.unsubscribe(sid: entries[index].sid, after: 0, into: &buffer)
      {
        return false
      }
      unsubscribingAll = index + 1
    }
    return true
  }
}
