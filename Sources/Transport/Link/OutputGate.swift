/// Which messages may leave now, by the link's budget and by what shall travel together, and when those
/// may that have to wait.
struct OutputGate {
  private let batch: Duration
  private let allowance: DataAllowance?
  private let cost: WireCost
  private(set) var budget: DataBudget?
  /// When readings left last.
  private var lastBatch = Instant(nanoseconds: .min)
  /// When the first of what is held back may leave.
  private(set) var release: Instant?

  init(_ settings: LinkSettings, isTLS: Bool = false) {
    batch = settings.batch
    allowance = settings.budget
    // IPv4's headers: a carrier that counts IPv6's counts more than the host does by one in ten.
    cost = WireCost(isIPv6: false, isTLS: isTLS)
  }

  mutating func start(at now: Instant) {
    if budget == nil, let allowance { budget = DataBudget(allowance, at: now) }
  }

  // MARK: what went over the link

  mutating func handleOpened(at now: Instant) { budget?.spend(cost.connection, at: now) }

  mutating func handleReceived(_ bytes: Int, at now: Instant) {
    budget?.spend(cost.bytes(for: bytes), at: now)
  }

  /// - Parameter hadReadings: whether readings were among it.
  mutating func handleSent(_ bytes: Int, hadReadings: Bool, at now: Instant) {
    budget?.spend(cost.bytes(for: bytes), at: now)
    if hadReadings { lastBatch = now }
  }

  // MARK: what may go

  /// - Parameter hasCompany: something more urgent leaves in the same packet.
  func allows(_ traffic: TrafficClass, hasCompany: Bool, at now: Instant) -> Bool {
    if let budget, !budget.allows(traffic, at: now) { return false }
    return hasCompany || traffic != .readings || lastBatch + batch <= now
  }

  /// Whether something waits behind the readings that waits for nothing: whoever sends a backlog waits
  /// for its acknowledgement, and would get one each `batch`.
  func hasCompanyForReadings(in outbox: borrowing Outbox, at now: Instant) -> Bool {
    !outbox[.bulk].isEmpty && allows(.bulk, hasCompany: true, at: now)
  }

  /// Notes until when it is worth waiting for what is queued.
  mutating func hold(_ outbox: borrowing Outbox, at now: Instant) {
    release = nil
    let hasCompany = hasCompanyForReadings(in: outbox, at: now)
    for traffic in TrafficClass.allCases where !outbox[traffic].isEmpty {
      var instant = budget?.deadline(of: traffic, at: now) ?? now
      if traffic == .readings, !hasCompany { instant = max(instant, lastBatch + batch) }
      // What may leave already waits for the socket, which will say so.
      if instant > now { release = Instant.earlier(release, instant) }
    }
  }

  /// What was held back may leave: whoever writes next decides anew.
  mutating func handleDeadline(at now: Instant) {
    if release.isDue(at: now) { release = nil }
  }
}
