import Transport

/// What the firmware of a Raspberry Pi watches: 1 while it is so, 0 else.
public struct RaspberryPiState: Equatable {
  public enum Condition: Equatable {
    case underVoltage
    /// The frequency of the processor is limited.
    case capped
    case throttled
    /// The limit of temperature from which on the processor is slowed down.
    case softLimit
  }

  public var condition: Condition
  /// Whether it was so at any time since the board was started.
  public var sinceBoot: Bool

  public init(_ condition: Condition, sinceBoot: Bool = false) {
    self.condition = condition
    self.sinceBoot = sinceBoot
  }

  public var text: String {
    switch condition {
    case .underVoltage: "under_voltage"
    case .capped: "capped"
    case .throttled: "throttled"
    case .softLimit: "soft_limit"
    }
  }

  /// Its place in the firmware's answer.
  var bit: UInt32 {
    let bit: UInt32 =
      switch condition {
      case .underVoltage: 0
      case .capped: 1
      case .throttled: 2
      case .softLimit: 3
      }
    return sinceBoot ? bit + 16 : bit
  }
}

/// Reads the state from the monitor `rpi_volt`, where it has it, else from the firmware's own attribute.
/// Kernels call the attribute obsolete in their log when it is read first, but have nothing in its place
/// for the rest.
final class RaspberryPiProbe: Probe {
  private let state: RaspberryPiState
  private let sys: String
  private var path = ""
  private var isMonitor = false

  init(_ state: RaspberryPiState, sys: String) {
    self.state = state
    self.sys = sys
  }

  func requests() throws(ReadingError) -> FileRequests {
    isMonitor = state.condition == .underVoltage && !state.sinceBoot
    if isMonitor, let folder = RaspberryPiProbe.monitor(sys) {
      path = DeviceFolder.path(folder, "in0_lcrit_alarm")
      return FileRequests([path], lane: folder)
    }
    isMonitor = false
    guard let firmware = RaspberryPiProbe.firmware(sys) else {
      throw ReadingError("no firmware of a Raspberry Pi in \(sys)/bus/platform/drivers")
    }
    path = firmware
    return FileRequests([path], lane: path)
  }

  /// The folder of the monitor.
  static func monitor(_ sys: String) -> String? {
    var search = DeviceSearch(
      DeviceName("rpi_volt"), "monitor", in: "\(sys)/class/hwmon", prefix: "hwmon")
    return try? search.find()
  }

  /// The attribute of the firmware, by its driver: the device's place differs from board to board.
  static func firmware(_ sys: String) -> String? {
    let driver = DeviceFolder.path(sys, "bus/platform/drivers/raspberrypi-firmware")
    for device in DeviceFolder.names(driver) {
      let folder = DeviceFolder.path(driver, device)
      if DeviceFolder.names(folder).includes("get_throttled") { return folder + "/get_throttled" }
    }
    return nil
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    if isMonitor { return Measured(try contents.content(0).integer(path) == 0 ? 0 : 1) }
    let bytes = try contents.content(0).bytes(path)
    guard let bits = AttributeText.hexadecimal(bytes) else {
      throw ReadingError("\(path) holds \(AttributeText.quoted(bytes)), which are no states")
    }
    return Measured(bits >> state.bit & 1 == 1 ? 1 : 0)
  }
}
