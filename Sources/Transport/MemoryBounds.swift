/// One of the things that the transport keeps in memory, and the most it may take.
public struct MemoryBound: Sendable {
  public let name: StaticString
  public let bytes: Int

  init(_ name: StaticString, _ bytes: Int) {
    self.name = name
    self.bytes = bytes
  }
}

extension ConnectionLimits {
  /// A link while there is one, and a second one while moving to another server.
  private static let linksMax = 2

  /// All that a client may hold, each at its bound.
  public var memoryBounds: [MemoryBound] {
    var bounds = [
      MemoryBound("read buffers", ConnectionLimits.linksMax * readBufferBytes),
      MemoryBound("control buffers", ConnectionLimits.linksMax * controlBytes),
    ]
    for trafficClass in TrafficClass.allCases {
      let queue = self[trafficClass]
      bounds.append(
        MemoryBound(
          trafficClass.name, queue.bytes + queue.messagesMax * OutboundQueue.entryBytes))
    }
    bounds.append(
      MemoryBound(
        "subscriptions",
        subscriptionBytes + (subscriptionsMax + 1) * SubscriptionTable.entryBytes))
    bounds.append(MemoryBound("requests", requestsMax * RequestTable.entryBytes))
    bounds.append(MemoryBound("servers", ServerPool.bytesMax))
    if TLSSession.isAvailable {
      bounds.append(MemoryBound("TLS", ConnectionLimits.linksMax * TLSSession.bytesMax))
    }
    bounds.append(MemoryBound("moving to another server", OverlapFilter.bytesMax))
    bounds.append(MemoryBound("reports of the network", NetworkWatch.bytesMax))
    return bounds
  }
}
