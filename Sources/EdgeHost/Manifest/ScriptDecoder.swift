import CLinux
import GPIOProvider
import Transport

/// Decodes what a simulated input does by itself.
enum ScriptDecoder {
  static func script(_ field: Field) -> LineScript? {
    guard let reader = field.mapping("a line's script", keys: "steps file repeat") else {
      return nil
    }
    var script = LineScript(steps: [], repeats: reader.field("repeat")?.boolean() ?? false)
    if let file = reader.field("file") {
      reader.refuse("steps", "are in the 'file' already: leave one of them out")
      script.steps = steps(inFile: file)
      return script
    }
    let example: StaticString = "a list such as [{after: 2s, active: true}]"
    guard let steps = reader.required("steps", example),
      let items = steps.items(example, max: ManifestLimits.scriptStepsMax)
    else { return nil }
    if items.isEmpty { steps.report("'steps' must have at least one step") }
    for item in items {
      guard let step = item.mapping("a step", keys: "after active") else { continue }
      let after = step.required("after", "a duration such as 2s, counted from the step before")
      let active = step.required("active", "true or false")
      let delay = after?.duration(in: ManifestLimits.stepAfter)
      let isActive = active?.boolean()
      script.steps.append(
        LineScript.Step(after: delay ?? .seconds(1), isActive: isActive ?? false))
    }
    return script
  }

  /// The steps of a file: one on each line, `2s active`; what follows a '#' is a remark.
  private static func steps(inFile field: Field) -> [LineScript.Step] {
    let expected: StaticString = "the path of a file of steps such as '2s active', one on each line"
    guard let path = field.path(expected, bytesMax: ManifestLimits.pathBytesMax) else { return [] }
    var bytes = [UInt8](repeating: 0, count: ManifestLimits.scriptFileBytesMax + 1)
    let count = linux_read_file(path, &bytes, bytes.count)
    if count < 0 {
      field.report("'file': \(path): \(SystemError("read", Int32(clamping: count)).reason)")
      return []
    }
    if count == bytes.count {
      field.report(
        "'file': \(path) is too large: at most \(ManifestLimits.scriptFileBytesMax) bytes")
      return []
    }
    var steps: [LineScript.Step] = []
    var number = 0
    let newline = UInt8(ascii: "\n")
    for line in bytes.prefix(Int(count)).split(separator: newline, omittingEmptySubsequences: false)
    {
      number += 1
      let words = line.prefix { $0 != UInt8(ascii: "#") }
        .split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
      if words.isEmpty { continue }
      guard let step = step(words.map { Array($0) }) else {
        field.report(
          "'file': \(path):\(number): a step is such as '2s active', not \(quoted: Array(line))")
        return []
      }
      steps.append(step)
    }
    if steps.isEmpty { field.report("'file': \(path) has no steps") }
    return steps
  }

  private static func step(_ words: [[UInt8]]) -> LineScript.Step? {
    guard words.count == 2, let nanoseconds = try? Quantity.duration.parse(words[0]) else {
      return nil
    }
    let after = Duration(nanoseconds: nanoseconds)
    let isActive = matches(words[1], "active")
    guard ManifestLimits.stepAfter.contains(after), isActive || matches(words[1], "inactive") else {
      return nil
    }
    return LineScript.Step(after: after, isActive: isActive)
  }
}
