import Lattice
import Transport

/// An output. Which state it has is decided for all outputs at once, by the `OutputBank`.
class OutputLine: ProvidedLine {
  /// Its place in the bank.
  let output: Int
  /// Whether it was ever taken since the process began.
  var wasTaken = false
  /// When a state that the hardware would not take is written again.
  var rewriteAt: Instant?
  /// Whether the hardware has refused the state, and that was told.
  var isRefusing = false
  /// Whether the hardware may have another state than it should, also while the line is lost.
  var isUnwritten = false
  /// Until when the dead time lasts after the hardware followed late.
  var lateUntil: Instant?

  init(_ configuration: LineConfiguration, output: Int) {
    self.output = output
    super.init(configuration)
  }

  override var operations: [String] { ["get", "set", "toggle", "pulse", "blink"] }

  override func end() {
    rewriteAt = nil
    isRefusing = false
  }

  override var deadline: Instant? { rewriteAt }

  /// The value to take it with, in the same step; nil: the level it has.
  ///
  /// - Parameter last: as it was to be when the process before ended, if that is known.
  func startValue(last: Bool?) -> Bool? {
    switch configuration.output.start {
    case .inactive?: return false
    case .active?: return true
    case .keep?: return last
    case .last?: return last ?? safeValue
    case nil: return safeValue
    }
  }

  /// Nil: as it is.
  var safeValue: Bool? {
    switch configuration.output.safe {
    case .inactive: false
    case .active: true
    case .keep: nil
    }
  }
}
