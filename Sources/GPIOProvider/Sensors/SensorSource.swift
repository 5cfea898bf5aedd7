import Transport

/// Where the values of one sensor come from.
protocol SensorSource: AnyObject {
  /// One try to measure, complete in itself: a device that has gone is looked for anew by the next.
  ///
  /// Called on the loop, and does not block it. `completion` is called exactly once, on the loop, during
  /// the call or later. A call before an earlier one was completed is answered with the outcome of that.
  func measure(
    at now: Instant, completion: @escaping (Result<Measured, ReadingError>) -> Void)
}

/// What a try has given.
struct Measured: Equatable {
  /// In the unit of the sensor's kind, before the manifest's scale and offset; always finite.
  var value: Double
  /// There is a value, and something says that it may be wrong.
  var isUncertain = false
  /// Why it is uncertain, in words.
  var reason: String?

  init(_ value: Double, uncertain reason: Text? = nil) {
    self.value = value
    isUncertain = reason != nil
    self.reason = reason?.string
  }
}

/// Why there is no value, in words: with the path and what was found there.
struct ReadingError: Error, Equatable {
  let reason: String

  init(_ reason: Text) { self.reason = reason.string }
}
