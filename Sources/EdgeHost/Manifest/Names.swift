import Transport

/// Names that become one token of a NATS subject: of hosts, lattices, lines and sensors.
enum Name {
  /// Printable ASCII without blanks, and without the three characters NATS gives a meaning. NATS
  /// would take other UTF-8 too, but not every client's terminal and shell.
  static func isValid(_ bytes: [UInt8]) -> Bool {
    (1...ManifestLimits.nameBytesMax).contains(bytes.count) && bytes.allSatisfy(isAllowed)
  }

  /// The nearest valid name, each run of other characters replaced by one '-'; nil when nothing of
  /// the name remains.
  static func suggestion(for bytes: [UInt8]) -> String? {
    let dash = UInt8(ascii: "-")
    var name: [UInt8] = []
    for byte in bytes where name.count < ManifestLimits.nameBytesMax {
      if isAllowed(byte) {
        name.append(byte)
      } else if let last = name.last, last != dash {
        name.append(dash)
      }
    }
    while name.last == dash { name.removeLast() }
    return name.isEmpty ? nil : name.string
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "*")
      && byte != UInt8(ascii: ">")
  }
}
