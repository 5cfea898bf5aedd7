import Transport

/// Takes the values of a mapping by their keys, and refuses keys the schema does not have.
final class MappingReader {
  let mark: Mark
  private let what: StaticString
  private let entries: [YAMLEntry]
  private let problems: ProblemList
  /// Keys that were probably meant by unknown ones. That they are missing is not said again.
  private var misspelt: [[UInt8]] = []

  /// - Parameter what: what the mapping describes, with its article: `a line`.
  @inline(never)
  init(
    _ entries: [YAMLEntry], at mark: Mark, what: StaticString, keys: Words,
    problems: ProblemList
  ) {
    self.entries = entries
    self.mark = mark
    self.what = what
    self.problems = problems
    for entry in entries where keys.index(of: entry.key) == nil {
      if let key = nearest(to: entry.key, in: keys) {
        problems.report(
          entry.mark, "unknown key \(quoted: entry.key): did you mean '\(key.span)'?")
        misspelt.append(key)
      } else {
        let known = alternatives(keys, joinedBy: " and ")
        problems.report(
          entry.mark, "unknown key \(quoted: entry.key): the keys of \(what) are \(known)")
      }
    }
  }

  /// The value of a key; nil when it is absent.
  @inline(never)
  func field(_ key: StaticString) -> Field? {
    guard let entry = entry(key) else { return nil }
    return Field(label: "'\(key)'", node: entry.value, problems: problems)
  }

  /// The value of a key that must be there.
  /// - Parameter hint: what to write, for the message.
  @inline(never)
  func required(_ key: StaticString, _ hint: StaticString) -> Field? {
    if let field = field(key) { return field }
    let isMisspelt = misspelt.contains { matches($0, key) }
    if !isMisspelt { problems.report(mark, "\(what) needs '\(key)': \(hint)") }
    return nil
  }

  /// Reports a key that is there although it makes no sense.
  /// - Parameter reason: completes "'key' ...".
  @inline(never)
  func refuse(_ key: StaticString, _ reason: Text) {
    if let entry = entry(key) { problems.report(entry.mark, "'\(key)' \(reason)") }
  }

  @inline(never)
  func refuse(_ key: [UInt8], _ reason: Text) {
    for entry in entries where entry.key == key {
      return problems.report(entry.mark, "'\(key.span)' \(reason)")
    }
  }

  @inline(never)
  private func entry(_ key: StaticString) -> YAMLEntry? {
    entries.first { matches($0.key, key) }
  }
}

func isSame(_ left: StaticString, _ right: StaticString) -> Bool {
  left.withUTF8Buffer { matches(Array($0), right) }
}
