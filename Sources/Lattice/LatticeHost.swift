import Transport

/// What runs on this board and how it is reached: routes invocations from the dialects to the
/// providers, and events from the providers to the dialects.
public final class LatticeHost: EventSink {
  public let identity: HostIdentity
  public let time: any TimeSource
  public private(set) var providers: [any CapabilityProvider] = []
  private var dialects: [any Dialect] = []

  public init(identity: HostIdentity, time: any TimeSource) {
    self.identity = identity
    self.time = time
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

  public func linkChanged(isConnected: Bool) {
    let now = time.now
    for dialect in dialects { dialect.linkChanged(isConnected: isConnected, at: now) }
  }

  public func statusChanged() {
    let now = time.now
    for dialect in dialects { dialect.statusChanged(at: now) }
  }

  public func emit(_ event: CapabilityEvent) {
    let now = time.now
    for dialect in dialects { dialect.emit(event, at: now) }
  }

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
      let provider = try check(invocation, at: now)
      provider.invoke(invocation, at: now, reply: reply)
    } catch {
      reply(.failure(error))
    }
  }

  private func check(
    _ invocation: Invocation, at now: Instant
  ) throws(InvocationError) -> any CapabilityProvider {
    guard let provider = provider(of: invocation.capability) else {
      throw InvocationError(
        .notFound, "this host has no capability \(quoted: invocation.capability)")
    }
    guard let operation = provider.contract.operation(named: invocation.operation) else {
      throw InvocationError(
        .notFound,
        """
        \(invocation.capability) has no operation \(quoted: invocation.operation); there are: \
        \(provider.contract.operations.map { $0.name }.joined(by: ", "))
        """)
    }
    if let deadline = invocation.deadline, deadline < now {
      throw InvocationError(
        .late,
        """
        \(invocation.operation) of \(quoted: invocation.resource) came \
        \((now - deadline).milliseconds) ms too late
        """)
    }
    try ArgumentCheck.check(invocation.arguments, against: operation)
    return provider
  }
}

/// Compares arguments with what an operation takes.
enum ArgumentCheck {
  static func check(_ arguments: Record, against operation: Operation) throws(InvocationError) {
    for field in arguments.fields {
      guard let parameter = parameter(named: field.name, of: operation) else {
        throw InvocationError(
          .badRequest, "\(operation.name) takes no argument \(quoted: field.name)")
      }
      try check(field.value, against: parameter)
    }
    for parameter in operation.parameters
    where parameter.isRequired && ArgumentCheck.isAbsent(arguments[parameter.name]) {
      throw InvocationError(
        .badRequest, "\(operation.name) needs the argument \"\(parameter.name)\"")
    }
  }

  /// JSON's null is how many clients leave an argument out.
  static func isAbsent(_ value: Value?) -> Bool {
    switch value {
    case nil, .null?: true
    default: false
    }
  }

  private static func parameter(named name: String, of operation: Operation) -> Parameter? {
    for parameter in operation.parameters where parameter.name == name { return parameter }
    return nil
  }

  private static func check(_ value: Value, against parameter: Parameter) throws(InvocationError) {
    switch (parameter.kind, value) {
    case (_, .null), (.bool, .bool), (.string, .string), (.double, .double), (.double, .integer):
      return
    case (.integer(let range), .integer(let number)):
      if range.contains(number) { return }
      throw InvocationError(
        .badRequest,
        "\"\(parameter.name)\" is \(number), but must be \(range.lowerBound) to \(range.upperBound)"
      )
    default:
      throw InvocationError(
        .badRequest, "\"\(parameter.name)\" must be \(expected(parameter.kind))")
    }
  }

  private static func expected(_ kind: Parameter.Kind) -> Text {
    switch kind {
    case .bool: "true or false"
    case .string: "text"
    case .double: "a number"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    }
  }
}
