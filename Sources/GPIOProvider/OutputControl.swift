import Transport

/// What an output should be, now and later: the commanded state, a pulse that ends by itself, a
/// lease after which the line falls back to its safe state. It takes commands and times, and says
/// which state to write when; it writes nothing itself.
///
/// - A *pulse* is the commanded state for a while and then its opposite, whatever the line was
///   before: a door opener that is pressed twice must still let go.
/// - A *lease* is how long a command holds without being renewed. When it runs out the line takes
///   its safe state; with `keep` the line stays as it is, and a pulse that is under way still
///   ends.
/// - Every command supersedes the ones before it, with their pulses and leases.
public struct OutputControl: Equatable {
  public let safe: OutputConfiguration.SafeState
  /// The state the line should have now.
  public private(set) var isActive: Bool
  private var pulseEnd: Instant?
  private var leaseEnd: Instant?

  public init(safe: OutputConfiguration.SafeState, isActive: Bool) {
    self.safe = safe
    self.isActive = isActive
  }

  /// When `handleDeadline` is next to be called.
  public var deadline: Instant? { Instant.earlier(pulseEnd, leaseEnd) }

  /// A command. The caller writes `active` to the line.
  public mutating func set(
    _ active: Bool, pulse: Duration? = nil, lease: Duration? = nil, at now: Instant
  ) {
    isActive = active
    pulseEnd = pulse.map { now + $0 }
    leaseEnd = lease.map { now + $0 }
    // The safe state is final: a pulse that would outlast the lease ends with it.
    if safe != .keep, let pulseEnd, let leaseEnd, leaseEnd <= pulseEnd { self.pulseEnd = nil }
  }

  /// Ends the pulse and the lease that are due. Returns the state to write, or nil when the line
  /// stays as it is. Early or repeated calls have no effect.
  public mutating func handleDeadline(at now: Instant) -> Bool? {
    let before = isActive
    // A pulse that is due together with a lease is the earlier of the two; see `set`.
    if pulseEnd.isDue(at: now) {
      pulseEnd = nil
      isActive = !isActive
    }
    if leaseEnd.isDue(at: now) {
      leaseEnd = nil
      takeSafeState()
    }
    return isActive == before ? nil : isActive
  }

  /// Ends everything, as when the host stops. Returns the state to write, or nil when the line is
  /// to be left alone.
  public mutating func enterSafeState() -> Bool? {
    pulseEnd = nil
    leaseEnd = nil
    takeSafeState()
    return safe == .keep ? nil : isActive
  }

  private mutating func takeSafeState() {
    switch safe {
    case .inactive: isActive = false
    case .active: isActive = true
    case .keep: break
    }
  }
}
