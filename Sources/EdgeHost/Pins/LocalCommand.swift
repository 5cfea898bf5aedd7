import GPIOProvider
import Lattice
import Transport

/// `edge-host gpio get`, `set`, `pulse`, `watch` and `names` through the running host: names are the
/// manifest's, and the host's guards and leases hold.
final class LocalCommand {
  private static let defaultTimeout = Duration.seconds(5)

  private let client: LocalClient
  private let request: GPIORequest
  private var answers: [Record?]
  private var printed: Int64 = 0
  private var hasFailed = false
  private var status: Int32 = 0

  /// - Throws: when there is no host to talk to; everything later is told and becomes the status.
  static func run(_ request: GPIORequest, at path: String) throws(SystemError) -> Int32 {
    let client = try LocalClient(path)
    do throws(UsageError) {
      try check(request)
    } catch {
      OperatorSession.complain(error.message)
      return 2
    }
    let command = LocalCommand(client, request)
    do throws(SystemError) {
      try command.run()
    } catch {
      OperatorSession.complain("\(path): \(error)")
      return 1
    }
    return command.status
  }

  private init(_ client: LocalClient, _ request: GPIORequest) {
    self.client = client
    self.request = request
    answers = []
  }

  /// Refuses what only makes sense for lines that are taken directly.
  private static func check(_ request: GPIORequest) throws(UsageError) {
    if request.hold != nil {
      throw UsageError(
        message: "a host runs and goes on holding the line: say --lease instead of --hold")
    }
    if request.isActiveLow || request.bias != .asIs {
      throw UsageError(
        message: "a host runs, whose manifest says how lines are taken: --chip takes one directly")
    }
  }

  private func run() throws(SystemError) {
    let requests = LocalCommand.requests(for: request)
    answers = requests.map { _ in nil }
    try client.receive { [self] record in
      if let record { take(record) } else { end("the host closed the connection") }
    }
    try client.send(requests)
    let timer = Timer(on: client.loop) { [self] _ in timeIsOver() }
    if let timeout = request.timeout ?? (isWatch ? nil : LocalCommand.defaultTimeout) {
      timer.set(EventLoop.now + timeout)
    }
    try client.loop.run()
    timer.set(nil)
  }

  private var isWatch: Bool { request.action == .watch }

  /// What the host is asked; the id of each is its place.
  static func requests(for request: GPIORequest) -> [Record] {
    var requests: [Record] = []
    switch request.action {
    case .watch:
      var record = Record()
      record.append("id", .integer(0))
      record.append("watch", .list(request.names.map { .string($0) }))
      requests.append(record)
    case .names:
      var record = Record()
      record.append("id", .integer(0))
      record.append("describe", .bool(true))
      requests.append(record)
    default:
      for (index, name) in request.names.enumerated() {
        var record = Record()
        record.append("id", .integer(Int64(index)))
        record.append("capability", .string("gpio"))
        record.append("resource", .string(name))
        record.append("operation", .string(request.action == .get ? "get" : "set"))
        if request.action != .get {
          record.append("arguments", .record(arguments(of: request, index)))
        }
        requests.append(record)
      }
    }
    return requests
  }

  private static func arguments(of request: GPIORequest, _ index: Int) -> Record {
    var arguments = Record()
    let isActive = request.values.indices.contains(index) ? request.values[index] : true
    arguments.append("active", .bool(isActive))
    if let duration = request.duration {
      arguments.append("pulse_ms", .integer(duration.milliseconds))
    }
    if let lease = request.lease { arguments.append("lease_ms", .integer(lease.milliseconds)) }
    return arguments
  }

  // MARK: answers

  private func take(_ record: Record) {
    if case .record(let error)? = record["error"] {
      OperatorSession.complain(
        "\(error["code"]?.plainText ?? "error"): \(error["reason"]?.plainText ?? "-")")
      hasFailed = true
      if isWatch || record["id"] == nil { return end(nil) }
    }
    if record["watch"] != nil { return printEvent(record) }
    guard let id = record["id"]?.integer, let index = Int(exactly: id),
      answers.indices.contains(index), !isWatch
    else { return }
    answers[index] = record
    let isComplete = answers.allSatisfy { $0 != nil }
    if isComplete { finish() }
  }

  /// Nothing is printed when one has failed, unless each answer says whose it is.
  private func finish() {
    if !hasFailed || request.json {
      var text = Text()
      for answer in answers {
        if case .record(let result)? = answer?["result"] { append(result, to: &text) }
      }
      if request.action == .get && !request.json { text.append("\n") }
      if !StandardStream.output.write(text) { return end("cannot write the output") }
    }
    end(nil)
  }

  private func append(_ result: Record, to text: inout Text) {
    if request.action == .names {
      for name in LocalCommand.names(in: result) { text += "\(Text(name).harmless)\n" }
    } else if request.json {
      text += "\(result.jsonBytes.span)\n"
    } else if request.action == .get {
      if !text.bytes.isEmpty { text.append(" ") }
      text += LineText.value(
        result["name"]?.plainText ?? "?", result["active"]?.bool ?? false,
        isNumeric: request.isNumeric)
    }
  }

  /// The names of a description's lines.
  static func names(in description: Record) -> [String] {
    var names: [String] = []
    for capability in description["capabilities"]?.records ?? [] {
      guard let name = capability["name"]?.string, name == "gpio" else { continue }
      for resource in capability["resources"]?.records ?? [] {
        names.append(resource["name"]?.plainText ?? "")
      }
    }
    return names
  }

  private func printEvent(_ record: Record) {
    guard let capability = record["capability"]?.string, capability == "gpio",
      case .record(let body)? = record["body"]
    else { return }
    let text: Text
    if request.json {
      text = "\(record.jsonBytes.span)\n"
    } else {
      let event = LineText.event(
        kind: record["kind"]?.plainText ?? "?", record["resource"]?.plainText ?? "?", body)
      text = "\(event)\n"
    }
    if !StandardStream.output.write(text) { return end("cannot write the output") }
    printed += 1
    if printed == request.count { end(nil) }
  }

  private func timeIsOver() {
    if isWatch { end(nil) } else { end("no answer in time") }
  }

  private func end(_ complaint: Text?) {
    if let complaint {
      OperatorSession.complain(complaint)
      hasFailed = true
    }
    status = hasFailed ? 1 : 0
    client.stop()
  }
}
