import CLinux
import Transport

/// A temperature of the kernel's thermal framework, found by its type: the zones' numbers change
/// with the drivers that are loaded. Reading is two small files of sysfs and does not block.
struct ThermalZone {
  /// Zones looked at. Arbitrary; large servers have some forty.
  private static let zonesMax = 64
  /// More than a type (19 bytes, THERMAL_NAME_LENGTH) or a temperature takes.
  private static let fileSizeMax = 64
  /// What can be a temperature, in thousandths of a degree Celsius: from absolute zero (the
  /// kernel's THERMAL_TEMP_INVALID is -274000) to 1000 degrees, where no board is left.
  private static let plausible: ClosedRange<Int64> = -273_150...1_000_000

  let type: String
  let root: String
  /// Where the zone was last found.
  private var number: Int?

  init(type: String, root: String) {
    self.type = type
    self.root = root
  }

  /// The temperature in degrees Celsius, read now.
  mutating func read() throws(ReadingError) -> Double {
    guard let number = find() else {
      throw ReadingError("no thermal zone of type \"\(type)\" in \(root)")
    }
    let path = ("\(root)/thermal_zone\(number)/temp" as Text).string
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try ThermalZone.content(of: path)
    } catch {
      throw ReadingError("\(path): \(error.reason)")
    }
    guard let value = ThermalZone.integer(bytes) else {
      throw ReadingError("\(path) holds no temperature")
    }
    guard ThermalZone.plausible.contains(value) else {
      throw ReadingError("\(path) holds \(value), which is no temperature in milli-Celsius")
    }
    return Double(value) / 1_000
  }

  /// The zone's number. Its type is read each time: the number may have become another zone's.
  private mutating func find() -> Int? {
    if let number, hasType(number) { return number }
    number = (0..<ThermalZone.zonesMax).first { hasType($0) }
    return number
  }

  private func hasType(_ number: Int) -> Bool {
    let path: Text = "\(root)/thermal_zone\(number)/type"
    guard let content = try? ThermalZone.content(of: path.string) else {
      return false
    }
    return ThermalZone.trimmed(content).elementsEqual(type.utf8)
  }

  /// The types of the zones there are, each once.
  static func types(root: String) -> [String] {
    var types: [String] = []
    for number in 0..<zonesMax {
      guard let content = try? content(of: ("\(root)/thermal_zone\(number)/type" as Text).string)
      else { continue }
      let type = String(decoding: trimmed(content), as: UTF8.self)
      if !types.includes(type) { types.append(type) }
    }
    return types
  }

  private static func content(of path: String) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: fileSizeMax)
    let count = linux_read_file(path, &bytes, fileSizeMax)
    if count < 0 { throw SystemError("read", Int32(clamping: count)) }
    bytes.removeLast(fileSizeMax - min(Int(clamping: count), fileSizeMax))
    return bytes
  }

  /// An optional sign and up to 18 digits, which cannot overflow, with a line's end behind them.
  static func integer(_ content: [UInt8]) -> Int64? {
    var digits = trimmed(content)
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits.removeFirst() }
    if digits.isEmpty || digits.count > 18 { return nil }
    var value: Int64 = 0
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return isNegative ? 0 - value : value
  }

  /// Without the blanks and line ends behind it.
  private static func trimmed(_ content: [UInt8]) -> ArraySlice<UInt8> {
    var text = content[...]
    while let last = text.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: " ") {
      text.removeLast()
    }
    return text
  }
}

/// A thermal zone as a sensor.
final class ThermalSource: SensorSource {
  private var zone: ThermalZone

  init(zone: String, root: String) { self.zone = ThermalZone(type: zone, root: root) }

  func measure(
    at now: Instant, completion: @escaping (Result<Measured, ReadingError>) -> Void
  ) {
    let value: Double
    do throws(ReadingError) {
      value = try zone.read()
    } catch {
      return completion(.failure(error))
    }
    completion(.success(Measured(value)))
  }
}
