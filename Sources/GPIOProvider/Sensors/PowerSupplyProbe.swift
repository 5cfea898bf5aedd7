import Transport

/// A property of a battery, charger or other supply (Documentation/ABI/testing/sysfs-class-power).
public struct PowerSupplyProperty: Equatable {
  /// As the class names them: `BAT0`, `axp20x-battery`.
  public var supply: String
  /// The name of the attribute.
  public var property: String

  public init(supply: String, property: String) {
    self.supply = supply
    self.property = property
  }

  /// The attributes that are numbers and of use.
  public static var properties: [StaticString] {
    [
      "capacity", "voltage_now", "current_now", "power_now", "charge_now", "energy_now", "temp",
      "online", "cycle_count",
    ]
  }

  /// Those of them that are among these attributes.
  static func present(_ names: [String]) -> [String] {
    var present: [String] = []
    for property in properties {
      let name = ("\(property)" as Text).string
      if names.includes(name) { present.append(name) }
    }
    return present
  }

  public var quantity: SensorQuantity? { unit?.quantity }

  var unit: KernelUnit? {
    switch property {
    case "capacity": KernelUnit(.batteryLevel)
    case "voltage_now": KernelUnit(.voltage, 1_000_000)
    case "current_now": KernelUnit(.current, 1_000_000)
    case "power_now": KernelUnit(.power, 1_000_000)
    // Of microampere-hours and microwatt-hours.
    case "charge_now": KernelUnit(.charge, 1_000_000, times: 3_600)
    case "energy_now": KernelUnit(.energy, 1_000_000, times: 3_600)
    case "temp": KernelUnit(.temperature, 10)
    case "online": KernelUnit(.ratio)
    case "cycle_count": KernelUnit(.count)
    default: nil
    }
  }
}

final class PowerSupplyProbe: Probe {
  private let property: PowerSupplyProperty
  private let root: String
  private var path = ""

  init(_ property: PowerSupplyProperty, sys: String) {
    self.property = property
    root = DeviceFolder.path(sys, "class/power_supply")
  }

  func requests() throws(ReadingError) -> FileRequests {
    let folder = DeviceFolder.path(root, property.supply)
    let names = DeviceFolder.names(folder)
    if names.isEmpty {
      let supplies = DeviceFolder.names(root).listed
      throw ReadingError(
        """
        no power supply is named \(quoted: property.supply) in \(root); there is: \
        \(supplies)
        """)
    }
    guard names.includes(property.property) else {
      let known = PowerSupplyProperty.present(names).listed
      throw ReadingError("\(folder) has no \(property.property); it has: \(known)")
    }
    path = DeviceFolder.path(folder, property.property)
    return FileRequests([path], lane: folder)
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    let steps = try contents.content(0).integer(path)
    let value = property.unit?.value(Double(steps)) ?? Double(steps)
    if property.quantity == .temperature { try Plausible.temperature(value, steps, path) }
    if property.quantity == .batteryLevel, steps < 0 || steps > 100 {
      throw ReadingError("\(path) holds \(steps), which is no percentage")
    }
    return Measured(value)
  }
}
