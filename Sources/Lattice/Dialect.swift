import Transport

/// One way of speaking to the lattice. A dialect translates between its messages and the host's
/// invocations and events; it has the message bus to speak over and does no other I/O.
public protocol Dialect: AnyObject {
  /// Subscribes; called once, before the first connection.
  func start(_ host: LatticeHost, on bus: any MessageBus, at now: Instant)
  /// The link came up or went down.
  func linkChanged(isConnected: Bool, at now: Instant)
  /// Tells the lattice of an event on this board.
  func emit(_ event: CapabilityEvent, at now: Instant)
  /// Something that the host's status shows has changed.
  func statusChanged(at now: Instant)
  /// Says good-bye. What it publishes now is still sent.
  func stop(at now: Instant)

  /// When `handleDeadline` wants to be called next; nil for not at all.
  var deadline: Instant? { get }
  /// Early or repeated calls have no effect.
  func handleDeadline(at now: Instant)
}
