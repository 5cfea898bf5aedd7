/// How a connection's link fares, for the host's status.
public struct LinkStatus: Equatable, Sendable {
  /// Of a link with a budget.
  public struct Budget: Equatable, Sendable {
    public var allowance: DataAllowance
    /// What may be spent now; negative while it is overdrawn.
    public var bytesLeft: Int64
    /// The strictest class that waits for the budget, and with it all behind it.
    public var waiting: TrafficClass?

    public init(allowance: DataAllowance, bytesLeft: Int64, waiting: TrafficClass?) {
      self.allowance = allowance
      self.bytesLeft = bytesLeft
      self.waiting = waiting
    }
  }

  public var connects: UInt64 = 0
  /// Of the protocol, without what TCP, IP and TLS add.
  public var bytesOut: UInt64 = 0
  public var bytesIn: UInt64 = 0
  public var budget: Budget?
  /// What became of the messages of each class, the strictest first.
  public var queues = TrafficClass.allCases.map { _ in QueueStatistics() }

  public init() {}
}
