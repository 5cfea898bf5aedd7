import GPIOProvider
import Transport

/// Decodes the lines of one board, and refuses two of one name or at one place.
struct LineDecoder {
  private let board: Manifest.Board
  private let problems: ProblemList
  /// Made once: there are hundreds of lines.
  private let keys = LineKeys.all
  private let keysOfSomeKinds = LineKeys.ofSomeKinds
  private var names = FirstPlaces()
  private var locations = FirstPlaces()

  init(board: Manifest.Board, problems: ProblemList) {
    self.board = board
    self.problems = problems
  }

  /// Returns a line also when parts of it are wrong and reported; nil when nothing can be said.
  mutating func line(_ field: Field) -> LineConfiguration? {
    guard let reader = field.mapping("a line", keys: keys) else { return nil }
    let name = name(reader)
    let chip = chip(reader)
    let given = kind(reader)
    let kind = given ?? .input
    var line = LineConfiguration(
      name: name ?? "", chip: chip, location: .name(name ?? ""), kind: kind)
    if given != nil { refuseKeys(ofOtherThan: kind, reader) }
    decodePlace(reader, &line)
    decodeElectrical(reader, &line)
    LineKindDecoder(reader, isSimulated: board == .simulated).decode(&line)
    return line
  }

  private func kind(_ reader: MappingReader) -> LineConfiguration.Kind? {
    if let field = reader.field("kind") {
      reader.refuse("direction", "says what 'kind' says already: leave it out")
      return field.choice(
        "input output counter encoder button pwm",
        [LineConfiguration.Kind.input, .output, .counter, .encoder, .button, .pwm])
    }
    return reader.required("direction", "input or output; or 'kind'")?.choice(
      "input output", [LineConfiguration.Kind.input, .output])
  }

  private func refuseKeys(
    ofOtherThan kind: LineConfiguration.Kind, _ reader: MappingReader
  ) {
    for keys in keysOfSomeKinds where !keys.kinds.contains(kind) {
      for key in keys.names.list {
        if matches(key, "script") && board == .linux { continue }
        reader.refuse(key, "is only for \(keys.audience); this line is \(LineKeys.name(kind))")
      }
    }
  }
}

/// Keys of a line, and which kinds of line have them.
struct LineKeys {
  let names: Words
  let kinds: [LineConfiguration.Kind]
  /// Who has them, in words.
  let audience: StaticString

  static var all: Words {
    var all: Words = "name chip line bcm header direction kind active bias report"
    for keys in ofSomeKinds { all = all + keys.names }
    return all
  }

  static var ofSomeKinds: [LineKeys] {
    let inputs: [LineConfiguration.Kind] = [.input, .counter, .encoder, .button]
    let outputs: [LineConfiguration.Kind] = [.output, .pwm]
    var keys: [LineKeys] = []
    func add(_ names: Words, _ kinds: [LineConfiguration.Kind], _ audience: StaticString) {
      keys.append(LineKeys(names: names, kinds: kinds, audience: audience))
    }
    add("debounce buffer", inputs, "inputs")
    add("edges", [.input, .counter], "inputs and counters")
    add("script", [.input, .counter, .button], "inputs")
    add("every", [.counter, .encoder], "counters and encoders")
    add("lines", [.encoder], "encoders")
    add("double_click long_press", [.button], "buttons")
    add("drive on_link_loss allow", outputs, "outputs")
    add("max_on min_on min_off max_rate", outputs, "outputs")
    add("start safe", [.output], "outputs")
    add("pwm frequency", [.pwm], "pulse-width modulation ('kind: pwm')")
    return keys
  }

  static func name(_ kind: LineConfiguration.Kind) -> StaticString {
    switch kind {
    case .input: "an input"
    case .output: "an output"
    case .counter: "a counter"
    case .encoder: "an encoder"
    case .button: "a button"
    case .pwm: "a pulse-width modulated output"
    }
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
    let bytes = chip.bytes
    if hasPrefix(bytes, "/dev/") {
      field.report("'chip' must be a chip's name or label: leave out '/dev/'")
    } else if bytes.allSatisfy(isDigit) {
      field.report("'chip' must be a chip's name or label: say 'gpiochip\(chip)'")
    }
    return chip
  }

  /// `line`, `bcm` or `header`; of an encoder `lines`; and nothing for a channel of the kernel's.
  private mutating func decodePlace(_ reader: MappingReader, _ line: inout LineConfiguration) {
    if line.kind == .encoder {
      for key: StaticString in ["line", "bcm", "header"] {
        reader.refuse(key, "is for one line; an encoder has 'lines', two of them")
      }
      decodeTwo(reader, &line)
      return
    }
    let keys: [StaticString] = ["line", "bcm", "header"]
    let given = keys.filter { reader.field($0) != nil }
    if reader.field("pwm") != nil {
      for key in given { reader.refuse(key, "is not for a channel of the kernel's ('pwm')") }
      return
    }
    if given.count > 1, let first = given.first {
      for key in given.dropFirst() {
        reader.refuse(key, "says where the line is again, after '\(first)'")
      }
    }
    let location: LineConfiguration.Location?
    let field: Field
    if let number = reader.field("bcm") {
      field = number
      location = number.integer(in: RaspberryPiHeader.bcmNumbers).map { .bcm($0) }
    } else if let pin = reader.field("header") {
      field = pin
      location = headerLine(pin)
    } else {
      // A simulated line needs no place.
      let hint: StaticString =
        "its number on the chip, or its kernel name such as GPIO17; or 'bcm' or 'header'"
      guard
        let place = board == .linux ? reader.required("line", hint) : reader.field("line")
      else { return }
      field = place
      location = self.location(place)
    }
    guard let location else { return }
    line.location = location
    checkPlace(location, field, reader, chip: line.chip)
  }

  private func headerLine(_ field: Field) -> LineConfiguration.Location? {
    guard let pin = field.integer(in: RaspberryPiHeader.pins) else { return nil }
    if let number = RaspberryPiHeader.bcmNumber(ofPin: pin) { return .bcm(number) }
    let supply = RaspberryPiHeader.supply(atPin: pin) ?? "no line"
    field.report("pin \(Int64(pin)) of the header is \(supply), not a line")
    return nil
  }

  private mutating func decodeTwo(_ reader: MappingReader, _ line: inout LineConfiguration) {
    let expected: StaticString = "a list of two lines such as [GPIO5, GPIO6]"
    let lines =
      board == .linux ? reader.required("lines", expected) : reader.field("lines")
    guard let lines, let items = lines.items(expected, max: 2) else { return }
    if items.count != 2 {
      lines.report("'lines' must be \(expected)")
      return
    }
    for (index, item) in items.enumerated() {
      guard let location = location(item) else { continue }
      checkPlace(location, item, reader, chip: line.chip)
      if index == 0 { line.location = location } else { line.secondLocation = location }
    }
  }

  private mutating func checkPlace(
    _ location: LineConfiguration.Location, _ field: Field, _ reader: MappingReader, chip: String?
  ) {
    let place: String
    switch location {
    case .offset(let offset):
      if board == .linux && reader.field("chip") == nil {
        field.report("\(field.label) is a number, so it needs 'chip': the chip's name or label")
        return
      }
      place = ("#\(offset)" as Text).string
    case .bcm(let number): place = ("BCM \(number)" as Text).string
    case .name(let name): place = name
    }
    // No text holds a line feed, so chip and place cannot run into each other.
    if let first = locations.insert("\(chip ?? "")\n\(place)", at: field.mark) {
      field.report("this line of the chip is given twice: first at \(first)")
    }
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
    if let activeLow = reader.field("active")?.choice("high low", [false, true]) {
      line.activeLow = activeLow
    }
    if let bias = reader.field("bias")?.choice(
      "pull-up pull-down disabled as-is",
      [LineConfiguration.Bias.pullUp, .pullDown, .disabled, .asIs])
    {
      line.bias = bias
    }
  }
}
