import Transport

/// Values from the manifest, one after the other.
final class SimulatedSource: SensorSource {
  private let values: [Double]
  /// The place of the next value.
  private var next = 0

  init(_ values: [Double]) { self.values = values }

  func measure(
    at now: Instant, completion: @escaping (Result<Measured, ReadingError>) -> Void
  ) {
    guard values.indices.contains(next) else {
      return completion(.failure(ReadingError("the simulated sensor has no values")))
    }
    let value = values[next]
    next = (next + 1) % values.count
    guard value.isFinite else {
      return completion(.failure(ReadingError("the simulated value is not finite")))
    }
    completion(.success(Measured(value)))
  }
}
