/// A message that must not be lost: kept until somebody who stores it has said so.
public struct Fact: Equatable {
  /// Counts up from 1 over the life of the queue.
  public let sequence: UInt64
  public let subject: [UInt8]
  public let payload: [UInt8]
}

/// How the sending of a fact ended.
public enum FactOutcome: Equatable {
  /// Somebody answered for it.
  case acknowledged
  /// Nobody did, or the link went: it stays and is sent again.
  case notAcknowledged
  /// No link can ever carry it: it goes, and counts as dropped, so that it holds up no other.
  case unsendable
}

/// Facts in the order they happened, in a fixed amount of memory. One is under way at a time, so that
/// none overtakes another whatever is lost; a fact leaves only when it is acknowledged. When the
/// memory is full the oldest go that were never sent, and are counted.
///
/// One that was sent stays until its outcome is known, also over a lost link: what the kernel still
/// holds for that link may arrive long after newer facts, and is known for a copy only if the fact
/// itself went before them.
///
/// Being connected proves nothing: the link behind the server may be cut. So a fact that nobody
/// acknowledges is sent again after a pause that grows.
public final class FactQueue {
  private enum State: Equatable {
    case ready
    case underWay(sequence: UInt64)
    case pausing(until: Instant)
  }

  /// Bytes before each record: lengths of subject and payload.
  private static let headerBytes = 8

  private var records: ByteRing
  private var state = State.ready
  private var backoff: Backoff
  private var isConnected = false
  private var nextSequence: UInt64 = 1
  /// The number of the oldest once it was sent.
  private var sentSequence: UInt64?

  /// How many facts wait.
  public private(set) var count: UInt64 = 0
  /// How many had to go unsent because memory was full.
  public private(set) var droppedCount: UInt64 = 0
  public private(set) var deliveredCount: UInt64 = 0

  public static let retryFirst = Duration.milliseconds(500)
  public static let retryCap = Duration.seconds(5)

  /// - Parameter capacity: bytes for subjects, payloads and 8 bytes each.
  public init(capacity: Int, seed: UInt64) {
    records = ByteRing(capacity: capacity)
    backoff = Backoff(first: FactQueue.retryFirst, cap: FactQueue.retryCap, seed: seed)
  }

  public var byteCount: Int { records.count }
  public var capacity: Int { records.capacity }

  /// When `next` may have something that it has not now.
  public var deadline: Instant? {
    if case .pausing(let until) = state, isConnected, count > 0 { return until }
    return nil
  }

  /// Adds a fact, for which the oldest unsent make room. A fact that does not fit beside one that was
  /// sent, or into the queue at all, is dropped and counted.
  public func append(subject: [UInt8], payload: [UInt8]) {
    let length = FactQueue.headerBytes + subject.count + payload.count
    let sentLength = sentSequence == nil ? 0 : recordLength(at: 0)
    if length > records.capacity - sentLength {
      droppedCount += 1
      return
    }
    while records.freeCount < length {
      records.remove(at: sentLength, length: recordLength(at: sentLength))
      count -= 1
      droppedCount += 1
    }
    append(length: subject.count)
    append(length: payload.count)
    records.append(subject.span)
    records.append(payload.span)
    nextSequence += 1
    count += 1
  }

  /// The fact to send now, if any; it is then under way until `handle` says how that ended.
  public func next(at now: Instant) -> Fact? {
    guard isConnected, count > 0 else { return nil }
    switch state {
    case .underWay: return nil
    case .pausing(let until):
      if until > now { return nil }
    case .ready: break
    }
    let fact = oldest()
    state = .underWay(sequence: fact.sequence)
    sentSequence = fact.sequence
    return fact
  }

  /// Takes the outcome of the fact with this number; an outcome for another has no effect.
  public func handle(_ outcome: FactOutcome, of sequence: UInt64, at now: Instant) {
    guard state == .underWay(sequence: sequence) else { return }
    switch outcome {
    case .acknowledged, .unsendable:
      state = .ready
      backoff.reset()
      removeOldest(wasDelivered: outcome == .acknowledged)
    case .notAcknowledged:
      state = .pausing(until: now + backoff.next())
    }
  }

  /// The link is up: what waits may go at once.
  public func handleConnected() {
    isConnected = true
    backoff.reset()
    state = .ready
  }

  /// The link is down; what was under way counts as unsent.
  public func handleDisconnected() {
    isConnected = false
    state = .ready
  }

  // MARK: records

  /// Those behind one that was sent may have made room.
  private var oldestSequence: UInt64 { sentSequence ?? nextSequence - count }

  private func oldest() -> Fact {
    let subjectLength = length(at: 0)
    let payloadLength = length(at: 4)
    let start = FactQueue.headerBytes
    return Fact(
      sequence: oldestSequence, subject: bytes(at: start, length: subjectLength),
      payload: bytes(at: start + subjectLength, length: payloadLength))
  }

  private func removeOldest(wasDelivered: Bool) {
    if count == 0 { return }
    records.removeFirst(recordLength(at: 0))
    sentSequence = nil
    count -= 1
    if wasDelivered { deliveredCount += 1 } else { droppedCount += 1 }
  }

  private func recordLength(at offset: Int) -> Int {
    FactQueue.headerBytes + length(at: offset) + length(at: offset + 4)
  }

  private func append(length: Int) {
    let number = UInt32(clamping: length)
    for shift: UInt32 in [0, 8, 16, 24] {
      records.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  private func length(at offset: Int) -> Int {
    var number: UInt32 = 0
    for byte in bytes(at: offset, length: 4).reversed() { number = number << 8 | UInt32(byte) }
    return Int(clamping: number)
  }

  private func bytes(at offset: Int, length: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    records.forEachPiece(offset: offset, length: length) { bytes.append($0) }
    return bytes
  }
}
