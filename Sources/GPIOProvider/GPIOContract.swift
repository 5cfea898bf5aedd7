import Lattice
import Transport

extension Contract {
  /// Pins by name.
  ///
  /// - `get` answers `name`, `active`, `level` (0 or 1, what a meter at the pin shows),
  ///   `direction`, `time`, and `seq`: the number of the line's last event, 0 before there was
  ///   any.
  /// - `set` moves an output and answers the same. With `pulse_ms` the output goes to the
  ///   opposite of `active` after that time, with `lease_ms` to its safe state unless it is set
  ///   again before.
  /// - `edge` tells `name`, `edge` (`rising`: it became active), `active`, `time` and
  ///   `monotonic_ns` of the edge itself, `seq` (numbered over all lines since the provider
  ///   started) and `line_seq` (numbered by the kernel for this line: a gap counts edges that
  ///   were lost).
  public static var gpio: Contract {
    Contract(
      id: "edge:gpio", name: "gpio",
      operations: [
        Operation(name: "get"),
        Operation(
          name: "set",
          parameters: [
            Parameter("active", .bool, isRequired: true),
            Parameter("pulse_ms", .integer(OutputControl.pulseMilliseconds)),
            Parameter("lease_ms", .integer(OutputControl.leaseMilliseconds)),
          ],
          isCommand: true),
      ],
      events: [EventKind(name: "edge")])
  }
}

extension OutputControl {
  /// At most an hour: what lasts longer is a lease.
  static let pulseMilliseconds: ClosedRange<Int64> = 1...3_600_000
  /// At most a day, within which somebody must have renewed it.
  static let leaseMilliseconds: ClosedRange<Int64> = 1...86_400_000
}

extension LineConfiguration {
  /// What is told about the line to whoever asks, leaving out what is as everybody expects it.
  func resource(problem: String?) -> Resource {
    var properties = Record()
    properties.append("direction", .string(direction.text))
    if let chip { properties.append("chip", .string(chip)) }
    switch location {
    case .name(let name): properties.append("line", .string(name))
    case .offset(let offset): properties.append("offset", .integer(Int64(offset)))
    case .bcm(let number): properties.append("bcm", .integer(Int64(number)))
    }
    properties.append("active", .string(activeLow ? "low" : "high"))
    if let text = bias.text { properties.append("bias", .string(text)) }
    switch direction {
    case .input:
      if debounce > .zero {
        properties.append("debounce_us", .integer(Int64(kernelDebounceMicroseconds)))
      }
      properties.append("edges", .string(edges.text))
      if edges != .none { properties.append("report", .string(report.text)) }
    case .output:
      if let text = drive.text { properties.append("drive", .string(text)) }
      properties.append("safe", .string(output.safe.text))
    }
    if let problem { properties.append("error", .string(problem)) }
    let operations = direction == .output ? ["get", "set"] : ["get"]
    return Resource(name: name, operations: operations, properties: properties)
  }
}

extension LineConfiguration.Direction {
  var text: String {
    switch self {
    case .input: "input"
    case .output: "output"
    }
  }
}

extension LineConfiguration.Bias {
  /// Nil when the line is left as it is.
  fileprivate var text: String? {
    switch self {
    case .asIs: nil
    case .disabled: "disabled"
    case .pullUp: "pull-up"
    case .pullDown: "pull-down"
    }
  }
}

extension LineConfiguration.Drive {
  /// Nil for the ordinary push-pull output.
  fileprivate var text: String? {
    switch self {
    case .pushPull: nil
    case .openDrain: "open-drain"
    case .openSource: "open-source"
    }
  }
}

extension LineConfiguration.Edges {
  fileprivate var text: String {
    switch self {
    case .none: "none"
    case .rising: "rising"
    case .falling: "falling"
    case .both: "both"
    }
  }
}

extension LineConfiguration.Report {
  fileprivate var text: String {
    switch self {
    case .durable: "durable"
    case .latest: "latest"
    }
  }
}

extension OutputConfiguration.SafeState {
  fileprivate var text: String {
    switch self {
    case .inactive: "inactive"
    case .active: "active"
    case .keep: "keep"
    }
  }
}
