/// What happened to the socket of a link.
public enum ConnectionEvent: Equatable {
  /// The socket that `ConnectionAction.open` asked for is connected.
  case opened
  /// The TLS that `ConnectionAction.secure` asked for is there.
  case secured
  /// There is no TLS, and the socket is gone.
  case tlsFailed(TLSError)
  /// So many bytes were read into the buffer that `nextAction` will get.
  case received(Int)
  /// The server's machine has acknowledged so many bytes in all, the last ones at this time.
  case progressed(UInt64, at: Instant)
  /// The path is gone, and the socket with it as good as closed.
  case pathLost(PathLoss)
  /// The socket could not be opened, failed, or was closed by the server; it is gone.
  case closed(SystemError?)
}

/// What the owner of a connection is to do, or to know.
///
/// Servers come as links, which are classes: an action stays small.
public enum ConnectionAction: Equatable {
  /// Open a socket to the link's server.
  case open(Link)
  /// Begin TLS on the link's socket.
  case secure(LinkID)
  /// Read who we are and call `authenticate` or `failAuthentication`.
  case authenticate(LinkID)
  /// Close the link's socket, or give up opening it.
  case close(LinkID)
  /// The server has accepted us and knows our subscriptions.
  case connected(Link)
  /// The connection ended or could not be made; the next is tried after this time.
  case disconnected(Link, DisconnectReason, retryIn: Duration)
  /// The connection is closed for good, as asked.
  case stopped
  /// The server will shut down: another is being looked for.
  case lameDuck(Link)
  /// Messages go to and come from this server now; nothing was lost on the way.
  case moved(Link)
  case message(MessageFrame)
  /// A message larger than the read buffer: refuse it where it wants an answer, unless its
  /// subscription takes parts, which then follow.
  case oversizedMessage(MessageFrame, size: UInt64)
  /// Bytes of the last oversized message, headers and payload, `offset` after its first.
  case messagePart(UInt32, Range<Int>, offset: UInt64, size: UInt64)
  case response(RequestID, MessageFrame)
  case requestFailed(RequestID, RequestFailure)
  /// An -ERR from the server: its meaning, and the offsets of its text.
  case serverError(ServerError, Range<Int>)
}

/// Why there is no connection.
public enum DisconnectReason: Error, Equatable {
  case openFailed(SystemError)
  case openTimedOut
  /// No INFO, or no PONG after CONNECT, in time.
  case handshakeTimedOut
  case closedByServer
  case failed(SystemError)
  /// Silent for this long, a PING unanswered.
  case silent(Duration)
  /// It acknowledged what we sent, and said nothing for this long.
  case unanswered(Duration)
  case pathLost(PathLoss)
  case malformedFrame(ParseError)
  case malformedInfo(JSONError)
  /// The server said why, in an -ERR, before it closed.
  case refused(ServerError, String)
  /// The server wants TLS, which this build does not have or which the next attempt begins with.
  case requiresTLS
  case tls(TLSError)
  /// We cannot say who we are.
  case noProof(AuthenticationError)
  /// Servers before 2.2 know no headers.
  case lacksHeaders(version: String)
  /// The server is shutting down.
  case lameDuck
}

extension DisconnectReason {
  /// The server does not accept who we are, or we not who it is: people have to change something first.
  var concernsCredentials: Bool {
    switch self {
    case .refused(.authentication, _), .noProof: true
    case .tls(let error): error.needsOperator
    default: false
    }
  }
}

extension DisconnectReason: TextConvertible {
  public var text: Text {
    switch self {
    case .openFailed(let error): "cannot connect: \(DisconnectReason.whyNotOpened(error))"
    case .openTimedOut: "cannot connect: timed out"
    case .handshakeTimedOut: "the server did not finish the handshake in time"
    case .closedByServer: "the server closed the connection"
    case .failed(let error): "the connection failed: \(error.reason)"
    case .silent(let duration): "the server was silent for \(duration.seconds) s"
    case .unanswered(let duration):
      "the server's machine is there, but the server said nothing for \(duration.seconds) s"
    case .pathLost(.addressGone): "the board's address is gone"
    case .pathLost(.unreachable(let error)):
      "there is no route to the server any more: \(error.reason)"
    case .malformedFrame(let error): "the server broke the protocol: \(error)"
    case .malformedInfo(let error): "the server's INFO is malformed at byte \(error.offset)"
    case .refused(_, let text): "the server refused: \(text)"
    case .requiresTLS:
      TLSSession.isAvailable
        ? "the server requires TLS: it gets it"
        : "the server requires TLS, which this build does not have"
    case .tls(let error): error.text
    case .noProof(let error): error.text
    case .lacksHeaders(let version): "the server (version \(version)) does not support headers"
    case .lameDuck: "the server is shutting down"
    }
  }

  /// The resolver's two failures have numbers whose usual words speak of files and resources; to a TCP
  /// connect they do not happen.
  private static func whyNotOpened(_ error: SystemError) -> String {
    switch error.code {
    case 2: "there is no host of that name"
    case 11: "no name server answers"
    default: error.reason
    }
  }
}

/// Why a message was not accepted; nothing of it was kept.
public enum PublishError: Error, Equatable {
  /// The frame can never be sent: larger than its class's queue or the server's limit, in bytes.
  case tooLarge(size: Int, limit: Int)
  /// The queue of the message's class is full.
  case outboxFull
  /// The subject or reply is no valid subject.
  case invalidSubject
  /// Requests only: there is no connection.
  case notConnected
  /// Requests only: `ConnectionLimits.requestsMax` are waiting.
  case tooManyRequests
}

extension PublishError: TextConvertible {
  public var text: Text {
    switch self {
    case .tooLarge(let size, let limit): "message of \(size) bytes is over the limit of \(limit)"
    case .outboxFull: "the queue is full"
    case .invalidSubject: "the subject is not valid"
    case .notConnected: "not connected"
    case .tooManyRequests: "too many requests are waiting for answers"
    }
  }
}

/// What a connection is to do, and what it tells the server of itself.
public struct ConnectionOptions {
  /// At least one; tried in turn from a random one on.
  public var servers: [ServerURL]
  /// Whether only `servers` are used, and never those that a server tells of (`connect_urls`): behind
  /// address translation these often cannot be reached.
  public var ignoresDiscoveredServers = false
  /// Whether CONNECT, the subscriptions and the first messages are sent before the server's INFO, which
  /// saves a round trip. Not done where the INFO is needed, or a secret could be read on the way.
  public var connectsEarly = true
  public var authentication = Authentication.none
  /// Given: no server is spoken to without TLS.
  public var tls: TLSConfiguration?
  /// Shown in the server's monitoring.
  public var name: String
  public var version: String
  /// Whether the server sends us what we publish ourselves.
  public var echo: Bool

  public init(servers: [ServerURL], name: String, version: String, echo: Bool = false) {
    self.servers = servers
    self.name = name
    self.version = version
    self.echo = echo
  }
}

/// Counts since the start, for status and tests.
public struct ConnectionStatistics: Equatable {
  public var connects: UInt64 = 0
  public var messagesIn: UInt64 = 0
  public var messagesOut: UInt64 = 0
  public var oversizedIn: UInt64 = 0
  public var bytesIn: UInt64 = 0
  public var bytesOut: UInt64 = 0
  /// Answers to requests that had already ended.
  public var lateResponses: UInt64 = 0

  public init() {}
}

/// The queue of one traffic class.
public struct QueueStatus: Equatable, Sendable {
  public let statistics: QueueStatistics
  /// Messages that wait, and their bytes.
  public let messages: Int
  public let bytes: Int
  /// Bytes that can wait.
  public let capacity: Int
}
