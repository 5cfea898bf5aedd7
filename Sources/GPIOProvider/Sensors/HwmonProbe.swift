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
    return String(decoding: Array(letters), as: UTF8.self)
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
    "alarm", "lcrit_alarm", "min_alarm", "max_alarm", "crit_alarm", "emergency_alarm", "cap_alarm",
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
    guard
      let value = ["input", "average"].first(where: { names.includes(channel + "_" + $0) })
    else {
      let channels = HwmonProbe.channels(names).joined(by: ", ")
      throw ReadingError("\(folder) has no channel \(quoted: channel); it has: \(channels)")
    }
    paths = [("\(folder)/\(channel)_\(value)" as Text).string]
    fault = nil
    if names.includes(channel + "_fault") {
      fault = paths.count
      paths.append(("\(folder)/\(channel)_fault" as Text).string)
    }
    for alarm in HwmonProbe.alarms where names.includes(channel + "_" + alarm) {
      paths.append(("\(folder)/\(channel)_\(alarm)" as Text).string)
    }
    return FileRequests(paths, lane: folder)
  }

  /// The channel with its number, which a label leaves to the driver.
  private func number(_ names: [String], _ folder: String) throws(ReadingError) -> String {
    guard let label = channel.label else { return channel.channel }
    var labels: [String] = []
    for name in names where name.hasEnd("_label") {
      let bytes = Array(name.utf8).dropLast(6)
      let candidate = String(decoding: bytes, as: UTF8.self)
      let type = HwmonChannel(device: channel.device, channel: candidate).type
      guard type == channel.type, let text = DeviceFolder.text("\(folder)/\(name)") else {
        continue
      }
      if text == label { return candidate }
      labels.append(text)
    }
    let list = labels.isEmpty ? "none" : labels.joined(by: ", ")
    throw ReadingError(
      "\(folder) has no \(channel.type) labelled \(quoted: label); the labels are: \(list)")
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
    var channels: [String] = []
    for suffix in ["_input", "_average"] {
      for name in names where name.hasEnd(suffix) {
        let channel = String(
          decoding: Array(name.utf8).dropLast(suffix.utf8.count), as: UTF8.self)
        if !channels.includes(channel) { channels.append(channel) }
      }
    }
    return channels
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
