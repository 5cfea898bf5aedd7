import Transport

/// When a value is alarming.
public struct AlarmConfiguration: Equatable, Sendable {
  public enum Limit: Equatable, Sendable {
    case above(Double)
    case below(Double)
  }

  public var name: String
  public var limit: Limit
  /// How far back within the limit the value must be for the alarm to end.
  public var hysteresis = 0.0
  /// How long the value must have been beyond the limit.
  public var delay = Duration.zero

  public init(name: String, limit: Limit) {
    self.name = name
    self.limit = limit
  }
}

/// One alarm of a sensor: whether it is active, and when that is told.
///
/// Its state is not kept over a restart. Whoever listens hears it anew instead, with the first value
/// that settles it: an alarm that ended while the host was not running is not active for ever.
struct SensorAlarm {
  let configuration: AlarmConfiguration
  private(set) var isActive = false
  /// Since when each value is beyond the limit, while the alarm is not active.
  private var beyondSince: Instant?
  private var isTold = false

  init(_ configuration: AlarmConfiguration) { self.configuration = configuration }

  var limit: Double {
    switch configuration.limit {
    case .above(let limit), .below(let limit): limit
    }
  }

  /// Takes a value; where there is none, nothing is known and the state stays as it is.
  /// - Returns: whether the state is to be told.
  mutating func update(_ value: Double, at now: Instant) -> Bool {
    let wasActive = isActive
    if isActive {
      isActive = !isBack(value)
    } else if isBeyond(value) {
      let since = beyondSince ?? now
      beyondSince = since
      isActive = now - since >= configuration.delay
    } else {
      beyondSince = nil
    }
    if isActive { beyondSince = nil }
    // The first state is told as well, once it is known: not while the delay runs.
    let isSettled = beyondSince == nil
    let isNews = isActive != wasActive || (!isTold && isSettled)
    if isNews { isTold = true }
    return isNews
  }

  private func isBeyond(_ value: Double) -> Bool {
    switch configuration.limit {
    case .above(let limit): value > limit
    case .below(let limit): value < limit
    }
  }

  private func isBack(_ value: Double) -> Bool {
    switch configuration.limit {
    case .above(let limit): value <= limit - configuration.hysteresis
    case .below(let limit): value >= limit + configuration.hysteresis
    }
  }
}
