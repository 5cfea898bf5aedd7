/// What a fact is worth when there is no room for all: the oldest of the lowest class goes first.
public enum FactClass: UInt8, CaseIterable, Comparable, Sendable {
  /// A sensor's reading: the next one says nearly the same.
  case reading = 0
  /// Something that happened: an edge, a change, a count, a press, a position.
  case event = 1
  /// What somebody must hear: an alarm, and what the host has to say of itself.
  case alarm = 2

  public static func < (left: FactClass, right: FactClass) -> Bool {
    left.rawValue < right.rawValue
  }
}
