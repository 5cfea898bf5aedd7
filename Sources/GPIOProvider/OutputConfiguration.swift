import Transport

/// How an output begins, what it may be told, and where it ends. All of it is kept on the board,
/// whoever commands and whether or not there is a link.
public struct OutputConfiguration: Equatable {
  /// The state an output takes at stop, when its lease runs out and when the link is lost.
  public enum SafeState: Equatable { case inactive, active, keep }
  /// The state an output is taken with.
  public enum StartState: Equatable {
    case inactive, active
    /// As the hardware has it.
    case keep
    /// As it was last commanded, also before a restart.
    case last
  }

  /// At most this many activations in any period of this length.
  public struct Rate: Equatable {
    public var count: Int
    public var period: Duration

    public init(count: Int, period: Duration) {
      self.count = count
      self.period = period
    }
  }

  public var safe = SafeState.inactive
  /// Nil: the safe state.
  public var start: StartState?
  /// How long the link may be gone before the output takes its safe state; nil: for ever.
  public var linkLoss: Duration?

  // Guards; zero and nil guard nothing.

  /// Active for so long, the output becomes inactive by itself.
  public var maxOn: Duration?
  /// Once active, it cannot be told to be inactive before this time is over.
  public var minOn = Duration.zero
  /// Once inactive, it cannot be told to be active before this time is over.
  public var minOff = Duration.zero
  public var maxRate: Rate?

  public init() {}
}

/// Outputs of which at most one is active at any time: a gate's up and down.
public struct InterlockConfiguration: Equatable {
  public var name: String
  /// The outputs' names.
  public var lines: [String]
  /// How long all of them are inactive before another one becomes active.
  public var deadTime = Duration.zero

  public init(name: String, lines: [String], deadTime: Duration = .zero) {
    self.name = name
    self.lines = lines
    self.deadTime = deadTime
  }
}
