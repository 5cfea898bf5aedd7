@testable import Transport

/// The way between a leaf node, to which hosts are connected, and the hub that has the streams. Hosts learn
/// nothing of what happens to it but what their leaf knows.
struct Uplink {
  /// One way.
  let delay: Duration
  /// Faults under way. While it is `down` both ends know; while it is `dead` neither does and all that is
  /// sent vanishes; while it is `stalled` what is sent waits, and goes on later in its order.
  var downs = 0
  var deaths = 0
  var stalls = 0
  /// Whether the leaf believes that the streams can be reached.
  private(set) var isInterested = true
  private var held: [HubEvent] = []

  init(delay: Duration) { self.delay = delay }

  /// What arrives now; nil when it waits or vanishes.
  mutating func arriving(_ event: HubEvent) -> HubEvent? {
    if downs > 0 || deaths > 0 { return nil }
    if stalls == 0 { return event }
    held.append(event)
    return nil
  }

  /// After a change of the faults: what waited and arrives now.
  ///
  /// - Parameter areStreamsUp: whether the hub has the streams, which the leaf is told of over the way.
  mutating func refresh(areStreamsUp: Bool) -> [HubEvent] {
    if downs > 0 {
      isInterested = false
    } else if deaths == 0, stalls == 0 {
      isInterested = areStreamsUp
    }
    if downs > 0 || deaths > 0 { held = [] }
    if stalls > 0 || held.isEmpty { return [] }
    defer { held = [] }
    return held
  }
}

/// A message on its way between servers.
enum HubEvent {
  /// From one server of a cluster to another.
  case routed(Int, ModelServer.Message)
  /// From a leaf to the streams.
  case up(Int, ModelServer.Message)
  /// An answer of the streams to a leaf.
  case down(Int, ModelServer.Message)
}
