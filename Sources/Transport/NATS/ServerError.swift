/// What an -ERR means. The texts have no type (ADR-40): those of nats-server are known here by how they
/// begin.
public enum ServerError: Equatable, Sendable {
  /// Who we are is not accepted, at present: trying again at once is of no use.
  case authentication
  /// The server has no room for us: too many connections, or too many at a time.
  case overloaded
  /// We did not answer the server's PING.
  case staleConnection
  /// We broke the protocol or one of its limits.
  case violation
  /// We may not publish to a subject, or not subscribe to it: the subscription is dead.
  case permission
  /// A single operation was refused.
  case operation
  case unknown

  init(_ text: Span<UInt8>) {
    self = .unknown
    for (prefix, error) in ServerError.texts where text.startsIgnoringCase(with: prefix) {
      self = error
      return
    }
  }

  /// Whether the server closes the connection behind it; nil: it may.
  public var closesConnection: Bool? {
    switch self {
    case .authentication, .overloaded, .staleConnection, .violation: true
    case .permission, .operation: false
    case .unknown: nil
    }
  }

  private static var texts: [(StaticString, ServerError)] {
    [
      ("authorization violation", .authentication),
      // Ours was slow, or the server was: our credentials were not even looked at.
      ("authentication timeout", .overloaded),
      ("authentication expired", .authentication),
      ("user authentication expired", .authentication),
      ("user authentication revoked", .authentication),
      ("account authentication expired", .authentication),
      ("maximum connections exceeded", .overloaded),
      ("maximum account active connections exceeded", .overloaded),
      ("connection throttling is active", .overloaded),
      ("stale connection", .staleConnection),
      ("secure connection - tls required", .violation),
      ("maximum payload violation", .violation),
      ("maximum control line exceeded", .violation),
      ("unknown protocol operation", .violation),
      ("invalid client protocol", .violation),
      ("no responders requires headers support", .violation),
      ("attempted to connect to", .violation),
      ("permissions violation", .permission),
      ("invalid publish subject", .operation),
      ("invalid subject", .operation),
      // Unless a new limit was applied: then the connection's end follows, and says so itself.
      ("maximum subscriptions exceeded", .operation),
    ]
  }
}
