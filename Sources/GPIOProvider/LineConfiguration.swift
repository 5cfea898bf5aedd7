import Transport

/// What the manifest says of one line. Terms are those of the kernel's GPIO documentation: a line is
/// *active* or *inactive*; `activeLow` says which level that is.
public struct LineConfiguration: Equatable {
  public enum Direction: Equatable { case input, output }
  public enum Bias: Equatable { case asIs, disabled, pullUp, pullDown }
  public enum Drive: Equatable { case pushPull, openDrain, openSource }
  /// Which changes of an input are reported.
  public enum Edges: Equatable { case none, rising, falling, both }
  public enum Report: Equatable { case durable, latest }
  /// The state an output takes at start, at stop and when its lease runs out.
  public enum SafeState: Equatable { case inactive, active, keep }

  /// Where the line is on the board.
  public enum Location: Equatable {
    /// The kernel's name of the line, on whichever chip (or on the given one) it is found.
    case name(String)
    /// The offset of the line on its chip.
    case offset(UInt32)
  }

  /// The name actors call it by: one subject token.
  public var name: String
  /// Chip name (`gpiochip0`) or label (`pinctrl-bcm2711`); nil only with a line name.
  public var chip: String?
  public var location: Location
  public var direction: Direction
  public var activeLow = false
  public var bias = Bias.asIs
  public var drive = Drive.pushPull
  public var edges = Edges.both
  /// Kernel debounce of an input; zero for none. The kernel takes whole microseconds.
  public var debounce = Duration.zero
  public var report = Report.latest
  public var safe = SafeState.inactive

  public init(name: String, chip: String?, location: Location, direction: Direction) {
    self.name = name
    self.chip = chip
    self.location = location
    self.direction = direction
  }
}

/// What the manifest says of one sensor.
public struct SensorConfiguration: Equatable {
  public enum Kind: Equatable {
    /// `/sys/class/thermal/thermal_zone*`, found by its `type`.
    case thermal(zone: String)
    /// A scripted value, on any machine.
    case simulated
  }
  public enum Report: Equatable { case durable, latest }

  /// The name actors call it by: one subject token.
  public var name: String
  public var kind: Kind
  /// How often it is read and reported.
  public var every: Duration
  public var report = Report.latest

  public init(name: String, kind: Kind, every: Duration) {
    self.name = name
    self.kind = kind
    self.every = every
  }
}

/// A fixed course of a simulated line or sensor, so that a demonstration or a test has something to
/// see: each step says when, counted from the start of the board, and what.
public struct SimulatedStep<Value: Equatable>: Equatable {
  public var after: Duration
  public var value: Value

  public init(after: Duration, value: Value) {
    self.after = after
    self.value = value
  }
}
