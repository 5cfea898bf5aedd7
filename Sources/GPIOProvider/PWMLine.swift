import Lattice
import Transport

/// An output that is active for a part of each period: by the kernel's PWM class, or switched by this
/// program. For guards, leases and the safe state it is active while its duty is not zero.
final class PWMLine: OutputLine {
  private let channel: PWMChannel?
  private var software: SoftwarePWM
  private(set) var duty = 0.0
  private(set) var frequency: UInt32

  init(_ configuration: LineConfiguration, output: Int, pwmRoot: String, at now: Instant) {
    let pwm = configuration.pwm
    frequency = pwm.frequency
    channel = pwm.chip.map { PWMChannel(chip: $0, channel: pwm.channel, root: pwmRoot) }
    software = SoftwarePWM(frequency: pwm.frequency, at: now)
    super.init(configuration, output: output)
  }

  override var operations: [String] { ["get", "pwm"] }

  /// A channel of the kernel's is no line of a GPIO chip.
  override var parts: [LineConfiguration] { channel == nil ? [configuration] : [] }

  override func startValue(last: Bool?) -> Bool? { false }

  override func end() {
    super.end()
    channel?.release()
    duty = 0
  }

  /// Sets duty and frequency; also to be called, with 0, to begin.
  ///
  /// - Throws: when the hardware refuses; then it is as before.
  func set(duty: Double, frequency: UInt32, at now: Instant) throws(BoardError) {
    if let channel {
      do throws(PWMError) {
        try channel.set(frequency: frequency, duty: duty)
      } catch {
        throw BoardError(error)
      }
    } else {
      // The level is written by whoever called.
      _ = software.set(frequency: frequency, at: now)
      _ = software.set(duty: duty, at: now)
    }
    self.duty = duty
    self.frequency = frequency
  }

  var isSoftware: Bool { channel == nil }

  /// The level that software gives it at present.
  var level: Bool { software.isActive }

  /// When the line is to be switched next, by software.
  var switchAt: Instant? { isSoftware && isTaken ? software.deadline : nil }

  /// The level that is due; nil: as it is.
  func switchLine(at now: Instant) -> Bool? { software.handleDeadline(at: now) }

  override func state(_ values: [Bool]) -> Record {
    var record = Record()
    record.append("duty", .double(duty))
    record.append("frequency_hz", .integer(Int64(frequency)))
    return record
  }

  override func describe(_ properties: inout Record) {
    properties.append("pwm", .string(isSoftware ? "software" : "kernel"))
  }
}

extension LineConfiguration {
  /// Stops the kernel's channel of a pulse-width modulated line, whoever has left it running, and gives
  /// it back. Nothing happens to a line that has none.
  public func stopChannel(root: String = "/sys/class/pwm") throws(BoardError) {
    guard let chip = pwm.chip else { return }
    let channel = PWMChannel(chip: chip, channel: pwm.channel, root: root)
    do throws(PWMError) {
      try channel.set(frequency: pwm.frequency, duty: 0)
    } catch {
      throw BoardError(error)
    }
    channel.release()
  }
}

extension BoardError {
  init(_ error: PWMError) {
    self = .pwm(
      reason: error.reason, isGone: error.kind == .gone, isSettling: error.kind == .notReady)
  }
}
