import Transport

/// A number with a unit, as a manifest writes it: `30s`, `8kB`. Values are in the smallest step
/// that is kept: nanoseconds, bytes and hertz.
enum Quantity {
  case duration
  case size
  case frequency

  struct Unit {
    let suffix: StaticString
    let factor: Int64
  }

  /// Smallest first; the binary units of sizes behind the decimal ones.
  var units: [Unit] {
    switch self {
    case .duration:
      [
        Unit(suffix: "us", factor: 1_000),
        Unit(suffix: "ms", factor: 1_000_000),
        Unit(suffix: "s", factor: 1_000_000_000),
        Unit(suffix: "min", factor: 60_000_000_000),
        Unit(suffix: "h", factor: 3_600_000_000_000),
        Unit(suffix: "d", factor: 86_400_000_000_000),
      ]
    case .size:
      [
        Unit(suffix: "B", factor: 1),
        Unit(suffix: "kB", factor: 1_000),
        Unit(suffix: "MB", factor: 1_000_000),
        Unit(suffix: "GB", factor: 1_000_000_000),
        Unit(suffix: "KiB", factor: 1_024),
        Unit(suffix: "MiB", factor: 1_048_576),
        Unit(suffix: "GiB", factor: 1_073_741_824),
      ]
    case .frequency:
      [
        Unit(suffix: "Hz", factor: 1),
        Unit(suffix: "kHz", factor: 1_000),
        Unit(suffix: "MHz", factor: 1_000_000),
      ]
    }
  }

  /// What a message says it should be.
  var expectation: StaticString {
    switch self {
    case .duration: "a duration such as 500ms, 30s, 5min or 1h"
    case .size: "a size such as 512B, 64kB or 16MB"
    case .frequency: "a frequency such as 100Hz or 25kHz"
    }
  }
}

/// Why a text is not a number with a unit.
enum QuantityError: Error, Equatable {
  /// It does not begin with a digit.
  case noNumber
  case missingUnit
  case unknownUnit
  case fraction
  case space
  /// Beyond what 64 bits hold.
  case tooLarge
}

extension Quantity {
  /// Reads digits and a unit, with nothing between and nothing after.
  func parse(_ bytes: [UInt8]) throws(QuantityError) -> Int64 {
    var digitCount = 0
    var number: Int64 = 0
    var isTooLarge = false
    for byte in bytes {
      guard isDigit(byte) else { break }
      digitCount += 1
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
      isTooLarge = isTooLarge || overflow || carry
      if !isTooLarge { number = sum }
    }
    if digitCount == 0 { throw .noNumber }
    guard digitCount < bytes.count else { throw .missingUnit }
    let next = bytes[digitCount]
    if next == UInt8(ascii: ".") || next == UInt8(ascii: ",") { throw .fraction }
    if next == UInt8(ascii: " ") { throw .space }
    let suffix = Array(bytes[digitCount...])
    guard let unit = units.first(where: { matches(suffix, $0.suffix) }) else { throw .unknownUnit }
    let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
    if isTooLarge || overflow { throw .tooLarge }
    return value
  }

  /// The shortest exact way to write a value: `90s`, `5min`, `64kB`.
  func text(_ value: Int64) -> Text {
    var shortest: Text = "\(value)"
    for unit in units {
      let isBinary = self == .size && unit.factor % 1_024 == 0
      if isBinary || value % unit.factor != 0 { continue }
      shortest = "\(value / unit.factor)\(unit.suffix)"
      if value == 0 { break }
    }
    return shortest
  }
}
