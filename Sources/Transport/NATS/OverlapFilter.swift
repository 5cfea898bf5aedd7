/// While two servers deliver the same subscriptions, lets each message through once, whichever link
/// brings it first. Remembers the latest messages of either that the other has not brought.
struct OverlapFilter {
  private struct Seen {
    var hash: UInt64
    var link: LinkID
    var at: Instant
  }

  /// Arrived on one link and not yet on the other: what a second or two bring.
  private static let capacity = 64
  /// How long after its first copy the second may come: over the slower link, or around the cluster.
  private static let lifetime = Duration.seconds(10)
  /// How long a message is under way from one server of a cluster to another at most.
  private static let routeTime = Duration.seconds(2)

  static var bytesMax: Int { capacity * MemoryLayout<Seen>.stride }

  private var seen: [Seen] = []

  var isEmpty: Bool { seen.isEmpty }

  /// Whether the message is the twin of one that came on another link; if not, and while there is
  /// another link, it is remembered.
  mutating func isTwin(
    _ frame: MessageFrame, _ bytes: Span<UInt8>, on link: LinkID, remember: Bool, at now: Instant
  ) -> Bool {
    seen.removeAll { now - $0.at > OverlapFilter.lifetime }
    let hash = OverlapFilter.hash(frame, bytes)
    if let index = seen.firstIndex(where: { $0.hash == hash && $0.link != link }) {
      seen.remove(at: index)
      return true
    }
    if remember {
      if seen.count == OverlapFilter.capacity { seen.removeFirst() }
      seen.append(Seen(hash: hash, link: link, at: now))
    }
    return false
  }

  /// Only one link is left: twins can still come of what others have brought.
  mutating func handleOthersEnded(but link: LinkID?) { seen.removeAll { $0.link == link } }

  /// Both links deliver from now on: what came long before can have no twin.
  mutating func handleOverlap(at now: Instant) {
    seen.removeAll { now - $0.at > OverlapFilter.routeTime }
  }

  /// Over all that makes a message, with what delimits its parts.
  private static func hash(_ frame: MessageFrame, _ bytes: Span<UInt8>) -> UInt64 {
    var hash = FNV1a()
    for shift: UInt32 in [0, 8, 16, 24] {
      hash.mix(UInt8(truncatingIfNeeded: frame.subscription >> shift))
    }
    for part in [frame.subject, frame.reply, frame.headers, frame.payload] {
      hash.mix(bytes.extracting(part))
      hash.mix(0)
    }
    return hash.value
  }
}
