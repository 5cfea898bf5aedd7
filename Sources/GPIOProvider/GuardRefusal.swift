import Transport

/// Why an output is not commanded: which guard forbids it, and when it would be allowed.
struct GuardRefusal: Error, TextConvertible {
  enum Guard {
    case maxOn, minOn, minOff, maxRate, interlock
    /// The board does not have the line at present; the caller should have asked.
    case notTaken

    var text: String {
      switch self {
      case .maxOn: "max_on"
      case .minOn: "min_on"
      case .minOff: "min_off"
      case .maxRate: "max_rate"
      case .interlock: "interlock"
      case .notTaken: "not_taken"
      }
    }
  }

  let guardName: Guard
  /// The output's name.
  let output: String
  /// The same call succeeds at this time when nothing else happens before it; nil when time alone
  /// does not help.
  let allowedAt: Instant?
  /// `siren: min_off: switched off 2000 ms ago, may be switched on again in 28000 ms`
  let text: Text

  init(_ guardName: Guard, output: String, allowedAt: Instant? = nil, _ reason: Text) {
    self.guardName = guardName
    self.output = output
    self.allowedAt = allowedAt
    text = "\(output): \(guardName.text): \(reason)"
  }

  /// The one that lasts longer: what is refused twice is allowed when both allow it.
  static func later(_ left: GuardRefusal?, _ right: GuardRefusal?) -> GuardRefusal? {
    guard let left else { return right }
    guard let right else { return left }
    guard let first = left.allowedAt else { return left }
    guard let second = right.allowedAt else { return right }
    return first < second ? right : left
  }
}

extension Duration {
  /// Whole milliseconds that a caller waits; rounded up, or the wait would be too short.
  var millisecondsRoundedUp: Int64 {
    let whole = milliseconds
    return nanoseconds > 0 && nanoseconds % 1_000_000 != 0 ? whole &+ 1 : whole
  }
}
