import Lattice
import Transport

/// One try to measure: a value, or why there is none.
struct Reading {
  var value: Result<Double, ReadingError>
  var instant: Instant
}

/// A sensor as the provider holds it: its source, when it is due, and its latest reading.
struct ProvidedSensor {
  private enum Source {
    case thermal(ThermalZone)
    /// The place of the next value.
    case simulated([Double], next: Int)
  }

  let configuration: SensorConfiguration
  var due: Instant?
  private(set) var latest: Reading?
  /// The number of the last reading that was told.
  var lastSequence: Int64 = 0
  private var source: Source

  /// A shorter period would keep the loop busy with nothing else. Arbitrary.
  private static let periodMin = Duration.milliseconds(10)
  /// A reading is stale when it is older than so many periods.
  private static let periodsUntilStale: Int64 = 3

  init(_ configuration: SensorConfiguration, thermalRoot: String) {
    self.configuration = configuration
    switch configuration.kind {
    case .thermal(let zone): source = .thermal(ThermalZone(type: zone, root: thermalRoot))
    case .simulated(let values): source = .simulated(values, next: 0)
    }
  }

  var period: Duration { max(configuration.every, ProvidedSensor.periodMin) }

  /// Whether a measurement beside the periodic ones costs little and changes nothing.
  var canBeReadAtAnyTime: Bool {
    switch source {
    case .thermal: true
    case .simulated: false
    }
  }

  var problem: ReadingError? {
    if case .failure(let error)? = latest?.value { return error }
    return nil
  }

  /// Measures. A simulated sensor goes on to its next value only when `isPeriodic`.
  mutating func read(at now: Instant, isPeriodic: Bool) {
    let value: Result<Double, ReadingError>
    do throws(ReadingError) {
      value = .success(try measure(isPeriodic: isPeriodic))
    } catch {
      value = .failure(error)
    }
    latest = Reading(value: value, instant: now)
  }

  /// Moves `due` on by whole periods until it is in the future, so that the sensor keeps its place
  /// among the others; periods that were slept through are left out.
  mutating func advance(past now: Instant) {
    guard let due, due <= now else { return }
    let periods = (now - due).nanoseconds / period.nanoseconds
    self.due = due + period * periods + period
  }

  /// The latest reading as it is told at `now`, without its time; nil before the first.
  func body(at now: Instant) -> Record? {
    guard let latest else { return nil }
    var body = Record()
    body.append("name", .string(configuration.name))
    body.append("kind", .string(configuration.kind.text))
    let quality: String
    var reason: String?
    switch latest.value {
    case .success(let value):
      body.append("value", .double(value))
      let isStale = now - latest.instant > period * ProvidedSensor.periodsUntilStale
      quality = isStale ? "stale" : "good"
    case .failure(let error):
      body.append("value", .null)
      quality = "bad"
      reason = error.reason
    }
    body.append("unit", .string(configuration.unitText))
    body.append("quality", .string(quality))
    body.append("seq", .integer(lastSequence))
    if let reason { body.append("reason", .string(reason)) }
    return body
  }

  private mutating func measure(isPeriodic: Bool) throws(ReadingError) -> Double {
    switch source {
    case .thermal(var zone):
      // Kept also when it fails: where the zone was found is known then, too.
      defer { source = .thermal(zone) }
      return try zone.read()
    case .simulated(let values, let next):
      guard values.indices.contains(next) else {
        throw ReadingError("the simulated sensor has no values")
      }
      if isPeriodic { source = .simulated(values, next: (next + 1) % values.count) }
      if !values[next].isFinite { throw ReadingError("the simulated value is not finite") }
      return values[next]
    }
  }
}
