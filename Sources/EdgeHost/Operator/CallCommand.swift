import Lattice
import Transport

/// `edge-host call`: one request to one host. The request carries its deadline, so that a board which
/// gets it late refuses it.
final class CallCommand {
  private static let defaultTimeout = Duration.seconds(5)

  private let session: OperatorSession
  private var request: CallRequest
  private var lineRefusal: Text?
  private let options: OperatorOptions

  /// The command line is judged before anybody is connected to.
  static func run(_ request: CallRequest, _ options: OperatorOptions) throws(SystemError) -> Int32 {
    let subject: [UInt8]
    let body: [UInt8]
    do throws(UsageError) {
      (subject, body) = try message(request)
    } catch {
      OperatorSession.complain(error.message)
      return 2
    }
    let command = CallCommand(try OperatorSession(options), request, options)
    return command.session.run { command.send(body, to: subject) }
  }

  private init(_ session: OperatorSession, _ request: CallRequest, _ options: OperatorOptions) {
    self.session = session
    self.request = request
    self.options = options
  }

  private func send(_ body: [UInt8], to subject: [UInt8]) {
    let timeout = options.timeout ?? CallCommand.defaultTimeout
    var headers = HeaderWriter()
    headers.append("Edge-Deadline", (EventLoop.wallClock + timeout).rfc3339)
    headers.append("Edge-Caller", OperatorSession.caller)
    let block = headers.finished()
    do throws(PublishError) {
      try session.client.request(
        subject: subject.span, headers: block.span, payload: body.span, as: .commands,
        timeout: timeout
      ) { [self] outcome in finish(outcome) }
    } catch {
      session.fail("\(error)")
    }
  }

  /// Subject and body of a request; `name=` says which line or sensor, and without it the whole
  /// capability is asked.
  static func message(
    _ request: CallRequest
  ) throws(UsageError) -> (subject: [UInt8], body: [UInt8]) {
    var arguments = Record()
    var resource: String?
    for argument in request.arguments {
      guard let (key, value) = argument.cut(at: UInt8(ascii: "=")), !key.utf8.isEmpty else {
        throw UsageError(message: "\"\(argument)\" is not key=value")
      }
      if arguments[key] != nil || key == "name" && resource != nil {
        throw UsageError(message: "\"\(key)\" is given twice")
      }
      if key == "name" {
        resource = value
      } else {
        arguments.append(key, try typed(value, of: key))
      }
    }
    var tokens = [request.lattice, request.host]
    if !request.capability.isEmpty {
      tokens.append(request.capability)
      if let resource { tokens.append(resource) }
    }
    tokens.append(request.operation)
    // A dot in a name would make another subject of it.
    for token in tokens where !Name.isValid(token.bytes) {
      throw UsageError(
        message: """
          \(quoted: token) is no name: 1 to \(ManifestLimits.nameBytesMax) printable characters of \
          ASCII without blank, '.', '*' and '>'
          """)
    }
    let subject: Text = "edge.\(tokens.joined(by: "."))"
    return (subject.bytes, arguments.fields.isEmpty ? [] : arguments.jsonBytes)
  }

  /// `true`, `false` and numbers are themselves, lists and objects JSON, all else is text.
  private static func typed(_ text: String, of key: String) throws(UsageError) -> Value {
    if text.begins(with: "[") || text.begins(with: "{") {
      do throws(JSONError) {
        return try Value(json: text.bytes.span)
      } catch {
        throw UsageError(message: "\(key)=\(quoted: text) is no JSON: \(error)")
      }
    }
    if text == "true" { return .bool(true) }
    if text == "false" { return .bool(false) }
    if let number = Int64(text) { return .integer(number) }
    if let number = parseDecimal(text.bytes.span) { return .double(number) }
    return .string(text)
  }

  private func finish(_ outcome: borrowing RequestOutcome) {
    switch outcome {
    case .failed(.noResponders):
      if askForSensor(after: nil) { return }
      // The host is there, as it has refused a line; it only has no sensors.
      session.fail(lineRefusal ?? CallCommand.nobodyAnswers(request))
    case .failed(.timedOut): session.fail("no answer in time")
    case .failed(.disconnected): session.fail("the connection was lost before the answer came")
    case .response(let message): finish(message)
    }
  }

  static func nobodyAnswers(_ request: CallRequest) -> Text {
    let isNamed = request.arguments.contains { $0.begins(with: "name=") }
    let name: StaticString =
      isNamed || request.capability.utf8.isEmpty
      ? "" : ", or does it need name=NAME, for one line or sensor"
    return """
      nobody answers for host \(quoted: request.host) in lattice \(quoted: request.lattice): \
      is it up, and does it have that capability and operation\(name)? (edge-host hosts lists all)
      """
  }

  private func finish(_ message: borrowing IncomingMessage) {
    if let reader = HeaderReader(message.headers),
      let error = reader.value(of: "Nats-Service-Error")
    {
      let code =
        reader.value(of: "Nats-Service-Error-Code")
        .map { message.headers.extracting($0).string } ?? "error"
      let refusal: Text = "\(code): \(message.headers.extracting(error))"
      if code == "404", askForSensor(after: refusal) { return }
      if let lineRefusal { OperatorSession.complain(lineRefusal) }
      return session.fail(refusal)
    }
    guard let record = try? Record(json: message.payload) else {
      return session.fail("the answer is no JSON object: \(quoted: message.payload.array)")
    }
    StandardStream.output.write(text(of: record))
    session.end(0)
  }

  /// Asks once more, now for a sensor of that name.
  /// - Parameter refusal: why there is no line, if somebody said so.
  private func askForSensor(after refusal: Text?) -> Bool {
    guard request.triesSensors else { return false }
    lineRefusal = refusal
    request.triesSensors = false
    request.capability = "sensors"
    guard let (subject, body) = try? CallCommand.message(request) else { return false }
    send(body, to: subject)
    return true
  }

  private func text(of record: Record) -> Text {
    if options.json { return "\(record.jsonBytes.span)\n" }
    switch request.form {
    case .nothing: return Text()
    case .value, .number:
      return "\(CallCommand.value(record, isNumeric: request.form == .number))\n"
    case .table:
      return request.capability.isEmpty
        ? CallCommand.description(record) : CallCommand.answer(record)
    }
  }

  /// A line's state as `gpio get` prints it, a sensor's value likewise.
  static func value(_ record: Record, isNumeric: Bool) -> Text {
    let name = record["name"]?.plainText ?? "?"
    if let isActive = record["active"]?.bool {
      return LineText.value(name, isActive, isNumeric: isNumeric)
    }
    let value = Text(record["value"]?.plainText ?? "null").harmless
    if isNumeric { return value }
    let unit = Text(record["unit"]?.plainText ?? "").harmless
    return "\"\(Text(name).harmless)\"=\(value)\(unit.bytes.isEmpty ? "" : " ")\(unit)"
  }

  private static func answer(_ record: Record) -> Text {
    var table = Table()
    for field in record.fields { table.append([field.name, field.value.plainText]) }
    return table.text
  }

  private static func description(_ record: Record) -> Text {
    var table = Table(heads: ["CAPABILITY", "NAME", "OPERATIONS", "PROPERTIES"])
    for capability in record["capabilities"]?.records ?? [] {
      for resource in capability["resources"]?.records ?? [] {
        table.append([
          capability["name"]?.plainText ?? "", resource["name"]?.plainText ?? "",
          operations(resource), resource.pairs(except: ["name", "operations"]),
        ])
      }
    }
    return table.text
  }

  private static func operations(_ resource: Record) -> String {
    guard case .list(let values)? = resource["operations"] else { return "" }
    return values.map { $0.plainText }.joined(by: ",")
  }
}
