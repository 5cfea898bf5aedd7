/// How much a time of day is worth that is told with an event.
public enum TimeQuality: Equatable, Sendable {
  /// The clock was kept right when the event happened.
  case synced
  /// It was not yet, but was later in the same boot: the time is worked out from the monotonic clock.
  case corrected
  /// Nobody knows: the time is what the board believed, which may be 1970.
  case unknown

  public var text: String {
    switch self {
    case .synced: "synced"
    case .corrected: "corrected"
    case .unknown: "unknown"
    }
  }
}
