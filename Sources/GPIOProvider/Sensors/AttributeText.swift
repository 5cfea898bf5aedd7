import CLinux
import Transport

/// The content of a small file of the kernel's: what drivers write into attributes, and what else may be
/// found there.
enum AttributeText {
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

  /// A number with or without a fraction and an exponent, with a line's end behind it.
  static func decimal(_ content: [UInt8]) -> Double? {
    parseDecimal(Array(trimmed(content)).span)
  }

  /// Up to 8 hexadecimal digits, with or without `0x`, with a line's end behind them.
  static func hexadecimal(_ content: [UInt8]) -> UInt32? {
    var digits = trimmed(content)
    if digits.starts(with: "0x".utf8) { digits.removeFirst(2) }
    if digits.isEmpty || digits.count > 8 { return nil }
    var value: UInt32 = 0
    for byte in digits {
      guard let digit = hexadecimalDigit(byte) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// Without the blanks and line ends behind it.
  static func trimmed(_ content: [UInt8]) -> ArraySlice<UInt8> {
    var text = content[...]
    while let last = text.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: " ") {
      text.removeLast()
    }
    return text
  }

  /// For messages: the first line, short and harmless, in quotes; in words when there is nothing.
  static func quoted(_ content: [UInt8]) -> Text {
    let line = content.prefix { $0 != UInt8(ascii: "\n") }
    return line.isEmpty ? "nothing" : "\(quoted: Array(line))"
  }
}

/// What the kernel keeps in memory of its devices: their names, their places. Asking does not block.
enum DeviceFolder {
  /// More than a device's name (of I2C 20 bytes, of thermal zones 19) or label takes.
  private static let nameSizeMax = 64
  /// Some hundred devices, or attributes of one: the largest monitors have three hundred.
  private static let namesSizeMax = 16_384
  /// PATH_MAX of linux/limits.h is 4096; what links of devices hold is shorter by far.
  private static let linkSizeMax = 1_024

  /// The names of what is in a folder, numbers in their order; none when it is not there.
  static func names(_ path: String) -> [String] {
    var bytes = [CChar](repeating: 0, count: namesSizeMax)
    let length = linux_list(path, &bytes, namesSizeMax)
    var names: [String] = []
    var name: [UInt8] = []
    for byte in bytes.prefix(Int(clamping: max(length, 0))) {
      if byte != 0 {
        name.append(UInt8(bitPattern: byte))
      } else {
        insert(name.string, into: &names)
        name = []
      }
    }
    return names
  }

  /// A path below a folder.
  @inline(never)
  static func path(_ folder: String, _ name: String) -> String { folder + "/" + name }

  /// In their order: kept so as they come, for they are few.
  private static func insert(_ name: String, into names: inout [String]) {
    var place = names.count
    while place > 0, isBefore(name, names[place - 1]) { place -= 1 }
    names.insert(name, at: place)
  }

  /// The shorter first, as it has the smaller number.
  private static func isBefore(_ left: String, _ right: String) -> Bool {
    if left.utf8.count != right.utf8.count { return left.utf8.count < right.utf8.count }
    return left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  /// The text of an attribute that never changes; nil when there is none.
  static func text(_ path: Text) -> String? {
    guard let content = try? content(path.string, sizeMax: nameSizeMax) else { return nil }
    let text = AttributeText.trimmed(content)
    return text.isEmpty ? nil : text.string
  }

  /// Where a link leads; nil when it is none.
  static func link(_ path: Text) -> String? {
    var bytes = [CChar](repeating: 0, count: linkSizeMax)
    let length = linux_read_link(path.string, &bytes, linkSizeMax)
    if length < 0 { return nil }
    let link = bytes.prefix(Int(clamping: length)).map { UInt8(bitPattern: $0) }
    return link.string
  }

  static func content(_ path: String, sizeMax: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: sizeMax)
    let count = linux_read_file(path, &bytes, sizeMax)
    if count < 0 { throw SystemError("read", Int32(clamping: count)) }
    bytes.removeLast(sizeMax - min(Int(clamping: count), sizeMax))
    return bytes
  }
}

extension Array where Element == String {
  /// What stands between a beginning and an end in the names that have both, each once.
  @inline(never)
  func middles(_ beginning: String, _ end: String) -> [String] {
    var middles: [String] = []
    let (beginning, end) = (Array<UInt8>(beginning.utf8), Array<UInt8>(end.utf8))
    for name in self {
      let bytes = Array<UInt8>(name.utf8)
      guard bytes.count > beginning.count + end.count, bytes.starts(with: beginning),
        bytes[(bytes.count - end.count)...].elementsEqual(end)
      else { continue }
      let middle = bytes[beginning.count..<bytes.count - end.count]
      middles.append(middle.string)
    }
    return middles
  }

  /// For messages.
  @inline(never)
  var listed: String { isEmpty ? "none" : joined(by: ", ") }
}
