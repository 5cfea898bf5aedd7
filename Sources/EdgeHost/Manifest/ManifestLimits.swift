import Transport

/// The bounds of a manifest. Those without another reason are arbitrary: far above what a board
/// needs, and low enough that the worst accepted file is read in about a megabyte and a second on
/// an ARMv6 board.
enum ManifestLimits {
  // MARK: the file

  static let fileBytesMax = 256_000
  /// Of lists and mappings in each other; the schema uses seven levels.
  static let depthMax = 16
  /// Scalars, lists and mappings together. A line takes about twenty, so 256 lines fit.
  static let nodesMax = 16_384
  /// Of one mapping. Duplicates are found by comparing each key with those before it.
  static let keysMax = 256
  /// Mistakes reported at once: a screen full.
  static let problemsMax = 20

  /// Of a `${NAME:default}`.
  static let referenceBytesMax = 1_025

  // MARK: names

  /// A host, lattice, line or sensor is one token of a NATS subject. The length is DNS's, because
  /// a host's name usually is its DNS label.
  static let nameBytesMax = 63
  static let labelsMax = 64
  static let labelValueBytesMax = 255
  /// GPIO_MAX_NAME_SIZE of linux/gpio.h is 32 with its NUL, for chips, labels and lines.
  static let kernelNameBytesMax = 31
  static let zoneBytesMax = 63
  static let pathBytesMax = 1_023
  /// `sun_path` of unix(7), without its NUL.
  static let socketPathBytesMax = 107
  static let unitBytesMax = 16
  static let userBytesMax = 255
  /// DNS's.
  static let hostBytesMax = 253

  // MARK: counts

  static let serversMax = 16
  /// A Raspberry Pi has 54, an expander chip 8 to 40 more.
  static let linesMax = 256
  static let sensorsMax = 256
  static let scriptStepsMax = 256
  /// Some thousand steps of 16 bytes in memory each.
  static let scriptFileBytesMax = 64_000
  static let scriptValuesMax = 1_024

  // MARK: ranges

  /// `ngpio` is 16 bits wide in the kernel.
  static let lineOffset: ClosedRange<UInt32> = 0...65_535
  static var presence: ClosedRange<Duration> { .seconds(1) ... .seconds(3_600) }
  /// The kernel takes microseconds in 32 bits, a little more than an hour.
  static var debounce: ClosedRange<Duration> { .zero ... .seconds(3_600) }
  /// The kernel keeps at most 16 events for each of a request's 64 lines.
  static let eventBuffer: ClosedRange<UInt32> = 16...1_024
  static var lineEvery: ClosedRange<Duration> { .milliseconds(20) ... .seconds(86_400) }
  /// Nobody presses twice within a longer time, and waits so long for a click to count.
  static var doubleClick: ClosedRange<Duration> { .zero ... .seconds(2) }
  static var longPress: ClosedRange<Duration> { .milliseconds(100) ... .seconds(60) }
  static var guardTime: ClosedRange<Duration> { .milliseconds(1) ... .seconds(604_800) }
  static var deadTime: ClosedRange<Duration> { .zero ... .seconds(3_600) }
  static var linkLoss: ClosedRange<Duration> { .seconds(1) ... .seconds(604_800) }
  /// Times of activations are kept, 8 bytes each.
  static let rateCount: ClosedRange<UInt32> = 1...64
  static let interlocksMax = 32
  static let interlockLines = 2...16
  static let allowMax = 16
  /// Of a public key: 35 bytes in base32.
  static let keyBytes = 56
  static let pwmChannel: ClosedRange<UInt32> = 0...255
  static let frequency: ClosedRange<Int64> = 1...10_000_000
  static var every: ClosedRange<Duration> { .milliseconds(100) ... .seconds(86_400) }
  static var stepAfter: ClosedRange<Duration> { .milliseconds(1) ... .seconds(86_400) }
  /// At least a control line of NATS, which has up to 4096 bytes.
  static let readBytes: ClosedRange<Int64> = 4_096...1_048_576
  static let controlBytes: ClosedRange<Int64> = 4_096...65_536
  static let writeBytes: ClosedRange<Int64> = 1_024...1_048_576
  static let queueBytes: ClosedRange<Int64> = 1_024...1_048_576
  /// Each is looked for from the first, for every message.
  static let subscriptions: ClosedRange<UInt32> = 8...1_024
  static let requests: ClosedRange<UInt32> = 1...1_024
  /// From one caller in a second. Above, a limit is none.
  static let commandRate: ClosedRange<UInt32> = 1...10_000

  // MARK: the journal

  /// Below, a few facts would fill it; above, what is known of its segments takes more memory than facts.
  static let journalBytes: ClosedRange<Int64> = 500_000...250_000_000
  /// Below, a card would be written all the time; above, a power cut takes too much.
  static var journalSync: ClosedRange<Duration> { .milliseconds(100) ... .seconds(600) }
  /// At least some tens of facts while the disk is busy; a board's memory is small.
  static let journalMemoryBytes: ClosedRange<Int64> = 16_384...1_000_000

  // MARK: the link

  /// Below some seconds a busy machine or one lost packet would look like a dead link.
  static var detect: ClosedRange<Duration> { .seconds(3) ... .seconds(3_600) }
  static var ping: ClosedRange<Duration> { .seconds(1) ... .seconds(3_600) }
  /// What is left for a PONG.
  static var answerMin: Duration { .seconds(1) }
  static var backoff: ClosedRange<Duration> { .seconds(1) ... .seconds(3_600) }
  static var batch: ClosedRange<Duration> { .zero ... .seconds(60) }
  static var stage: ClosedRange<Duration> { .milliseconds(100) ... .seconds(300) }
  /// Ten thousand hosts come back within eight minutes.
  static let herdHosts: ClosedRange<UInt32> = 1...10_000
  static let budgetBytes: ClosedRange<Int64> = 10_000...100_000_000_000
  static var requestTimeout: ClosedRange<Duration> { .milliseconds(100) ... .seconds(86_400) }
}
