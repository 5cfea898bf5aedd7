import Transport

/// The local dialect: JSON lines over connections of the same machine, for people and programs on the
/// board itself; it works without a link. docs/commands.md is its reference.
///
/// Bytes go in and bytes come out; the program's `LocalSocket` moves them.
public final class LocalDialect: Dialect {
  /// Each may keep `LocalSession.outputBytesMax` waiting. Arbitrary.
  public static let sessionsMax = 8
  /// Of a request's id, as a JSON text.
  private static let idBytesMax = 64

  private let diagnostics: any Diagnostics
  private var host: LatticeHost?
  private var sessions: [LocalSession] = []
  private var isStopping = false

  public init(diagnostics: any Diagnostics) { self.diagnostics = diagnostics }

  // MARK: connections

  /// Takes a connection; nil when there are too many, to which `refusal` is sent.
  /// - Parameter name: what callers are known by: `uid-1000`.
  public func open(caller name: String) -> LocalSession? {
    if sessions.count >= LocalDialect.sessionsMax || isStopping { return nil }
    let bytes = name.bytes
    let session = LocalSession(caller: Caller(dialect: "local", name: bytes.span))
    sessions.append(session)
    return session
  }

  public func close(_ session: LocalSession) {
    session.cutOff()
    sessions.removeAll { $0 === session }
  }

  /// What a connection is told that is not taken.
  public var refusal: [UInt8] {
    LocalDialect.line(
      id: [],
      refusing: InvocationError(
        .unavailable,
        isStopping
          ? "the host is stopping"
          : "\(LocalDialect.sessionsMax) connections are open already, which is the most there may be"
      ))
  }

  /// Takes bytes that came, at most the session's `inputRoom`, and handles what is whole.
  public func receive(_ bytes: Span<UInt8>, from session: LocalSession) {
    session.append(bytes)
    advance(session)
  }

  /// Handles what came earlier and had to wait until output was sent.
  public func advance(_ session: LocalSession) {
    if session.takeLines({ handle($0, of: session) }) { return }
    send(
      LocalDialect.line(
        id: [],
        refusing: InvocationError(
          .tooLarge, "a line has at most \(LocalSession.lineBytesMax) bytes")),
      to: session)
    session.refuseInput()
  }

  // MARK: Dialect

  public func start(_ host: LatticeHost, on bus: any MessageBus, at now: Instant) {
    self.host = host
  }

  public func linkChanged(isConnected: Bool, at now: Instant) {}
  public func statusChanged(at now: Instant) {}

  public func emit(_ event: CapabilityEvent, at now: Instant) {
    guard let host else { return }
    let time = EventTime(of: event, by: host)
    for session in sessions {
      for watch in session.watches
      where watch.names.isEmpty || watch.names.includes(event.resource) {
        send(LocalDialect.line(watch: watch.id, event, at: time), to: session)
      }
    }
  }

  /// Watchers have been told of the safe states; what waits is still sent.
  public func stop(at now: Instant) {
    isStopping = true
    for session in sessions {
      session.watches = []
      session.endInput()
    }
  }

  public var deadline: Instant? { nil }
  public func handleDeadline(at now: Instant) {}

  // MARK: requests

  private func handle(_ line: Span<UInt8>, of session: LocalSession) {
    var id: [UInt8] = []
    do throws(InvocationError) {
      let request: Record
      do throws(JSONError) {
        request = try Record(json: line)
      } catch {
        throw InvocationError(.badRequest, "the line is not the JSON object it must be: \(error)")
      }
      if let given = request["id"] {
        let text = given.jsonBytes
        guard given.isScalar, text.count <= LocalDialect.idBytesMax else {
          throw InvocationError(
            .badRequest,
            "'id' must be a number or a text of at most \(LocalDialect.idBytesMax) bytes")
        }
        id = text
      }
      try handle(request, id, of: session)
    } catch {
      diagnostics.report("bad local request", "\(session.caller): \(error.reason)")
      send(LocalDialect.line(id: id, refusing: error), to: session)
    }
  }

  private func handle(
    _ request: Record, _ id: [UInt8], of session: LocalSession
  ) throws(InvocationError) {
    guard let host, !isStopping else {
      throw InvocationError(.unavailable, "the host is stopping")
    }
    try LocalDialect.checkKeys(of: request)
    if let watch = request["watch"] {
      let names = try self.names(watch, host)
      if session.watches.count == LocalSession.watchesMax {
        throw InvocationError(
          .tooLarge, "a connection has at most \(LocalSession.watchesMax) watches")
      }
      var result = Record()
      result.append("watching", .list(names.map { .string($0) }))
      session.watches.append(LocalWatch(id: id, names: names))
      send(LocalDialect.line(id: id, result: result.jsonBytes), to: session)
    } else if request["describe"] != nil {
      answer(id, ServiceDocuments.description(of: host, hasCommands: true), to: session)
    } else {
      let invocation = Invocation(
        capability: try LocalDialect.text("capability", of: request),
        resource: try LocalDialect.resource(of: request, host),
        operation: try LocalDialect.text("operation", of: request),
        arguments: try LocalDialect.arguments(of: request), caller: session.caller)
      session.callsUnderWay += 1
      host.invoke(invocation) { [self] result in
        session.callsUnderWay -= 1
        switch result {
        case .success(let record): answer(id, record.jsonBytes, to: session)
        case .failure(let error):
          send(LocalDialect.line(id: id, refusing: error), to: session)
        }
      }
    }
  }

  /// The names that are to be watched, each of which must be somebody's.
  private func names(_ watch: Value, _ host: LatticeHost) throws(InvocationError) -> [String] {
    guard case .list(let values) = watch else {
      throw InvocationError(
        .badRequest,
        "'watch' must be a list of names, or [] for all, not \(quoted: watch.jsonBytes)")
    }
    var names: [String] = []
    for value in values {
      guard let name = value.string else {
        throw InvocationError(.badRequest, "\(quoted: value.jsonBytes) is no name to be watched")
      }
      var isKnown = false
      for provider in host.providers {
        provider.forEachResource { isKnown = isKnown || $0.name == name }
      }
      if !isKnown {
        throw InvocationError(.notFound, "no line or sensor is named \(quoted: name)")
      }
      names.append(name)
    }
    return names
  }

  private static func checkKeys(of request: Record) throws(InvocationError) {
    let keys = ["id", "capability", "resource", "operation", "arguments", "watch", "describe"]
    for field in request.fields where !keys.includes(field.name) {
      throw InvocationError(
        .badRequest,
        "a request has no \(quoted: field.name); there are: \(keys.joined(by: ", "))")
    }
  }

  /// Empty for an operation of the whole capability.
  private static func resource(
    of request: Record, _ host: LatticeHost
  ) throws(InvocationError) -> String {
    if request["resource"] == nil {
      let contract = host.provider(of: try text("capability", of: request))?.contract
      let operation = contract?.operation(named: try text("operation", of: request))
      if operation?.target == .capability { return "" }
    }
    return try text("resource", of: request)
  }

  private static func text(
    _ key: String, of request: Record
  ) throws(InvocationError) -> String {
    guard let value = request[key] else {
      throw InvocationError(
        .badRequest,
        "a request needs '\(key)' (or 'watch' or 'describe' instead of capability and operation)")
    }
    guard let text = value.string else {
      throw InvocationError(
        .badRequest, "'\(key)' must be a text, not \(quoted: value.jsonBytes)")
    }
    return text
  }

  private static func arguments(of request: Record) throws(InvocationError) -> Record {
    switch request["arguments"] {
    case nil, .null?: return Record()
    case .record(let record)?: return record
    case let value?:
      throw InvocationError(
        .badRequest, "'arguments' must be an object, not \(quoted: value.jsonBytes)")
    }
  }

  // MARK: output

  private func answer(_ id: [UInt8], _ document: [UInt8], to session: LocalSession) {
    if document.count > LocalSession.answerBytesMax {
      let error = InvocationError(
        .tooLarge,
        "the answer of \(document.count) bytes is larger than \(LocalSession.answerBytesMax)")
      return send(LocalDialect.line(id: id, refusing: error), to: session)
    }
    send(LocalDialect.line(id: id, result: document), to: session)
  }

  private func send(_ line: [UInt8], to session: LocalSession) {
    if session.send(line) { return }
    diagnostics.report(
      "local watcher",
      """
      \(session.caller) does not read what it is sent: cut off with \
      \(LocalSession.outputBytesMax) bytes waiting
      """)
  }

  /// `{"id":ID,"result":DOCUMENT}` and a line's end.
  private static func line(id: [UInt8], result document: [UInt8]) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(document.count + id.count + 20)
    begin(&line, "\"id\":", id)
    line.append(ascii: "\"result\":")
    line.append(document.span)
    line.append(ascii: "}\n")
    return line
  }

  private static func line(id: [UInt8], refusing error: InvocationError) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.fields(of: error)
    json.endObject()
    var line: [UInt8] = []
    begin(&line, "\"id\":", id)
    line.append(ascii: "\"error\":")
    line.append(json.bytes.span)
    line.append(ascii: "}\n")
    return line
  }

  private static func line(
    watch id: [UInt8], _ event: CapabilityEvent, at time: EventTime
  ) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.field("capability", event.capability)
    if !event.isOfHost { json.field("resource", event.resource) }
    json.field("kind", event.kind)
    json.key("body")
    json.record(event.body, at: time)
    json.endObject()
    var line: [UInt8] = []
    begin(&line, "\"watch\":", id)
    // The writer's own object goes on here.
    line.append(json.bytes.span.extracting(1..<json.bytes.count))
    line.append(UInt8(ascii: "\n"))
    return line
  }

  /// The beginning of an object, with the id as it came; nothing for a request without one.
  private static func begin(_ line: inout [UInt8], _ key: StaticString, _ id: [UInt8]) {
    line.append(UInt8(ascii: "{"))
    if id.isEmpty { return }
    line.append(ascii: key)
    line.append(id.span)
    line.append(UInt8(ascii: ","))
  }
}

extension Value {
  fileprivate var isScalar: Bool {
    switch self {
    case .bytes, .list, .record: false
    default: true
    }
  }
}
