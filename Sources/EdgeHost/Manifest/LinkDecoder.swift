import Transport

/// Decodes how a link is watched, retried and filled: the profile first, then what is set by itself.
struct LinkDecoder {
  static var keys: Words {
    "profile detect ping backoff batch timeouts multipath herd budget"
  }

  private let reader: MappingReader

  init(_ reader: MappingReader) { self.reader = reader }

  /// - Parameter reader: of `link`, whose known keys include `keys`.
  func settings() -> LinkSettings {
    let profile = reader.field("profile")?.choice(
      "ethernet wifi lte satellite", [LinkProfile.ethernet, .wifi, .lte, .satellite])
    var settings = LinkSettings(profile ?? .ethernet)
    decodeLiveness(&settings)
    if let cap = reader.field("backoff")?.duration(in: ManifestLimits.backoff) {
      settings.backoffCap = cap
    }
    if let batch = reader.field("batch")?.duration(in: ManifestLimits.batch) {
      settings.batch = batch
    }
    if let field = reader.field("timeouts") { decodeTimeouts(field, &settings.timeouts) }
    if let isMultipath = reader.field("multipath")?.boolean() { settings.isMultipath = isMultipath }
    if let hosts = reader.field("herd")?.integer(in: ManifestLimits.herdHosts) {
      settings.herd = hosts
    }
    decodeBudget(&settings)
    return settings
  }

  /// What keeps the connection alive is never held back: a budget that it uses up would be none, and
  /// would hold back all else for ever.
  private func decodeBudget(_ settings: inout LinkSettings) {
    guard let field = reader.field("budget"), let budget = field.allowance() else { return }
    settings.budget = budget
    let pings = budget.period.milliseconds / max(settings.ping.milliseconds, 1)
    let idle = pings * Int64(2 * WireCost(isIPv6: false, isTLS: true).bytes(for: 6))
    if budget.bytes / 2 >= idle { return }
    let ping = Quantity.duration.text(settings.ping.nanoseconds)
    field.report(
      """
      'budget' is too small: a PING every \(ping) takes \(idle / 1000 + 1)kB of it; allow twice as \
      much, or raise 'detect' and 'ping'
      """)
  }

  /// A PING takes the part of the time that it has in the profile, unless it is given.
  private func decodeLiveness(_ settings: inout LinkSettings) {
    let profile = settings
    if let detect = reader.field("detect")?.duration(in: ManifestLimits.detect) {
      settings.detect = detect
      let milliseconds = profile.ping.milliseconds * detect.milliseconds
      settings.ping = .milliseconds(milliseconds / max(profile.detect.milliseconds, 1))
    }
    guard let field = reader.field("ping"), let ping = field.duration(in: ManifestLimits.ping)
    else { return }
    settings.ping = ping
    if settings.detect - ping >= ManifestLimits.answerMin { return }
    let detect = Quantity.duration.text(settings.detect.nanoseconds)
    field.report(
      """
      'ping' must be at least 1s shorter than 'detect', which is \(detect): else there is no time for \
      the answer
      """)
  }

  private func decodeTimeouts(_ field: Field, _ timeouts: inout LinkSettings.Timeouts) {
    guard let reader = field.mapping("the timeouts", keys: "resolve connect tls info pong") else {
      return
    }
    func decode(_ stage: StaticString, _ timeout: inout Duration) {
      if let value = reader.field(stage)?.duration(in: ManifestLimits.stage) { timeout = value }
    }
    decode("resolve", &timeouts.resolve)
    decode("connect", &timeouts.connect)
    decode("tls", &timeouts.tls)
    decode("info", &timeouts.info)
    decode("pong", &timeouts.pong)
  }
}

extension Field {
  /// Bytes in a period: `5MB/day`.
  @inline(never)
  func allowance() -> DataAllowance? {
    let expected: StaticString = "a size and a period such as 5MB/day"
    guard let bytes = scalar(expected)?.bytes else { return nil }
    guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), slash > 0 else {
      reportMismatch("\(expected)")
      return nil
    }
    let periods: [(StaticString, Int64)] = [("hour", 3_600), ("day", 86_400), ("month", 2_592_000)]
    let word = Array(bytes[(slash + 1)...])
    guard let period = periods.first(where: { matches(word, $0.0) }) else {
      report(
        "\(label) must be \(expected), not \(quoted: bytes): the periods are hour, day and month")
      return nil
    }
    let part = YAMLScalar(bytes: Array(bytes[..<slash]), isText: false)
    let size = Field(
      label: label, node: YAMLNode(mark: mark, content: .scalar(part)), problems: problems
    ).size(in: ManifestLimits.budgetBytes)
    return size.map { DataAllowance(bytes: $0, period: .seconds(period.1)) }
  }
}
