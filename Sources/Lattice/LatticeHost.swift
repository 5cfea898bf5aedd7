import Transport

/// What runs on this board and how it is reached: routes invocations from the dialects to the
/// providers, and events from the providers to the dialects.
public final class LatticeHost: EventSink {
  public let identity: HostIdentity
  public let time: any TimeSource
  /// What is known of the time of day, as of the last `readClock`.
  public private(set) var clock: FactClock
  public private(set) var providers: [any CapabilityProvider] = []
  private var dialects: [any Dialect] = []
  /// Called for every command with what became of it, after it was answered.
  public var onCommand: ((Invocation, InvocationResult) -> Void)?
  /// Called when the clock was set, or is known to be right for the first time.
  public var onClockChange: ((ClockChange) -> Void)?

  /// - Parameter known: the clocks of earlier boots, as an earlier run has left them in `clock`.
  public init(
    identity: HostIdentity, time: any TimeSource, boot: BootID, known: [KnownClock] = []
  ) {
    self.identity = identity
    self.time = time
    clock = FactClock(boot: boot, ClockReading(time), known: known)
  }

  /// Adds a provider; before `start`.
  public func add(_ provider: any CapabilityProvider) { providers.append(provider) }

  /// Dialects first, so that the providers' first events find them listening.
  public func start(_ dialects: [any Dialect], on bus: any MessageBus) {
    self.dialects = dialects
    let now = time.now
    for dialect in dialects { dialect.start(self, on: bus, at: now) }
    for provider in providers { provider.start(at: now) }
  }

  /// Puts the board into its safe state, then takes leave of the lattice.
  public func stop() {
    let now = time.now
    for provider in providers { provider.stop(at: now) }
    for dialect in dialects { dialect.stop(at: now) }
  }

  /// When the link goes the board is told before anything else, as at a stop; when it comes the
  /// dialects are, so that what the providers then tell goes out.
  public func linkChanged(isConnected: Bool) {
    let now = time.now
    if !isConnected { tellProviders(isConnected: false, at: now) }
    for dialect in dialects { dialect.linkChanged(isConnected: isConnected, at: now) }
    if isConnected { tellProviders(isConnected: true, at: now) }
  }

  private func tellProviders(isConnected: Bool, at now: Instant) {
    for provider in providers { provider.linkChanged(isConnected: isConnected, at: now) }
  }

  public func statusChanged() {
    let now = time.now
    for dialect in dialects { dialect.statusChanged(at: now) }
  }

  public func emit(_ event: CapabilityEvent) {
    readClock()
    let now = time.now
    for dialect in dialects { dialect.emit(event, at: now) }
  }

  /// - Returns: what is news, for `readClock`.
  func takeClockReading() -> ClockChange? { clock.read(ClockReading(time)) }

  public var deadline: Instant? {
    var earliest: Instant?
    for provider in providers { earliest = Instant.earlier(earliest, provider.deadline) }
    for dialect in dialects { earliest = Instant.earlier(earliest, dialect.deadline) }
    return earliest
  }

  public func handleDeadline(at now: Instant) {
    for provider in providers { provider.handleDeadline(at: now) }
    for dialect in dialects { dialect.handleDeadline(at: now) }
  }

  public func provider(of capability: String) -> (any CapabilityProvider)? {
    for provider in providers where provider.contract.name == capability { return provider }
    return nil
  }

  /// Checks an invocation against the contract and its deadline, and has the provider answer it.
  /// `reply` is called exactly once.
  public func invoke(_ invocation: Invocation, reply: @escaping (InvocationResult) -> Void) {
    let now = time.now
    do throws(InvocationError) {
      guard let provider = provider(of: invocation.capability) else {
        throw InvocationError(
          .notFound, "this host has no capability \(quoted: invocation.capability)")
      }
      let operation = try operation(invocation, of: provider)
      var answer = reply
      if operation.isCommand, let onCommand {
        answer = { result in
          reply(result)
          onCommand(invocation, result)
        }
      }
      run(invocation, operation, provider, at: now, reply: answer)
    } catch {
      reply(.failure(error))
    }
  }

  @inline(never)
  private func operation(
    _ invocation: Invocation, of provider: any CapabilityProvider
  ) throws(InvocationError) -> Operation {
    if let operation = provider.contract.operation(named: invocation.operation) {
      return operation
    }
    throw InvocationError(
      .notFound,
      """
      \(invocation.capability) has no operation \(quoted: invocation.operation); there are: \
      \(provider.contract.operations.map { $0.name }.joined(by: ", "))
      """)
  }

  @inline(never)
  private func run(
    _ invocation: Invocation, _ operation: Operation, _ provider: any CapabilityProvider,
    at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    do throws(InvocationError) {
      try LatticeHost.check(invocation, operation, at: now)
    } catch {
      return reply(.failure(error))
    }
    provider.invoke(invocation, at: now, reply: reply)
  }

  private static func check(
    _ invocation: Invocation, _ operation: Operation, at now: Instant
  ) throws(InvocationError) {
    if operation.target == .capability, !invocation.resource.utf8.isEmpty {
      throw InvocationError(
        .badRequest,
        """
        \(operation.name) is asked of \(invocation.capability) as a whole, not of \
        \(quoted: invocation.resource)
        """)
    }
    if let deadline = invocation.deadline, deadline < now {
      throw InvocationError(
        .late,
        """
        \(invocation.operation) of \(quoted: invocation.subject) came \
        \((now - deadline).milliseconds) ms too late
        """)
    }
    try ArgumentCheck.check(invocation.arguments, against: operation)
  }
}
