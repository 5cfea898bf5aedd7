/// An IPv4 or IPv6 address.
public struct NetworkAddress: Equatable, Sendable {
  public let isIPv6: Bool
  private let high: UInt64
  private let low: UInt64

  /// Nil unless there are 4 or 16 bytes, in the order of the network.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    isIPv6 = bytes.count == 16
    var words: (UInt64, UInt64) = (0, 0)
    for index in bytes.indices {
      words.0 = words.0 << 8 | words.1 >> 56
      words.1 = words.1 << 8 | UInt64(bytes[index])
    }
    (high, low) = words
  }
}

/// What the kernel says of the network's state, as far as it concerns a connection.
public enum NetworkEvent: Equatable, Sendable {
  /// An address that can be used from now on.
  case addressAdded(NetworkAddress)
  case addressRemoved(NetworkAddress)
  /// An interface is up and has a carrier.
  case linkUp
  /// An interface is switched off, has no carrier or is gone.
  case linkDown
  case routeAdded
  case routeRemoved
  /// Reports were lost or could not be read: anything may have changed.
  case lost
}

/// What an event means for a client; the greater ones prevail when several come together.
public enum NetworkAdvice: UInt8, Comparable, Sendable {
  case nothing
  /// Not connected, and the network may be back: try now, after a small jitter.
  case tryNow
  /// Connected, and perhaps not for long: ask whether our address and a route are still there.
  case checkPath
  /// Our own address is gone: no segment will ever reach us, so close at once.
  case close

  public static func < (left: NetworkAdvice, right: NetworkAdvice) -> Bool {
    left.rawValue < right.rawValue
  }

  /// A lost carrier or route is only a reason to ask: an access point that is changed for another
  /// and a cable that is plugged anew leave the address, and with it the connection.
  ///
  /// - Parameter local: our socket's address; nil when there is no connection.
  public init(for event: NetworkEvent, local: NetworkAddress?) {
    guard let local else {
      switch event {
      case .addressAdded, .linkUp, .routeAdded, .lost: self = .tryNow
      case .addressRemoved, .linkDown, .routeRemoved: self = .nothing
      }
      return
    }
    switch event {
    case .addressRemoved(let address): self = address == local ? .close : .checkPath
    case .linkDown, .routeRemoved, .lost: self = .checkPath
    case .addressAdded, .linkUp, .routeAdded: self = .nothing
    }
  }
}
