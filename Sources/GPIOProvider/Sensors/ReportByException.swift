import Transport

/// Which readings are told.
public struct ReportConfiguration: Equatable, Sendable {
  public enum Deadband: Equatable, Sendable {
    /// In the sensor's unit.
    case absolute(Double)
    /// Of the value that was told last.
    case percent(Double)
  }

  /// A value is told when it is further than this from the one that was told last; nil: each is.
  public var deadband: Deadband?
  /// Readings are told at least so far apart, unless the quality changes.
  public var minInterval = Duration.zero
  /// So long after the last a reading is told, whatever it is.
  public var maxInterval: Duration?

  public init() {}
}

/// Decides which readings are told, as they come.
///
/// Its times are those at which measurements were due, which do not tremble: a `minInterval` of ten
/// periods is ten periods, also when one measurement took longer than the other.
struct ReportByException {
  private let configuration: ReportConfiguration
  private var told: (value: Double?, quality: SensorQuality, at: Instant)?

  init(_ configuration: ReportConfiguration) { self.configuration = configuration }

  /// nil before anything was told.
  var toldQuality: SensorQuality? { told?.quality }

  /// When the latest reading is told once more although no measurement came to an end: a period after
  /// the measurement that should have been.
  func deadline(period: Duration) -> Instant? {
    guard let maxInterval = configuration.maxInterval, let told else { return nil }
    return told.at + maxInterval + period
  }

  /// Whether this reading is told; it then counts as told.
  /// - Parameters:
  ///   - value: nil when there is none.
  ///   - at: when it was due.
  ///   - next: when the next one is due.
  mutating func takes(
    _ value: Double?, _ quality: SensorQuality, at: Instant, next: Instant
  ) -> Bool {
    guard isNews(value, quality, at: at, next: next) else { return false }
    told = (value, quality, at)
    return true
  }

  /// What was told may not have been heard: the next reading is told, whatever it is.
  mutating func forget() { told = nil }

  private func isNews(
    _ value: Double?, _ quality: SensorQuality, at: Instant, next: Instant
  ) -> Bool {
    guard let told, quality == told.quality else { return true }
    if let maxInterval = configuration.maxInterval, next > told.at + maxInterval { return true }
    if at < told.at + configuration.minInterval { return false }
    guard let deadband = configuration.deadband else { return true }
    guard let value, let last = told.value else { return false }
    let distance = (value - last).magnitude
    switch deadband {
    case .absolute(let limit): return distance > limit
    case .percent(let percent): return distance > last.magnitude * percent / 100
    }
  }
}
