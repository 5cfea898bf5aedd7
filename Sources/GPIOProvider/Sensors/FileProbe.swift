import Transport

/// Where a number is in a file.
public struct FilePattern: Equatable {
  public var path: String
  /// The text that stands before the number; nil: it is the first thing.
  public var after: String?
  /// The only line that is looked at, from 1; nil: all.
  public var line: UInt32?

  public init(path: String, after: String? = nil, line: UInt32? = nil) {
    self.path = path
    self.after = after
    self.line = line
  }

  /// The number that stands behind the text, or at the beginning; blanks may be between.
  func number(in content: [UInt8]) throws(ReadingError) -> Double {
    var rest = content[...]
    if let line { rest = try self.line(line, of: content) }
    if let after {
      guard let start = FilePattern.end(of: after.bytes, in: rest) else {
        throw ReadingError("\(path) does not contain \(quoted: after)")
      }
      rest = rest[start...]
    }
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    let digits = Array(rest.prefix { FilePattern.isOfNumber($0) })
    if let value = FilePattern.longestNumber(digits) { return value }
    throw ReadingError(
      "\(path) holds \(AttributeText.quoted(Array(rest))) where a number should be")
  }

  private func line(_ number: UInt32, of content: [UInt8]) throws(ReadingError) -> ArraySlice<UInt8>
  {
    let newline = UInt8(ascii: "\n")
    var rest = content[...]
    for _ in 1..<max(number, 1) {
      guard let end = rest.firstIndex(of: newline) else { rest = []; break }
      rest = rest[(end + 1)...]
    }
    if rest.isEmpty { throw ReadingError("\(path) has no line \(number)") }
    return rest.prefix { $0 != newline }
  }

  /// The place behind the first occurrence.
  private static func end(of text: [UInt8], in content: ArraySlice<UInt8>) -> Int? {
    if text.count > content.count { return nil }
    for start in content.startIndex...(content.endIndex - text.count)
    where content[start..<start + text.count].elementsEqual(text) {
      return start + text.count
    }
    return nil
  }

  private static func isOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
      UInt8(ascii: "+"):
      true
    default: false
    }
  }

  /// What follows a number may look like a part of it: a range, the end of a sentence.
  private static func longestNumber(_ bytes: [UInt8]) -> Double? {
    var length = min(bytes.count, 40)
    while length > 0 {
      if let value = parseDecimal(Array(bytes[..<length]).span) { return value }
      length -= 1
    }
    return nil
  }
}

/// A number in any file of sysfs or procfs.
final class FileProbe: Probe {
  private let pattern: FilePattern

  init(_ pattern: FilePattern) { self.pattern = pattern }

  func requests() -> FileRequests { FileRequests([pattern.path], lane: pattern.path) }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    Measured(try pattern.number(in: try contents.content(0).bytes(pattern.path)))
  }
}
