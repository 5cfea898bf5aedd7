import Transport

/// The 40-pin header of every Raspberry Pi since the B+, and what its lines have been called.
public enum RaspberryPiHeader {
  public static let pins: ClosedRange<UInt32> = 1...40
  /// The lines that the header carries.
  public static let bcmNumbers: ClosedRange<UInt32> = 0...27

  /// By pin, from 1: the line's BCM number, or what the pin carries instead.
  private static let carried: [UInt8] = [
    v3, v5, 2, v5, 3, ground, 4, 14, ground, 15,
    17, 18, 27, ground, 22, 23, v3, 24, 10, ground,
    9, 25, 11, 8, ground, 7, 0, 1, 5, ground,
    6, 12, 13, ground, 19, 16, 26, 20, ground, 21,
  ]
  private static let v3: UInt8 = 253
  private static let v5: UInt8 = 254
  private static let ground: UInt8 = 255

  /// The BCM number of the line at a pin; nil for supply, ground and what is no pin.
  public static func bcmNumber(ofPin pin: UInt32) -> UInt32? {
    guard pins.contains(pin) else { return nil }
    let number = UInt32(carried[Int(pin) - 1])
    return bcmNumbers.contains(number) ? number : nil
  }

  /// What a pin without a line carries, in words.
  public static func supply(atPin pin: UInt32) -> StaticString? {
    guard pins.contains(pin) else { return nil }
    switch carried[Int(pin) - 1] {
    case v3: return "3.3 V"
    case v5: return "5 V"
    case ground: return "ground"
    default: return nil
    }
  }

  /// Whether a chip has the header's lines, whose offsets are the BCM numbers: Pi 1 to 3 and Zero, Pi 4,
  /// Pi 5 (drivers/pinctrl/bcm/pinctrl-bcm2835.c, pinctrl-rp1.c).
  static func isOnChip(labelled label: String) -> Bool {
    label == "pinctrl-bcm2835" || label == "pinctrl-bcm2711" || label == "pinctrl-rp1"
  }

  /// The line that a name means on any Pi: device trees call the same line `GPIO2` or, for what it may
  /// do besides, `SDA1`; some name no line at all.
  static func bcmNumber(ofLineNamed name: String) -> UInt32? {
    switch name {
    case "ID_SDA", "ID_SD": return 0
    case "ID_SCL", "ID_SC": return 1
    case "SDA1": return 2
    case "SCL1": return 3
    case "GPIO_GCLK": return 4
    case "SPI_CE1_N": return 7
    case "SPI_CE0_N": return 8
    case "SPI_MISO": return 9
    case "SPI_MOSI": return 10
    case "SPI_SCLK": return 11
    case "TXD0", "TXD1": return 14
    case "RXD0", "RXD1": return 15
    default: break
    }
    let bytes = name.bytes
    guard name.begins(with: "GPIO"), let number = bytes.span.extracting(4...).unsignedNumber,
      bytes.count == 5 || bytes[4] != UInt8(ascii: "0")
    else { return nil }
    let bcm = UInt32(clamping: number)
    return bcmNumbers.contains(bcm) ? bcm : nil
  }
}
