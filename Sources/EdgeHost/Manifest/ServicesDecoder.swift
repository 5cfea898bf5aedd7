import Lattice
import Transport

/// Decodes what plain NATS clients may do: whether they may command, and how often.
enum ServicesDecoder {
  static func decode(_ field: Field, into services: inout Manifest.Services) {
    guard let reader = field.mapping("the services dialect", keys: "commands rate") else {
      return
    }
    if let commands = reader.field("commands")?.choice("on off", [true, false]) {
      services.takesCommands = commands
    }
    if !services.takesCommands { reader.refuse("rate", "makes no sense with 'commands: off'") }
    if let rate = reader.field("rate")?.ratePerSecond(in: ManifestLimits.commandRate) {
      services.commandRate = rate
    }
  }
}

extension Field {
  /// A whole number and `/s`: `50/s`.
  @inline(never)
  func ratePerSecond(in range: ClosedRange<UInt32>) -> UInt32? {
    guard let bytes = scalar("a rate such as 50/s")?.bytes else { return nil }
    let digits = bytes.prefix { isDigit($0) }
    if matches(Array(bytes[digits.endIndex...]), "/s"), digits.count <= 10,
      let number = Array(digits).span.unsignedNumber, number >= UInt64(range.lowerBound),
      number <= UInt64(range.upperBound)
    {
      return UInt32(clamping: number)
    }
    let (least, most) = (Int64(range.lowerBound), Int64(range.upperBound))
    reportMismatch("a rate from \(least)/s to \(most)/s")
    return nil
  }
}
