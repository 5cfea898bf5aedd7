import Lattice
import Transport

/// The outcome of one measurement, as it is told.
struct Reading {
  /// In the configured unit, through the filter; nil when there is none.
  var value: Double?
  /// Never stale: that comes with time.
  var quality: SensorQuality
  var reason: String?
  /// When the measurement ended.
  var instant: Instant
}

/// A sensor as the provider holds it: makes readings of measurements, and says which of them are told
/// and which alarms change.
final class ProvidedSensor {
  /// A reading is stale when it is older than so many periods.
  private static let periodsUntilStale: Int64 = 3

  /// What is to be told after a measurement.
  struct News: Equatable {
    var isTold = false
    /// The places of the alarms whose state is told.
    var alarms: [Int] = []
  }

  let configuration: SensorConfiguration
  let source: any SensorSource
  var schedule: SensorSchedule
  private(set) var latest: Reading?
  private(set) var alarms: [SensorAlarm]
  /// The number of the last reading that was told.
  var lastSequence: Int64 = 0
  /// What the provider has said last of why it cannot be used.
  var toldProblem: String?
  private var filter: SensorFilter
  /// When the last measurement ended that gave a value.
  private var lastMeasured: Instant?
  private var reporting: ReportByException

  init(_ configuration: SensorConfiguration, source: any SensorSource) {
    self.configuration = configuration
    self.source = source
    schedule = SensorSchedule(every: configuration.every)
    alarms = configuration.alarms.map { SensorAlarm($0) }
    filter = SensorFilter(configuration.filter)
    reporting = ReportByException(configuration.reporting)
  }

  /// Whether a caller may have it measured. One with a filter answers what was filtered: callers do
  /// not decide what is in the window.
  var isMeasuredForCallers: Bool {
    configuration.kind.isCheap && configuration.filter == .none
  }

  // MARK: Quality

  func quality(at now: Instant) -> SensorQuality? {
    guard let latest else { return nil }
    return latest.quality != .bad && now > staleAfter(latest) ? .stale : latest.quality
  }

  private func staleAfter(_ reading: Reading) -> Instant {
    reading.instant + schedule.period * ProvidedSensor.periodsUntilStale
  }

  /// Why it cannot be used at present; nil when it can.
  func problem(at now: Instant) -> String? {
    switch quality(at: now) {
    case .bad: return latest?.reason
    case .stale: return ProvidedSensor.staleReason
    case .good, .uncertain, nil: return nil
    }
  }

  private static let staleReason = "no measurement has ended for three periods"

  // MARK: Measurements

  /// Takes the outcome of the measurement that was under way.
  func take(_ outcome: Result<Measured, ReadingError>, at now: Instant) -> News {
    let reading = reading(of: outcome, at: now)
    latest = reading
    guard case .report(let due) = schedule.end(isGood: reading.quality != .bad, at: now) else {
      return News()
    }
    var news = News()
    if let value = reading.value {
      for index in alarms.indices where alarms[index].update(value, at: due) {
        news.alarms.append(index)
      }
    }
    news.isTold = reporting.takes(
      reading.value, reading.quality, at: due, next: schedule.due ?? due)
    return news
  }

  private func reading(
    of outcome: Result<Measured, ReadingError>, at now: Instant
  ) -> Reading {
    switch outcome {
    case .failure(let error):
      return Reading(value: nil, quality: .bad, reason: error.reason, instant: now)
    case .success(let measured):
      let value = configuration.transform.apply(to: measured.value)
      guard value.isFinite else {
        let reason = "the value is not finite after 'scale' and 'offset'"
        return Reading(value: nil, quality: .bad, reason: reason, instant: now)
      }
      forgetOldMeasurements(at: now)
      let filtered = filter.add(value, isUncertain: measured.isUncertain)
      lastMeasured = now
      var reason = measured.reason
      if filtered.isUncertain, reason == nil {
        reason = "an earlier measurement that is in the filter was uncertain"
      }
      return Reading(
        value: filtered.value.roundedToTwelveDigits,
        quality: filtered.isUncertain ? .uncertain : .good, reason: reason, instant: now)
    }
  }

  /// Values from before a long failure do not make one with those after it.
  private func forgetOldMeasurements(at now: Instant) {
    guard let lastMeasured else { return }
    if now - lastMeasured > schedule.period * ProvidedSensor.periodsUntilStale { filter.reset() }
  }

  // MARK: Time without measurements

  /// When the latest reading is to be told anew, because it becomes stale or is the only sign of life.
  var ageDeadline: Instant? {
    guard let latest else { return nil }
    var deadline = reporting.deadline(period: schedule.period)
    if latest.quality != .bad, reporting.toldQuality != .stale {
      deadline = Instant.earlier(deadline, staleAfter(latest) + .nanoseconds(1))
    }
    return deadline
  }

  /// Readings that are not kept were not heard while the link was down: the next one is told.
  func tellNext() {
    if configuration.report == .latest { reporting.forget() }
  }

  /// Whether the latest reading is told anew at this time.
  func isToldForItsAge(at now: Instant) -> Bool {
    guard ageDeadline.isDue(at: now), let latest, let quality = quality(at: now) else {
      return false
    }
    return reporting.takes(latest.value, quality, at: now, next: now)
  }
}

// MARK: - What is told

extension ProvidedSensor {
  /// The latest reading as it is told at `now`, without its time; nil before the first.
  func body(at now: Instant) -> Record? {
    guard let latest, let quality = quality(at: now) else { return nil }
    var body = Record()
    body.append("name", .string(configuration.name))
    body.append("kind", .string(configuration.kind.text))
    body.append("value", latest.value.map { .double($0) } ?? .null)
    body.append("unit", .string(configuration.unit))
    body.append("quality", .string(quality.text))
    body.append("seq", .integer(lastSequence))
    let reason = quality == .stale ? ProvidedSensor.staleReason : latest.reason
    if let reason { body.append("reason", .string(reason)) }
    if !alarms.isEmpty {
      var active: [Value] = []
      for alarm in alarms where alarm.isActive { active.append(.string(alarm.configuration.name)) }
      body.append("alarms", .list(active))
    }
    return body
  }

  /// The state of an alarm as the latest reading has made it.
  func body(ofAlarm index: Int, sequence: Int64) -> Record {
    var body = Record()
    guard let latest, alarms.indices.contains(index) else { return body }
    let alarm = alarms[index]
    body.append("name", .string(configuration.name))
    body.append("alarm", .string(alarm.configuration.name))
    body.append("active", .bool(alarm.isActive))
    body.append("value", latest.value.map { .double($0) } ?? .null)
    body.append("limit", .double(alarm.limit))
    body.append("unit", .string(configuration.unit))
    body.append("quality", .string(latest.quality.text))
    body.append("seq", .integer(sequence))
    return body
  }

  /// What is told about the sensor to whoever asks.
  /// - Parameter isDriven: whether callers may set what it measures.
  func resource(at now: Instant, isDriven: Bool) -> Resource {
    var properties = Record()
    properties.append("kind", .string(configuration.kind.text))
    configuration.kind.appendProperties(to: &properties)
    properties.append("unit", .string(configuration.unit))
    properties.append("every_ms", .integer(configuration.every.milliseconds))
    properties.append("report", .string(configuration.report == .durable ? "durable" : "latest"))
    if schedule.skipped > 0 { properties.append("skipped", .integer(schedule.skipped)) }
    if let problem = problem(at: now) { properties.append("error", .string(problem)) }
    return Resource(
      name: configuration.name, operations: isDriven ? ["get", "drive"] : ["get"],
      properties: properties)
  }
}
