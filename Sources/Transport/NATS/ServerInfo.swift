/// What a server says of itself in INFO, as far as a client acts on it.
public struct ServerInfo: Equatable {
  public var serverID = ""
  public var version = ""
  /// Largest payload, headers included, that the server takes, in bytes; at least 1.
  public var maxPayload: Int64 = 1 << 20
  public var supportsHeaders = false
  public var requiresTLS = false
  /// TLS may be used although it is not required.
  public var offersTLS = false
  /// The server is about to close its connections (lame duck mode).
  public var isLameDuck = false
  /// JetStream's domain; empty for none.
  public var domain = ""
  /// To be signed by who authenticates with a key; empty for none.
  public var nonce = ""
  /// Where else the cluster can be reached, as far as the addresses are sound and their number stays
  /// within bounds; nil when the server says nothing of it.
  public var connectURLs: [ServerURL]?

  public init() {}

  /// Reads the JSON of an INFO; unknown keys are passed over, known ones of a wrong type refused.
  public init(json: Span<UInt8>) throws(JSONError) {
    var reader = JSONReader(json)
    guard try reader.next() == .beginObject else { throw reader.unexpectedType }
    while case .key(let key) = try reader.next() { try readValue(of: key, &reader) }
    _ = try reader.next()
  }

  private mutating func readValue(
    of key: Range<Int>, _ reader: inout JSONReader
  ) throws(JSONError) {
    if reader.matches(key, "server_id") {
      serverID = try reader.nextString()
    } else if reader.matches(key, "version") {
      version = try reader.nextString()
    } else if reader.matches(key, "max_payload") {
      // Zero and less limit nothing.
      let limit = try reader.nextInteger()
      if limit > 0 { maxPayload = limit }
    } else if reader.matches(key, "headers") {
      supportsHeaders = try reader.nextBool()
    } else if reader.matches(key, "tls_required") {
      requiresTLS = try reader.nextBool()
    } else if reader.matches(key, "tls_available") {
      offersTLS = try reader.nextBool()
    } else if reader.matches(key, "ldm") {
      isLameDuck = try reader.nextBool()
    } else if reader.matches(key, "domain") {
      domain = try reader.nextString()
    } else if reader.matches(key, "nonce") {
      nonce = try reader.nextString()
    } else if reader.matches(key, "connect_urls") {
      connectURLs = try ServerInfo.urls(&reader)
    } else {
      try reader.skipValue()
    }
  }

  private static func urls(_ reader: inout JSONReader) throws(JSONError) -> [ServerURL]? {
    var urls: [ServerURL] = []
    var token = try reader.next()
    if token == .null { return nil }
    guard token == .beginArray else { throw reader.unexpectedType }
    while true {
      token = try reader.next()
      if token == .endArray { return urls }
      guard case .string(let range) = token else { throw reader.unexpectedType }
      // An address that we cannot use takes nothing from those that we can.
      if urls.count < ServerPool.discoveredMax,
        let url = try? ServerURL(parsing: reader.text(range))
      {
        urls.append(url)
      }
    }
  }
}
