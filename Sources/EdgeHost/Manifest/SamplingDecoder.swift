import GPIOProvider
import Transport

/// Decodes what is done with a sensor's values: the keys that all kinds have.
struct SamplingDecoder {
  static var keys: Words {
    "unit scale offset every filter deadband min_interval max_interval alarms report"
  }

  private let reader: MappingReader

  /// - Parameter reader: of a sensor.
  init(_ reader: MappingReader) { self.reader = reader }

  /// - Parameter knowsKind: whether the sensor's kind is what the manifest says.
  func decode(_ sensor: inout SensorConfiguration, knowsKind: Bool) {
    decodeUnit(&sensor, knowsKind: knowsKind)
    decodeEvery(&sensor)
    if let field = reader.field("filter"), let filter = filter(field) { sensor.filter = filter }
    decodeReporting(&sensor.reporting, every: sensor.every)
    if let field = reader.field("alarms") { sensor.alarms = alarms(field) }
    if let report = reader.field("report")?.choice(
      "durable latest", [SensorConfiguration.Report.durable, .latest])
    {
      sensor.report = report
    }
  }

  private func decodeEvery(_ sensor: inout SensorConfiguration) {
    guard let field = reader.field("every"),
      let every = field.duration(in: ManifestLimits.every)
    else { return }
    sensor.every = every
    let least = sensor.kind.everyMin
    if every < least {
      let text = Quantity.duration.text(least.nanoseconds)
      field.report("'every' of 'kind: \(sensor.kind.text)' must be at least \(text)")
    }
  }

  // MARK: Report by exception

  private func decodeReporting(_ reporting: inout ReportConfiguration, every: Duration) {
    if let field = reader.field("deadband") { reporting.deadband = deadband(field) }
    if let field = reader.field("min_interval"), let least = interval(field, every: every) {
      reporting.minInterval = least
    }
    guard let field = reader.field("max_interval") else { return }
    reporting.maxInterval = interval(field, every: every)
    if let most = reporting.maxInterval, most < reporting.minInterval {
      field.report("'max_interval' must not be below 'min_interval'")
    }
    if reader.field("deadband") == nil {
      field.report("'max_interval' needs 'deadband': without it nothing holds readings back")
    }
  }

  private func interval(_ field: Field, every: Duration) -> Duration? {
    guard let interval = field.duration(in: ManifestLimits.reportInterval) else { return nil }
    if interval < every {
      let text = Quantity.duration.text(every.nanoseconds)
      field.report("\(field.label) must not be below 'every' (\(text))")
    }
    return interval
  }

  private func deadband(_ field: Field) -> ReportConfiguration.Deadband? {
    let expected: StaticString =
      "a number of the sensor's unit such as 0.2, or of percent such as 2%"
    guard var bytes = field.scalar(expected)?.bytes else { return nil }
    let isPercent = bytes.last == UInt8(ascii: "%")
    if isPercent { bytes.removeLast() }
    guard let value = parseDecimal(bytes.span), value >= 0 else {
      field.reportMismatch("\(expected)")
      return nil
    }
    if isPercent, value > 100 { field.report("'deadband' must be at most 100%") }
    return isPercent ? .percent(value) : .absolute(value)
  }

  // MARK: Filter

  private func filter(_ field: Field) -> FilterConfiguration? {
    guard let reader = field.mapping("a filter", keys: "median average") else { return nil }
    if reader.field("median") != nil {
      reader.refuse("average", "beside 'median': a sensor has one filter")
    } else if reader.field("average") == nil {
      _ = reader.required("median", "or 'average', a number of measurements such as 5")
    }
    if let field = reader.field("median") {
      guard let count = field.integer(in: ManifestLimits.medianWindow) else { return nil }
      if count % 2 == 0 {
        field.report("'median' must be odd, so that one of them is in the middle: say \(count + 1)")
      }
      return .median(Int(count))
    }
    return reader.field("average")?.integer(in: ManifestLimits.averageWindow)
      .map { .average(Int($0)) }
  }
}

// MARK: - Alarms

extension SamplingDecoder {
  private func alarms(_ field: Field) -> [AlarmConfiguration] {
    let expected: StaticString = "a list of alarms such as [{name: hot, above: 70}]"
    guard let items = field.items(expected, max: ManifestLimits.alarmsMax) else { return [] }
    var names = FirstPlaces()
    var alarms: [AlarmConfiguration] = []
    for item in items {
      guard
        let reader = item.mapping(
          "an alarm", keys: "name above below hysteresis delay")
      else { continue }
      let field = reader.required("name", "what its events call it")
      let name = field?.name()
      if let field, let name, let first = names.insert(name, at: field.mark) {
        field.report("the alarm '\(name)' is given twice: first at \(first)")
      }
      guard let limit = limit(reader) else { continue }
      var alarm = AlarmConfiguration(name: name ?? "", limit: limit)
      decodeAlarm(reader, &alarm)
      alarms.append(alarm)
    }
    return alarms
  }

  private func limit(_ reader: MappingReader) -> AlarmConfiguration.Limit? {
    if let above = reader.field("above") {
      reader.refuse("below", "beside 'above': make two alarms of it")
      return above.decimal().map { .above($0) }
    }
    if let below = reader.field("below") { return below.decimal().map { .below($0) } }
    _ = reader.required("above", "or 'below', the limit in the sensor's unit")
    return nil
  }

  private func decodeAlarm(_ reader: MappingReader, _ alarm: inout AlarmConfiguration) {
    if let field = reader.field("hysteresis"), let hysteresis = field.decimal() {
      if hysteresis < 0 { field.report("'hysteresis' must not be negative") }
      alarm.hysteresis = hysteresis
    }
    if let delay = reader.field("delay")?.duration(in: ManifestLimits.alarmDelay) {
      alarm.delay = delay
    }
  }
}

// MARK: - Units

extension SamplingDecoder {
  private func decodeUnit(_ sensor: inout SensorConfiguration, knowsKind: Bool) {
    var calibration = LinearTransform.identity
    if let field = reader.field("scale"), let scale = field.decimal() {
      if scale == 0 { field.report("'scale' must not be 0: all values would be the same") }
      calibration.scale = scale
    }
    if let offset = reader.field("offset")?.decimal() { calibration.offset = offset }
    sensor.transform = calibration
    let own = knowsKind ? sensor.kind.quantity?.unit : nil
    if let own { sensor.unit = own }
    guard let field = reader.field("unit"), let given = unit(field, of: sensor.kind, own) else {
      return
    }
    sensor.unit = given.symbol
    sensor.transform = given.conversion.then(calibration)
  }

  /// The unit that is given, and what makes values in it of those in the kind's own.
  private func unit(
    _ field: Field, of kind: SensorKind, _ own: String?
  ) -> (symbol: String, conversion: LinearTransform)? {
    let expected: StaticString = "a unit of SenML such as Cel, %RH, V or hPa"
    guard let symbol = field.text(expected, bytesMax: ManifestLimits.unitBytesMax) else {
      return nil
    }
    let units = SensorUnit.all
    let given = units.first { $0.symbol == symbol }
    guard let own = units.first(where: { $0.symbol == own ?? "" }) else {
      // The kind does not say what it measures, so that it can be anything.
      if let given { return (given.symbol, .identity) }
      field.report("\(mismatch(field, "\(expected)"))\(suggestion(symbol, units))")
      return nil
    }
    if let given {
      if let conversion = own.conversion(to: given) { return (given.symbol, conversion) }
      // 4 to 20 mA may stand for anything, once it is scaled.
      if own.isOfTransducers && reader.field("scale") != nil { return (given.symbol, .identity) }
    }
    let fitting = units.filter { $0.measuresSame(as: own) }.map { $0.symbol }
    var message = mismatch(field, "\(list(fitting))", of: kind)
    if own.isOfTransducers { message.append("; or any unit, with 'scale'") }
    field.report(message)
    return nil
  }

  private func mismatch(_ field: Field, _ expected: Text, of kind: SensorKind? = nil) -> Text {
    var message = field.label
    if let kind { message += " of 'kind: \(kind.text)'" }
    message += " must be \(expected)"
    if case .scalar(let scalar) = field.node.content { message += ", not \(quoted: scalar.bytes)" }
    return message
  }

  /// Who writes `pa` means `Pa`.
  private func suggestion(_ symbol: String, _ units: [SensorUnit]) -> Text {
    let letters = lowercased(symbol.bytes)
    for unit in units where lowercased(unit.symbol.bytes) == letters {
      return ": did you mean '\(unit.symbol)'?"
    }
    return Text()
  }

  private func list(_ symbols: [String]) -> Text {
    var text = Text()
    for index in symbols.indices {
      if index > 0 { text.append(index == symbols.count - 1 ? " or " : ", ") }
      text += "\(symbols[index])"
    }
    return text
  }
}
