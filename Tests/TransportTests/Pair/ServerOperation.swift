@testable import Transport

/// Writes what a server sends.
enum ServerOperation {
  /// MSG, or HMSG when there are headers.
  static func message(
    sid: UInt32, subject: String, reply: String? = nil, headers: [UInt8] = [], payload: [UInt8]
  ) -> [UInt8] {
    var fields = [headers.isEmpty ? "MSG" : "HMSG", subject, String(sid)]
    if let reply { fields.append(reply) }
    if !headers.isEmpty { fields.append(String(headers.count)) }
    fields.append(String(headers.count + payload.count))
    return bytes(fields.joined(separator: " ") + "\r\n") + headers + payload + bytes("\r\n")
  }
}

/// Subscription patterns, decided on strings: slow, and written apart from `Subject`, so that the two
/// can be compared.
enum Pattern {
  static func matches(_ pattern: String, _ subject: String) -> Bool {
    if pattern == subject { return true }
    let expected = pattern.split(separator: ".", omittingEmptySubsequences: false)
    let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
    for (index, token) in expected.enumerated() {
      if token == ">" { return index == expected.count - 1 && tokens.count > index }
      if index >= tokens.count { return false }
      if token != "*", token != tokens[index] { return false }
    }
    return expected.count == tokens.count
  }
}
