/// A physical quantity that sensors measure, each in one unit: SenML's, without a prefix.
public enum SensorQuantity: Equatable {
  case temperature, relativeHumidity, pressure, illuminance
  case voltage, current, power, energy, charge, resistance, capacitance, conductivity
  case acceleration, angularVelocity, angle, magneticFlux, distance, velocity
  case acidity, massConcentration
  case batteryLevel, frequency, rotations, count, ratio
  case duration, bytes, signal

  /// The unit of the values, by its name in the registry of SenML (RFC 8428 and RFC 8798).
  public var unit: String {
    switch self {
    case .temperature: "Cel"
    case .relativeHumidity: "%RH"
    case .pressure: "Pa"
    case .illuminance: "lx"
    case .voltage: "V"
    case .current: "A"
    case .power: "W"
    case .energy: "J"
    case .charge: "C"
    case .resistance: "Ohm"
    case .capacitance: "F"
    case .conductivity: "S/m"
    case .acceleration: "m/s2"
    case .angularVelocity: "rad/s"
    case .angle: "rad"
    case .magneticFlux: "T"
    case .distance: "m"
    case .velocity: "m/s"
    case .acidity: "pH"
    case .massConcentration: "kg/m3"
    case .batteryLevel: "%EL"
    case .frequency: "Hz"
    case .rotations: "1/min"
    case .count: "count"
    case .ratio: "/"
    case .duration: "s"
    case .bytes: "B"
    case .signal: "dBm"
    }
  }
}
