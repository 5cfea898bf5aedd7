/// What one value is made of.
public enum FilterConfiguration: Equatable, Sendable {
  /// The latest measurement alone.
  case none
  /// The middle one of the last so many, an odd number: takes out single wrong ones, and keeps steps.
  case median(Int)
  /// The mean of the last so many: takes out noise.
  case average(Int)
}

/// Makes one value of the last measurements. Until the window is full it takes what there is. Bad
/// measurements are not in it; their caller says with `reset` that what is in it has become too old.
struct SensorFilter {
  private let configuration: FilterConfiguration
  private let size: Int
  private var window: [Double] = []
  /// Where the oldest of a full window is.
  private var next = 0
  /// For how many measurements an uncertain one is still in the window.
  private var uncertainFor = 0

  init(_ configuration: FilterConfiguration) {
    self.configuration = configuration
    switch configuration {
    case .none: size = 1
    case .median(let count), .average(let count): size = max(1, count)
    }
  }

  /// - Parameter value: is finite.
  mutating func add(_ value: Double, isUncertain: Bool) -> (value: Double, isUncertain: Bool) {
    uncertainFor = isUncertain ? size : max(0, uncertainFor - 1)
    if case .none = configuration { return (value, isUncertain) }
    if window.count < size {
      window.append(value)
    } else {
      window[next] = value
      next = (next + 1) % size
    }
    return (result, uncertainFor > 0)
  }

  mutating func reset() {
    window.removeAll(keepingCapacity: true)
    next = 0
    uncertainFor = 0
  }

  private var result: Double {
    switch configuration {
    case .none: return window.last ?? 0
    case .average:
      // Divided first: the sum of large numbers is not finite.
      return window.reduce(0) { $0 + $1 / Double(window.count) }
    case .median:
      let sorted = window.sorted()
      let middle = sorted.count / 2
      if sorted.count % 2 == 1 { return sorted[middle] }
      return sorted[middle - 1] / 2 + sorted[middle] / 2
    }
  }
}
