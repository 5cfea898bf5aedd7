// What a connection writes.
extension Connection {
  /// Gives what is to be written over a link now, if there is something, to `write`, which returns how
  /// many bytes the socket took: first the rest of a frame that was begun, then what the protocol owes,
  /// then messages, the strictest class first. At most `limit` bytes, or
  /// `ConnectionLimits.writeBytes`, and one frame.
  ///
  /// - Returns: whether the socket took all there was: there may be more.
  public mutating func send(
    over id: LinkID, upTo limit: Int? = nil, at now: Instant,
    _ write: (borrowing OutputPieces) -> Int
  ) -> Bool {
    guard let link = link(id) else { return false }
    let mayCarryMessages = writeControl(of: link, at: now)
    let isCurrent = link === current
    if link.control.isEmpty, !isCurrent || outbox.isEmpty {
      if isCurrent { gate.hold(outbox, at: now) }
      return false
    }
    // First, because it moves what the pieces refer to.
    if isCurrent { outbox.dropExpired(at: now) }
    var pieces = OutputPieces()
    let begun = isCurrent ? outbox.begunRest : 0
    if isCurrent { outbox.appendBegun(to: &pieces) }
    let control = link.control.count
    link.control.append(to: &pieces)
    if isCurrent, mayCarryMessages {
      let gate = gate
      // What is to be sent before closing waits for nothing any more.
      let isLast = link.isDraining
      let hasBulk = gate.hasCompanyForReadings(in: outbox, at: now)
      outbox.append(to: &pieces, limit: limit ?? limits.writeBytes) { trafficClass, hasCompany in
        isLast || gate.allows(trafficClass, hasCompany: hasCompany || hasBulk, at: now)
      }
      self.gate.hold(outbox, at: now)
    }
    if pieces.byteCount == 0 { return false }
    let readings = outbox[.readings].byteCount
    let written = min(max(write(pieces), 0), pieces.byteCount)
    consume(written, begun: begun, control: control, of: link)
    gate.handleSent(written, hadReadings: outbox[.readings].byteCount < readings, at: now)
    if move == .opening { beginOverlap(at: now) }
    return written == pieces.byteCount
  }

  private mutating func consume(_ written: Int, begun: Int, control: Int, of link: Link) {
    counts.bytesOut += UInt64(written)
    var rest = written
    outbox.consumeBegun(min(rest, begun))
    rest -= min(rest, begun)
    link.control.consume(min(rest, control))
    rest -= min(rest, control)
    outbox.consume(rest)
  }

  /// Writes what the protocol owes into the link's buffer; false when messages have to wait.
  private mutating func writeControl(of link: Link, at now: Instant) -> Bool {
    switch link.state {
    case .opening, .securing: return false
    case .awaitingInfo, .awaitingPong, .established, .draining: break
    }
    if !link.writeGreeting() || !link.isGreeted { return false }
    if link === current {
      if !subscriptions.write(into: &link.control) { return false }
    } else if move == .leaving, !subscriptions.writeUnsubscribing(into: &link.control) {
      return false
    }
    if !link.writePongs() { return false }
    if link.isDraining {
      // The PING comes last: its PONG says that everything before it arrived.
      if outbox.isEmpty { _ = link.writePing() }
      return true
    }
    return link.writePing()
  }
}
