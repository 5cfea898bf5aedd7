/// Reads a run of the kernel's messages about links, addresses and routes (rtnetlink(7)) and gives one
/// event for each that matters to a connection. What is malformed, or ends in the middle, gives
/// `.lost` and ends the reading.
///
///     nlmsghdr | ifinfomsg, ifaddrmsg or rtmsg | rtattr, rtattr, ... | nlmsghdr | ...
///
/// All lengths are in the kernel's byte order, which on every machine this runs on is little endian.
struct RouteMessageReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  mutating func next() -> NetworkEvent? {
    while offset < bytes.count {
      let rest = bytes.extracting(offset..<bytes.count)
      guard let length = rest.length32(at: 0), length >= Size.header, length <= rest.count,
        let type = rest.littleEndian(at: 4, width: 2)
      else { return broken() }
      // The last message may lack the bytes that would align the next.
      offset += min(aligned(length), rest.count)
      let body = rest.extracting(Size.header..<length)
      switch RouteMessageReader.event(UInt16(clamping: type), body) {
      case .event(let event): return event
      case .nothing: continue
      case .malformed: return broken()
      }
    }
    return nil
  }

  private mutating func broken() -> NetworkEvent {
    offset = bytes.count
    return .lost
  }

  // MARK: messages

  private enum Outcome {
    case event(NetworkEvent)
    case nothing
    case malformed
  }

  /// Of linux/netlink.h and linux/rtnetlink.h.
  private enum Message {
    static let overrun: UInt16 = 4
    static let newLink: UInt16 = 16
    static let deleteLink: UInt16 = 17
    static let newAddress: UInt16 = 20
    static let deleteAddress: UInt16 = 21
    static let newRoute: UInt16 = 24
    static let deleteRoute: UInt16 = 25
  }

  private enum Size {
    static let header = 16
    static let link = 16
    static let address = 8
    static let route = 12
    static let attribute = 4
  }

  private static func event(_ type: UInt16, _ body: Span<UInt8>) -> Outcome {
    switch type {
    case Message.overrun: .event(.lost)
    case Message.newLink, Message.deleteLink: link(body, isNew: type == Message.newLink)
    case Message.newAddress, Message.deleteAddress:
      address(body, isNew: type == Message.newAddress)
    case Message.newRoute, Message.deleteRoute: route(body, isNew: type == Message.newRoute)
    default: .nothing
    }
  }

  private static func link(_ body: Span<UInt8>, isNew: Bool) -> Outcome {
    guard let family = body.littleEndian(at: 0, width: 1),
      let flags = body.littleEndian(at: 8, width: 4), body.count >= Size.link
    else { return .malformed }
    let up: UInt64 = 0x1
    let loopback: UInt64 = 0x8
    let running: UInt64 = 0x40
    // A bridge's ports are reported with a family of their own.
    if family != 0 || flags & loopback != 0 { return .nothing }
    var attributes = AttributeReader(body.extracting(Size.link..<body.count))
    let wireless: UInt16 = 11
    while let (type, _) = attributes.next() {
      // A radio's scan and the like, of which there may be many; the link is as it was.
      if type == wireless { return .nothing }
    }
    if attributes.isMalformed { return .malformed }
    return .event(isNew && flags & (up | running) == up | running ? .linkUp : .linkDown)
  }

  private static func address(_ body: Span<UInt8>, isNew: Bool) -> Outcome {
    guard let shortFlags = body.littleEndian(at: 2, width: 1),
      let scope = body.littleEndian(at: 3, width: 1), body.count >= Size.address
    else { return .malformed }
    var flags = shortFlags
    var address: NetworkAddress?
    var local: NetworkAddress?
    var attributes = AttributeReader(body.extracting(Size.address..<body.count))
    while let (type, range) = attributes.next() {
      let value = attributes.bytes.extracting(range)
      switch type {
      case 1: address = NetworkAddress(value)
      case 2: local = NetworkAddress(value)
      case 8: flags = value.littleEndian(at: 0, width: 4) ?? flags
      default: break
      }
    }
    // On a point-to-point link the first is the peer's.
    guard !attributes.isMalformed, let own = local ?? address else { return .malformed }
    if !isNew { return .event(.addressRemoved(own)) }
    // IFA_F_TENTATIVE and IFA_F_DADFAILED: IPv6 still asks, or knows, whether somebody has it; then
    // there comes another report. And addresses of the link alone (253) reach no server.
    let unusable: UInt64 = 0x48
    return flags & unusable != 0 || scope >= 253 ? .nothing : .event(.addressAdded(own))
  }

  private static func route(_ body: Span<UInt8>, isNew: Bool) -> Outcome {
    guard let kind = body.littleEndian(at: 7, width: 1),
      let flags = body.littleEndian(at: 8, width: 4), body.count >= Size.route
    else { return .malformed }
    // Each address brings local and broadcast routes with it; and RTM_F_CLONED is but a cache.
    let unicast: UInt64 = 1
    let cloned: UInt64 = 0x200
    if kind != unicast || flags & cloned != 0 { return .nothing }
    return .event(isNew ? .routeAdded : .routeRemoved)
  }

  private func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}

/// Goes through the attributes behind a message's fixed part.
private struct AttributeReader: ~Escapable {
  let bytes: Span<UInt8>
  private var offset = 0
  private(set) var isMalformed = false

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  /// The next attribute's type and where its value is.
  mutating func next() -> (type: UInt16, value: Range<Int>)? {
    let rest = bytes.count - offset
    if rest == 0 { return nil }
    guard let length = bytes.littleEndian(at: offset, width: 2).map({ Int(clamping: $0) }),
      let type = bytes.littleEndian(at: offset + 2, width: 2), length >= 4, length <= rest
    else {
      isMalformed = true
      return nil
    }
    let value = (offset + 4)..<(offset + length)
    offset += min((length + 3) & ~3, rest)
    // The two highest bits say how the value is written, not what it is.
    return (UInt16(clamping: type & 0x3fff), value)
  }
}
