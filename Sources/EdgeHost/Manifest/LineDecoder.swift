import GPIOProvider
import Transport

/// Decodes the lines of one board, and refuses two of one name or at one place.
struct LineDecoder {
  private let board: Manifest.Board
  private let problems: ProblemList
  private var names = FirstPlaces()
  private var locations = FirstPlaces()

  init(board: Manifest.Board, problems: ProblemList) {
    self.board = board
    self.problems = problems
  }

  /// Returns a line also when parts of it are wrong and reported; nil when nothing can be said.
  mutating func line(_ field: Field) -> LineConfiguration? {
    guard
      let reader = field.mapping(
        "a line",
        keys: [
          "name", "chip", "line", "direction", "active", "bias", "drive", "edges", "debounce",
          "report", "safe", "script",
        ])
    else { return nil }
    let name = name(reader)
    let chip = chip(reader)
    let direction = reader.required("direction", "input or output")?.choice([
      "input": LineConfiguration.Direction.input, "output": .output,
    ])
    let location = location(reader, chip: chip, name: name)
    var line = LineConfiguration(
      name: name ?? "", chip: chip, location: location ?? .offset(0),
      kind: direction == .output ? .output : .input)
    decodeElectrical(reader, &line)
    decodeInput(reader, &line)
    decodeOutput(reader, &line)
    if let direction { refuseKeys(ofOtherThan: direction, reader) }
    return line
  }
}

// MARK: - Where it is

extension LineDecoder {
  private mutating func name(_ reader: MappingReader) -> String? {
    guard let field = reader.required("name", "what actors call it"), let name = field.name() else {
      return nil
    }
    if let first = names.insert(name, at: field.mark) {
      field.report("the line '\(name)' is given twice: first at \(first)")
    }
    return name
  }

  private func chip(_ reader: MappingReader) -> String? {
    guard let field = reader.field("chip"),
      let chip = field.text(
        "a chip's name or label such as gpiochip0", bytesMax: ManifestLimits.kernelNameBytesMax)
    else { return nil }
    let bytes = Array(chip.utf8)
    if hasPrefix(bytes, "/dev/") {
      field.report("'chip' must be a chip's name or label: leave out '/dev/'")
    } else if bytes.allSatisfy(isDigit) {
      field.report("'chip' must be a chip's name or label: say 'gpiochip\(chip)'")
    }
    return chip
  }

  private mutating func location(
    _ reader: MappingReader, chip: String?, name: String?
  ) -> LineConfiguration.Location? {
    let field =
      board == .linux
      ? reader.required("line", "its number on the chip, or its kernel name such as GPIO17")
      : reader.field("line")
    guard let field else {
      // A simulated line needs no place.
      return name.map { .name($0) }
    }
    guard let location = location(field) else { return nil }
    let place: String
    switch location {
    case .offset(let offset):
      if board == .linux && reader.field("chip") == nil {
        field.report("'line' is a number, so it needs 'chip': the chip's name or label")
        return nil
      }
      place = "#\(offset)"
    case .bcm(let number): place = ("BCM \(number)" as Text).string
    case .name(let name): place = name
    }
    // No text holds a line feed, so chip and place cannot run into each other.
    if let first = locations.insert("\(chip ?? "")\n\(place)", at: field.mark) {
      field.report("this line of the chip is given twice: first at \(first)")
    }
    return location
  }

  private func location(_ field: Field) -> LineConfiguration.Location? {
    let expected: StaticString = "a number from 0 to 65535 or a kernel line name such as GPIO17"
    guard let scalar = field.scalar(expected) else { return nil }
    if !scalar.isText && looksNumeric(scalar.bytes) {
      return field.integer(in: ManifestLimits.lineOffset).map { .offset($0) }
    }
    return field.text(expected, bytesMax: ManifestLimits.kernelNameBytesMax).map { .name($0) }
  }

  /// Numbers, also those that are wrong here (`-1`, `1.5`, `0x11`, `1_000`), so that they are not
  /// taken for names. Names of lines may begin with a digit: `3V3_EN`.
  private func looksNumeric(_ bytes: [UInt8]) -> Bool {
    if hasPrefix(bytes, "0x") || hasPrefix(bytes, "0o") || hasPrefix(bytes, "0b") { return true }
    return bytes.contains(where: isDigit)
      && bytes.allSatisfy {
        isDigit($0) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
          || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
      }
  }
}

// MARK: - How it behaves

extension LineDecoder {
  private func decodeElectrical(_ reader: MappingReader, _ line: inout LineConfiguration) {
    if let activeLow = reader.field("active")?.choice(["high": false, "low": true]) {
      line.activeLow = activeLow
    }
    if let bias = reader.field("bias")?.choice([
      "pull-up": LineConfiguration.Bias.pullUp, "pull-down": .pullDown,
      "disabled": .disabled, "as-is": .asIs,
    ]) {
      line.bias = bias
    }
  }

  private func decodeInput(_ reader: MappingReader, _ line: inout LineConfiguration) {
    if let edges = reader.field("edges")?.choice([
      "none": LineConfiguration.Edges.none, "rising": .rising, "falling": .falling,
      "both": .both,
    ]) {
      line.edges = edges
    }
    if let debounce = reader.field("debounce")?.duration(in: ManifestLimits.debounce) {
      line.debounce = debounce
    }
    if let report = reader.field("report")?.choice([
      "durable": LineConfiguration.Report.durable, "latest": .latest,
    ]) {
      line.report = report
    }
    if board == .simulated {
      if let field = reader.field("script") { line.script = script(field) }
    } else {
      reader.refuse("script", "is only for inputs of a simulated board ('board: simulated')")
    }
  }

  private func decodeOutput(_ reader: MappingReader, _ line: inout LineConfiguration) {
    if let drive = reader.field("drive")?.choice([
      "push-pull": LineConfiguration.Drive.pushPull, "open-drain": .openDrain,
      "open-source": .openSource,
    ]) {
      line.drive = drive
    }
    if let safe = reader.field("safe")?.choice([
      "inactive": OutputConfiguration.SafeState.inactive, "active": .active, "keep": .keep,
    ]) {
      line.output.safe = safe
    }
  }

  private func refuseKeys(
    ofOtherThan direction: LineConfiguration.Direction, _ reader: MappingReader
  ) {
    switch direction {
    case .input:
      for key: StaticString in ["drive", "safe"] {
        reader.refuse(key, "is only for outputs; this line is an input")
      }
    case .output:
      for key: StaticString in ["edges", "debounce", "report"] {
        reader.refuse(key, "is only for inputs; this line is an output")
      }
      if board == .simulated {
        reader.refuse("script", "is only for inputs; this line is an output")
      }
    }
  }
}

// MARK: - Scripts

extension LineDecoder {
  private func script(_ field: Field) -> LineScript? {
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
