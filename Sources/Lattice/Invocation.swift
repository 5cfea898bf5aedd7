import Transport

/// One call of an operation, free of the dialect it came in.
public struct Invocation {
  /// The capability's `Contract.name`.
  public let capability: String
  /// Empty for an operation of the whole capability.
  public let resource: String
  public let operation: String
  /// Checked against the operation's parameters before the provider sees it.
  public let arguments: Record
  /// Past this instant it must be refused, not executed.
  public let deadline: Instant?
  public let caller: Caller

  public init(
    capability: String, resource: String, operation: String, arguments: Record,
    deadline: Instant? = nil, caller: Caller = .local
  ) {
    self.capability = capability
    self.resource = resource
    self.operation = operation
    self.arguments = arguments
    self.deadline = deadline
    self.caller = caller
  }

  /// What the operation is asked of: the resource, or the capability.
  public var subject: String { resource.utf8.isEmpty ? capability : resource }
}

/// Why an invocation was refused or failed. `reason` is written for the caller and names the thing
/// and the value.
public struct InvocationError: Error, Equatable {
  /// Numbers follow HTTP, as the NATS services convention does.
  public enum Code: Int64, Sendable {
    /// Malformed or out of range.
    case badRequest = 400
    /// The caller may not.
    case forbidden = 403
    /// No such capability, resource or operation.
    case notFound = 404
    /// It arrived after its deadline.
    case late = 408
    /// The resource cannot do it now or at all: an input cannot be set.
    case conflict = 409
    /// A bound of the host is reached.
    case tooLarge = 413
    /// The caller asks more often than it may.
    case tooManyRequests = 429
    /// The hardware or the kernel failed.
    case failed = 500
    /// The resource is not there at present.
    case unavailable = 503
  }

  public let code: Code
  public let reason: String
  /// More for programs: which guard refused, when it would be allowed. Named otherwise than `name`,
  /// `code` and `reason`, beside which dialects write them.
  public let details: Record

  @inline(never)
  public init(_ code: Code, _ reason: Text) { self.init(code, reason, details: Record()) }

  @inline(never)
  public init(_ code: Code, _ reason: Text, details: Record) {
    self.code = code
    self.reason = reason.string
    self.details = details
  }
}

/// The answer to an invocation.
public typealias InvocationResult = Result<Record, InvocationError>
