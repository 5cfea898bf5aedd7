import CLinux

/// One run of the kernel, from power to power: instants of the monotonic clock can be compared within
/// one boot only.
public struct BootID: Equatable, Sendable {
  public static let byteCount = 16

  public let bytes: [UInt8]

  /// Nil unless there are 16 bytes.
  public init?(_ bytes: [UInt8]) {
    if bytes.count != BootID.byteCount { return nil }
    self.bytes = bytes
  }

  /// Reads it as the kernel writes it: 32 hexadecimal digits with `-` between some, and a line's end.
  public init?(kernel text: Span<UInt8>) {
    var bytes: [UInt8] = []
    var high: UInt8?
    for index in text.indices {
      let character = text[index]
      if character == UInt8(ascii: "-") && high == nil { continue }
      if character == UInt8(ascii: "\n") && index == text.count - 1 { break }
      guard let digit = BootID.digit(character) else { return nil }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    if high != nil { return nil }
    self.init(bytes)
  }

  /// Made of random numbers. Where the kernel tells none, facts of this run are of a boot of their own:
  /// too little is known of their time then, and never something wrong.
  public init(seed: UInt64) {
    var random = RandomGenerator(seed: seed)
    var bytes: [UInt8] = []
    for _ in 0..<BootID.byteCount { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
    self.bytes = bytes
  }

  /// That of the running kernel.
  public static func ofKernel(
    path: String = "/proc/sys/kernel/random/boot_id"
  ) -> BootID {
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = linux_read_file(path, &buffer, buffer.count)
    if count > 0,
      let boot = BootID(kernel: buffer.span.extracting(0..<min(Int(clamping: count), buffer.count)))
    {
      return boot
    }
    return BootID(seed: RandomGenerator.systemSeed)
  }

  /// As the kernel writes it: `0b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1f0`.
  public var text: String {
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text.append(BootID.character(byte >> 4))
      text.append(BootID.character(byte & 0xf))
    }
    return text.span.string
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x41 + 10
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
  }

  private static func character(_ digit: UInt8) -> UInt8 {
    digit < 10 ? 0x30 + digit : 0x61 - 10 + digit
  }
}
