import Lattice
import Transport

/// What a sensor is, with what is needed to find it on the board.
public enum SensorKind: Equatable {
  /// `/sys/class/thermal/thermal_zone*`, found by its `type`.
  case thermal(zone: String)
  /// Each reading takes the next of these values, and the first again after the last.
  case simulated(values: [Double])
}

extension SensorKind {
  /// The kind as the manifest and the readings name it.
  public var text: String {
    switch self {
    case .thermal: "thermal"
    case .simulated: "simulated"
    }
  }

  /// What is measured; nil when only the manifest can say.
  public var quantity: SensorQuantity? {
    switch self {
    case .thermal: .temperature
    case .simulated: nil
    }
  }

  /// Whether a measurement beside the periodic ones costs little and changes nothing.
  public var isCheap: Bool {
    switch self {
    case .thermal: true
    case .simulated: false
    }
  }

  /// The shortest period at which it gives new values.
  public var everyMin: Duration {
    switch self {
    case .thermal, .simulated: .milliseconds(100)
    }
  }

  /// What describes it to whoever asks what the host has, behind its kind.
  public func appendProperties(to record: inout Record) {
    switch self {
    case .thermal(let zone): record.append("zone", .string(zone))
    case .simulated: break
    }
  }
}
