import Transport

/// Outputs of which at most one is active, by their places in the bank. After one became inactive
/// the others wait for the dead time; the same one may become active again at once.
///
/// A line that is lost while it is active counts as active until it is taken again and found
/// inactive: its hardware may still drive. One that was never taken counts as inactive.
struct Interlock {
  let name: String
  let outputs: [Int]
  let deadTime: Duration

  /// Which output keeps another from becoming active.
  struct Blocker {
    var output: Int
    /// Until when its dead time lasts; nil: it is active, or was before the call.
    var until: Instant?
  }

  /// - Parameters:
  ///   - before: The states before the call. With a dead time, what the call itself switches off
  ///     would be active again at any later time.
  ///   - isStart: The line is not switched on, but taken active. What was inactive when it
  ///     was taken itself then says nothing of the time before.
  func blocker(
    of output: Int, among states: [OutputState], before: [OutputState], isStart: Bool,
    at now: Instant
  ) -> Blocker? {
    if !outputs.contains(output) { return nil }
    var blocker: Blocker?
    for other in outputs where other != output {
      let state = states[other]
      if state.isActive || (deadTime > .zero && before[other].isActive) {
        return Blocker(output: other)
      }
      if isStart && !state.wasSwitchedOff { continue }
      let until = state.changedAt + deadTime
      if now >= until { continue }
      if let latest = blocker?.until, latest >= until { continue }
      blocker = Blocker(output: other, until: until)
    }
    return blocker
  }
}
