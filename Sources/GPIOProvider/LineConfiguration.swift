import Transport

/// What the manifest says of one line. Terms are those of the kernel's GPIO documentation: a line
/// is *active* or *inactive*; `activeLow` says which level that is.
public struct LineConfiguration: Equatable {
  /// What is made of a line.
  public enum Kind: Equatable {
    /// Its value and its edges.
    case input
    case output
    /// An input whose edges are counted: a flow meter, a tachometer.
    case counter
    /// Two inputs in quadrature: a rotary encoder.
    case encoder
    /// An input that somebody presses.
    case button
    /// An output that is active for a part of each period.
    case pwm
  }

  public enum Direction: Equatable { case input, output }
  public enum Bias: Equatable { case asIs, disabled, pullUp, pullDown }
  public enum Drive: Equatable { case pushPull, openDrain, openSource }
  /// Which changes of an input are reported.
  public enum Edges: Equatable { case none, rising, falling, both }
  public enum Report: Equatable { case durable, latest }

  /// Where the line is on the board.
  public enum Location: Equatable {
    /// The kernel's name of the line, on whichever chip (or on the given one) it is found.
    case name(String)
    /// The offset of the line on its chip.
    case offset(UInt32)
    /// The number that Broadcom and Raspberry Pi give the line, 0 to 27 on the 40-pin header: its
    /// offset on the header's chip, whichever of the Pi's chips that is.
    case bcm(UInt32)
  }

  /// The name actors call it by: one subject token.
  public var name: String
  public var kind: Kind
  /// Chip name (`gpiochip0`) or label (`pinctrl-bcm2711`); nil only with a line name.
  public var chip: String?
  public var location: Location
  public var activeLow = false
  public var bias = Bias.asIs
  public var drive = Drive.pushPull
  public var edges = Edges.both
  /// Kernel debounce of an input; zero for none. The kernel takes whole microseconds.
  public var debounce = Duration.zero
  /// Events that the kernel keeps of an input before it drops the oldest, 16 to 1024; 48 bytes of
  /// kernel memory for each.
  public var eventBuffer: UInt32 = 64
  public var report = Report.latest
  /// How often a counter or an encoder that has moved says so.
  public var every = Duration.seconds(10)
  /// What only some lines have. An array for it takes the room of a reference where there is nothing.
  private var rare: [Rare] = []

  public init(name: String, chip: String?, location: Location, kind: Kind) {
    self.name = name
    self.chip = chip
    self.location = location
    self.kind = kind
  }

  public var direction: Direction {
    switch kind {
    case .input, .counter, .encoder, .button: .input
    case .output, .pwm: .output
    }
  }

  /// Whether the kernel is asked for the line's edges.
  var reportsEdges: Bool { direction == .input && edges != .none }
}

extension LineConfiguration {
  /// A board has many plain inputs, and keeps all their configurations.
  private struct Rare {
    var secondLocation: Location?
    var output = OutputConfiguration()
    var button = ButtonConfiguration()
    var pwm = PWMConfiguration()
    var allow: [String] = []
    var script: LineScript?
  }

  private var rareOrDefault: Rare {
    @inline(never) get { rare.first ?? Rare() }
  }

  @inline(never)
  private mutating func change(_ body: (inout Rare) -> Void) {
    var changed = rareOrDefault
    body(&changed)
    rare = [changed]
  }

  /// The other line of an encoder, on the same chip.
  public var secondLocation: Location? {
    @inline(never) get { rareOrDefault.secondLocation }
    @inline(never) set { change { $0.secondLocation = newValue } }
  }

  public var output: OutputConfiguration {
    @inline(never) get { rareOrDefault.output }
    @inline(never) set { change { $0.output = newValue } }
  }

  public var button: ButtonConfiguration {
    @inline(never) get { rareOrDefault.button }
    @inline(never) set { change { $0.button = newValue } }
  }

  public var pwm: PWMConfiguration {
    @inline(never) get { rareOrDefault.pwm }
    @inline(never) set { change { $0.pwm = newValue } }
  }

  /// Who of the lattice's actors may command it, by public key of the actor or of its issuer; empty
  /// for everybody whom the lattice lets in.
  public var allow: [String] {
    @inline(never) get { rareOrDefault.allow }
    @inline(never) set { change { $0.allow = newValue } }
  }

  /// What an input of a simulated board does by itself; nil on a real one.
  public var script: LineScript? {
    @inline(never) get { rareOrDefault.script }
    @inline(never) set { change { $0.script = newValue } }
  }

  public static func == (left: LineConfiguration, right: LineConfiguration) -> Bool {
    left.name == right.name && left.kind == right.kind && left.chip == right.chip
      && left.location == right.location && left.secondLocation == right.secondLocation
      && left.activeLow == right.activeLow && left.bias == right.bias && left.drive == right.drive
      && left.edges == right.edges && left.debounce == right.debounce
      && left.eventBuffer == right.eventBuffer && left.report == right.report
      && left.every == right.every && left.output == right.output && left.button == right.button
      && left.pwm == right.pwm && left.allow == right.allow && left.script == right.script
  }
}

/// How presses of a button are told apart.
public struct ButtonConfiguration: Equatable {
  /// A second press within this time of the first's end makes a double click; zero: every click
  /// counts by itself, at once.
  public var doubleClick = Duration.milliseconds(300)
  /// A press of this length is a long one.
  public var longPress = Duration.milliseconds(800)

  public init() {}
}

/// Where pulse-width modulation comes from, and how it begins.
public struct PWMConfiguration: Equatable {
  /// In hertz, of a line that software switches: at 200 a board wakes 400 times a second.
  public static let softwareFrequencyMax: UInt32 = 200

  /// The kernel's PWM chip, by the name of its device (`fe20c000.pwm`); nil: the line is switched by
  /// software.
  public var chip: String?
  /// The channel of the kernel's chip.
  public var channel: UInt32 = 0
  /// In hertz.
  public var frequency: UInt32 = 100

  public init() {}
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
