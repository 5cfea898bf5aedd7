// Text is compared byte by byte. The standard library compares strings by canonical equivalence, for
// which a program carries some 60 KB of Unicode tables and normalization; names, keys and commands
// are ASCII or must match exactly. These shadow the standard library's operators wherever this module
// is imported.

extension String {
  /// Whether two texts are the same bytes.
  public static func == (left: String, right: String) -> Bool { isSame(left, right) }
  public static func != (left: String, right: String) -> Bool { !isSame(left, right) }

  @inline(never)
  private static func isSame(_ left: String, _ right: String) -> Bool {
    if left.utf8.count != right.utf8.count { return false }
    var other = right.utf8.makeIterator()
    for byte in left.utf8 where byte != other.next() { return false }
    return true
  }
}

extension String {
  /// Whether the text begins with the bytes of `prefix`.
  @inline(never)
  public func begins(with prefix: StaticString) -> Bool {
    let expected = ascii(prefix)
    if utf8.count < expected.count { return false }
    var bytes = utf8.makeIterator()
    for index in expected.indices where bytes.next() != expected[index] { return false }
    return true
  }

  /// The texts before and after the first `byte`; nil when there is none.
  public func cut(at byte: UInt8) -> (before: String, after: String)? {
    let bytes = Array(utf8)
    guard let index = bytes.firstIndex(of: byte) else { return nil }
    return (
      bytes[..<index].string,
      bytes[(index + 1)...].string
    )
  }
}

extension Array where Element == String {
  /// Whether one of the texts is `text`, byte by byte.
  @inline(never)
  public func includes(_ text: String) -> Bool {
    for element in self where element == text { return true }
    return false
  }

  /// The texts in one, `separator` between them.
  @inline(never)
  public func joined(by separator: String) -> String {
    var joined = ""
    for (index, element) in enumerated() {
      if index > 0 { joined += separator }
      joined += element
    }
    return joined
  }
}

/// Makes `switch` over a text compare bytes as well.
public func ~= (pattern: String, value: String) -> Bool { pattern == value }
