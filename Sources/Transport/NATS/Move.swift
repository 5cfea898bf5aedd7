/// How far a connection is in moving from a server that is shutting down (lame duck mode) to another:
/// make before break.
///
///     none -> due -> opening -> overlapping -> settling -> leaving -> none
///              ^________|____________|____________|
///                 the new link is lost
///
/// Until `overlapping` all goes over the old link. Then the new one has our subscriptions as well and
/// messages go out over it, while both deliver: what comes twice is let through once. When the new
/// server's PONG and some time have shown that the subscriptions are known to the cluster, the old link's
/// are ended, and its last PONG says that everything it had for us has arrived.
enum Move: Equatable {
  case none
  /// A server is to be tried at this time.
  case due(Instant)
  /// `other` is the new link, in its handshake.
  case opening
  /// `other` is the old link; the new one's PONG behind the subscriptions is awaited.
  case overlapping
  case settling(until: Instant)
  /// UNSUB and PING are sent over the old link, or wait for room.
  case leaving

  var deadline: Instant? {
    switch self {
    case .due(let instant), .settling(let instant): instant
    case .none, .opening, .overlapping, .leaving: nil
    }
  }

  /// What arrives may come once more over the other link: both deliver the same subscriptions, or will
  /// before a message that is here already has come around the cluster.
  var bringsTwins: Bool {
    switch self {
    case .opening, .overlapping, .settling, .leaving: true
    case .none, .due: false
    }
  }
}

extension Connection {
  /// How long both links deliver before the old one is left: the news of our subscriptions crosses the
  /// cluster meanwhile.
  private static let settleTime = Duration.seconds(1)

  mutating func handleLameDuck(_ link: Link, at now: Instant) {
    if link === other, move == .opening {
      // From bad to worse: try the next.
      end(link, .lameDuck, closesSocket: true, at: now)
    } else if link === current, move == .none, link.isEstablished {
      pending.append(.lameDuck(link))
      // As with any shutdown, the whole fleet is told at the same time.
      let pause = servers.handleFailed(link.server, wasUseful: false, at: now)
      move = .due(herd.nextAttempt(from: now + pause))
      advanceMove(at: now)
    }
  }

  mutating func advanceMove(at now: Instant) {
    switch move {
    case .due(let instant):
      guard instant <= now, let current, let choice = servers.choose(at: now) else { return }
      if choice.notBefore > now {
        move = .due(herd.nextAttempt(from: choice.notBefore))
      } else if choice.url == current.server, servers.count > 1 {
        servers.handleTried(choice.url)
        _ = servers.handleFailed(choice.url, wasUseful: false, at: now)
        advanceMove(at: now)
      } else {
        move = .opening
        other = open(choice.url, at: now)
      }
    case .settling(let until):
      if until > now { return }
      move = .leaving
      subscriptions.beginUnsubscribingAll()
      other?.ping(at: now)
    case .none, .opening, .overlapping, .leaving: return
    }
  }

  /// The new link is accepted: messages go over it from now on, and it gets the subscriptions.
  mutating func beginOverlap(at now: Instant) {
    // Half a frame is finished where it was begun.
    guard move == .opening, outbox.begunRest == 0, let new = other, new.isEstablished else {
      return
    }
    other = current
    current = new
    serverInfo = new.info
    move = .overlapping
    overlap.handleOverlap(at: now)
    subscriptions.forgetWritten()
    new.ping(at: now)
    pending.append(.moved(new))
  }

  /// The new link's PONG in `overlapping`, the old link's in `leaving`.
  mutating func takeMovePong(of link: Link, at now: Instant) {
    if move == .overlapping, link === current {
      move = .settling(until: now + Connection.settleTime)
    } else if move == .leaving, link === other, subscriptions.hasUnsubscribedAll {
      end(link, .lameDuck, closesSocket: true, at: now)
    }
  }

  /// Handles the end of a link while moving; false when it ends the connection.
  mutating func endsInMove(_ link: Link, _ reason: DisconnectReason, at now: Instant) -> Bool {
    switch move {
    case .none, .due: return false
    case .opening:
      let isNew = link === other
      if isNew {
        move = .due(herd.nextAttempt(from: now + failed(link, reason, at: now)))
        other = nil
      } else {
        // The old one went first: the new one is the only one, and still has its handshake to do.
        guard let new = other else { return false }
        _ = failed(link, reason, at: now)
        promote(new, insteadOf: link, reason, at: now)
      }
      return true
    case .overlapping, .settling:
      guard let old = other else { return false }
      if link === current {
        // The old one still has all subscriptions.
        let pause = failed(link, reason, at: now)
        current = old
        serverInfo = old.info
        subscriptions.returnToOld()
        outbox.handleLinkChanged()
        endMove()
        move = .due(herd.nextAttempt(from: now + pause))
      } else {
        endMove()
      }
      return true
    case .leaving:
      if link === current { return false }
      endMove()
      return true
    }
  }

  private mutating func promote(
    _ new: Link, insteadOf old: Link, _ reason: DisconnectReason, at now: Instant
  ) {
    current = new
    endMove()
    subscriptions.forgetWritten()
    endRequests()
    pending.append(.disconnected(old, reason, retryIn: .zero))
    if new.isEstablished { pending.append(.connected(new)) }
  }

  mutating func endMove() {
    other = nil
    move = .none
    overlap.handleOthersEnded(but: current?.id)
  }
}
