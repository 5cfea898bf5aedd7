// The border to the kernel's GPIO user interface, version 2: every number of linux/gpio.h that the
// module uses stands here, and nothing else of the module knows one.
import CLinux
import Transport

/// `enum gpio_v2_line_flag` of linux/gpio.h.
struct KernelLineFlags: OptionSet, Equatable {
  let rawValue: UInt64

  /// GPIO_V2_LINE_FLAG_USED: another has it.
  static let used = KernelLineFlags(rawValue: 1 << 0)
  /// GPIO_V2_LINE_FLAG_ACTIVE_LOW
  static let activeLow = KernelLineFlags(rawValue: 1 << 1)
  /// GPIO_V2_LINE_FLAG_INPUT
  static let input = KernelLineFlags(rawValue: 1 << 2)
  /// GPIO_V2_LINE_FLAG_OUTPUT
  static let output = KernelLineFlags(rawValue: 1 << 3)
  /// GPIO_V2_LINE_FLAG_EDGE_RISING
  static let edgeRising = KernelLineFlags(rawValue: 1 << 4)
  /// GPIO_V2_LINE_FLAG_EDGE_FALLING
  static let edgeFalling = KernelLineFlags(rawValue: 1 << 5)
  /// GPIO_V2_LINE_FLAG_OPEN_DRAIN
  static let openDrain = KernelLineFlags(rawValue: 1 << 6)
  /// GPIO_V2_LINE_FLAG_OPEN_SOURCE
  static let openSource = KernelLineFlags(rawValue: 1 << 7)
  /// GPIO_V2_LINE_FLAG_BIAS_PULL_UP
  static let biasPullUp = KernelLineFlags(rawValue: 1 << 8)
  /// GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN
  static let biasPullDown = KernelLineFlags(rawValue: 1 << 9)
  /// GPIO_V2_LINE_FLAG_BIAS_DISABLED
  static let biasDisabled = KernelLineFlags(rawValue: 1 << 10)
  // Bits 11 and 12 choose the clock of events. Neither is set: that is CLOCK_MONOTONIC, which never
  // jumps and is the clock of `Instant`.
}

/// GPIO_MAX_NAME_SIZE, with the NUL that CLinux adds.
let kernelNameSize = 33

/// GPIO_DEV_MAX of drivers/gpio/gpiolib-cdev.c: character devices are numbered below this.
let kernelChipNumbers = 0..<256

/// Lines that are asked of the kernel together, and their settings.
extension LineRequest {
  /// The kernel's settings for the line, at an offset of its chip.
  func settings(at offset: UInt32) -> linux_gpio_settings {
    linux_gpio_settings(
      offset: offset, flags: line.kernelFlags.rawValue,
      debounce_microseconds: line.kernelDebounceMicroseconds, value: active == true ? 1 : 0)
  }

  /// Settings that take the line as it is.
  func settingsAsIs(at offset: UInt32) -> linux_gpio_settings {
    linux_gpio_settings(
      offset: offset, flags: line.kernelFlagsAsIs.rawValue, debounce_microseconds: 0, value: 0)
  }

  var keepsLevel: Bool { line.direction == .output && active == nil }
}

/// The errno values that are told apart (asm-generic/errno-base.h, the same on every ARM and x86).
enum KernelError {
  static let notPermitted: Int32 = 1  // EPERM
  static let noEntry: Int32 = 2  // ENOENT
  static let badDescriptor: Int32 = 9  // EBADF
  static let tryAgain: Int32 = 11  // EAGAIN
  static let accessDenied: Int32 = 13  // EACCES
  static let busy: Int32 = 16  // EBUSY
  static let noDevice: Int32 = 19  // ENODEV
}

extension LineConfiguration {
  /// The flags that take the line as configured. Flags that do not belong to its direction are left
  /// out: the kernel would refuse the whole request (gpio_v2_line_flags_validate).
  var kernelFlags: KernelLineFlags {
    var flags: KernelLineFlags = activeLow ? .activeLow : []
    switch bias {
    case .asIs: break
    case .disabled: flags.insert(.biasDisabled)
    case .pullUp: flags.insert(.biasPullUp)
    case .pullDown: flags.insert(.biasPullDown)
    }
    switch direction {
    case .input:
      flags.insert(.input)
      if edges == .rising || edges == .both { flags.insert(.edgeRising) }
      if edges == .falling || edges == .both { flags.insert(.edgeFalling) }
    case .output:
      flags.insert(.output)
      switch drive {
      case .pushPull: break
      case .openDrain: flags.insert(.openDrain)
      case .openSource: flags.insert(.openSource)
      }
    }
    return flags
  }

  /// The flags that take the line without changing what it is: no direction means "as is", and the
  /// kernel then allows neither bias nor drive nor edges.
  var kernelFlagsAsIs: KernelLineFlags { activeLow ? .activeLow : [] }

  /// The debounce period in the kernel's unit, rounded up: a period shorter than a microsecond is
  /// not none. Zero for outputs, which have no such attribute.
  var kernelDebounceMicroseconds: UInt32 {
    if direction == .output || debounce <= .zero { return 0 }
    let (whole, rest) = debounce.nanoseconds.quotientAndRemainder(dividingBy: 1_000)
    return UInt32(clamping: rest == 0 ? whole : whole + 1)
  }
}

extension EdgeEvent {
  init(_ event: linux_gpio_event, on line: LineHandle) {
    self.init(
      line: line, isRising: event.kind == UInt32(LINUX_GPIO_RISING),
      time: Instant(nanoseconds: event.monotonic_nanoseconds), lineSequence: event.line_sequence)
  }
}

extension BoardError {
  /// Whether the line's chip is gone, so that only taking the line anew can help.
  var isGone: Bool {
    switch self {
    case .system(_, _, let code): code == KernelError.noDevice
    case .pwm(_, let isGone, _): isGone
    default: false
    }
  }

  /// Whether the device has appeared and is not ready yet.
  var isSettling: Bool {
    if case .pwm(_, _, let isSettling) = self { return isSettling }
    return false
  }

  /// Whether what was asked cannot be, though nothing has failed.
  var isConflict: Bool {
    if case .notTogether = self { return true }
    return false
  }
}

/// The text in a kernel's name field: up to the first NUL, or all of it.
func kernelText<Field>(_ field: Field) -> String {
  withUnsafeBytes(of: field) { bytes in
    var length = 0
    while length < bytes.count && bytes[length] != 0 { length += 1 }
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[..<length]), as: UTF8.self)
  }
}
