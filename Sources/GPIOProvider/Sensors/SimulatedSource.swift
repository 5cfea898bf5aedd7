import Transport

/// Values from the manifest, one after the other, or what somebody drives it to.
final class SimulatedSource: SensorSource {
  private let values: [Double]
  /// The place of the next value.
  private var next = 0
  private var driven: Result<Measured, ReadingError>?

  /// - Parameter values: one that is not finite is a measurement that fails.
  init(_ values: [Double]) { self.values = values }

  /// From now on it measures this value, uncertain with a reason; a reason alone makes it fail. Without
  /// either, its own values go on.
  func drive(_ value: Double?, reason: String?) {
    if let value {
      driven = .success(Measured(value, uncertain: reason.map { "\($0)" }))
    } else {
      driven = reason.map { .failure(ReadingError("\($0)")) }
    }
  }

  func measure(
    at now: Instant, completion: @escaping (Result<Measured, ReadingError>) -> Void
  ) {
    completion(driven ?? nextValue())
  }

  private func nextValue() -> Result<Measured, ReadingError> {
    guard values.indices.contains(next) else {
      return .failure(ReadingError("the simulated sensor has no values"))
    }
    let value = values[next]
    next = (next + 1) % values.count
    if value.isFinite { return .success(Measured(value)) }
    return .failure(ReadingError("the simulated sensor is bad"))
  }
}
