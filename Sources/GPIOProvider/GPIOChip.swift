import CLinux
import Transport

/// A GPIO chip as the kernel describes it.
struct GPIOChip: Equatable {
  /// The device it was opened by.
  var path: String
  /// The kernel's name, the same under whichever path: `gpiochip0`.
  var name: String
  /// What the driver calls it: `pinctrl-bcm2711`.
  var label: String
  var lineCount: UInt32

  /// Whether it has the lines of a Raspberry Pi's 40-pin header.
  var isRaspberryPiHeader: Bool { RaspberryPiHeader.isOnChip(labelled: label) }
}

extension GPIOChip {
  /// What the kernel says of an open chip; nil for what is no chip.
  init?(_ descriptor: Int32, path: String) {
    var info = linux_gpio_chip_info()
    if linux_gpio_chip(descriptor, &info) < 0 { return nil }
    self.init(
      path: path, name: kernelText(info.name), label: kernelText(info.label),
      lineCount: info.line_count)
  }

  static func lineInfo(_ chip: Int32, _ offset: UInt32) -> linux_gpio_line_info? {
    var info = linux_gpio_line_info()
    return linux_gpio_line(chip, offset, &info) < 0 ? nil : info
  }

  /// Opens the chips of this machine, one after the other.
  ///
  /// - Parameters:
  ///   - devicePath: chips are at this path with a number behind it.
  ///   - denied: called for a device that may not be opened. One that cannot be opened for another
  ///     reason is no chip that could be had at present.
  ///   - body: called with each chip. It returns whether it keeps the descriptor, which is closed
  ///     otherwise.
  static func forEach(
    devicePath: String, denied: (_ path: String) -> Void,
    _ body: (_ chip: GPIOChip, _ descriptor: Int32) -> Bool
  ) {
    for number in kernelChipNumbers {
      let path = ("\(devicePath)\(number)" as Text).string
      let descriptor = linux_gpio_open(path)
      if descriptor < 0 {
        let code = 0 &- descriptor
        if code == KernelError.accessDenied || code == KernelError.notPermitted { denied(path) }
        continue
      }
      if let chip = GPIOChip(descriptor, path: path), body(chip, descriptor) { continue }
      _ = linux_gpio_close(descriptor)
    }
  }
}
