/// Names one request that waits for its answer.
public struct RequestID: Equatable, Hashable, Sendable {
  let slot: UInt16
  /// Counts the requests of this slot; at a thousand a second it wraps after seven weeks.
  let generation: UInt32

  /// The last token of the reply subject.
  var token: UInt64 { UInt64(generation) << 16 | UInt64(slot) }
}

/// Why a request ended without an answer.
public enum RequestFailure: Equatable, Sendable {
  /// The server knows nobody who listens: surely not delivered.
  case noResponders
  /// Nobody answered in time: delivered or not, nobody knows.
  case timedOut
  /// The connection went first: delivered or not, nobody knows.
  case disconnected
}

/// The requests in flight. Their answers come to one inbox, told apart by the last token of the
/// subject: a slot and its generation, so that a late answer never meets a later request.
struct RequestTable {
  private struct Slot {
    var generation: UInt32
    /// Nil while the slot is free.
    var deadline: Instant?
  }

  /// What a request takes, in bytes: its slot, and its completion with what that holds.
  static var entryBytes: Int { MemoryLayout<Slot>.stride + 128 }

  private var slots: [Slot]
  private var count = 0
  /// The earliest deadline, kept because every turn asks for it.
  private(set) var deadline: Instant?

  init(capacity: Int, generation: UInt32 = 0) {
    slots = Array(
      repeating: Slot(generation: generation), count: min(max(capacity, 1), Int(UInt16.max)))
  }

  /// Takes a free slot, or nil when all are in use.
  mutating func begin(deadline: Instant) -> RequestID? {
    for index in slots.indices where slots[index].deadline == nil {
      slots[index].generation &+= 1
      slots[index].deadline = deadline
      count += 1
      self.deadline = Instant.earlier(self.deadline, deadline)
      return RequestID(slot: UInt16(index), generation: slots[index].generation)
    }
    return nil
  }

  /// Ends the request that a reply's token names; nil when it has ended before or never was.
  mutating func end(token: Span<UInt8>) -> RequestID? {
    guard let number = token.unsignedNumber,
      let generation = UInt32(exactly: number >> 16)
    else { return nil }
    let id = RequestID(slot: UInt16(truncatingIfNeeded: number), generation: generation)
    return end(id) ? id : nil
  }

  mutating func end(_ id: RequestID) -> Bool {
    let index = Int(id.slot)
    guard index < slots.count, slots[index].deadline != nil,
      slots[index].generation == id.generation
    else { return false }
    free(index)
    return true
  }

  /// Ends one request whose deadline has passed; with `now` nil, any.
  mutating func endOne(dueAt now: Instant?) -> RequestID? {
    guard let deadline else { return nil }
    if let now, deadline > now { return nil }
    for index in slots.indices {
      guard let deadline = slots[index].deadline else { continue }
      if let now, deadline > now { continue }
      free(index)
      return RequestID(slot: UInt16(index), generation: slots[index].generation)
    }
    return nil
  }

  private mutating func free(_ index: Int) {
    let ended = slots[index].deadline
    slots[index].deadline = nil
    count -= 1
    if ended != deadline { return }
    deadline = nil
    if count == 0 { return }
    for slot in slots { deadline = Instant.earlier(deadline, slot.deadline) }
  }
}
