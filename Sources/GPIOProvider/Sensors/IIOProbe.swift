import Transport

/// A channel of an IIO device, as the kernel names it behind `in_`: `temp`, `voltage0`, `accel_x`.
public struct IIOChannel: Equatable {
  public var device: DeviceName
  public var channel: String

  public init(device: DeviceName, channel: String) {
    self.device = device
    self.channel = channel
  }

  /// What the channel measures; nil for one that has no unit, or that is not known here.
  public var quantity: SensorQuantity? { unit?.quantity }

  /// The channel without its number and its direction, as attributes that channels share are named.
  var type: String {
    let letters = channel.utf8.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
    return Array(letters).string
  }

  /// Documentation/ABI/testing/sysfs-bus-iio: the unit after scale and offset, by type.
  var unit: KernelUnit? {
    switch type {
    case "temp": KernelUnit(.temperature, 1_000)
    case "humidityrelative": KernelUnit(.relativeHumidity, 1_000)
    case "pressure": KernelUnit(.pressure, times: 1_000)
    case "illuminance": KernelUnit(.illuminance)
    case "voltage", "altvoltage": KernelUnit(.voltage, 1_000)
    case "current": KernelUnit(.current, 1_000)
    case "power": KernelUnit(.power, 1_000)
    case "energy": KernelUnit(.energy)
    case "resistance": KernelUnit(.resistance)
    case "capacitance": KernelUnit(.capacitance, 1_000_000_000)
    case "electricalconductivity": KernelUnit(.conductivity)
    case "accel", "gravity": KernelUnit(.acceleration)
    case "anglvel": KernelUnit(.angularVelocity)
    case "angl": KernelUnit(.angle)
    case "incli", "rot": KernelUnit(.angle, 180, times: 3.141592653589793)
    case "magn": KernelUnit(.magneticFlux, 10_000)
    case "distance": KernelUnit(.distance)
    case "velocity": KernelUnit(.velocity)
    case "ph": KernelUnit(.acidity)
    case "concentration": KernelUnit(.ratio, 100)
    case "massconcentration": KernelUnit(.massConcentration, 1_000_000_000)
    case "count": KernelUnit(.count)
    default: nil
    }
  }
}

/// A quantity as the kernel counts it, and how that becomes SenML's unit.
struct KernelUnit {
  let quantity: SensorQuantity
  let divisor: Double
  let factor: Double

  /// - Parameter divisor: so many of the kernel's steps are one unit. Dividing by a power of ten is
  ///   exact where multiplying by its inverse is not.
  init(_ quantity: SensorQuantity, _ divisor: Double = 1, times factor: Double = 1) {
    self.quantity = quantity
    self.divisor = divisor
    self.factor = factor
  }

  func value(_ steps: Double) -> Double { steps * factor / divisor }
}

/// A channel of an IIO device: an analog-to-digital converter, a chip for temperature, humidity, light.
///
/// A value that the driver has converted (`_input`) goes first; else it is (raw + offset) x scale, where
/// offset and scale may be the channel's own or shared by all of its type.
final class IIOProbe: Probe {
  private let channel: IIOChannel
  private var search: DeviceSearch
  /// Of the last request: what its files are.
  private var paths: [String] = []
  private var isProcessed = false
  private var offset: Int?
  private var scale: Int?

  init(_ channel: IIOChannel, sys: String) {
    self.channel = channel
    search = DeviceSearch(
      channel.device, "IIO device", in: "\(sys)/bus/iio/devices", prefix: "iio:device")
  }

  func requests() throws(ReadingError) -> FileRequests {
    let folder = try search.find()
    let names = DeviceFolder.names(folder)
    let base = "in_" + channel.channel
    (offset, scale) = (nil, nil)
    isProcessed = names.includes(base + "_input")
    if isProcessed {
      paths = [DeviceFolder.path(folder, base + "_input")]
    } else if names.includes(base + "_raw") {
      paths = [DeviceFolder.path(folder, base + "_raw")]
      offset = add("_offset", of: names, in: folder)
      scale = add("_scale", of: names, in: folder)
    } else {
      throw .noChannel(channel.channel, folder, IIOProbe.channels(names))
    }
    return FileRequests(paths, lane: folder)
  }

  /// Adds the channel's own attribute, or the one that it shares; nil when it has none.
  private func add(_ name: String, of names: [String], in folder: String) -> Int? {
    for owner in [channel.channel, sharedName] {
      let attribute = "in_" + owner + name
      guard names.includes(attribute) else { continue }
      paths.append(DeviceFolder.path(folder, attribute))
      return paths.count - 1
    }
    return nil
  }

  /// `voltage` of `voltage0`, `voltage-voltage` of `voltage0-voltage1`, `accel` of `accel_x`.
  private var sharedName: String {
    let isDifferential = channel.channel.utf8.contains(UInt8(ascii: "-"))
    return isDifferential ? channel.type + "-" + channel.type : channel.type
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    var value = try decimal(0, contents)
    if !isProcessed {
      if let offset { value += try decimal(offset, contents) }
      if let scale { value *= try decimal(scale, contents) }
    }
    return Measured(channel.unit?.value(value) ?? value)
  }

  private func decimal(_ index: Int, _ contents: [FileContent]) throws(ReadingError) -> Double {
    let content = contents.content(index)
    let path = paths[index]
    if case .failure(let error) = content, error.code == KernelError.busy {
      throw ReadingError(
        "\(path): \(error.reason): most drivers refuse it while the device's buffer is enabled")
    }
    return try content.decimal(path)
  }

  /// The channels that attributes of these names are of.
  static func channels(_ names: [String]) -> [String] {
    var channels = names.middles("in_", "_raw")
    for channel in names.middles("in_", "_input") where !channels.includes(channel) {
      channels.append(channel)
    }
    return channels
  }
}
