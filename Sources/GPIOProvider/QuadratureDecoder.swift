import Transport

/// The position of a rotary or linear encoder: two lines, a and b, in quadrature.
///
/// Each transition of one line is one step, so that a full cycle is four:
///
///     positive, b leads          negative, a leads
///     b  0 1 1 0 0               b  0 0 1 1 0
///     a  0 0 1 1 0               a  0 1 1 0 0
///
/// The edges of both lines go in, in the order of their kernel times; the position comes out, at most
/// once in each period `every`. Edges that were lost are errors, as nobody knows their direction: from
/// then on the position is off by a multiple of four, or by nothing.
struct QuadratureDecoder: Equatable {
  struct Report: Equatable {
    var position: Int64
    var errors: UInt64
  }

  /// In steps, four for each cycle.
  private(set) var position: Int64
  /// Edges that were lost, or must have been.
  private(set) var errors: UInt64 = 0
  private let every: Duration
  private var a = false
  private var b = false
  private var reported: Report
  /// The next report comes no earlier; nil before the first.
  private var quietUntil: Instant?

  /// - Parameters:
  ///   - every: the shortest time between two reports.
  ///   - position: where it was before, as restored after a restart.
  init(every: Duration, position: Int64 = 0) {
    self.every = every
    self.position = position
    reported = Report(position: position, errors: 0)
  }

  /// The lines were taken with these values. What moved before is not known and is no step.
  mutating func begin(a: Bool, b: Bool) {
    self.a = a
    self.b = b
  }

  /// An edge of the first line (a) or of the second (b), to the value given.
  ///
  /// - Parameter lost: edges of this line that were lost just before this one. Without it only an odd
  ///   number of lost edges is seen, as one.
  mutating func edge(ofSecond: Bool, isActive: Bool, lost: UInt32 = 0) {
    errors &+= UInt64(lost)
    let before = ofSecond ? b : a
    if before == isActive {
      // The line went there and back: two steps, and only where the second went is known.
      if lost == 0 { errors &+= 1 }
      return
    }
    if ofSecond { b = isActive } else { a = isActive }
    let isPositive = ofSecond ? a != b : a == b
    position = isPositive ? position &+ 1 : position &- 1
  }

  /// When there is something to report: at once when the last report is long enough ago.
  var deadline: Instant? {
    if current == reported { return nil }
    return quietUntil ?? Instant(nanoseconds: .min)
  }

  /// The position when it has changed and may be told. To be called after each edge as well. Early or
  /// repeated calls have no effect.
  mutating func handleDeadline(at now: Instant) -> Report? {
    guard deadline.isDue(at: now) else { return nil }
    reported = current
    quietUntil = now + every
    return reported
  }

  /// Makes the present position 0 and returns what it was. That is a change, and reported as one.
  mutating func reset() -> Int64 {
    let before = position
    position = 0
    return before
  }

  private var current: Report { Report(position: position, errors: errors) }
}
