/// How urgent a message is. Each class has a queue of its own; a stricter class, which stands further
/// up, always goes first. What the protocol itself owes (PONG, SUB, PING) goes before all of them.
public enum TrafficClass: UInt8, CaseIterable, Sendable {
  /// Answers to requests: somebody waits.
  case replies
  /// Requests of our own, such as those of actors and operators.
  case commands
  /// What must not be lost: durable edges and readings, alarms, events.
  case facts
  /// What only the newest of is worth having: readings, the host's status.
  case readings
  /// What may take its time.
  case bulk

  public static var allCases: AllCases { AllCases() }

  /// The classes, strictest first. The collection that the compiler makes is an array, allocated for
  /// each loop.
  public struct AllCases: RandomAccessCollection, Sendable {
    public var startIndex: Int { 0 }
    public var endIndex: Int { Int(TrafficClass.bulk.rawValue) + 1 }
    public subscript(position: Int) -> TrafficClass {
      TrafficClass(rawValue: UInt8(truncatingIfNeeded: position)) ?? .bulk
    }
  }

  /// As the manifest and the status write it.
  public var name: StaticString {
    switch self {
    case .replies: "replies"
    case .commands: "commands"
    case .facts: "facts"
    case .readings: "readings"
    case .bulk: "bulk"
    }
  }
}

/// What happens to a message that finds its queue full.
public enum FullPolicy: UInt8, Equatable, Sendable {
  /// The new message is refused; what was accepted stays.
  case refuse
  /// The oldest messages of the queue go.
  case dropOldest
  /// A message takes the place of an unsent one with the same subject, whether the queue is full or
  /// not; when it is full the oldest go.
  case newest
}

/// The bound of one class's queue.
public struct QueueLimits: Equatable, Sendable {
  /// Bytes of whole frames; 1 024 to 1 MiB. Also the largest frame that the class can carry.
  public var bytes: Int
  public var whenFull: FullPolicy

  public init(bytes: Int, whenFull: FullPolicy) {
    self.bytes = bytes
    self.whenFull = whenFull
  }

  /// How many messages the queue holds at most: no frame is much shorter than this. An entry takes 24
  /// bytes more.
  var messagesMax: Int { max(bytes / 32, 8) }
}

/// What became of one class's messages since the start.
public struct QueueStatistics: Equatable, Sendable {
  public var accepted: UInt64 = 0
  /// Found the queue full and were refused.
  public var refused: UInt64 = 0
  /// Were accepted and had to make room for newer ones.
  public var dropped: UInt64 = 0
  /// Were accepted and made way for a newer one with the same subject.
  public var replaced: UInt64 = 0
  /// Were accepted and not sent by the instant until which they were worth it.
  public var expired: UInt64 = 0

  public init() {}
}
