// What a connection reads.
extension Connection {
  /// The next thing to do or to know that no bytes are needed for.
  public mutating func nextAction() -> ConnectionAction? {
    pending.isEmpty ? nil : pending.removeFirst()
  }

  /// The next thing to do or to know; nil when more bytes or time are needed. At most one frame is
  /// taken from the link's buffer per call.
  public mutating func nextAction(
    reading input: inout ReadBuffer, of id: LinkID, at now: Instant
  ) -> ConnectionAction? {
    while true {
      if !pending.isEmpty { return pending.removeFirst() }
      guard let link = link(id) else {
        input.removeAll()
        return nil
      }
      do {
        guard let frame = try link.parser.next(in: &input) else { return nil }
        if let action = take(frame, input.bytes, of: link, at: now) { return action }
        // What came in plain text must not be taken for what came through TLS.
        if case .securing = link.state, input.count > 0 {
          end(link, .tls(.bytesBehindInfo), closesSocket: true, at: now)
        }
      } catch {
        end(link, .malformedFrame(error), closesSocket: true, at: now)
      }
    }
  }

  private mutating func take(
    _ frame: Frame, _ bytes: Span<UInt8>, of link: Link, at now: Instant
  ) -> ConnectionAction? {
    switch frame {
    case .info(let json):
      takeInfo(bytes.extracting(json), of: link, at: now)
      return nil
    case .ping:
      link.owePong()
      return nil
    case .pong:
      return takePong(of: link, at: now)
    case .ok:
      return nil
    case .error(let text):
      let error = ServerError(bytes.extracting(text))
      link.take(error, bytes.extracting(text).string, at: now)
      return .serverError(error, text)
    case .message(let message):
      return takeMessage(message, bytes, of: link, at: now)
    case .oversizedMessage(let message, let size):
      return takeOversized(message, size: size, of: link)
    case .messagePart(let range, let offset):
      guard let large = link.largeMessage else { return nil }
      return .messagePart(large.subscription, range, offset: offset, size: large.size)
    }
  }

  private mutating func takePong(of link: Link, at now: Instant) -> ConnectionAction? {
    if !link.takePong() { return nil }
    switch link.state {
    case .awaitingPong:
      link.handleAccepted(at: now)
      if link === current {
        counts.connects += 1
        return .connected(link)
      }
      beginOverlap(at: now)
      return nil
    case .draining:
      end(link, .closedByServer, closesSocket: true, at: now)
      return nil
    case .established:
      takeMovePong(of: link, at: now)
      return nil
    case .opening, .securing, .awaitingInfo:
      return nil
    }
  }

  private mutating func takeMessage(
    _ message: MessageFrame, _ bytes: Span<UInt8>, of link: Link, at now: Instant
  ) -> ConnectionAction? {
    let sid = message.subscription
    if sid == inboxSID { return takeResponse(message, bytes) }
    guard let index = subscriptions.activeIndex(of: sid) else { return nil }
    if move.bringsTwins || !overlap.isEmpty, !subscriptions.hasQueueGroup(at: index),
      overlap.isTwin(message, bytes, on: link.id, remember: move.bringsTwins, at: now)
    {
      return nil
    }
    subscriptions.countDelivered(at: index)
    counts.messagesIn += 1
    return .message(message)
  }

  private mutating func takeOversized(
    _ message: MessageFrame, size: UInt64, of link: Link
  ) -> ConnectionAction? {
    counts.oversizedIn += 1
    link.largeMessage = nil
    let sid = message.subscription
    guard sid != inboxSID, let index = subscriptions.activeIndex(of: sid) else { return nil }
    if subscriptions.takesParts(at: index) { link.largeMessage = (subscription: sid, size: size) }
    subscriptions.countDelivered(at: index)
    return .oversizedMessage(message, size: size)
  }

  private mutating func takeResponse(
    _ message: MessageFrame, _ bytes: Span<UInt8>
  ) -> ConnectionAction? {
    let subject = bytes.extracting(message.subject)
    let prefix = inboxPrefix.count
    guard subject.count > prefix,
      let id = requests.end(token: subject.extracting(prefix..<subject.count))
    else {
      counts.lateResponses += 1
      return nil
    }
    if message.payload.isEmpty, let headers = HeaderReader(bytes.extracting(message.headers)),
      headers.status == 503
    {
      return .requestFailed(id, .noResponders)
    }
    return .response(id, message)
  }
}
