/// How far a reading can be trusted.
public enum SensorQuality: Equatable, Sendable {
  case good
  /// Measured, with a doubt that the reason names.
  case uncertain
  /// It was one of these, and is older than three periods.
  case stale
  /// There is no value; the reason says why.
  case bad

  var text: String {
    switch self {
    case .good: "good"
    case .uncertain: "uncertain"
    case .stale: "stale"
    case .bad: "bad"
    }
  }
}
