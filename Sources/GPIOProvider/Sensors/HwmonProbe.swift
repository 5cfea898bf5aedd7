import Transport

/// A channel of a hardware monitor: by its attribute, `temp1`, `in0`, `fan2`; or by its type and the
/// label that the driver gives it.
public struct HwmonChannel: Equatable {
  public var device: DeviceName
  /// `temp1`; only `temp` where a label says which.
  public var channel: String
  public var label: String?

  public init(device: DeviceName, channel: String, label: String? = nil) {
    self.device = device
    self.channel = channel
    self.label = label
  }

  /// What the channel measures; nil for a type that monitors do not have.
  public var quantity: SensorQuantity? { unit?.quantity }

  /// Whether it says which channel of its type is meant.
  public var hasNumber: Bool { channel.utf8.count > type.utf8.count }

  /// The channel without its number.
  public var type: String {
    let letters = channel.utf8.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
    return Array(letters).string
  }

  /// Documentation/hwmon/sysfs-interface.
  var unit: KernelUnit? {
    switch type {
    case "temp": KernelUnit(.temperature, 1_000)
    case "in": KernelUnit(.voltage, 1_000)
    case "curr": KernelUnit(.current, 1_000)
    case "power": KernelUnit(.power, 1_000_000)
    case "energy": KernelUnit(.energy, 1_000_000)
    case "humidity": KernelUnit(.relativeHumidity, 1_000)
    case "fan": KernelUnit(.rotations)
    case "freq": KernelUnit(.frequency)
    default: nil
    }
  }
}

/// A channel of a hardware monitor. What the driver says of it beside the value counts: a fault makes
/// the sensor bad, an alarm its value uncertain.
final class HwmonProbe: Probe {
  private static let alarms = [
    "_alarm", "_lcrit_alarm", "_min_alarm", "_max_alarm", "_crit_alarm", "_emergency_alarm",
    "_cap_alarm",
  ]

  private let channel: HwmonChannel
  private let root: String
  private var search: DeviceSearch
  /// Of the last request: the value's file, and then those that speak of it.
  private var paths: [String] = []
  private var fault: Int?

  init(_ channel: HwmonChannel, sys: String) {
    self.channel = channel
    root = ("\(sys)/class/hwmon" as Text).string
    search = DeviceSearch(channel.device, "monitor", in: "\(root)", prefix: "hwmon")
  }

  func requests() throws(ReadingError) -> FileRequests {
    let folder = try search.find()
    let names = DeviceFolder.names(folder)
    let channel = try number(names, folder)
    (paths, fault) = ([], nil)
    if !add(channel, "_input", names, folder) && !add(channel, "_average", names, folder) {
      throw .noChannel(channel, folder, HwmonProbe.channels(names))
    }
    if add(channel, "_fault", names, folder) { fault = paths.count - 1 }
    for alarm in HwmonProbe.alarms { _ = add(channel, alarm, names, folder) }
    return FileRequests(paths, lane: folder)
  }

  /// Adds an attribute of the channel, if there is one.
  private func add(
    _ channel: String, _ attribute: String, _ names: [String], _ folder: String
  ) -> Bool {
    let name = channel + attribute
    if !names.includes(name) { return false }
    paths.append(DeviceFolder.path(folder, name))
    return true
  }

  /// The channel with its number, which a label leaves to the driver.
  private func number(_ names: [String], _ folder: String) throws(ReadingError) -> String {
    guard let label = channel.label else { return channel.channel }
    var labels: [String] = []
    for candidate in names.middles(channel.type, "_label") {
      let number = channel.type + candidate
      guard let text = DeviceFolder.text("\(folder)/\(number)_label") else { continue }
      if text == label { return number }
      labels.append(text)
    }
    throw ReadingError(
      """
      \(folder) has no \(channel.type) labelled \(quoted: label); the labels are: \(labels.listed)
      """)
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    if let fault, try contents.content(fault).integer(paths[fault]) != 0 {
      throw ReadingError("\(paths[fault]) is set: the sensor is broken or not connected")
    }
    let steps = try contents.content(0).integer(paths[0])
    let value = channel.unit?.value(Double(steps)) ?? Double(steps)
    if channel.quantity == .temperature { try Plausible.temperature(value, steps, paths[0]) }
    for index in 1..<max(paths.count, 1) where index != fault {
      if try contents.content(index).integer(paths[index]) != 0 {
        return Measured(value, uncertain: "\(paths[index]) is set")
      }
    }
    return Measured(value)
  }

  /// The channels that attributes of these names are of.
  static func channels(_ names: [String]) -> [String] {
    names.middles("", "_input") + names.middles("", "_average")
  }
}

/// What no board has, and drivers say when they know nothing.
enum Plausible {
  /// From absolute zero (the kernel's THERMAL_TEMP_INVALID is below it) to 1000 degrees Celsius, where
  /// no board is left.
  private static let range = -273.15...1_000.0

  /// - Parameter steps: the temperature as it stands in the file.
  static func temperature(
    _ value: Double, _ steps: Int64, _ path: String
  ) throws(ReadingError) {
    if range.contains(value) { return }
    throw ReadingError("\(path) holds \(steps), which is no temperature")
  }
}
