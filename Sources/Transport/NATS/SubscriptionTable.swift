/// The subscriptions of a connection and what the server has been told of them, so that they are
/// restored after a reconnect, queue groups included.
struct SubscriptionTable {
  private enum State { case unwritten, active, unsubscribing }

  private struct Entry {
    let sid: UInt32
    let subject: [UInt8]
    let queueGroup: [UInt8]
    var state = State.unwritten
  }

  private var entries: [Entry] = []
  private var nextSID: UInt32 = 1
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  /// Nil when the table is full.
  mutating func add(_ subject: Subject, queueGroup: [UInt8]) -> UInt32? {
    if entries.count >= capacity { return nil }
    let sid = nextSID
    nextSID = nextSID == .max ? 1 : nextSID + 1
    entries.append(Entry(sid: sid, subject: subject.bytes, queueGroup: queueGroup))
    return sid
  }

  mutating func remove(_ sid: UInt32) {
    guard let index = entries.firstIndex(where: { $0.sid == sid }) else { return }
    switch entries[index].state {
    case .unwritten: entries.remove(at: index)
    case .active: entries[index].state = .unsubscribing
    case .unsubscribing: break
    }
  }

  /// Whether messages of this subscription are wanted; a few arrive after an UNSUB.
  func isActive(_ sid: UInt32) -> Bool {
    entries.contains { $0.sid == sid && $0.state != .unsubscribing }
  }

  /// A new connection: the server knows of none.
  mutating func forgetWritten() {
    entries.removeAll { $0.state == .unsubscribing }
    for index in entries.indices { entries[index].state = .unwritten }
  }

  /// Writes what the server has not been told; false when the buffer is full before all is told.
  mutating func write(into buffer: inout WriteBuffer) -> Bool {
    var index = 0
    while index < entries.count {
      let entry = entries[index]
      switch entry.state {
      case .active:
        index += 1
      case .unwritten:
        guard
          Encoder.subscribe(
            entry.subject.span, queueGroup: entry.queueGroup.span, sid: entry.sid, into: &buffer)
        else { return false }
        entries[index].state = .active
        index += 1
      case .unsubscribing:
        guard Encoder.unsubscribe(sid: entry.sid, after: 0, into: &buffer) else { return false }
        entries.remove(at: index)
      }
    }
    return true
  }
}
