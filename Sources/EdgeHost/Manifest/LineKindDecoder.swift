import GPIOProvider
import Transport

/// Decodes what a line is made of: what its kind has beyond its place on the board.
struct LineKindDecoder {
  private let reader: MappingReader
  private let isSimulated: Bool

  /// - Parameter reader: of a line.
  init(_ reader: MappingReader, isSimulated: Bool) {
    self.reader = reader
    self.isSimulated = isSimulated
  }

  func decode(_ line: inout LineConfiguration) {
    if let report = reader.field("report")?.choice(
      "durable latest", [LineConfiguration.Report.durable, .latest])
    {
      line.report = report
    }
    switch line.kind {
    case .input: decodeInput(&line)
    case .counter:
      line.edges = .rising
      decodeInput(&line)
      if line.edges == .none {
        reader.field("edges")?.report("'edges' must not be none: a counter counts edges")
      }
      decodeEvery(&line)
    case .encoder:
      line.every = .milliseconds(100)
      decodeInput(&line)
      decodeEvery(&line)
    case .button:
      line.debounce = .milliseconds(10)
      decodeInput(&line)
      decodeButton(&line.button)
    case .output: decodeOutput(&line)
    case .pwm:
      decodeOutput(&line)
      decodePWM(&line.pwm)
    }
  }

  private func decodeEvery(_ line: inout LineConfiguration) {
    if let every = reader.field("every")?.duration(in: ManifestLimits.lineEvery) {
      line.every = every
    }
  }

  // MARK: Inputs

  private func decodeInput(_ line: inout LineConfiguration) {
    if let edges = reader.field("edges")?.choice(
      "none rising falling both", [LineConfiguration.Edges.none, .rising, .falling, .both])
    {
      line.edges = edges
    }
    if let debounce = reader.field("debounce")?.duration(in: ManifestLimits.debounce) {
      line.debounce = debounce
    }
    if let buffer = reader.field("buffer")?.integer(in: ManifestLimits.eventBuffer) {
      line.eventBuffer = buffer
    }
    if isSimulated {
      if let field = reader.field("script") { line.script = ScriptDecoder.script(field) }
    } else {
      reader.refuse("script", "is only for inputs of a simulated board ('board: simulated')")
    }
  }

  private func decodeButton(_ button: inout ButtonConfiguration) {
    if let time = reader.field("double_click")?.duration(in: ManifestLimits.doubleClick) {
      button.doubleClick = time
    }
    if let time = reader.field("long_press")?.duration(in: ManifestLimits.longPress) {
      button.longPress = time
    }
  }

  // MARK: Outputs

  private func decodeOutput(_ line: inout LineConfiguration) {
    if let drive = reader.field("drive")?.choice(
      "push-pull open-drain open-source",
      [LineConfiguration.Drive.pushPull, .openDrain, .openSource])
    {
      line.drive = drive
    }
    if let safe = reader.field("safe")?.choice(
      "inactive active keep", [OutputConfiguration.SafeState.inactive, .active, .keep])
    {
      line.output.safe = safe
    }
    line.output.start = reader.field("start")?.choice(
      "inactive active keep last", [OutputConfiguration.StartState.inactive, .active, .keep, .last])
    if let field = reader.field("on_link_loss") { line.output.linkLoss = linkLoss(field, line) }
    if let field = reader.field("allow") { line.allow = keys(field) }
    decodeGuards(&line.output)
  }

  private func linkLoss(_ field: Field, _ line: LineConfiguration) -> Duration? {
    guard
      let reader = field.mapping("what happens when the link is lost", keys: "after then")
    else { return nil }
    let after = reader.required("after", "a duration such as 30s")?
      .duration(in: ManifestLimits.linkLoss)
    let isSafe = reader.required("then", "safe or keep")?.choice("safe keep", [true, false])
    if isSafe == true && line.output.safe == .keep {
      field.report("'then: safe' does nothing while 'safe' is keep: give 'safe' a state")
    }
    return isSafe == true ? after : nil
  }

  private func decodeGuards(_ output: inout OutputConfiguration) {
    output.maxOn = reader.field("max_on")?.duration(in: ManifestLimits.guardTime)
    if let time = reader.field("min_on")?.duration(in: ManifestLimits.guardTime) {
      output.minOn = time
    }
    if let time = reader.field("min_off")?.duration(in: ManifestLimits.guardTime) {
      output.minOff = time
    }
    output.maxRate = reader.field("max_rate")?.rate()
    guard let maxOn = output.maxOn, let field = reader.field("max_on") else { return }
    if maxOn < output.minOn {
      field.report("'max_on' must not be shorter than 'min_on'")
    }
    if output.safe == .active || output.start == .active {
      field.report("'max_on' is no guard of a line that is active in its safe state or at start")
    }
  }

  private func keys(_ field: Field) -> [String] {
    let expected: StaticString = "a list of public keys of actors or issuers"
    var keys: [String] = []
    for item in field.items(expected, max: ManifestLimits.allowMax) ?? [] {
      guard let key = item.text("a public key", bytesMax: ManifestLimits.keyBytes) else { continue }
      let isKey =
        key.utf8.count == ManifestLimits.keyBytes
        && key.utf8.allSatisfy {
          $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z")
            || $0 >= UInt8(ascii: "2") && $0 <= UInt8(ascii: "7")
        }
      if !isKey {
        item.report("\(item.label) must be a public key: \(ManifestLimits.keyBytes) of A-Z and 2-7")
      }
      keys.append(key)
    }
    return keys
  }

  private func decodePWM(_ pwm: inout PWMConfiguration) {
    if let field = reader.field("pwm") {
      guard let channel = field.mapping("a channel of the kernel's", keys: "chip channel")
      else { return }
      pwm.chip = channel.required("chip", "the name of its device, such as fe20c000.pwm")?
        .text("the name of a device", bytesMax: ManifestLimits.zoneBytesMax)
      reader.refuse("active", "is not for a channel of the kernel's ('pwm')")
      if isSimulated { field.report("'pwm' is the kernel's; a simulated board has none") }
      if let number = channel.field("channel")?.integer(in: ManifestLimits.pwmChannel) {
        pwm.channel = number
      }
    }
    guard let field = reader.field("frequency"),
      let frequency = field.frequency(in: ManifestLimits.frequency)
    else { return }
    pwm.frequency = UInt32(clamping: frequency)
    if pwm.chip == nil && pwm.frequency > PWMConfiguration.softwareFrequencyMax {
      field.report(
        "'frequency' is at most \(Int64(PWMConfiguration.softwareFrequencyMax))Hz where software switches the line"
      )
    }
  }
}

extension Field {
  /// A count in a period: `6/1min`.
  @inline(never)
  func rate() -> OutputConfiguration.Rate? {
    let expected: StaticString = "a count and a period such as 6/1min"
    guard let bytes = scalar(expected)?.bytes else { return nil }
    guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), slash > 0, slash < bytes.count - 1
    else {
      reportMismatch("\(expected)")
      return nil
    }
    func part(_ slice: ArraySlice<UInt8>) -> Field {
      let scalar = YAMLScalar(bytes: Array(slice), isText: false)
      return Field(
        label: label, node: YAMLNode(mark: mark, content: .scalar(scalar)), problems: problems)
    }
    guard let count = part(bytes[..<slash]).integer(in: ManifestLimits.rateCount),
      let period = part(bytes[(slash + 1)...]).duration(in: ManifestLimits.guardTime)
    else { return nil }
    return OutputConfiguration.Rate(count: Int(count), period: period)
  }
}
