/// What the manifest says of the journal.
public struct JournalConfiguration: Equatable, Sendable {
  /// Bytes of the file; 0: memory only.
  public var size = 16 << 20
  /// How long a fact may wait for its acknowledgement before it is written to the disk; so, what a power
  /// cut may take.
  public var sync = Duration.seconds(5)
  /// Bytes of facts in memory.
  public var memory = 64 << 10

  public init() {}

  // Below, a few facts would fill it; above, what is kept about segments would take more memory than facts.
  public static let sizes = (256 << 10)...(256 << 20)
  public static let syncs = Duration.milliseconds(100)...Duration.seconds(600)
  public static let memories = (16 << 10)...(1 << 20)

  /// The same within its ranges.
  var clamped: JournalConfiguration {
    var clamped = self
    if size != 0 {
      clamped.size = min(
        max(size, JournalConfiguration.sizes.lowerBound), JournalConfiguration.sizes.upperBound)
    }
    clamped.sync = min(
      max(sync, JournalConfiguration.syncs.lowerBound), JournalConfiguration.syncs.upperBound)
    clamped.memory = min(
      max(memory, JournalConfiguration.memories.lowerBound),
      JournalConfiguration.memories.upperBound)
    return clamped
  }
}
