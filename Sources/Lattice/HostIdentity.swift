import Transport

/// Who a host is in its lattice.
public struct HostIdentity {
  /// One subject token, unique in the lattice: `dock-7`.
  public let name: String
  /// One subject token: the lattice the host belongs to.
  public let lattice: String
  /// Unique to this run of the program, so that two hosts of one name can be told apart.
  public let id: String
  public let version: String
  /// What the operator says of the host, in the manifest's order.
  public let labels: [(key: String, value: String)]
  public let started: Instant

  public init(
    name: String, lattice: String, id: String, version: String,
    labels: [(key: String, value: String)], started: Instant
  ) {
    self.name = name
    self.lattice = lattice
    self.id = id
    self.version = version
    self.labels = labels
    self.started = started
  }

  /// A new id: 22 random letters and digits.
  public static func makeID(seed: UInt64) -> String {
    var random = RandomGenerator(seed: seed)
    return random.token(length: 22).span.string
  }
}
