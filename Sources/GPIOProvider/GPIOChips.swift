import CLinux
import Transport

/// What GPIO chips and thermal zones this machine has, as the kernel tells anybody who may open them.
/// Looking takes no line and changes nothing.
public struct GPIOChips: Equatable {
  public var chips: [ListedChip]
  /// The devices that may not be opened.
  public var deniedPaths: [String]

  public init(_ chips: [ListedChip], deniedPaths: [String] = []) {
    self.chips = chips
    self.deniedPaths = deniedPaths
  }

  /// Asks the kernel; some ten microseconds for each line.
  /// - Parameter devicePath: chips are at this path with a number behind it.
  public static func list(devicePath: String = "/dev/gpiochip") -> GPIOChips {
    var found = GPIOChips([])
    GPIOChip.forEach(devicePath: devicePath) { path in
      found.deniedPaths.append(path)
    } _: { chip, descriptor in
      // A chip may have several devices: a link beside it.
      if !found.chips.contains(where: { $0.name == chip.name }) {
        found.chips.append(ListedChip(chip, descriptor))
      }
      return false
    }
    return found
  }

  /// The types of the thermal zones, each once.
  public static func thermalZones(root: String = "/sys/class/thermal") -> [String] {
    ThermalProbe.types(root: root)
  }
}

public struct ListedChip: Equatable {
  /// The kernel's name: `gpiochip0`.
  public var name: String
  /// What the driver calls it: `pinctrl-bcm2711`.
  public var label: String
  public var lines: [ListedLine]

  public init(name: String, label: String, lines: [ListedLine]) {
    self.name = name
    self.label = label
    self.lines = lines
  }

  fileprivate init(_ chip: GPIOChip, _ descriptor: Int32) {
    name = chip.name
    label = chip.label
    lines = []
    // `ngpio` is 16 bits wide in the kernel.
    for offset in 0..<min(chip.lineCount, 65_536) {
      guard let line = GPIOChip.lineInfo(descriptor, offset) else { continue }
      lines.append(
        ListedLine(
          offset: offset, name: kernelText(line.name), consumer: kernelText(line.consumer),
          flags: KernelLineFlags(rawValue: line.flags)))
    }
  }

  /// Whether it has the lines of a Raspberry Pi's 40-pin header.
  public var isRaspberryPiHeader: Bool { RaspberryPiHeader.isOnChip(labelled: label) }
}

public struct ListedLine: Equatable {
  public var offset: UInt32
  /// Empty for none.
  public var name: String
  /// The kernel or a program has it.
  public var isUsed = false
  /// Who has it; empty when that is not told.
  public var consumer = ""
  public var direction = LineConfiguration.Direction.input
  public var activeLow = false
  public var drive = LineConfiguration.Drive.pushPull
  public var bias = LineConfiguration.Bias.asIs
  public var edges = LineConfiguration.Edges.none

  public init(offset: UInt32, name: String) {
    self.offset = offset
    self.name = name
  }

  init(offset: UInt32, name: String, consumer: String, flags: KernelLineFlags) {
    self.init(offset: offset, name: name)
    self.consumer = consumer
    isUsed = flags.contains(.used)
    direction = flags.contains(.output) ? .output : .input
    activeLow = flags.contains(.activeLow)
    if flags.contains(.openDrain) { drive = .openDrain }
    if flags.contains(.openSource) { drive = .openSource }
    if flags.contains(.biasPullUp) { bias = .pullUp }
    if flags.contains(.biasPullDown) { bias = .pullDown }
    if flags.contains(.biasDisabled) { bias = .disabled }
    if flags.contains(.edgeRising) { edges = .rising }
    if flags.contains(.edgeFalling) { edges = edges == .rising ? .both : .falling }
  }
}
