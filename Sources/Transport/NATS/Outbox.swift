/// Everything that waits to be written: a queue for each traffic class. What goes next is decided when
/// the socket can take it, not when it was queued: an urgent message overtakes all that is not yet
/// written.
struct Outbox: ~Copyable {
  /// By class, the strictest first.
  private let queues: [OutboundQueue]

  init(_ limits: ConnectionLimits) {
    queues = TrafficClass.allCases.map { OutboundQueue(limits[$0]) }
  }

  subscript(trafficClass: TrafficClass) -> OutboundQueue { queues[Int(trafficClass.rawValue)] }

  var isEmpty: Bool { queues.allSatisfy { $0.isEmpty } }

  /// What is left of a frame that was begun: it goes before everything else.
  var begunRest: Int {
    var rest = 0
    for queue in queues { rest += queue.begunRest }
    return rest
  }

  /// Gives what is left of a frame that was begun.
  func appendBegun(to pieces: inout OutputPieces) {
    for queue in queues { queue.appendBegun(to: &pieces) }
  }

  /// Forgets what was written of it.
  func consumeBegun(_ written: Int) {
    for queue in queues where queue.begunRest > 0 {
      _ = queue.consume(written)
      return
    }
  }

  /// Gives whole frames, the strictest class first, until there are `limit` bytes or one frame more.
  /// - Parameter mayLeave: whether a class may; the second argument says whether something leaves
  ///   before it. Where one may not, those behind it wait as well.
  func append(
    to pieces: inout OutputPieces, limit: Int,
    if mayLeave: (TrafficClass, Bool) -> Bool = { _, _ in true }
  ) {
    for trafficClass in TrafficClass.allCases where pieces.byteCount < limit {
      // `consume` counts on what left being a beginning of all that waits.
      if !mayLeave(trafficClass, pieces.byteCount > 0) { return }
      self[trafficClass].append(to: &pieces, limit: limit)
    }
  }

  func dropExpired(at now: Instant) {
    for queue in queues { queue.dropExpired(at: now) }
  }

  /// Forgets what was written of the pieces that `append` gave.
  func consume(_ written: Int) {
    var rest = written
    for queue in queues where rest > 0 { rest = queue.consume(rest) }
  }

  /// Messages go over another link: what was begun is sent whole there.
  func handleLinkChanged() {
    for queue in queues { queue.forgetBegun() }
  }

  /// The link is gone: what was begun is sent whole on the next, requests not at all.
  func handleDisconnected() {
    for queue in queues {
      queue.forgetBegun()
      queue.expireRequests()
    }
  }
}
