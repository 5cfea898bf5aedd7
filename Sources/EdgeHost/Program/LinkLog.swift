import Transport

/// What is written of connections that fail: each reason once, and again every ten minutes, with the count of
/// what was left out. A night without a link would else be thousands of lines, on a card that wears out. Who
/// logs at level `debug` has them all.
struct LinkLog {
  static let period = Duration.seconds(600)
  /// Reasons that are told apart; some have numbers in them. Arbitrary.
  static let reasonsMax = 8

  private var reasons: [[UInt8]] = []
  private var begin: Instant?
  private var leftOut: Int64 = 0

  /// What fails now is news again.
  mutating func connected() { self = LinkLog() }

  /// - Parameter failure: the server and the reason.
  /// - Returns: the line; nil when there is none to be written.
  mutating func line(_ failure: Text, retryIn: Duration, at now: Instant) -> Text? {
    if begin.map({ now - $0 >= LinkLog.period }) ?? true {
      begin = now
      reasons = []
    }
    let isKnown = reasons.contains { $0.span.equals(failure.bytes.span) }
    if isKnown || reasons.count == LinkLog.reasonsMax {
      leftOut += 1
      return nil
    }
    reasons.append(failure.bytes)
    var line: Text = "\(failure); next try in \(retryIn.milliseconds) ms"
    if leftOut > 0 { line += " (\(leftOut) tries that failed were not logged)" }
    leftOut = 0
    return line
  }
}
