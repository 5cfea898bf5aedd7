import CLinux
import Transport

/// A channel of the kernel's PWM class, through sysfs: hardware makes the pulses, without jitter and
/// without waking the board (Documentation/ABI/testing/sysfs-class-pwm).
///
/// The channel is exported when it is first set, and taken over when a host that was killed left it so.
/// Its attributes appear a moment after the export, and udev gives them to the group later still: until
/// then `set` fails as not ready, and is to be called again. A channel whose chip has gone is looked for
/// anew by the next call.
///
/// Nothing here blocks for long: each call reads and writes a few small files.
final class PWMChannel {
  /// Chips looked at. Before Linux 6.9 a chip's number is that of its first channel among all chips'.
  static let chipsMax = 128
  /// Longer than the path that a `device` link holds.
  private static let linkLengthMax = 256
  /// More than a number of nanoseconds takes, of 64 bits.
  private static let numberLengthMax = 32

  private let chip: String
  private let channel: UInt32
  private let root: String
  /// The chip whose channel is exported: `/sys/class/pwm/pwmchip0`.
  private var place: String?
  /// Everything was written once: an attribute that is missing now has gone, and is not on its way.
  private var isReady = false

  /// - Parameters:
  ///   - chip: the name of the chip's device (`fe20c000.pwm`), or its own (`pwmchip0`), which depends on
  ///     the order in which drivers are loaded.
  ///   - channel: from 0.
  ///   - root: where the class is.
  init(chip: String, channel: UInt32, root: String = "/sys/class/pwm") {
    self.chip = chip
    self.channel = channel
    self.root = root
  }

  /// Lets the channel run, exporting it first if need be.
  ///
  /// - Parameters:
  ///   - frequency: in hertz, from 1; the hardware may refuse some, or round.
  ///   - duty: from 0 to 1.
  func set(frequency: UInt32, duty: Double) throws(PWMError) {
    let place = try exportedPlace()
    let timing = PWMTiming(frequency: frequency, duty: duty)
    do throws(PWMError) {
      let period = try currentPeriod(on: place)
      for write in PWMChannel.writes(of: timing, replacing: period) {
        try self.write(write.nanoseconds, to: write.attribute, on: place)
      }
      try write(1, to: "enable", on: place)
      isReady = true
    } catch {
      if error.kind == .gone { forget() }
      throw error
    }
  }

  /// Stops the channel at its inactive level, as well as it can, and gives it back.
  func release() {
    guard let place else { return }
    // The kernel refuses both while no period is set; then nothing runs either.
    try? write(0, to: "duty_cycle", on: place)
    try? write(0, to: "enable", on: place)
    _ = PWMChannel.write(Int64(channel), to: ("\(place)/unexport" as Text).string)
    forget()
  }

  /// What is written, in order. The kernel refuses a period of 0 and a duty cycle longer than the
  /// period, whichever is written. In this order neither happens, and in between the line is active for
  /// no greater part than before or after.
  ///
  /// - Parameter period: the present one, in nanoseconds; 0 when none was set since the export.
  static func writes(
    of timing: PWMTiming, replacing period: Int64
  ) -> [(attribute: StaticString, nanoseconds: Int64)] {
    let newPeriod = (attribute: "period" as StaticString, nanoseconds: timing.period.nanoseconds)
    let newDuty = (attribute: "duty_cycle" as StaticString, nanoseconds: timing.active.nanoseconds)
    return newPeriod.nanoseconds >= period ? [newPeriod, newDuty] : [newDuty, newPeriod]
  }

  private func forget() { (place, isReady) = (nil, false) }
}

// MARK: - Finding and exporting

extension PWMChannel {
  /// The chip, with the channel exported.
  private func exportedPlace() throws(PWMError) -> String {
    if let place { return place }
    let place = try findChip()
    let path = ("\(place)/export" as Text).string
    let code = PWMChannel.write(Int64(channel), to: path)
    if code != 0 {
      // Something is there, whether it may be read or not.
      let hasFolder =
        PWMChannel.read(attribute("period", on: place)).code != KernelError.noEntry
      let isExported = code == KernelError.busy && hasFolder
      if !isExported { throw exportError(code, path, channels: channels(on: place)) }
    }
    self.place = place
    return place
  }

  /// Why a channel could not be exported.
  ///
  /// - Parameter channels: how many the chip has, if that is known.
  func exportError(_ code: Int32, _ path: String, channels: Int64?) -> PWMError {
    switch code {
    case KernelError.busy:
      return PWMError(.failed, "\(path): channel \(channel) is in use by the kernel")
    case KernelError.noDevice:
      let has: Text = channels.map { "; it has \($0), counted from 0" } ?? ""
      return PWMError(.failed, "\(path): the chip has no channel \(channel)\(has)")
    case KernelError.accessDenied, KernelError.notPermitted:
      return PWMError(.failed, "no permission to write \(path): the user must be in its group")
    default:
      return PWMError(.failed, "\(path): \(SystemError("write", 0 &- code).reason)")
    }
  }

  private func findChip() throws(PWMError) -> String {
    var present: [String] = []
    for number in 0..<PWMChannel.chipsMax {
      let name = ("pwmchip\(number)" as Text).string
      let path = ("\(root)/\(name)" as Text).string
      guard let device = PWMChannel.device(of: path) else { continue }
      if chip == name || chip == device { return path }
      present.append(("\(device) (\(name))" as Text).string)
    }
    let list = present.isEmpty ? "none" : present.joined(by: ", ")
    throw PWMError(.failed, "no PWM chip is named \"\(chip)\" in \(root); there are: \(list)")
  }

  /// The name of a chip's device, nil when there is no such chip.
  private static func device(of chip: String) -> String? {
    var bytes = [CChar](repeating: 0, count: linkLengthMax)
    let length = linux_read_link(("\(chip)/device" as Text).string, &bytes, linkLengthMax)
    var name: [UInt8] = []
    for byte in bytes.prefix(Int(clamping: max(length, 0))) {
      let byte = UInt8(bitPattern: byte)
      if byte == UInt8(ascii: "/") { name = [] } else { name.append(byte) }
    }
    return name.isEmpty ? nil : name.string
  }
}

// MARK: - Attributes

extension PWMChannel {
  private func attribute(_ name: StaticString, on place: String) -> String {
    ("\(place)/pwm\(channel)/\(name)" as Text).string
  }

  /// In nanoseconds.
  private func currentPeriod(on place: String) throws(PWMError) -> Int64 {
    let path = attribute("period", on: place)
    let (value, code) = PWMChannel.read(path)
    if code != 0 { throw attributeError(code, "\(path)", on: place) }
    guard let value else { throw PWMError(.failed, "\(path) holds no number") }
    return value
  }

  private func write(
    _ value: Int64, to name: StaticString, on place: String
  ) throws(PWMError) {
    let path = attribute(name, on: place)
    let code = PWMChannel.write(value, to: path)
    if code != 0 { throw attributeError(code, "\(path), writing \(value)", on: place) }
  }

  private func attributeError(_ code: Int32, _ what: Text, on place: String) -> PWMError {
    let reason: Text = "\(what): \(SystemError("write", 0 &- code).reason)"
    switch code {
    case KernelError.noDevice:
      return PWMError(.gone, reason)
    case KernelError.noEntry:
      // Before the first success the attribute may be on its way, as long as the chip is there.
      return PWMError(isReady || channels(on: place) == nil ? .gone : .notReady, reason)
    case KernelError.accessDenied, KernelError.notPermitted:
      return PWMError(isReady ? .failed : .notReady, reason)
    default:
      return PWMError(.failed, reason)
    }
  }

  private func channels(on place: String) -> Int64? {
    PWMChannel.read(("\(place)/npwm" as Text).string).value
  }

  /// The number in a file, nil when it holds none, and the positive errno when it cannot be read.
  private static func read(_ path: String) -> (value: Int64?, code: Int32) {
    var bytes = [UInt8](repeating: 0, count: numberLengthMax)
    let length = linux_read_file(path, &bytes, numberLengthMax)
    if length < 0 { return (nil, Int32(clamping: 0 &- length)) }
    bytes.removeLast(numberLengthMax - min(Int(clamping: length), numberLengthMax))
    return (AttributeText.integer(bytes), 0)
  }

  /// Writes a number and returns 0, or the positive errno.
  private static func write(_ value: Int64, to path: String) -> Int32 {
    let bytes = ("\(value)\n" as Text).bytes
    let result = linux_write_file(path, bytes, bytes.count)
    return result < 0 ? Int32(clamping: 0 &- result) : 0
  }
}

/// Why a PWM channel does not do what was asked, in words.
struct PWMError: Error {
  enum Kind: Equatable {
    /// The channel was exported just now and its files are not there, or not ours, yet: try again soon.
    case notReady
    /// The chip went away: trying again looks for it anew.
    case gone
    case failed
  }

  let kind: Kind
  /// With the path and the value.
  let reason: String

  init(_ kind: Kind, _ reason: Text) {
    self.kind = kind
    self.reason = reason.string
  }
}
