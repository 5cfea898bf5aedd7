/// The servers a connection may choose from: those of the manifest, and those that a server has told us
/// of. Each has a backoff of its own, so that one which is down does not keep us from another.
struct ServerPool {
  private struct Entry {
    let url: ServerURL
    let isDiscovered: Bool
    var backoff: Backoff
    /// Not to be tried before.
    var notBefore = Instant(nanoseconds: .min)
    /// By our credentials, at the last attempt.
    var isRefused = false
  }

  /// Of a cluster; more are passed over.
  static let discoveredMax = 16
  /// Of the manifest's servers and the discovered ones together, each with the longest host name.
  static var bytesMax: Int { 2 * discoveredMax * (MemoryLayout<Entry>.stride + 253 + 32) }

  private let limits: ConnectionLimits
  private var entries: [Entry] = []
  /// Index of the entry that is tried next when several may be.
  private var next = 0
  private var random: RandomGenerator

  /// - Parameter urls: tried in turn from a random one on.
  init(_ urls: [ServerURL], limits: ConnectionLimits, seed: UInt64) {
    self.limits = limits
    random = RandomGenerator(seed: seed)
    for url in urls { add(url, isDiscovered: false) }
    if urls.count > 1 { next = Int(random.next(through: UInt64(urls.count - 1))) }
  }

  var count: Int { entries.count }

  /// The server to try at `now` or, when each has to wait, the one whose time comes first.
  func choose(at now: Instant) -> (url: ServerURL, notBefore: Instant)? {
    var best: Entry?
    for step in entries.indices {
      let entry = entries[(next + step) % entries.count]
      if entry.notBefore <= now { return (entry.url, now) }
      if best.map({ entry.notBefore < $0.notBefore }) ?? true { best = entry }
    }
    return best.map { ($0.url, $0.notBefore) }
  }

  /// The server is being tried: the turn passes to the one behind it.
  mutating func handleTried(_ url: ServerURL) {
    guard let index = entries.firstIndex(where: { $0.url == url }) else { return }
    next = (index + 1) % entries.count
  }

  /// The server could not be reached, refused us, or was lost.
  ///
  /// - Returns: how long to wait at least before any server is tried, so that a fleet whose server ends
  ///   does not come to the next one all at once.
  mutating func handleFailed(
    _ url: ServerURL, wasUseful: Bool, refusedCredentials: Bool = false, at now: Instant
  ) -> Duration {
    if let index = entries.firstIndex(where: { $0.url == url }) {
      if wasUseful { entries[index].backoff.reset() }
      let pause =
        refusedCredentials
        ? entries[index].backoff.nextAfterRefusal() : entries[index].backoff.next()
      entries[index].notBefore = now + pause
      entries[index].isRefused = refusedCredentials
    }
    return entries.count > 1 ? random.duration(through: limits.backoffFirst) : .zero
  }

  /// What kept us from the servers may be over.
  ///
  /// - Parameter evenRefused: also from those that refused our credentials, or whose certificate we refused.
  /// - Returns: when to try at the earliest.
  mutating func hasten(evenRefused: Bool, at now: Instant) -> Instant {
    let soon = now + random.duration(through: limits.backoffFirst)
    for index in entries.indices where evenRefused || !entries[index].isRefused {
      entries[index].notBefore = min(entries[index].notBefore, soon)
    }
    return max(soon, choose(at: soon)?.notBefore ?? soon)
  }

  /// Replaces the servers told before by these; those of the manifest stay.
  mutating func handleDiscovered(_ urls: [ServerURL]) {
    let known = entries
    entries.removeAll { $0.isDiscovered }
    for url in urls.prefix(ServerPool.discoveredMax)
    where !entries.contains(where: { $0.url == url }) {
      if let entry = known.first(where: { $0.isDiscovered && $0.url == url }) {
        entries.append(entry)
      } else {
        add(url, isDiscovered: true)
      }
    }
    next = entries.isEmpty ? 0 : next % entries.count
  }

  private mutating func add(_ url: ServerURL, isDiscovered: Bool) {
    let backoff = Backoff(
      first: limits.backoffFirst, cap: limits.link.backoffCap, seed: random.next())
    entries.append(Entry(url: url, isDiscovered: isDiscovered, backoff: backoff))
  }
}
