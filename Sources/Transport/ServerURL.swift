/// The address of a NATS server: what a manifest, a command line or `LATTICE_HOST` names.
///
/// In goes text such as `nats://hub.example:4222`, `tls://10.0.0.7` or `nats://[fd00::7]:4222`; out come
/// a host, a port, and whether the link must be TLS. Nothing is resolved here, and a mistake never repeats
/// what may be a secret.
public struct ServerURL: Equatable, Sendable {
  public static let defaultPort: UInt16 = 4222

  /// A DNS name, a dotted IPv4 address, or an IPv6 address without its brackets.
  public let host: String
  public let port: UInt16
  /// Nothing but TLS will do. Without it a server may still ask for TLS, and gets it.
  public let requiresTLS: Bool

  /// - Parameter text: `nats://HOST[:PORT]`, `tls://HOST[:PORT]`, or `HOST[:PORT]`, as the official clients
  ///   take it too.
  public init(parsing text: String) throws(ServerURLError) {
    let bytes = text.bytes
    if bytes.isEmpty { throw .empty }
    let (requiresTLS, schemeLength) = try Self.scheme(bytes.span)
    self.requiresTLS = requiresTLS
    let rest = bytes.span.extracting(schemeLength..<bytes.count)

    // Text after the authority may hold an '@' of its own, so the authority is cut out first.
    var authority = rest
    let slash = rest.firstOffset(of: UInt8(ascii: "/")) ?? rest.count
    let end = min(slash, rest.firstOffset(of: UInt8(ascii: "?")) ?? rest.count)
    if end < rest.count {
      let isRootPath = end == slash && end + 1 == rest.count
      let hasCredentials = rest.firstOffset(of: UInt8(ascii: "@")) != nil
      if !isRootPath { throw hasCredentials ? .credentials : .path }
      authority = rest.extracting(0..<end)
    }
    if authority.firstOffset(of: UInt8(ascii: "@")) != nil { throw .credentials }

    let (host, port) = try Self.split(authority)
    self.host = authority.extracting(host).string
    self.port = if let port { try Self.port(authority.extracting(port)) } else { Self.defaultPort }
  }
}

extension ServerURL {
  private init(host: String, port: UInt16, requiresTLS: Bool) {
    self.host = host
    self.port = port
    self.requiresTLS = requiresTLS
  }

  /// The same address, with nothing but TLS.
  var requiringTLS: ServerURL { ServerURL(host: host, port: port, requiresTLS: true) }
}

/// What is wrong with the address of a server.
public enum ServerURLError: Error, Equatable, Sendable {
  case empty
  /// A scheme other than `nats` and `tls`; the scheme alone.
  case scheme(String)
  /// `tls`, in a build without.
  case tls
  /// A user name, password or token in the address. It is not repeated.
  case credentials
  case missingHost
  /// Neither a DNS name nor an IPv4 or IPv6 address.
  case host(String)
  /// An IPv6 address outside brackets.
  case bareIPv6
  /// Not a number from 1 to 65535.
  case port(String)
  case path
}

extension ServerURL: TextConvertible {
  /// The address as logs show it, with its port.
  public var text: Text {
    let scheme: StaticString = requiresTLS ? "tls" : "nats"
    return host.utf8.contains(UInt8(ascii: ":"))
      ? "\(scheme)://[\(host)]:\(port)" : "\(scheme)://\(host):\(port)"
  }
}

extension ServerURLError: TextConvertible {
  public var text: Text {
    switch self {
    case .empty: "the server address is empty: say nats://HOST or nats://HOST:PORT"
    case .scheme(let scheme): "the scheme '\(scheme)' is not supported: say nats://HOST:PORT"
    case .tls: "this build has no TLS: say nats://HOST:PORT, or install a build with TLS"
    case .credentials:
      """
      user names, passwords and tokens do not belong in the address: name a file with them in 'auth' \
      of the manifest
      """
    case .missingHost: "the host is missing: say nats://HOST or nats://HOST:PORT"
    case .host(let host): "'\(host)' is not a host name, an IPv4 address or an [IPv6] address"
    case .bareIPv6: "an IPv6 address goes in brackets, as in nats://[fd00::7]:4222"
    case .port(let port): "'\(port)' is not a port: say a number from 1 to 65535"
    case .path: "nothing may follow the port: say nats://HOST:PORT"
    }
  }
}

// MARK: - The parts

extension ServerURL {
  /// How many bytes the scheme has, with its "://", and whether it is `tls`.
  private static func scheme(
    _ text: Span<UInt8>
  ) throws(ServerURLError) -> (requiresTLS: Bool, length: Int) {
    guard let end = text.firstOffset(of: UInt8(ascii: ":")),
      text.extracting(end..<text.count).starts(with: "://")
    else { return (false, 0) }
    let scheme = text.extracting(0..<end)
    // A token before a host, not a scheme: it must not be repeated.
    if scheme.firstOffset(of: UInt8(ascii: "@")) != nil { throw .credentials }
    if scheme.equalsIgnoringCase("nats") { return (false, end + 3) }
    guard scheme.equalsIgnoringCase("tls") else { throw .scheme(printable(scheme)) }
    if !TLSSession.isAvailable { throw .tls }
    return (true, end + 3)
  }

  /// Splits `HOST`, `HOST:PORT` or `[IPv6]:PORT`; the host comes back checked.
  private static func split(
    _ authority: Span<UInt8>
  ) throws(ServerURLError) -> (host: Range<Int>, port: Range<Int>?) {
    let colon = UInt8(ascii: ":")
    if authority.starts(with: "[") {
      guard let close = authority.firstOffset(of: UInt8(ascii: "]")) else {
        throw .host(printable(authority))
      }
      guard isIPv6(authority.extracting(1..<close)) else {
        throw .host(printable(authority.extracting(0...close)))
      }
      if close + 1 == authority.count { return (1..<close, nil) }
      guard authority[close + 1] == colon else { throw .host(printable(authority)) }
      return (1..<close, (close + 2)..<authority.count)
    }
    let end = authority.firstOffset(of: colon) ?? authority.count
    if end < authority.count, authority.firstOffset(of: colon, from: end + 1) != nil {
      throw .bareIPv6
    }
    if end == 0 { throw .missingHost }
    let host = authority.extracting(0..<end)
    guard isIPv4OrName(host) else { throw .host(printable(host)) }
    return (0..<end, end < authority.count ? (end + 1)..<authority.count : nil)
  }

  private static func port(_ digits: Span<UInt8>) throws(ServerURLError) -> UInt16 {
    guard let number = number(digits), number > 0, let port = UInt16(exactly: number) else {
      throw .port(printable(digits))
    }
    return port
  }
}

// MARK: - Grammar

/// RFC 1123 names (with '_', which private networks use), or four numbers when the last label is
/// one, so that a mistyped IPv4 address is not sent to DNS as a name.
private func isIPv4OrName(_ host: Span<UInt8>) -> Bool {
  if host.isEmpty || host.count > 253 { return false }
  var labels = TokenReader(host)
  var count = 0
  var numbers = 0
  var isNumber = false
  while let range = labels.next() {
    let label = host.extracting(range)
    // A name may end in a dot.
    if label.isEmpty && range.lowerBound == host.count && count > 0 { break }
    guard (1...63).contains(label.count), consists(label, isNameByte) else { return false }
    isNumber = consists(label, isDigit)
    if let value = number(label), value <= 255 { numbers += 1 }
    count += 1
  }
  return isNumber ? count == 4 && numbers == 4 && host[host.count - 1] != 0x2E : true
}

/// Groups of hex digits with at most one "::" among them, and perhaps an IPv4 address at the end.
/// A zone (`fe80::1%eth0`) is taken as it is.
private func isIPv6(_ text: Span<UInt8>) -> Bool {
  let end = text.firstOffset(of: UInt8(ascii: "%")) ?? text.count
  if end < text.count {
    let zone = text.extracting((end + 1)..<text.count)
    guard (1...15).contains(zone.count), consists(zone, { $0 > 0x20 && $0 < 0x7f }) else {
      return false
    }
  }
  let address = text.extracting(0..<end)
  if address.count < 2 || address.count > 45 { return false }
  var parts = TokenReader(address, separator: UInt8(ascii: ":"))
  var groups = 0
  var gaps = 0
  while let range = parts.next() {
    let part = address.extracting(range)
    let isFirst = range.lowerBound == 0
    let isLast = range.upperBound == address.count
    if part.isEmpty {
      // A "::" at either end leaves two empty parts there, elsewhere one.
      if isFirst {
        guard address.starts(with: "::") else { return false }
      } else if isLast {
        guard address[address.count - 2] == UInt8(ascii: ":") else { return false }
      } else {
        gaps += 1
      }
    } else if isLast && part.firstOffset(of: UInt8(ascii: ".")) != nil {
      guard !isFirst, isIPv4OrName(part), consists(part, { isDigit($0) || $0 == 0x2E }) else {
        return false
      }
      groups += 2
    } else {
      guard part.count <= 4, consists(part, isHexDigit) else { return false }
      groups += 1
    }
  }
  if address.equals("::") { return true }
  return gaps == 0 ? groups == 8 : gaps == 1 && groups < 8
}

/// The value of one to five digits.
private func number(_ digits: Span<UInt8>) -> UInt64? {
  digits.count <= 5 ? digits.unsignedNumber : nil
}

private func consists(_ bytes: Span<UInt8>, _ isAllowed: (UInt8) -> Bool) -> Bool {
  for index in bytes.indices where !isAllowed(bytes[index]) { return false }
  return true
}

private func isDigit(_ byte: UInt8) -> Bool {
  byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  isDigit(byte) || (0x61...0x66).contains(lowercased(byte))
}

private func isNameByte(_ byte: UInt8) -> Bool {
  isDigit(byte) || (0x61...0x7A).contains(lowercased(byte)) || byte == UInt8(ascii: "-")
    || byte == UInt8(ascii: "_")
}

/// Text from outside for a message: short, and without bytes that could steer a terminal.
private func printable(_ bytes: Span<UInt8>) -> String {
  var shown: [UInt8] = []
  for index in 0..<min(bytes.count, 40) {
    shown.append(bytes[index] > 0x1f && bytes[index] < 0x7f ? bytes[index] : UInt8(ascii: "?"))
  }
  if bytes.count > 40 { shown.append(ascii: "...") }
  return shown.span.string
}
