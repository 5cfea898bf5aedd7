import Transport

/// A value of the manifest that is about to be decoded.
///
/// Each method returns the value as the type asked for, or reports at its place what was expected
/// and what was found, and returns nil: the caller goes on with a default, so that one pass finds
/// every mistake. A class, for it is handed on at hundreds of places, and each would copy its parts.
final class Field {
  /// What messages call it: `'debounce'`, `an entry of 'servers'`.
  let label: Text
  let node: YAMLNode
  let problems: ProblemList

  @inline(never)
  init(label: Text, node: YAMLNode, problems: ProblemList) {
    self.label = label
    self.node = node
    self.problems = problems
  }

  var mark: Mark { node.mark }

  @inline(never)
  func report(_ message: Text) { problems.report(node.mark, message) }

  /// - Parameter expected: completes "'name' must be ...".
  @inline(never)
  func reportMismatch(_ expected: Text) {
    switch node.content {
    case .scalar(let scalar) where scalar.isNull || scalar.bytes.isEmpty:
      report("\(label) must be \(expected), not empty")
    case .scalar(let scalar):
      report("\(label) must be \(expected), not \(quoted: scalar.bytes)")
    case .sequence: report("\(label) must be \(expected), not a list")
    case .mapping: report("\(label) must be \(expected), not a mapping")
    case .refused: break
    }
  }
}

// MARK: - Text

extension Field {
  /// The bytes of a scalar that is neither null nor empty.
  @inline(never)
  func scalar(_ expected: StaticString) -> YAMLScalar? {
    if case .scalar(let scalar) = node.content, !scalar.isNull, !scalar.bytes.isEmpty {
      return scalar
    }
    reportMismatch("\(expected)")
    return nil
  }

  /// Text of at most `bytesMax` bytes without control characters. Numbers and booleans are taken as
  /// they are written.
  @inline(never)
  func text(_ expected: StaticString, bytesMax: Int) -> String? {
    guard let bytes = scalar(expected)?.bytes else { return nil }
    if bytes.count > bytesMax {
      report("\(label) is too long: at most \(bytesMax) bytes")
      return nil
    }
    if bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
      report("\(label) must not contain control characters")
      return nil
    }
    return bytes.string
  }

  /// The absolute path of a file; nil also for `none`, where that may be said.
  @inline(never)
  func path(_ expected: StaticString, bytesMax: Int, orNone: Bool = false) -> String? {
    guard let path = text(expected, bytesMax: bytesMax) else { return nil }
    if path.begins(with: "/") { return path }
    if !orNone || path != "none" { reportMismatch("\(expected)") }
    return nil
  }

  /// One token of a NATS subject.
  @inline(never)
  func name() -> String? {
    guard let bytes = scalar("a name")?.bytes else { return nil }
    if Name.isValid(bytes) { return bytes.string }
    var message: Text
    if bytes.count > ManifestLimits.nameBytesMax {
      message = "\(label) is too long: at most \(ManifestLimits.nameBytesMax) bytes"
    } else {
      message = "\(label) becomes part of NATS subjects: no blanks, '.', '*', '>' or non-ASCII"
    }
    if let suggestion = Name.suggestion(for: bytes) { message += "; say '\(suggestion)'" }
    report(message)
    return nil
  }

  /// What one of a few words stands for.
  /// - Parameter values: one for each word.
  func choice<Value>(_ words: Words, _ values: [Value]) -> Value? {
    word(of: words).map { values[$0] }
  }

  /// The index of the word that is given.
  @inline(never)
  func word(of words: Words) -> Int? {
    guard case .scalar(let scalar) = node.content, !scalar.bytes.isEmpty else {
      reportMismatch(alternatives(words))
      return nil
    }
    if let index = words.index(of: scalar.bytes) { return index }
    var message: Text =
      "\(label) must be \(alternatives(words)), not \(quoted: scalar.bytes)"
    if let word = nearest(to: scalar.bytes, in: words) {
      message += ": did you mean '\(word.span)'?"
    }
    report(message)
    return nil
  }

  func serverURL() -> ServerURL? {
    guard let bytes = scalar("a server address such as nats://127.0.0.1:4222")?.bytes else {
      return nil
    }
    do throws(ServerURLError) {
      return try ServerURL(parsing: bytes.string)
    } catch {
      report("\(label): \(error.description)")
      return nil
    }
  }
}

// MARK: - Booleans and numbers

extension Field {
  @inline(never)
  func boolean() -> Bool? {
    guard let scalar = scalar("true or false") else { return nil }
    if !scalar.isText {
      if matches(scalar.bytes, "true") { return true }
      if matches(scalar.bytes, "false") { return false }
    }
    var message: Text = "\(label) must be true or false, not \(quoted: scalar.bytes)"
    let word = lowercased(scalar.bytes)
    if scalar.isText && (matches(word, "true") || matches(word, "false")) {
      message.append(": leave out the quotes")
    } else if matches(word, "true") || matches(word, "yes") || matches(word, "on") {
      message.append(": say true")
    } else if matches(word, "false") || matches(word, "no") || matches(word, "off") {
      message.append(": say false")
    }
    report(message)
    return nil
  }

  /// Decimal digits, without a leading zero, which YAML 1.1 reads as octal.
  @inline(never)
  func integer(in range: ClosedRange<UInt32>) -> UInt32? {
    let bytes = scalar("a whole number")?.bytes ?? []
    if bytes.isEmpty { return nil }
    var value: UInt64 = 0
    let isNumber =
      bytes.count <= 10 && bytes.allSatisfy(isDigit)
      && (bytes.count == 1 || bytes[0] != UInt8(ascii: "0"))
    if isNumber {
      for digit in bytes { value = value * 10 + UInt64(digit - UInt8(ascii: "0")) }
    }
    guard isNumber, value >= range.lowerBound, value <= range.upperBound else {
      let (least, most) = (Int64(range.lowerBound), Int64(range.upperBound))
      reportMismatch("a whole number from \(least) to \(most)")
      return nil
    }
    return UInt32(clamping: value)
  }

  @inline(never)
  func decimal() -> Double? {
    let expected: StaticString = "a number such as 21.5"
    guard let bytes = scalar(expected)?.bytes else { return nil }
    if let value = parseDecimal(bytes.span) { return value }
    reportMismatch("\(expected)")
    return nil
  }
}

// MARK: - Quantities

extension Field {
  func duration(in range: ClosedRange<Duration>) -> Duration? {
    quantity(.duration, range.lowerBound.nanoseconds...range.upperBound.nanoseconds)
      .map { Duration(nanoseconds: $0) }
  }

  /// A number of bytes.
  func size(in range: ClosedRange<Int64>) -> Int64? { quantity(.size, range) }

  /// In hertz.
  func frequency(in range: ClosedRange<Int64>) -> Int64? { quantity(.frequency, range) }

  @inline(never)
  private func quantity(_ quantity: Quantity, _ range: ClosedRange<Int64>) -> Int64? {
    guard let bytes = scalar(quantity.expectation)?.bytes else { return nil }
    let isOutOfRange: Bool
    var message: Text = "\(label) must be \(quantity.expectation), not \(quoted: bytes)"
    do throws(QuantityError) {
      let value = try quantity.parse(bytes)
      if range.contains(value) { return value }
      isOutOfRange = true
    } catch {
      isOutOfRange = error == .tooLarge
      switch error {
      case .tooLarge, .noNumber: break
      case .missingUnit:
        // Digits only, so they may be shown bare.
        let number = bytes.prefix(20).string
        let examples: (StaticString, StaticString) =
          switch quantity {
          case .duration: ("ms", "s")
          case .size: ("kB", "MB")
          case .frequency: ("Hz", "kHz")
          }
        message = "\(label) needs a unit: say \(number)\(examples.0) or \(number)\(examples.1)"
      case .unknownUnit:
        let units = Words(quantity.units.map { $0.suffix })
        message += ": the units are \(alternatives(units, joinedBy: " and "))"
      case .fraction: message.append(": use a smaller unit, not a fraction")
      case .space: message.append(": leave out the blank")
      }
    }
    if isOutOfRange {
      let (least, most) = (quantity.text(range.lowerBound), quantity.text(range.upperBound))
      message = "\(label) must be between \(least) and \(most), not \(quoted: bytes)"
    }
    report(message)
    return nil
  }
}

// MARK: - Lists and mappings

extension Field {
  /// The items of a list, each to be called `an entry of 'name'`.
  @inline(never)
  func items(_ expected: StaticString, max: Int) -> [Field]? {
    guard case .sequence(let nodes) = node.content else {
      reportMismatch("\(expected)")
      return nil
    }
    if nodes.count > max {
      report("\(label) has \(nodes.count) entries: at most \(max)")
      return nil
    }
    return nodes.map { Field(label: "an entry of \(label)", node: $0, problems: problems) }
  }

  @inline(never)
  func entries(_ expected: Text) -> [YAMLEntry]? {
    if case .mapping(let entries) = node.content { return entries }
    reportMismatch(expected)
    return nil
  }

  /// A mapping of known keys.
  /// - Parameter what: what it describes, with its article: `a line`.
  @inline(never)
  func mapping(_ what: StaticString, keys: Words) -> MappingReader? {
    guard let entries = entries("a mapping of keys to values that describes \(what)") else {
      return nil
    }
    return MappingReader(entries, at: node.mark, what: what, keys: keys, problems: problems)
  }
}
