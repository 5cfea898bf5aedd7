import Transport

/// What sensors a board has, as its kernel tells anybody. Looking measures nothing.
public struct SensorInventory {
  private let sys: String
  private let proc: String

  public init(sys: String = "/sys", proc: String = "/proc") {
    self.sys = sys
    self.proc = proc
  }

  /// Each as it would be found again: by its name, and its place where the name is not enough.
  public func kinds() -> [SensorKind] {
    var kinds: [SensorKind] = []
    for zone in ThermalProbe.types(root: DeviceFolder.path(sys, "class/thermal")) {
      kinds.append(.thermal(zone: zone))
    }
    addDevices(to: &kinds)
    for id in W1Probe.ids(sys) { kinds.append(.w1(id: id)) }
    addSupplies(to: &kinds)
    addRaspberryPi(to: &kinds)
    addWiFi(to: &kinds)
    for metric in [HostMetric.cpu, .load, .memory, .disk(path: "/"), .uptime, .clockOffset] {
      kinds.append(.host(metric))
    }
    return kinds
  }

  private func addDevices(to kinds: inout [SensorKind]) {
    forEachDevice("\(sys)/bus/iio/devices", "iio:device") { device, folder in
      for channel in IIOProbe.channels(DeviceFolder.names(folder)) {
        kinds.append(.iio(IIOChannel(device: device, channel: channel)))
      }
    }
    forEachDevice("\(sys)/class/hwmon", "hwmon") { device, folder in
      let names = DeviceFolder.names(folder)
      for channel in HwmonProbe.channels(names) {
        let hwmon = HwmonChannel(device: device, channel: channel)
        if hwmon.quantity == nil || !hwmon.hasNumber { continue }
        let isFan = device.name == "pwmfan" && hwmon.quantity == .rotations
        kinds.append(isFan ? .tachometer(hwmon) : .hwmon(labelled(hwmon, names, folder)))
      }
    }
    forEachDevice("\(sys)/bus/counter/devices", "counter") { device, folder in
      for number in UInt32(0)..<256 {
        let name = ("count\(number)" as Text).string
        if !DeviceFolder.names(folder).includes(name) { break }
        kinds.append(.counter(CounterCount(device: device, count: number)))
      }
    }
  }

  /// The channel by its label, where it has one that no other of its type has.
  private func labelled(_ channel: HwmonChannel, _ names: [String], _ folder: String)
    -> HwmonChannel
  {
    guard let label = DeviceFolder.text("\(folder)/\(channel.channel)_label") else {
      return channel
    }
    for number in names.middles(channel.type, "_label") {
      let other = channel.type + number
      guard other != channel.channel, let text = DeviceFolder.text("\(folder)/\(other)_label"),
        text == label
      else { continue }
      return channel
    }
    return HwmonChannel(device: channel.device, channel: channel.type, label: label)
  }

  private func addSupplies(to kinds: inout [SensorKind]) {
    let root = DeviceFolder.path(sys, "class/power_supply")
    for supply in DeviceFolder.names(root) {
      let names = DeviceFolder.names(DeviceFolder.path(root, supply))
      for property in PowerSupplyProperty.present(names) {
        kinds.append(.powerSupply(PowerSupplyProperty(supply: supply, property: property)))
      }
    }
  }

  private func addRaspberryPi(to kinds: inout [SensorKind]) {
    if RaspberryPiProbe.firmware(sys) != nil {
      let conditions: [RaspberryPiState.Condition] = [
        .underVoltage, .capped, .throttled, .softLimit,
      ]
      for condition in conditions { kinds.append(.raspberryPi(RaspberryPiState(condition))) }
    } else if RaspberryPiProbe.monitor(sys) != nil {
      kinds.append(.raspberryPi(RaspberryPiState(.underVoltage)))
    }
  }

  private func addWiFi(to kinds: inout [SensorKind]) {
    let path = DeviceFolder.path(proc, "net/wireless")
    guard let content = try? DeviceFolder.content(path, sizeMax: InlineReader.fileSizeMax) else {
      return
    }
    for row in WirelessTable.rows(content) {
      kinds.append(.wifi(WiFiSignal(interface: row.interface, metric: .signal)))
    }
  }

  // MARK: devices of one name

  private func forEachDevice(
    _ root: Text, _ prefix: StaticString, _ body: (DeviceName, String) -> Void
  ) {
    var devices: [(folder: String, name: String, place: String)] = []
    for folder in DeviceSearch.folders(in: root.string, prefix: prefix) {
      guard let name = DeviceSearch.name(of: folder) else { continue }
      devices.append((folder, name, DeviceSearch.place(of: folder) ?? ""))
    }
    for device in devices {
      var others: [String] = []
      for other in devices where other.name == device.name && other.folder != device.folder {
        others.append(other.place)
      }
      let place = others.isEmpty ? nil : SensorInventory.part(of: device.place, unlike: others)
      body(DeviceName(device.name, at: place), device.folder)
    }
  }

  /// The last part of a device's path that no other's has; nil when there is none. The very last is the
  /// number that changes.
  static func part(of place: String, unlike others: [String]) -> String? {
    let parts = place.utf8.split(separator: UInt8(ascii: "/")).dropLast()
    for part in parts.reversed() {
      let text = Array(part).string
      if !others.contains(where: { $0.includes(text) }) { return text }
    }
    return nil
  }
}

/// Measures sensors once, outside of any host.
public final class SensorSurvey {
  /// A sensor and what came of it.
  public struct Finding: Equatable {
    public var kind: SensorKind
    /// In the unit of the kind's quantity; nil when it could not be measured.
    public var value: Double?
    /// Why there is no value, or why it is uncertain.
    public var reason: String?

    public init(_ kind: SensorKind, _ value: Double? = nil, reason: String? = nil) {
      self.kind = kind
      self.value = value
      self.reason = reason
    }
  }

  private let sources: [any SensorSource]
  private var findings: [Finding] = []
  private var missing = 0

  /// What is measured as that since the time before, as the load of the processor, begins here.
  public init(_ kinds: [SensorKind], _ environment: SensorEnvironment) {
    sources = kinds.map { environment.source(of: $0) }
    findings = kinds.map { Finding($0) }
    missing = kinds.count
  }

  /// - Parameter completion: called once, when the last has its outcome; at most a minute later.
  public func measure(at now: Instant, completion: @escaping ([Finding]) -> Void) {
    if sources.isEmpty { return completion([]) }
    for (index, source) in sources.enumerated() {
      source.measure(at: now) { [self] outcome in
        switch outcome {
        case .success(let measured):
          findings[index].value = measured.value.roundedToTwelveDigits
          findings[index].reason = measured.reason
        case .failure(let error): findings[index].reason = error.reason
        }
        missing -= 1
        if missing == 0 { completion(findings) }
      }
    }
  }
}
