import Transport

/// Who asks for something, as far as the dialect knows.
public struct Caller {
  public static let nameBytesMax = 64

  /// The dialect that the request came in: `services`, or `local` for this host itself.
  public let dialect: StaticString
  /// What the caller says it is, for logs and limits, never for rights: anybody may say any name.
  /// Printable ASCII without blanks, 1 to `nameBytesMax` bytes.
  public let name: String
  /// Public keys that the dialect has proven: of the actor, of its issuer. Empty where a dialect
  /// proves nothing, as services and local do.
  public let keys: [String]

  /// - Parameter name: bytes from outside. What is not printable becomes '?', blanks too, so that a
  ///   name cannot pass for the rest of a line in the log.
  public init(dialect: StaticString, name: Span<UInt8>, keys: [String] = []) {
    var kept: [UInt8] = []
    for index in 0..<min(name.count, Caller.nameBytesMax) {
      let byte = name[index]
      kept.append(byte > 0x20 && byte < 0x7f ? byte : UInt8(ascii: "?"))
    }
    self.dialect = dialect
    self.name = kept.isEmpty ? "unnamed" : kept.span.string
    self.keys = keys
  }

  /// This host itself.
  public static var local: Caller { Caller(dialect: "local", name: ascii("edge-host")) }
}

extension Caller: TextConvertible {
  /// `ops@laptop (services)`
  public var text: Text { "\(name) (\(dialect))" }
}
