import Transport

/// A thermometer on a 1-Wire bus (DS18B20 and its kin), by its id: `28-0316a2795aff`.
///
/// Beside the checksum of each transfer, which only `w1_slave` shows, what these chips say when they have
/// measured nothing is refused: 85 degrees, which they hold after power-up, and 127.94 of a supply that
/// breaks down (Documentation/w1/slaves/w1_therm).
final class W1Probe: Probe {
  /// What the chip holds until its first conversion.
  private static let powerUp = 85.0
  /// Readings next to 85 degrees that make it one of them. A room or a pipe changes less between two.
  private static let neighbour = 10.0
  /// What a DS18B20 measures, and a little more.
  private static let range = -55.5...125.5

  private let id: String
  private let sys: String
  /// Whether the bus may be told to convert for all its sensors at once.
  private let sharesConversions: () -> Bool
  private var path = ""
  private var hasChecksum = false
  /// The last value that was good.
  private var last: Double?

  /// - Parameter sharesConversions: after a common conversion, a sensor that is not read then gives that
  ///   old value the next time: so it is for those whose other sensors are read likewise.
  init(id: String, sys: String, sharesConversions: @escaping () -> Bool) {
    self.id = id
    self.sys = sys
    self.sharesConversions = sharesConversions
  }

  func requests() throws(ReadingError) -> FileRequests {
    let root = DeviceFolder.path(sys, "bus/w1/devices")
    let folder = DeviceFolder.path(root, id)
    let names = DeviceFolder.names(folder)
    if names.isEmpty {
      throw ReadingError("no 1-Wire device \(id) in \(root); there is: \(W1Probe.ids(sys).listed)")
    }
    // Since Linux 5.8; the older file has text for people, and the checksum.
    hasChecksum = !names.includes("temperature")
    guard !hasChecksum || names.includes("w1_slave") else {
      throw ReadingError("\(folder) has neither temperature nor w1_slave: is w1_therm loaded?")
    }
    path = DeviceFolder.path(folder, hasChecksum ? "w1_slave" : "temperature")
    let bus = W1Probe.bus(of: folder)
    var requests = FileRequests([path], lane: "w1 " + (bus ?? ""))
    if let bus, sharesConversions() {
      let master = DeviceFolder.path(root, bus)
      if DeviceFolder.names(master).includes("therm_bulk_read") {
        requests.trigger = master + "/therm_bulk_read"
      }
    }
    return requests
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    let bytes = try contents.content(0).bytes(path)
    if AttributeText.trimmed(bytes).isEmpty {
      throw ReadingError("\(path) is empty: the sensor does not answer")
    }
    let steps: Int64
    if hasChecksum {
      steps = try W1Slave.temperature(bytes, path)
    } else {
      steps = try contents.content(0).integer(path)
    }
    let value = Double(steps) / 1_000
    if steps >= 127_937 && steps <= 127_940 {
      throw ReadingError("\(path) holds \(steps): the sensor's supply breaks down as it measures")
    }
    guard W1Probe.range.contains(value) else {
      throw ReadingError("\(path) holds \(steps), which such a sensor cannot measure")
    }
    if steps == 85_000 && !isBelievable {
      throw ReadingError(
        "\(path) holds 85000: the sensor has measured nothing since it got its supply")
    }
    last = value
    return Measured(value)
  }

  /// Whether the last readings were near 85 degrees, so that it may be one.
  private var isBelievable: Bool {
    guard let last else { return false }
    return abs(last - W1Probe.powerUp) <= W1Probe.neighbour
  }

  /// The name of the bus's master, `w1_bus_master1`: the folder above the device's.
  private static func bus(of folder: String) -> String? {
    guard let link = DeviceFolder.link("\(folder)") else { return nil }
    let parts = link.utf8.split(separator: UInt8(ascii: "/"))
    guard parts.count >= 2 else { return nil }
    let name = Array(parts[parts.count - 2]).string
    return name.begins(with: "w1_bus_master") ? name : nil
  }

  /// The thermometers there are.
  static func ids(_ sys: String) -> [String] {
    DeviceFolder.names(DeviceFolder.path(sys, "bus/w1/devices")).filter { isID($0) }
  }

  /// Whether it is the id of a thermometer: the family's number in hexadecimal digits, and the chip's.
  static func isID(_ text: String) -> Bool {
    let bytes = text.bytes
    guard bytes.count == 15, bytes[2] == UInt8(ascii: "-") else { return false }
    for index in bytes.indices where index != 2 {
      guard AttributeText.hexadecimalDigit(bytes[index]) != nil else { return false }
    }
    let family = bytes[..<2].string
    return ["10", "22", "28", "3b", "42"].includes(family)
  }
}

/// The text of a `w1_slave`: nine bytes of the chip's memory in hexadecimal and the verdict on their
/// checksum, then the bytes again and the temperature.
///
///     72 01 4b 46 7f ff 0e 10 57 : crc=57 YES
///     72 01 4b 46 7f ff 0e 10 57 t=23125
enum W1Slave {
  /// In thousandths of a degree Celsius.
  static func temperature(_ content: [UInt8], _ path: String) throws(ReadingError) -> Int64 {
    let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count >= 2, let verdict = lines[0].split(separator: UInt8(ascii: " ")).last else {
      throw ReadingError("\(path) holds \(AttributeText.quoted(content)), which is no reading")
    }
    guard verdict.elementsEqual("YES".utf8) else {
      throw ReadingError("\(path): the checksum of the transfer is wrong")
    }
    let memory = lines[0].prefix { $0 != UInt8(ascii: ":") }
    if !memory.contains(where: { $0 != UInt8(ascii: "0") && $0 != UInt8(ascii: " ") }) {
      // Nine zeros have a good checksum.
      throw ReadingError("\(path): all bytes are zero: the bus is short-circuited")
    }
    guard let mark = lines[1].lastIndex(of: UInt8(ascii: "=")),
      lines[1][..<mark].last == UInt8(ascii: "t"),
      let steps = AttributeText.integer(Array(lines[1][(mark + 1)...]))
    else {
      throw ReadingError("\(path): there is no temperature behind \"t=\"")
    }
    return steps
  }
}
