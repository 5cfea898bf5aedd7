import Transport

/// Something that answers invocations for one contract. It runs on the event loop's thread, does not
/// block, and never learns which dialect a caller spoke.
///
/// Time comes in from outside: after each call the host reads `deadline`, and calls `handleDeadline`
/// when it has come (early or repeated calls have no effect).
public protocol CapabilityProvider: AnyObject {
  var contract: Contract { get }
  /// How many things can be called by name.
  var resourceCount: Int { get }
  /// Those things, in the manifest's order, described one after the other: a board has many, and nobody
  /// needs all descriptions at once.
  func forEachResource(_ body: (Resource) -> Void)
  /// How many of them cannot be used at present.
  var problemCount: Int { get }

  /// Ties an actor to this provider with its configuration; its events go to that actor too.
  func bind(_ binding: Binding) throws(InvocationError)
  /// Ends what `bind` began; an actor that is not bound is no error.
  func unbind(actor: String)

  /// Answers through `reply`, exactly once, now or later.
  func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void)

  /// When `handleDeadline` wants to be called next; nil for not at all.
  var deadline: Instant? { get }
  func handleDeadline(at now: Instant)

  /// Takes its hardware and begins to emit events. Called once, when the event sink is listening.
  func start(at now: Instant)
  /// The link to the lattice came up or went down. Not called before the first time it is up.
  func linkChanged(isConnected: Bool, at now: Instant)
  /// Leaves everything in its safe state and releases its hardware.
  func stop(at now: Instant)
}

/// An actor bound to a provider with configuration values.
public struct Binding {
  /// The actor's public key.
  public let actor: String
  /// Distinguishes several bindings of the same contract.
  public let name: String
  public let values: [(key: String, value: String)]

  public init(actor: String, name: String, values: [(key: String, value: String)]) {
    self.actor = actor
    self.name = name
    self.values = values
  }
}

/// Something that happened on the board.
public struct CapabilityEvent {
  public enum Delivery {
    /// A fact: kept until somebody who stores it has acknowledged it; in order, with its own time.
    case durable
    /// The latest counts: sent when the link is up, and not kept.
    case latest
  }

  /// The capability's `Contract.name`.
  public let capability: String
  public let resource: String
  /// The `EventKind.name`.
  public let kind: String
  public let delivery: Delivery
  public let factClass: FactClass
  /// When it happened, which may have been long before it is emitted.
  public let instant: Instant
  /// Without its time: the dialects write that when they send it, as more may be known of it then.
  public let body: Record

  public init(
    capability: String, resource: String, kind: String, delivery: Delivery,
    factClass: FactClass = .event, at instant: Instant, body: Record
  ) {
    self.capability = capability
    self.resource = resource
    self.kind = kind
    self.delivery = delivery
    self.factClass = factClass
    self.instant = instant
    self.body = body
  }
}

/// Takes the events of providers. The host implements it; providers hold it.
public protocol EventSink: AnyObject {
  func emit(_ event: CapabilityEvent)
}
