import Transport

/// The JSON documents by which a host describes itself in the services dialect.
enum ServiceDocuments {
  /// The service name of every edge host; the host's own name is in the metadata.
  static let serviceName = "edge-host"
  /// Bytes of an endpoint's list of names: who a host is must fit a message, however many lines it
  /// has. Arbitrary.
  private static let namesBytesMax = 2000

  static func ping(_ identity: HostIdentity) -> [UInt8] {
    var json = JSONWriter()
    begin(&json, "io.nats.micro.v1.ping_response", identity)
    json.endObject()
    return json.bytes
  }

  static func info(_ identity: HostIdentity, _ endpoints: [ServiceEndpoint]) -> [UInt8] {
    var json = JSONWriter()
    begin(&json, "io.nats.micro.v1.info_response", identity)
    json.field("description", "Pins and sensors of " + identity.name)
    json.key("endpoints")
    json.beginArray()
    for endpoint in endpoints {
      json.beginObject()
      name(endpoint, &json)
      json.key("metadata")
      json.beginObject()
      let names = names(endpoint)
      if !names.utf8.isEmpty { json.field("names", names) }
      json.endObject()
      json.endObject()
    }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  static func statistics(
    of host: LatticeHost, _ endpoints: [ServiceEndpoint], link: LinkStatus
  ) -> [UInt8] {
    var json = JSONWriter()
    begin(&json, "io.nats.micro.v1.stats_response", host.identity)
    host.readClock()
    json.field("started", host.time(of: host.identity.started).timestamp.rfc3339)
    json.key("endpoints")
    json.beginArray()
    for endpoint in endpoints {
      let processing = endpoint.processing.nanoseconds
      let requests = Int64(clamping: endpoint.requests)
      json.beginObject()
      name(endpoint, &json)
      json.field("num_requests", requests)
      json.field("num_errors", Int64(clamping: endpoint.errors))
      json.field("last_error", endpoint.lastError)
      json.field("processing_time", processing)
      json.field("average_processing_time", requests > 0 ? processing / requests : 0)
      json.endObject()
    }
    json.endArray()
    json.key("link")
    write(link, &json)
    json.endObject()
    return json.bytes
  }

  /// What can be called on this host, and how.
  /// - Parameter hasCommands: whether commands are taken; they are left out otherwise.
  static func description(of host: LatticeHost, hasCommands: Bool) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    identity(host.identity, &json)
    json.key("capabilities")
    json.beginArray()
    for provider in host.providers { describe(provider, hasCommands: hasCommands, &json) }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  /// A host's presence: that it lives, since when, and how it fares.
  static func status(
    of host: LatticeHost, state: String, facts: Record, link: LinkStatus
  ) -> [UInt8] {
    var json = JSONWriter()
    host.readClock()
    let now = host.time(of: host.time.now)
    json.beginObject()
    identity(host.identity, &json)
    json.field("state", state)
    json.field("time", now.timestamp.rfc3339)
    // A status costs bytes: that all is well is not said.
    if now.quality != .synced { json.field("time_quality", now.quality.text) }
    json.field("started", host.time(of: host.identity.started).timestamp.rfc3339)
    var problems: Int64 = 0
    for provider in host.providers {
      json.field(provider.contract.name, Int64(provider.resourceCount))
      problems += Int64(provider.problemCount)
    }
    json.field("problems", problems)
    json.key("facts")
    json.record(facts)
    json.key("link")
    write(link, &json)
    json.endObject()
    return json.bytes
  }

  private static func write(_ link: LinkStatus, _ json: inout JSONWriter) {
    json.beginObject()
    json.field("connects", Int64(clamping: link.connects))
    json.field("sent_bytes", Int64(clamping: link.bytesOut))
    json.field("received_bytes", Int64(clamping: link.bytesIn))
    if let budget = link.budget {
      json.field("budget_bytes", budget.allowance.bytes)
      json.field("budget_period_s", budget.allowance.period.seconds)
      json.field("budget_left_bytes", budget.bytesLeft)
      if let waiting = budget.waiting {
        json.field("waiting", ("\(waiting.name)" as Text).string)
      }
    }
    writeLosses(link, &json)
    json.endObject()
  }

  /// What was not sent, class by class: numbers that are not zero, for a status costs bytes.
  private static func writeLosses(_ link: LinkStatus, _ json: inout JSONWriter) {
    let hasLosses = link.queues.contains {
      $0.refused | $0.dropped | $0.replaced | $0.expired > 0
    }
    if !hasLosses { return }
    json.key("queues")
    json.beginObject()
    for (trafficClass, queue) in zip(TrafficClass.allCases, link.queues) {
      json.key(("\(trafficClass.name)" as Text).string)
      json.beginObject()
      if queue.refused > 0 { json.field("refused", Int64(clamping: queue.refused)) }
      if queue.dropped > 0 { json.field("dropped", Int64(clamping: queue.dropped)) }
      if queue.replaced > 0 { json.field("replaced", Int64(clamping: queue.replaced)) }
      if queue.expired > 0 { json.field("expired", Int64(clamping: queue.expired)) }
      json.endObject()
    }
    json.endObject()
  }

  // MARK: parts

  private static func begin(
    _ json: inout JSONWriter, _ type: String, _ identity: HostIdentity
  ) {
    json.beginObject()
    json.field("type", type)
    json.field("name", serviceName)
    json.field("id", identity.id)
    json.field("version", identity.version)
    json.key("metadata")
    json.beginObject()
    json.field("host", identity.name)
    json.field("lattice", identity.lattice)
    for label in identity.labels where label.key != "host" && label.key != "lattice" {
      json.field(label.key, label.value)
    }
    json.endObject()
  }

  /// The names of what takes an operation in one text, as far as they fit. Dots are in no name: `...`
  /// tells of more.
  private static func names(_ endpoint: ServiceEndpoint) -> String {
    var fitting: [String] = []
    var length = 0
    endpoint.provider?.forEachResource { resource in
      if length > namesBytesMax || !resource.operations.includes(endpoint.operation) { return }
      length += resource.name.utf8.count + 1
      fitting.append(length > namesBytesMax ? "..." : resource.name)
    }
    return fitting.joined(by: ",")
  }

  private static func name(_ endpoint: ServiceEndpoint, _ json: inout JSONWriter) {
    json.field("name", endpoint.name)
    json.field("subject", endpoint.subject)
    json.field("queue_group", "")
  }

  private static func identity(_ identity: HostIdentity, _ json: inout JSONWriter) {
    json.field("host", identity.name)
    json.field("lattice", identity.lattice)
    json.field("id", identity.id)
    json.field("version", identity.version)
    json.key("labels")
    json.beginObject()
    for label in identity.labels { json.field(label.key, label.value) }
    json.endObject()
  }

  private static func describe(
    _ provider: any CapabilityProvider, hasCommands: Bool, _ json: inout JSONWriter
  ) {
    let contract = provider.contract
    var left: [String] = []
    for operation in contract.operations where operation.isCommand && !hasCommands {
      left.append(operation.name)
    }
    json.beginObject()
    json.field("name", contract.name)
    json.field("contract", contract.id)
    json.key("operations")
    json.beginArray()
    for operation in contract.operations where !left.includes(operation.name) {
      describe(operation, &json)
    }
    json.endArray()
    json.key("resources")
    json.beginArray()
    provider.forEachResource { describe($0, without: left, &json) }
    json.endArray()
    json.endObject()
  }

  @inline(never)
  private static func describe(_ operation: Operation, _ json: inout JSONWriter) {
    json.beginObject()
    json.field("name", operation.name)
    if operation.target == .capability { json.field("target", "capability") }
    json.key("parameters")
    json.beginArray()
    for parameter in operation.parameters { describe(parameter, &json) }
    json.endArray()
    json.endObject()
  }

  @inline(never)
  private static func describe(_ parameter: Parameter, _ json: inout JSONWriter) {
    json.beginObject()
    json.field("name", parameter.name)
    switch parameter.kind {
    case .bool: json.field("type", "bool")
    case .string: json.field("type", "string")
    case .double(let range):
      describe("double", .double(range.lowerBound), .double(range.upperBound), &json)
    case .integer(let range):
      describe("integer", .integer(range.lowerBound), .integer(range.upperBound), &json)
    case .names(let max): describe("names", .integer(1), .integer(Int64(max)), &json)
    case .states(let max): describe("states", .integer(1), .integer(Int64(max)), &json)
    }
    json.key("required")
    json.bool(parameter.isRequired)
    json.endObject()
  }

  /// A type with a range: of a number, or of how many there may be.
  @inline(never)
  private static func describe(
    _ type: String, _ minimum: Value, _ maximum: Value, _ json: inout JSONWriter
  ) {
    json.field("type", type)
    json.key("minimum")
    json.value(minimum)
    json.key("maximum")
    json.value(maximum)
  }

  /// - Parameter left: operations that are not told of.
  private static func describe(
    _ resource: Resource, without left: [String], _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.field("name", resource.name)
    json.key("operations")
    json.beginArray()
    for operation in resource.operations where !left.includes(operation) { json.string(operation) }
    json.endArray()
    json.fields(of: resource.properties)
    json.endObject()
  }
}
