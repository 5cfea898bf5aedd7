/// The address of a NATS server: what a manifest, a command line or `LATTICE_HOST` names.
///
/// In goes text such as `nats://hub.example:4222`, `10.0.0.7` or `nats://[fd00::7]:4222`; out come
/// a host and a port. Nothing is resolved here, and a mistake never repeats what may be a secret.
public struct ServerURL: Equatable, Sendable {
  public static let defaultPort: UInt16 = 4222

  /// A DNS name, a dotted IPv4 address, or an IPv6 address without its brackets.
  public let host: String
  public let port: UInt16

  /// - Parameter text: `nats://HOST[:PORT]`, or `HOST[:PORT]`, as the official clients take it too.
  public init(parsing text: String) throws(ServerURLError) {
    var rest = Array(text.utf8)[...]
    if rest.isEmpty { throw .empty }
    try Self.removeScheme(from: &rest)

    // Text after the authority may hold an '@' of its own, so the authority is cut out first.
    if let end = rest.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) {
      let isRootPath = rest[end] == UInt8(ascii: "/") && end + 1 == rest.endIndex
      let hasCredentials = rest.contains(UInt8(ascii: "@"))
      rest = rest[..<end]
      if !isRootPath { throw hasCredentials ? .credentials : .path }
    }
    if rest.contains(UInt8(ascii: "@")) { throw .credentials }

    let (hostBytes, portBytes) = try Self.split(rest)
    host = String(decoding: hostBytes, as: UTF8.self)
    port = if let portBytes { try Self.port(portBytes) } else { Self.defaultPort }
  }
}

/// What is wrong with the address of a server.
public enum ServerURLError: Error, Equatable, Sendable {
  case empty
  /// A scheme other than `nats`; the scheme alone.
  case scheme(String)
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
    host.utf8.contains(UInt8(ascii: ":")) ? "nats://[\(host)]:\(port)" : "nats://\(host):\(port)"
  }
}

extension ServerURLError: TextConvertible {
  public var text: Text {
    switch self {
    case .empty: "the server address is empty: say nats://HOST or nats://HOST:PORT"
    case .scheme(let scheme): "the scheme '\(scheme)' is not supported: say nats://HOST:PORT"
    case .tls: "TLS comes with a later version: say nats://HOST:PORT"
    case .credentials:
      """
      user names, passwords and tokens do not belong in the address; credentials in a file come \
      with a later version
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
  private static func removeScheme(from rest: inout ArraySlice<UInt8>) throws(ServerURLError) {
    let colon = UInt8(ascii: ":")
    let slash = UInt8(ascii: "/")
    guard let end = rest.firstIndex(of: colon), rest[(end + 1)...].starts(with: [slash, slash])
    else { return }
    let scheme = rest[..<end].map { isUppercase($0) ? $0 | 0x20 : $0 }
    rest = rest[(end + 3)...]
    if scheme.elementsEqual("nats".utf8) { return }
    if scheme.elementsEqual("tls".utf8) { throw .tls }
    throw .scheme(printable(scheme[...]))
  }

  /// Splits `HOST`, `HOST:PORT` or `[IPv6]:PORT`; the host comes back checked.
  private static func split(
    _ authority: ArraySlice<UInt8>
  ) throws(ServerURLError) -> (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>?) {
    let colon = UInt8(ascii: ":")
    if authority.first == UInt8(ascii: "[") {
      guard let close = authority.firstIndex(of: UInt8(ascii: "]")) else {
        throw .host(printable(authority))
      }
      let host = authority[(authority.startIndex + 1)..<close]
      guard isIPv6(host) else { throw .host(printable(authority[...close])) }
      let rest = authority[(close + 1)...]
      if rest.isEmpty { return (host, nil) }
      guard rest.first == colon else { throw .host(printable(authority)) }
      return (host, rest.dropFirst())
    }
    guard let first = authority.firstIndex(of: colon) else {
      return (try checkedHost(authority), nil)
    }
    let port = authority[(first + 1)...]
    if port.contains(colon) { throw .bareIPv6 }
    return (try checkedHost(authority[..<first]), port)
  }

  private static func checkedHost(
    _ host: ArraySlice<UInt8>
  ) throws(ServerURLError) -> ArraySlice<UInt8> {
    if host.isEmpty { throw .missingHost }
    guard isIPv4OrName(host) else { throw .host(printable(host)) }
    return host
  }

  private static func port(_ digits: ArraySlice<UInt8>) throws(ServerURLError) -> UInt16 {
    guard let port = number(digits, max: UInt16.max), port > 0 else {
      throw .port(printable(digits))
    }
    return port
  }
}

// MARK: - Grammar

/// RFC 1123 names (with '_', which private networks use), or four numbers when the last label is
/// one, so that a mistyped IPv4 address is not sent to DNS as a name.
private func isIPv4OrName(_ host: ArraySlice<UInt8>) -> Bool {
  if host.count > 253 { return false }
  var labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
  guard let last = labels.last else { return false }
  if !last.isEmpty && last.allSatisfy(isDigit) {
    return labels.count == 4 && labels.allSatisfy { number($0, max: 255) != nil }
  }
  if last.isEmpty { labels.removeLast() }
  return !labels.isEmpty
    && labels.allSatisfy { label in
      (1...63).contains(label.count)
        && label.allSatisfy {
          isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    }
}

/// Groups of hex digits with at most one "::" among them, and perhaps an IPv4 address at the end.
/// A zone (`fe80::1%eth0`) is taken as it is.
private func isIPv6(_ text: ArraySlice<UInt8>) -> Bool {
  var address = text
  if let percent = text.firstIndex(of: UInt8(ascii: "%")) {
    let zone = text[(percent + 1)...]
    guard (1...15).contains(zone.count), zone.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      return false
    }
    address = text[..<percent]
  }
  if address.count > 45 { return false }
  let parts = address.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
  var groups = 0
  var gaps = 0
  for (index, part) in parts.enumerated() {
    if part.isEmpty {
      // A "::" at either end leaves two empty parts there, elsewhere one.
      let isEdge = index == 0 || index == parts.count - 1
      let neighbour = index == 0 ? 1 : index == parts.count - 1 ? index - 1 : index
      if isEdge && !(parts.indices.contains(neighbour) && parts[neighbour].isEmpty) { return false }
      if !isEdge { gaps += 1 }
    } else if index == parts.count - 1 && part.contains(UInt8(ascii: ".")) {
      guard parts.count > 1, isIPv4OrName(part), part.allSatisfy({ !isLetter($0) }) else {
        return false
      }
      groups += 2
    } else {
      guard part.count <= 4, part.allSatisfy(isHexDigit) else { return false }
      groups += 1
    }
  }
  return gaps == 0 ? groups == 8 && parts.count > 2 : gaps == 1 && groups < 8
}

private func number<Value: FixedWidthInteger>(
  _ digits: ArraySlice<UInt8>, max: Value
) -> Value? {
  guard (1...5).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
  var value: UInt32 = 0
  for digit in digits { value = value * 10 + UInt32(digit - UInt8(ascii: "0")) }
  guard value <= UInt32(max) else { return nil }
  return Value(value)
}

private func isDigit(_ byte: UInt8) -> Bool {
  byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

private func isUppercase(_ byte: UInt8) -> Bool {
  byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
}

private func isLetter(_ byte: UInt8) -> Bool {
  isUppercase(byte) || byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
}

private func isHexDigit(_ byte: UInt8) -> Bool {
  isDigit(byte)
    || byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f")
}

/// Text from outside for a message: short, and without bytes that could steer a terminal.
private func printable(_ bytes: ArraySlice<UInt8>) -> String {
  let shown = bytes.prefix(40).map { $0 > 0x1f && $0 < 0x7f ? $0 : UInt8(ascii: "?") }
  return String(decoding: shown, as: UTF8.self) + (bytes.count > 40 ? "..." : "")
}
