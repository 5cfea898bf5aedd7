import Transport

/// What the manifest says of one line. Terms are those of the kernel's GPIO documentation: a line
/// is *active* or *inactive*; `activeLow` says which level that is.
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
  /// What an input of a simulated board does by itself; nil on a real one.
  public var script: LineScript?

  public init(name: String, chip: String?, location: Location, direction: Direction) {
    self.name = name
    self.chip = chip
    self.location = location
    self.direction = direction
  }
}

/// The course of a simulated input: it starts inactive and takes each step in turn.
public struct LineScript: Equatable {
  public struct Step: Equatable {
    /// Counted from the step before, or from the board's start.
    public var after: Duration
    public var isActive: Bool

    public init(after: Duration, isActive: Bool) {
      self.after = after
      self.isActive = isActive
    }
  }

  public var steps: [Step]
  /// Whether the first step follows the last.
  public var repeats: Bool

  public init(steps: [Step], repeats: Bool) {
    self.steps = steps
    self.repeats = repeats
  }
}
