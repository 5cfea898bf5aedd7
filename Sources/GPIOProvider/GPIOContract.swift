import Lattice
import Transport

extension Contract {
  /// Pins by name.
  ///
  /// - `get` answers `name`, what the kind of line has to say (`active` and `level`: 0 or 1, what a
  ///   meter at the pin shows; `count` and `rate_hz`; `position`; `duty`), `direction`, `time`, and
  ///   `seq`: the number of the line's last event, 0 before there was any.
  /// - `set` moves an output and answers the same. With `pulse_ms` the output goes to the opposite of
  ///   `active` after that time, with `lease_ms` to its safe state unless it is set again before.
  ///   `toggle`, `pulse` and `blink` are what they are called; `pwm` sets the part of each period that
  ///   the line is active.
  /// - `get-many` and `set-many` are of the board: several lines, all or none, in one step.
  /// - `reset` sets a count or a position to 0 and answers what it was, in `before`.
  /// - `drive` moves an input of a simulated board.
  /// - `edge` tells `edge` (`rising`: it became active), `active`, `time` and `monotonic_ns` of the edge
  ///   itself, `seq` (numbered over all lines since the provider started), `line_seq` (numbered by the
  ///   kernel for this line) and `lost`, how many edges were lost just before it.
  /// - `state` tells what `get` answers, when it is not known: at start, after edges were lost, when the
  ///   link is back. `change` tells that an output has changed, and its `cause`. `count`, `position` and
  ///   `press` are what counters, encoders and buttons have to say.
  ///
  /// - Parameter taken: the operations that some line takes. Those that none takes are left out, but for
  ///   the common ones, whose refusal says more than silence.
  public static func gpio(taken: [String]) -> Contract {
    let always = ["get", "set", "get-many", "set-many"]
    let pulse = Parameter("pulse_ms", .integer(GPIOLimits.pulseMilliseconds))
    let lease = Parameter("lease_ms", .integer(GPIOLimits.leaseMilliseconds))
    let blink = GPIOLimits.blinkMilliseconds
    let operations = [
      Operation(name: "get"),
      Operation(
        name: "set", parameters: [Parameter("active", .bool, isRequired: true), pulse, lease],
        isCommand: true),
      Operation(name: "toggle", parameters: [lease], isCommand: true),
      Operation(
        name: "pulse",
        parameters: [
          Parameter("duration_ms", .integer(GPIOLimits.pulseMilliseconds), isRequired: true), lease,
        ], isCommand: true),
      Operation(
        name: "blink",
        parameters: [
          Parameter("on_ms", .integer(blink), isRequired: true),
          Parameter("off_ms", .integer(blink), isRequired: true),
          Parameter("count", .integer(GPIOLimits.blinkCount), isRequired: true), lease,
        ], isCommand: true),
      Operation(
        name: "pwm",
        parameters: [
          Parameter("duty", .double(0...1), isRequired: true),
          Parameter("frequency_hz", .integer(GPIOLimits.frequency)), lease,
        ], isCommand: true),
      Operation(name: "reset", isCommand: true),
      Operation(
        name: "get-many", target: .capability,
        parameters: [Parameter("names", .names(max: GPIOLimits.manyMax), isRequired: true)]),
      Operation(
        name: "set-many", target: .capability,
        parameters: [
          Parameter("active", .states(max: GPIOLimits.manyMax), isRequired: true), pulse, lease,
        ], isCommand: true),
      Operation(
        name: "drive", parameters: [Parameter("active", .bool, isRequired: true)],
        isCommand: true),
    ]
    return Contract(
      id: "edge:gpio", name: "gpio",
      operations: operations.filter { operation in
        always.includes(operation.name) || taken.includes(operation.name)
      },
      events: [
        EventKind(name: "edge"), EventKind(name: "state"), EventKind(name: "change"),
        EventKind(name: "count"), EventKind(name: "position"), EventKind(name: "press"),
      ])
  }
}

/// What callers may ask for.
enum GPIOLimits {
  /// At most an hour: what lasts longer is a lease.
  static let pulseMilliseconds: ClosedRange<Int64> = 1...3_600_000
  /// At most a day, within which somebody must have renewed it.
  static let leaseMilliseconds: ClosedRange<Int64> = 1...86_400_000
  /// Not shorter than a relay takes.
  static let blinkMilliseconds: ClosedRange<Int64> = 20...3_600_000
  static let blinkCount: ClosedRange<Int64> = 1...1_000
  /// By the kernel; by software at most `SoftwarePWM.frequencyMax`.
  static let frequency: ClosedRange<Int64> = 1...10_000_000
  /// Lines of one request.
  static let manyMax = 64
}

extension LineConfiguration {
  /// What is told about the line to whoever asks, leaving out what is as everybody expects it.
  var properties: Record {
    var properties = Record()
    properties.append("direction", .string(direction.text))
    if let text = kind.text { properties.append("kind", .string(text)) }
    if let chip { properties.append("chip", .string(chip)) }
    if pwm.chip == nil { location.describe("line", &properties) }
    secondLocation?.describe("second", &properties)
    properties.append("active", .string(activeLow ? "low" : "high"))
    if let text = bias.text { properties.append("bias", .string(text)) }
    switch direction {
    case .input:
      if debounce > .zero {
        properties.append("debounce_us", .integer(Int64(kernelDebounceMicroseconds)))
      }
      properties.append("edges", .string(edges.text))
    case .output:
      if let text = drive.text { properties.append("drive", .string(text)) }
      output.describe(&properties)
    }
    if direction == .output || edges != .none {
      properties.append("report", .string(report.text))
    }
    return properties
  }
}

extension LineConfiguration.Location {
  fileprivate func describe(_ key: String, _ properties: inout Record) {
    switch self {
    case .name(let name): properties.append(key, .string(name))
    case .offset(let offset):
      properties.append(key == "line" ? "offset" : key, .integer(Int64(offset)))
    case .bcm(let number): properties.append(key == "line" ? "bcm" : key, .integer(Int64(number)))
    }
  }
}

extension OutputConfiguration {
  fileprivate func describe(_ properties: inout Record) {
    properties.append("safe", .string(safe.text))
    if let start { properties.append("start", .string(start.text)) }
    append("link_loss_ms", linkLoss, to: &properties)
    append("max_on_ms", maxOn, to: &properties)
    append("min_on_ms", minOn, to: &properties)
    append("min_off_ms", minOff, to: &properties)
    if let maxRate {
      properties.append("max_rate", .integer(Int64(maxRate.count)))
      append("max_rate_ms", maxRate.period, to: &properties)
    }
  }

  private func append(_ key: String, _ duration: Duration?, to properties: inout Record) {
    guard let duration, duration > .zero else { return }
    properties.append(key, .integer(duration.milliseconds))
  }
}

extension LineConfiguration.Kind {
  /// Nil for what the direction says already.
  fileprivate var text: String? {
    switch self {
    case .input, .output: nil
    case .counter: "counter"
    case .encoder: "encoder"
    case .button: "button"
    case .pwm: "pwm"
    }
  }
}
