/// The texts of -ERR have no type (ADR-40): these are known to leave the connection open.
enum ServerErrorText {
  static func closesConnection(_ text: Span<UInt8>) -> Bool {
    for prefix: StaticString in [
      "permissions violation", "invalid publish subject", "invalid subject",
      "maximum subscriptions exceeded",
    ] where text.startsIgnoringCase(with: prefix) {
      return false
    }
    return true
  }
}
