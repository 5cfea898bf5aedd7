@testable import Transport

/// A text's bytes.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension Array where Element == UInt8 {
  /// The bytes as text, for comparing and for messages of failed tests.
  var string: String { String(decoding: self, as: UTF8.self) }
}

extension RandomGenerator {
  /// A number from zero up to, but not including, `bound`.
  mutating func index(below bound: Int) -> Int {
    bound <= 1 ? 0 : Int(next(through: UInt64(bound - 1)))
  }

  /// True once in `count` times.
  mutating func oneIn(_ count: Int) -> Bool { index(below: count) == 0 }

  mutating func element<Element>(of elements: [Element]) -> Element {
    elements[index(below: elements.count)]
  }

  mutating func bytes(count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  /// Cuts bytes into pieces of one to `maximum` bytes.
  mutating func chop(_ bytes: [UInt8], maximum: Int) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + 1 + index(below: maximum))
      pieces.append(Array(bytes[start..<end]))
      start = end
    }
    return pieces
  }
}
