import GPIOProvider
import Transport

/// Decodes what a sensor is: its kind, and the keys that only some kinds have.
struct SensorKindDecoder {
  private enum Kind: Int {
    case thermal, iio, hwmon, tachometer, w1, powerSupply, counter, raspberryPi, wifi, host, file
    case simulated
  }

  /// In the order of `Kind`.
  private static var words: Words {
    """
    thermal iio hwmon tachometer w1 power_supply counter raspberry_pi wifi host file simulated
    """
  }

  /// The keys that only some kinds have, with those.
  private static var keysOfKinds: [(keys: Words, kinds: [Kind])] {
    [
      ("zone", [.thermal]), ("device at", [.iio, .hwmon, .tachometer, .counter]),
      ("channel", [.iio, .hwmon, .tachometer]), ("label", [.hwmon]), ("id", [.w1]),
      ("supply property", [.powerSupply]), ("count", [.counter]),
      ("state since_boot", [.raspberryPi]), ("interface", [.wifi]), ("metric", [.wifi, .host]),
      ("path", [.host, .file]), ("after line", [.file]), ("script", [.simulated]),
    ]
  }

  /// All keys that some kind has, `kind` among them.
  static var keys: Words {
    var keys: Words = "kind"
    for (some, _) in keysOfKinds { keys = keys + some }
    return keys
  }

  private let reader: MappingReader
  private let isSimulated: Bool

  /// - Parameters:
  ///   - reader: of a sensor.
  ///   - isSimulated: the board has only simulated sensors.
  init(_ reader: MappingReader, isSimulated: Bool) {
    self.reader = reader
    self.isSimulated = isSimulated
  }

  /// Returns a kind also when parts of it are wrong and reported; nil when it is not known which.
  func decode() -> SensorKind? {
    let field = reader.required("kind", "what it is, such as thermal, iio, w1 or host")
    guard let kind = field.flatMap(kind) else { return nil }
    if isSimulated && kind != .simulated {
      field?.report("a simulated board has only simulated sensors: say 'kind: simulated'")
    }
    let names = SensorKindDecoder.words
    for (keys, kinds) in SensorKindDecoder.keysOfKinds where !kinds.contains(kind) {
      let words = Words(kinds.map { names.list[$0.rawValue] })
      for key in keys.list {
        reader.refuse(
          key,
          """
          is only for \(alternatives(words, joinedBy: " and ")) sensors; this one is \
          \(names.list[kind.rawValue].string)
          """)
      }
    }
    return decode(kind)
  }

  private func kind(_ field: Field) -> Kind? {
    field.word(of: SensorKindDecoder.words).flatMap { Kind(rawValue: $0) }
  }

  private func decode(_ kind: Kind) -> SensorKind {
    switch kind {
    case .thermal: thermal()
    case .iio: iio()
    case .hwmon: hwmon()
    case .tachometer: tachometer()
    case .w1: w1()
    case .powerSupply: powerSupply()
    case .counter:
      .counter(
        CounterCount(
          device: device("the name of a counter"),
          count: reader.field("count")?.integer(in: ManifestLimits.counterCount) ?? 0))
    case .raspberryPi: raspberryPi()
    case .wifi: wifi()
    case .host: .host(host())
    case .file: .file(file())
    case .simulated:
      .simulated(values: reader.field("script").flatMap(values) ?? Self.defaultValues)
    }
  }

  // MARK: devices

  /// Text of a name that the kernel gives; empty when it is missing and reported.
  private func name(_ key: StaticString, _ hint: StaticString) -> String {
    let name = reader.required(key, hint)?.text(hint, bytesMax: ManifestLimits.zoneBytesMax)
    return name ?? ""
  }

  private func device(_ hint: StaticString) -> DeviceName {
    DeviceName(name("device", hint), at: place)
  }

  private var place: String? {
    reader.field("at")?.text(
      "a part of the device's path, such as i2c-1", bytesMax: ManifestLimits.pathBytesMax)
  }

  private func thermal() -> SensorKind {
    let zone = reader.required("zone", "the zone's type, as in /sys/class/thermal/*/type")?
      .text("a thermal zone's type such as cpu-thermal", bytesMax: ManifestLimits.zoneBytesMax)
    return .thermal(zone: zone ?? "")
  }

  private func iio() -> SensorKind {
    .iio(
      IIOChannel(
        device: device("the device's name, as in /sys/bus/iio/devices/*/name"),
        channel: name("channel", "a channel such as temp or voltage0")))
  }

  private func hwmon() -> SensorKind {
    let device = device("the monitor's name, as in /sys/class/hwmon/*/name")
    let channel = name("channel", "a channel such as temp1, in0 or fan1")
    let label = reader.field("label")?.text("a label", bytesMax: ManifestLimits.zoneBytesMax)
    let hwmon = HwmonChannel(device: device, channel: channel, label: label)
    guard let field = reader.field("channel"), !channel.utf8.isEmpty else { return .hwmon(hwmon) }
    if hwmon.quantity == nil {
      field.reportMismatch(
        "temp, in, curr, power, energy, humidity, fan or freq and a number, such as temp1")
    } else if hwmon.hasNumber && label != nil {
      field.report("'label' says which \(hwmon.type) is meant: leave the number out of 'channel'")
    } else if !hwmon.hasNumber && label == nil {
      field.report("'channel' needs the number of the \(channel), or the sensor a 'label'")
    }
    return .hwmon(hwmon)
  }

  private func tachometer() -> SensorKind {
    let expected: StaticString = "a fan such as fan1"
    let bytesMax = ManifestLimits.zoneBytesMax
    let device = reader.field("device")?.text("the monitor's name", bytesMax: bytesMax)
    let channel = reader.field("channel")?.text(expected, bytesMax: bytesMax)
    let fan = HwmonChannel(
      device: DeviceName(device ?? "pwmfan", at: place), channel: channel ?? "fan1")
    if fan.quantity != .rotations || !fan.hasNumber {
      reader.field("channel")?.reportMismatch("\(expected)")
    }
    return .tachometer(fan)
  }

  private func w1() -> SensorKind {
    let expected: StaticString = "the id of a thermometer, such as 28-0316a2795aff"
    let field = reader.required("id", expected)
    let id = field?.text(expected, bytesMax: ManifestLimits.zoneBytesMax)
    if let id, !SensorKind.isW1ID(id) { field?.reportMismatch("\(expected)") }
    return .w1(id: id ?? "")
  }

  private func powerSupply() -> SensorKind {
    let expected: StaticString = "the name of a folder in /sys/class/power_supply"
    let supply = name("supply", expected)
    if supply.utf8.contains(UInt8(ascii: "/")) {
      reader.field("supply")?.reportMismatch("\(expected)")
    }
    let index = reader.field("property")?.word(of: Words(PowerSupplyProperty.properties))
    let property = PowerSupplyProperty.properties[index ?? 0]
    return .powerSupply(
      PowerSupplyProperty(supply: supply, property: ("\(property)" as Text).string))
  }

  // MARK: the board and the host

  private func raspberryPi() -> SensorKind {
    let condition = reader.required("state", "under_voltage, capped, throttled or soft_limit")?
      .choice(
        "under_voltage capped throttled soft_limit",
        [RaspberryPiState.Condition.underVoltage, .capped, .throttled, .softLimit])
    return .raspberryPi(
      RaspberryPiState(
        condition ?? .underVoltage, sinceBoot: reader.field("since_boot")?.boolean() ?? false))
  }

  private func wifi() -> SensorKind {
    let metric = reader.field("metric")?.choice(
      "signal quality", [WiFiSignal.Metric.signal, .quality])
    let interface = name("interface", "the name of an interface, such as wlan0")
    return .wifi(WiFiSignal(interface: interface, metric: metric ?? .signal))
  }

  private func host() -> HostMetric {
    let metrics: StaticString = "cpu, memory, disk, uptime, load or clock_offset"
    let metric = reader.required("metric", metrics)?.choice(
      "cpu memory disk uptime load clock_offset",
      [HostMetric.cpu, .memory, .disk(path: "/"), .uptime, .load, .clockOffset])
    let path = reader.field("path")?.path(
      "an absolute path such as /var", bytesMax: ManifestLimits.pathBytesMax)
    switch metric {
    case .disk?: return .disk(path: path ?? "/")
    case let metric?:
      reader.refuse("path", "is only for 'metric: disk'")
      return metric
    case nil: return .uptime
    }
  }

  private func file() -> FilePattern {
    let expected: StaticString = "an absolute path such as /proc/meminfo"
    let path = reader.required("path", expected)?.path(
      expected, bytesMax: ManifestLimits.pathBytesMax)
    let after = reader.field("after")?.text(
      "the text before the number", bytesMax: ManifestLimits.patternBytesMax)
    let line = reader.field("line")?.integer(in: ManifestLimits.fileLine)
    return FilePattern(path: path ?? "/", after: after, line: line)
  }

  // MARK: simulated

  private func values(_ field: Field) -> [Double]? {
    guard let reader = field.mapping("a sensor's script", keys: "values") else { return nil }
    let example: StaticString = "a list of numbers such as [20.5, 21, 21.5]"
    guard let list = reader.required("values", example),
      let items = list.items(example, max: ManifestLimits.scriptValuesMax)
    else { return nil }
    if items.isEmpty { list.report("'values' must have at least one number") }
    return items.map { item in
      if case .scalar(let scalar) = item.node.content, matches(scalar.bytes, "bad") { return .nan }
      return item.decimal() ?? 0
    }
  }

  /// A room over a quiet day.
  private static var defaultValues: [Double] {
    [20, 20.4, 20.9, 21.3, 21.6, 21.3, 20.9, 20.4]
  }
}
