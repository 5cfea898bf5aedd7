import GPIOProvider
import Transport

/// Makes a manifest of its YAML document. The schema is strict: what it does not know is refused,
/// and so is what does not fit together. Actors and bindings, which a manifest of waSCC may have,
/// are known by name and refused while there is nothing to run them.
struct ManifestDecoder {
  private let problems: ProblemList
  private let checksFiles: Bool

  /// The result is sound only when `problems` is still empty afterwards.
  /// - Parameter checkingFiles: also reads the files that the manifest names.
  static func decode(
    _ root: YAMLNode, problems: ProblemList, checkingFiles: Bool
  ) -> Manifest {
    ManifestDecoder(problems: problems, checksFiles: checkingFiles).manifest(root)
  }

  private func manifest(_ root: YAMLNode) -> Manifest {
    var manifest = Manifest()
    let field = Field(label: "the file", node: root, problems: problems)
    guard
      let reader = field.mapping(
        "a manifest",
        keys: "host labels link requests services journal capabilities actors bindings")
    else { return manifest }
    if let field = reader.field("link") { manifest.link = link(field) }
    manifest.host.presence = manifest.link.limits.link.presence
    if let field = reader.field("host") { decodeHost(field, &manifest.host) }
    if let field = reader.field("labels") { manifest.labels = labels(field) }
    if let field = reader.field("requests") { manifest.requests = requests(field) }
    if let field = reader.field("services") {
      ServicesDecoder.decode(field, into: &manifest.services)
    }
    if let field = reader.field("journal") { JournalDecoder.decode(field, into: &manifest.journal) }
    // Required, so that a file which was cut off is noticed.
    if let field = reader.required(
      "capabilities", "a list of what the board offers, or [] for nothing")
    {
      manifest.capabilities = capabilities(field)
    }
    if let field = reader.field("actors") {
      refuseEntries(field, "running actors comes with a later version")
    }
    if let field = reader.field("bindings") {
      refuseEntries(field, "bindings come with a later version, with running actors")
    }
    return manifest
  }
}

// MARK: - Sections

extension ManifestDecoder {
  private func decodeHost(_ field: Field, _ host: inout Manifest.Host) {
    guard
      let reader = field.mapping(
        "the host", keys: "name lattice log presence state socket")
    else { return }
    if let field = reader.field("socket") {
      host.socket = field.path(
        "a path such as /run/edge-host/edge-host.sock, or none",
        bytesMax: ManifestLimits.socketPathBytesMax, orNone: true)
    }
    host.name = reader.field("name")?.name()
    if let lattice = reader.field("lattice")?.name() { host.lattice = lattice }
    if let log = reader.field("log")?.choice(
      "error warning info debug", [LogLevel.error, .warning, .info, .debug])
    {
      host.log = log
    }
    if let presence = reader.field("presence")?.duration(in: ManifestLimits.presence) {
      host.presence = presence
    }
    if let field = reader.field("state") {
      host.state = field.path(
        "a path such as /var/lib/edge-host/state, or none",
        bytesMax: ManifestLimits.pathBytesMax, orNone: true)
      host.keepsState = host.state != nil
    }
  }

  private func labels(_ field: Field) -> [Manifest.Label] {
    guard let entries = field.entries("a mapping such as {site: wh7}") else { return [] }
    if entries.count > ManifestLimits.labelsMax {
      field.report("'labels' has \(entries.count) entries: at most \(ManifestLimits.labelsMax)")
      return []
    }
    var labels: [Manifest.Label] = []
    for entry in entries {
      if hasPrefix(entry.key, "hostcore.") {
        problems.report(entry.mark, "labels that begin with 'hostcore.' are set by the host itself")
        continue
      }
      let key = Field(
        label: "the name of a label",
        node: YAMLNode(
          mark: entry.mark, content: .scalar(YAMLScalar(bytes: entry.key, isText: true))),
        problems: problems)
      let value = Field(
        label: "the label \(quoted: entry.key)", node: entry.value, problems: problems)
      if let name = key.text("text", bytesMax: ManifestLimits.nameBytesMax),
        let text = value.text("text", bytesMax: ManifestLimits.labelValueBytesMax)
      {
        labels.append(Manifest.Label(name: name, value: text))
      }
    }
    return labels
  }

  private func link(_ field: Field) -> Manifest.Link {
    var link = Manifest.Link()
    guard
      let reader = field.mapping(
        "the link",
        keys: "servers discovered limits" + LinkDecoder.keys + SecurityDecoder.keys)
    else { return link }
    let security = SecurityDecoder(reader, checksFiles: checksFiles)
    link.authentication = security.authentication()
    link.tls = security.tls()
    if let use = reader.field("discovered")?.choice("use ignore", [false, true]) {
      link.ignoresDiscoveredServers = use
    }
    if let field = reader.field("limits") { LimitsDecoder.decode(field, into: &link.limits) }
    link.limits.link = LinkDecoder(reader).settings()
    guard let servers = reader.field("servers"),
      let items = servers.items(
        "a list such as [nats://127.0.0.1:4222]", max: ManifestLimits.serversMax)
    else { return link }
    if items.isEmpty { servers.report("'servers' must name at least one server") }
    for item in items {
      if let server = item.serverURL() { link.servers.append(server) }
    }
    return link
  }

  private func requests(_ field: Field) -> Manifest.Requests {
    let reader = field.mapping("requests", keys: "timeout")
    return Manifest.Requests(
      timeout: reader?.field("timeout")?.duration(in: ManifestLimits.requestTimeout))
  }

  private func refuseEntries(_ field: Field, _ reason: StaticString) {
    let items = field.items("a list, or [] for nothing", max: .max)
    items?.first?.report("\(reason): leave \(field.label) empty ([])")
  }
}

// MARK: - Capabilities

extension ManifestDecoder {
  private enum Builtin { case gpio, sensors }

  private func capabilities(_ field: Field) -> [Manifest.Capability] {
    let expected: StaticString =
      "a list of capabilities such as '- builtin: gpio', or [] for nothing"
    guard let items = field.items(expected, max: .max) else { return [] }
    var capabilities: [Manifest.Capability] = []
    var builtins = FirstPlaces()
    for item in items {
      guard let entries = item.entries("a mapping such as {builtin: gpio, lines: []}") else {
        continue
      }
      if let path = entries.first(where: { matches($0.key, "path") }) {
        problems.report(
          path.mark,
          """
          a capability provider from a file comes with a later version, with running actors: \
          say 'builtin: gpio' or 'builtin: sensors'
          """)
        continue
      }
      guard let (builtin, mark) = builtin(of: item, entries) else { continue }
      if let first = builtins.insert(builtin == .gpio ? "gpio" : "sensors", at: mark) {
        problems.report(mark, "this builtin is given twice: first at \(first)")
      }
      switch builtin {
      case .gpio: capabilities.append(gpio(item))
      case .sensors: capabilities.append(sensors(item))
      }
    }
    return capabilities
  }

  /// Which keys an entry may have depends on its builtin, so that is looked up first.
  private func builtin(of item: Field, _ entries: [YAMLEntry]) -> (Builtin, Mark)? {
    guard let entry = entries.first(where: { matches($0.key, "builtin") }) else {
      item.report("a capability needs 'builtin': gpio or sensors")
      return nil
    }
    let field = Field(label: "'builtin'", node: entry.value, problems: problems)
    guard let builtin = field.choice("gpio sensors", [Builtin.gpio, .sensors]) else {
      return nil
    }
    return (builtin, field.mark)
  }

  private func gpio(_ item: Field) -> Manifest.Capability {
    guard let reader = item.mapping("gpio", keys: "builtin board lines interlocks")
    else {
      return .gpio(board: .linux, lines: [], interlocks: [])
    }
    let board = board(reader)
    let field = reader.required("lines", "a list of lines, or [] for none")
    let items = field?.items("a list of lines, or [] for none", max: ManifestLimits.linesMax)
    var decoder = LineDecoder(board: board, problems: problems)
    var lines: [LineConfiguration] = []
    lines.reserveCapacity(items?.count ?? 0)
    for item in items ?? [] {
      if let line = decoder.line(item) { lines.append(line) }
    }
    let interlocks = reader.field("interlocks").map { InterlockDecoder.interlocks($0, of: lines) }
    return .gpio(board: board, lines: lines, interlocks: interlocks ?? [])
  }

  private func sensors(_ item: Field) -> Manifest.Capability {
    guard let reader = item.mapping("sensors", keys: "builtin board sensors") else {
      return .sensors([])
    }
    let field = reader.required("sensors", "a list of sensors, or [] for none")
    let items = field?.items("a list of sensors, or [] for none", max: ManifestLimits.sensorsMax)
    var decoder = SensorDecoder(board: board(reader), problems: problems)
    var sensors: [SensorConfiguration] = []
    for item in items ?? [] {
      if let sensor = decoder.sensor(item) { sensors.append(sensor) }
    }
    return .sensors(sensors)
  }

  private func board(_ reader: MappingReader) -> Manifest.Board {
    reader.field("board")?.choice("linux simulated", [Manifest.Board.linux, .simulated])
      ?? .linux
  }
}
