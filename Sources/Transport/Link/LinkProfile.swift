/// Kinds of links, each with values that fit together.
public enum LinkProfile: UInt8, Sendable {
  case ethernet, wifi, lte, satellite
}

/// How a link is watched, retried and filled. Each value may be set by itself after the profile's.
public struct LinkSettings: Equatable, Sendable {
  /// How long a stage of connecting may take. Each is above 1.2 s of round-trip time with one packet
  /// lost and sent again.
  public struct Timeouts: Equatable, Sendable {
    /// The host's name; a resolver asks twice, after 5 s.
    public var resolve: Duration
    /// TCP, for each address.
    public var connect: Duration
    /// The server itself waits 2 s by default, on a slow link its `tls.timeout` must be raised.
    public var tls: Duration
    public var info: Duration
    /// From CONNECT and all subscriptions to the first PONG.
    public var pong: Duration

    /// Name and all addresses together: most names have two.
    var open: Duration { resolve + connect * 2 }
  }

  /// Time without a sign of life that means the link is dead.
  public var detect: Duration
  /// Silence from the server after which it is asked; below `detect`.
  public var ping: Duration
  /// How often the host says that it is there, unless the manifest says otherwise.
  public var presence: Duration
  /// What pauses between attempts grow to.
  public var backoffCap: Duration
  /// How long readings wait for company, so that they share a packet; zero: not at all.
  public var batch: Duration
  public var timeouts: Timeouts
  /// TCP_RTO_MAX_MS: when the link is back, TCP sends again after this at the latest. The kernel
  /// takes one second and more.
  public var retransmissionPauseMax: Duration
  public var isMultipath = false
  /// How many hosts share the hub; 0: attempts are not spread.
  public var herd: UInt32 = 0
  public var budget: DataAllowance?

  public init(_ profile: LinkProfile = .ethernet) {
    switch profile {
    case .ethernet:
      // Bytes cost nothing, so a dead link is noticed as fast as without false alarms (10 to 20 s).
      detect = .seconds(15)
      ping = .seconds(10)
      presence = .seconds(30)
      backoffCap = .seconds(15)
      batch = .zero
      timeouts = Timeouts(
        resolve: .seconds(11), connect: .seconds(5), tls: .seconds(5), info: .seconds(5),
        pong: .seconds(5))
      retransmissionPauseMax = .seconds(1)
    case .wifi:
      // An access point that is changed for another is silent for some seconds.
      detect = .seconds(20)
      ping = .seconds(12)
      presence = .seconds(30)
      backoffCap = .seconds(15)
      batch = .zero
      timeouts = Timeouts(
        resolve: .seconds(11), connect: .seconds(5), tls: .seconds(6), info: .seconds(5),
        pong: .seconds(6))
      retransmissionPauseMax = .seconds(2)
    case .lte:
      // A PING, its PONG and acknowledgements are 212 bytes over TLS, and two wakeups: one a minute
      // stays within 400 bytes a minute with presence every five. It also comes before the server's
      // own PING, every two minutes, which it thereby saves; and often enough for most networks'
      // address translation.
      detect = .seconds(90)
      ping = .seconds(60)
      presence = .seconds(300)
      backoffCap = .seconds(60)
      batch = .seconds(1)
      timeouts = Timeouts(
        resolve: .seconds(15), connect: .seconds(10), tls: .seconds(10), info: .seconds(10),
        pong: .seconds(15))
      retransmissionPauseMax = .seconds(5)
    case .satellite:
      // Round trips of 0.6 to 1.2 s, rain that takes the link for tens of seconds.
      detect = .seconds(60)
      ping = .seconds(40)
      presence = .seconds(300)
      backoffCap = .seconds(60)
      batch = .seconds(1)
      timeouts = Timeouts(
        resolve: .seconds(15), connect: .seconds(15), tls: .seconds(15), info: .seconds(15),
        pong: .seconds(20))
      retransmissionPauseMax = .seconds(5)
    }
  }
}
