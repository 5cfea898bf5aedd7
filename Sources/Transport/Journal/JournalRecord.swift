/// When something happened: by the monotonic clock, and by the time of day as it was then.
public struct FactTime: Equatable, Sendable {
  public var instant: Instant
  public var wallClock: Timestamp
  /// Whether something kept the time of day right then.
  public var isSynchronised: Bool

  public init(instant: Instant, wallClock: Timestamp, isSynchronised: Bool) {
    self.instant = instant
    self.wallClock = wallClock
    self.isSynchronised = isSynchronised
  }
}

/// One life of the host's process: instants are compared only within a boot.
public struct JournalRun: Equatable, Sendable {
  public static let idBytesMax = 32
  public static let bootBytes = 16

  /// 1 to 32 bytes.
  public let id: [UInt8]
  /// The kernel's boot id, 16 bytes.
  public let boot: [UInt8]

  /// Of facts before which the disk has lost who recorded them.
  public static let unknown = JournalRun(id: [UInt8(ascii: "-")], boot: [])

  /// What is too long is cut, and what is too short filled with zeros: a run has always its sizes.
  public init(id: [UInt8], boot: [UInt8]) {
    self.id = id.isEmpty ? [UInt8(ascii: "-")] : Array(id.prefix(JournalRun.idBytesMax))
    var boot = Array(boot.prefix(JournalRun.bootBytes))
    while boot.count < JournalRun.bootBytes { boot.append(0) }
    self.boot = boot
  }
}

/// A fact as the journal keeps it.
public struct JournalRecord: Equatable, Sendable {
  /// Counts up over restarts; a number is never used twice.
  public let sequence: UInt64
  public let factClass: FactClass
  public let time: FactTime
  /// Who recorded it.
  public let run: JournalRun
  /// Without what all of the host's subjects begin with.
  public let subject: [UInt8]
  public let payload: [UInt8]
  /// Whether an earlier run has recorded it.
  public let isRecovered: Bool
}

extension JournalRecord {
  init(_ entry: JournalEntry, of bytes: Span<UInt8>, run: JournalRun, isRecovered: Bool) {
    sequence = entry.sequence
    factClass = entry.factClass ?? .event
    time = entry.time
    self.run = run
    subject = bytes.extracting(entry.subject).array
    payload = bytes.extracting(entry.payload).array
    self.isRecovered = isRecovered
  }
}

/// Where in a stream the newest acknowledged fact is: facts after it are not to be found before it.
public struct StreamPosition: Equatable, Sendable {
  public static let nameBytesMax = 255

  public var stream: [UInt8]
  /// Empty: the server's own.
  public var domain: [UInt8]
  public var sequence: UInt64

  public init(stream: [UInt8], domain: [UInt8], sequence: UInt64) {
    self.stream = stream
    self.domain = domain
    self.sequence = sequence
  }
}

/// Facts of one class that had to go before they were acknowledged.
public struct DroppedFacts: Equatable, Sendable {
  public let factClass: FactClass
  public internal(set) var count: UInt64
  public let firstSequence: UInt64
  public internal(set) var lastSequence: UInt64
  public let firstTime: FactTime
  public internal(set) var lastTime: FactTime

  init(_ factClass: FactClass, _ sequence: UInt64, _ time: FactTime) {
    self.factClass = factClass
    count = 1
    firstSequence = sequence
    lastSequence = sequence
    firstTime = time
    lastTime = time
  }

  /// Adds newer ones of the same class.
  mutating func add(_ newer: DroppedFacts) {
    count += newer.count
    lastSequence = newer.lastSequence
    lastTime = newer.lastTime
  }
}

/// What may be missing since a run ended without a word and memory was lost with it, as in a power cut.
public struct JournalGap: Equatable, Sendable {
  /// Facts with at least this number and below `endSequence` are gone, if there were any.
  public let firstSequence: UInt64
  public let endSequence: UInt64
  /// How long before the end they happened at most, while the disk could be written.
  public let interval: Duration
  /// The run that ended, as far as known.
  public let run: JournalRun?
}

/// How a journal is.
public struct JournalStatus: Equatable, Sendable {
  /// Facts that are not acknowledged.
  public var waiting: UInt64 = 0
  /// Those acknowledged since `open`.
  public var acknowledged: UInt64 = 0
  /// Those that had to go since `open`, by `FactClass.rawValue`.
  public var dropped: [UInt64] = [0, 0, 0]
  /// Places where something was that could not be read, since `open`.
  public var damaged: UInt64 = 0
  /// Bytes of what waits or is kept on the disk, and all that there are; 0 without a disk.
  public var diskUsedBytes = 0
  public var diskBytes = 0
  /// Bytes of what waits or is kept in memory, and all that there are.
  public var memoryUsedBytes = 0
  public var memoryBytes = 0
  /// Written to the disk since `open`.
  public var writtenBytes: UInt64 = 0
  /// Why nothing is written to the disk.
  public var problem: String?

  public var droppedTotal: UInt64 { dropped.reduce(0, &+) }
}
