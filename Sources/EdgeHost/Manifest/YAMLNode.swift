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

/// The text of a scalar in UTF-8. Text stays bytes until a value is made of it: comparing `String`s
/// brings Unicode's normalisation tables into the program.
struct YAMLScalar {
  let bytes: [UInt8]
  /// Whether it was quoted, a block (`|`, `>`) or tagged `!!str`: never a number or a boolean.
  let isText: Bool
}

/// A key with its value; the mark is the key's.
struct YAMLEntry {
  let key: [UInt8]
  let mark: Mark
  let value: YAMLNode
}

extension YAMLScalar {
  /// `key:` with nothing behind it, and the ways YAML has to write that out.
  var isNull: Bool {
    !isText
      && (bytes.isEmpty || matches(bytes, "~") || matches(bytes, "null") || matches(bytes, "Null")
        || matches(bytes, "NULL"))
  }
}
