@testable import Transport

/// Writes what a server sends.
enum ServerOperation {
  /// MSG, or HMSG when there are headers.
  static func message(
    sid: UInt32, subject: String, reply: String? = nil, headers: [UInt8] = [], payload: [UInt8]
  ) -> [UInt8] {
    var output: [UInt8] = []
    message(
      sid: sid, subject: subject, reply: reply, headers: headers, payload: payload, into: &output)
    return output
  }

  static func message(
    sid: UInt32, subject: String, reply: String?, headers: [UInt8], payload: [UInt8],
    into output: inout [UInt8]
  ) {
    output += (headers.isEmpty ? "MSG " : "HMSG ").utf8
    output += subject.utf8
    output.append(0x20)
    output.append(decimal: UInt64(sid))
    if let reply {
      output.append(0x20)
      output += reply.utf8
    }
    if !headers.isEmpty {
      output.append(0x20)
      output.append(decimal: UInt64(headers.count))
    }
    output.append(0x20)
    output.append(decimal: UInt64(headers.count + payload.count))
    output += "\r\n".utf8
    output += headers
    output += payload
    output += "\r\n".utf8
  }
}

/// Subscription patterns, written apart from `Subject`, so that the two can be compared.
enum Pattern {
  static func matches(_ pattern: String, _ subject: String) -> Bool {
    var pattern = pattern
    var subject = subject
    return pattern.withUTF8 { expected in subject.withUTF8 { matches(expected, $0) } }
  }

  private static func matches(
    _ pattern: UnsafeBufferPointer<UInt8>, _ subject: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    var place = 0
    var isTokenStart = true
    for (index, byte) in pattern.enumerated() {
      let isAlone = isTokenStart && (index + 1 == pattern.count || pattern[index + 1] == 0x2E)
      if isAlone, byte == 0x3E, index + 1 == pattern.count { return place < subject.count }
      if place >= subject.count { return false }
      if isAlone, byte == 0x2A {
        while place < subject.count, subject[place] != 0x2E { place += 1 }
      } else {
        if subject[place] != byte { return false }
        place += 1
      }
      isTokenStart = byte == 0x2E
    }
    return place == subject.count
  }
}
