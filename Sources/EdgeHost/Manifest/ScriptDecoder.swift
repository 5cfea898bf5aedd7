import GPIOProvider
import Transport

/// Decodes what a simulated input does by itself.
enum ScriptDecoder {
  static func script(_ field: Field) -> LineScript? {
    guard let reader = field.mapping("a line's script", keys: ["steps", "repeat"]) else {
      return nil
    }
    var script = LineScript(steps: [], repeats: reader.field("repeat")?.boolean() ?? false)
    let example: StaticString = "a list such as [{after: 2s, active: true}]"
    guard let steps = reader.required("steps", example),
      let items = steps.items(example, max: ManifestLimits.scriptStepsMax)
    else { return nil }
    if items.isEmpty { steps.report("'steps' must have at least one step") }
    for item in items {
      guard let step = item.mapping("a step", keys: ["after", "active"]) else { continue }
      let after = step.required("after", "a duration such as 2s, counted from the step before")
      let active = step.required("active", "true or false")
      let delay = after?.duration(in: ManifestLimits.stepAfter)
      let isActive = active?.boolean()
      script.steps.append(
        LineScript.Step(after: delay ?? .seconds(1), isActive: isActive ?? false))
    }
    return script
  }
}
