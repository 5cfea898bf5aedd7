import GPIOProvider
import Transport

/// Decodes the groups of outputs of which at most one is active.
enum InterlockDecoder {
  /// - Parameter lines: those of the board; the groups name them.
  static func interlocks(_ field: Field, of lines: [LineConfiguration]) -> [InterlockConfiguration]
  {
    let expected: StaticString =
      "a list such as [{name: gate, lines: [up, down], dead_time: 500ms}]"
    var interlocks: [InterlockConfiguration] = []
    var names = FirstPlaces()
    for item in field.items(expected, max: ManifestLimits.interlocksMax) ?? [] {
      guard let reader = item.mapping("an interlock", keys: "name lines dead_time") else {
        continue
      }
      let nameField = reader.required("name", "what refused commands are told")
      let name = nameField?.name() ?? ""
      if let nameField, let first = names.insert(name, at: nameField.mark) {
        nameField.report("the interlock '\(name)' is given twice: first at \(first)")
      }
      var interlock = InterlockConfiguration(name: name, lines: [])
      if let time = reader.field("dead_time")?.duration(in: ManifestLimits.deadTime) {
        interlock.deadTime = time
      }
      if let field = reader.required("lines", "the names of two outputs or more") {
        interlock.lines = members(field, of: lines)
      }
      interlocks.append(interlock)
    }
    return interlocks
  }

  private static func members(_ field: Field, of lines: [LineConfiguration]) -> [String] {
    let expected: StaticString = "a list of outputs' names such as [up, down]"
    guard let items = field.items(expected, max: ManifestLimits.interlockLines.upperBound) else {
      return []
    }
    if items.count < ManifestLimits.interlockLines.lowerBound {
      field.report("'lines' of an interlock must name two outputs or more")
    }
    var members: [String] = []
    for item in items {
      guard let name = item.name() else { continue }
      if members.includes(name) { item.report("'\(name)' is given twice") }
      members.append(name)
      check(item, name, lines)
    }
    return members
  }

  /// All begin and end inactive, or two could be active at once without a command.
  private static func check(_ item: Field, _ name: String, _ lines: [LineConfiguration]) {
    guard let line = lines.first(where: { $0.name == name }) else {
      item.report("there is no line '\(name)'")
      return
    }
    if line.kind != .output {
      item.report("'\(name)' is no output")
    } else if line.output.safe == .active || (line.output.start ?? .inactive) != .inactive
      || line.output.start == nil && line.output.safe == .keep
    {
      item.report(
        "'\(name)' is in an interlock, so it needs 'start: inactive', and 'safe: inactive' or keep")
    }
  }
}
