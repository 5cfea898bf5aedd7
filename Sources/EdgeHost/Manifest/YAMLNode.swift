/// A part of a YAML document, with its place.
struct YAMLNode {
  enum Content {
    case scalar(YAMLScalar)
    case sequence([YAMLNode])
    case mapping([YAMLEntry])
    /// Something a manifest may not hold. It was reported; whoever meets it says nothing more.
    case refused
  }

  let mark: Mark
  let content: Content
}

/// All texts of a document, one behind the other: thousands of small arrays would leave holes in memory
/// that the host keeps for as long as it runs.
final class YAMLTexts {
  fileprivate private(set) var bytes: [UInt8] = []

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  func append(_ text: UnsafeBufferPointer<UInt8>) -> YAMLText {
    let start = bytes.count
    bytes.append(contentsOf: text)
    return YAMLText(self, start..<bytes.count)
  }
}

/// A text of a document in UTF-8. Text stays bytes until a value is made of it: comparing `String`s
/// brings Unicode's normalisation tables into the program.
struct YAMLText {
  private let texts: YAMLTexts
  private let start: UInt32
  private let count: UInt32

  fileprivate init(_ texts: YAMLTexts, _ range: Range<Int>) {
    self.texts = texts
    start = UInt32(clamping: range.lowerBound)
    count = UInt32(clamping: range.count)
  }

  var bytes: [UInt8] { Array(texts.bytes[range]) }
  var isEmpty: Bool { count == 0 }

  func equals(_ other: YAMLText) -> Bool {
    count == other.count && texts.bytes[range].elementsEqual(other.texts.bytes[other.range])
  }

  private var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// The text of a scalar.
struct YAMLScalar {
  let text: YAMLText
  /// Whether it was quoted, a block (`|`, `>`) or tagged `!!str`: never a number or a boolean.
  let isText: Bool

  init(_ text: YAMLText, isText: Bool) {
    self.text = text
    self.isText = isText
  }

  /// A scalar that no document has.
  init(bytes: [UInt8], isText: Bool) {
    text = bytes.withUnsafeBufferPointer { YAMLTexts(capacity: $0.count).append($0) }
    self.isText = isText
  }

  var bytes: [UInt8] { text.bytes }
}

/// A key with its value; the mark is the key's.
struct YAMLEntry {
  let name: YAMLText
  let mark: Mark
  let value: YAMLNode

  var key: [UInt8] { name.bytes }
}

extension YAMLScalar {
  /// `key:` with nothing behind it, and the ways YAML has to write that out.
  var isNull: Bool {
    !isText
      && (bytes.isEmpty || matches(bytes, "~") || matches(bytes, "null") || matches(bytes, "Null")
        || matches(bytes, "NULL"))
  }
}
