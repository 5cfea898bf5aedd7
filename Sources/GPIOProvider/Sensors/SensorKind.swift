import Lattice
import Transport

/// What a sensor is, with what is needed to find it on the board.
/// Indirect, for it is handed on at many places, and each would copy the parts of all kinds.
public indirect enum SensorKind: Equatable {
  /// A zone of the kernel's thermal framework, by its `type`.
  case thermal(zone: String)
  /// Each reading takes the next of these values, and the first again after the last.
  case simulated(values: [Double])
  case iio(IIOChannel)
  case hwmon(HwmonChannel)
  /// A fan's, of a monitor: the one of `pwm-fan` as a rule.
  case tachometer(HwmonChannel)
  /// A thermometer on a 1-Wire bus, by its id.
  case w1(id: String)
  case powerSupply(PowerSupplyProperty)
  case counter(CounterCount)
  case raspberryPi(RaspberryPiState)
  case wifi(WiFiSignal)
  case host(HostMetric)
  case file(FilePattern)
}

extension SensorKind {
  /// The kind as the manifest and the readings name it.
  public var text: String {
    switch self {
    case .thermal: "thermal"
    case .simulated: "simulated"
    case .iio: "iio"
    case .hwmon: "hwmon"
    case .tachometer: "tachometer"
    case .w1: "w1"
    case .powerSupply: "power_supply"
    case .counter: "counter"
    case .raspberryPi: "raspberry_pi"
    case .wifi: "wifi"
    case .host: "host"
    case .file: "file"
    }
  }

  /// What is measured; nil when only the manifest can say.
  public var quantity: SensorQuantity? {
    switch self {
    case .thermal, .w1: .temperature
    case .simulated, .file: nil
    case .iio(let channel): channel.quantity
    case .hwmon(let channel), .tachometer(let channel): channel.quantity
    case .powerSupply(let property): property.quantity
    case .counter: .count
    case .raspberryPi: .ratio
    case .wifi(let signal): signal.metric == .signal ? .signal : .ratio
    case .host(let metric): metric.quantity
    }
  }

  /// Whether a text is the id of a 1-Wire thermometer: `28-0316a2795aff`.
  public static func isW1ID(_ text: String) -> Bool { W1Probe.isID(text) }

  /// Whether a measurement beside the periodic ones costs little and changes nothing.
  public var isCheap: Bool {
    switch self {
    // The next value would be missing later; a conversion holds the bus for most of a second; the load
    // of the processor is that since the last time.
    case .simulated, .w1, .host(.cpu): false
    default: true
    }
  }

  /// The shortest period at which it gives new values.
  public var everyMin: Duration {
    switch self {
    // A conversion takes 750 ms.
    case .w1: .seconds(1)
    default: .milliseconds(100)
    }
  }

  /// What describes it to whoever asks what the host has, behind its kind.
  public func appendProperties(to record: inout Record) {
    switch self {
    case .thermal(let zone): record.append("zone", .string(zone))
    case .simulated: break
    case .iio(let channel):
      append(channel.device, to: &record)
      record.append("channel", .string(channel.channel))
    case .hwmon(let channel), .tachometer(let channel):
      append(channel.device, to: &record)
      record.append("channel", .string(channel.channel))
      if let label = channel.label { record.append("label", .string(label)) }
    case .w1(let id): record.append("id", .string(id))
    case .powerSupply(let property):
      record.append("supply", .string(property.supply))
      record.append("property", .string(property.property))
    case .counter(let count):
      append(count.device, to: &record)
      record.append("count", .integer(Int64(count.count)))
    case .raspberryPi(let state):
      record.append("state", .string(state.text))
      if state.sinceBoot { record.append("since_boot", .bool(true)) }
    case .wifi(let signal):
      record.append("interface", .string(signal.interface))
      record.append("metric", .string(signal.metric == .signal ? "signal" : "quality"))
    case .host(let metric):
      record.append("metric", .string(metric.text))
      if case .disk(let path) = metric { record.append("path", .string(path)) }
    case .file(let pattern):
      record.append("path", .string(pattern.path))
      if let after = pattern.after { record.append("after", .string(after)) }
      if let line = pattern.line { record.append("line", .integer(Int64(line))) }
    }
  }

  private func append(_ device: DeviceName, to record: inout Record) {
    record.append("device", .string(device.name))
    if let place = device.place { record.append("at", .string(place)) }
  }
}

extension SensorKind {
  /// What an operator might call it; not always a name as manifests take it.
  public var proposedName: String {
    let name: Text =
      switch self {
      case .thermal(let zone): "\(zone)"
      case .simulated: "simulated"
      case .iio(let channel): "\(channel.device.name)-\(channel.channel)"
      case .hwmon(let channel): "\(channel.device.name)-\(channel.label ?? channel.channel)"
      case .tachometer(let channel): "\(channel.channel)"
      case .w1(let id): "\(id)"
      case .powerSupply(let property): "\(property.supply)-\(property.property)"
      case .counter(let count): "\(count.device.name)-count\(count.count)"
      case .raspberryPi(let state): "\(state.text)"
      case .wifi(let signal): "\(signal.interface)"
      case .host(let metric): "\(metric.text)"
      case .file(let pattern): "\(pattern.path)"
      }
    return name.string
  }
}
