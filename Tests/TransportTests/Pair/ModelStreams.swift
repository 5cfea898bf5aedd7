@testable import Transport

/// The streams of a JetStream and as much of its API as publishers use: which stream keeps a subject
/// (`STREAM.NAMES`), whether it takes batches (`STREAM.INFO`), and single messages (`STREAM.MSG.GET`).
struct ModelStreams {
  var streams: [ModelStream]
  let domain: String?
  /// The server's time of day at the instant zero, in nanoseconds.
  var epoch: Int64 = 0

  init(_ streams: [ModelStream], domain: String? = nil) {
    self.streams = streams
    self.domain = domain
  }

  /// The answer to a message, empty before the last of a batch; nil when it interests nobody here.
  mutating func answer(_ message: ModelServer.Message, at now: Instant) -> [UInt8]? {
    if message.subject.hasPrefix("$JS.") { return callAnswer(message) }
    for index in streams.indices where streams[index].keeps(message.subject) {
      var json = streams[index].publish(message, at: now)
      if let domain, !json.isEmpty {
        json.removeLast()
        json += bytes(",\"domain\":\"\(domain)\"}")
      }
      return json
    }
    return nil
  }

  func isInterested(in subject: String) -> Bool {
    if subject.hasPrefix("$JS.") { return operation(of: subject) != nil }
    return streams.contains { $0.keeps(subject) }
  }

  mutating func restart(at now: Instant, losesWindow: Bool = false) {
    for index in streams.indices { streams[index].restart(at: now, losesWindow: losesWindow) }
  }

  // MARK: the API

  /// What follows `$JS.API.` or `$JS.{domain}.API.`
  private func operation(of subject: String) -> Substring? {
    for prefix in ["$JS.API.", domain.map { "$JS.\($0).API." } ?? ""] where !prefix.isEmpty {
      if subject.hasPrefix(prefix) { return subject.dropFirst(prefix.utf8.count) }
    }
    return nil
  }

  private func callAnswer(_ message: ModelServer.Message) -> [UInt8]? {
    guard let operation = operation(of: message.subject) else { return nil }
    if operation == "STREAM.NAMES" { return names(message.payload) }
    if operation.hasPrefix("STREAM.INFO.") {
      return info(of: operation.dropFirst("STREAM.INFO.".utf8.count))
    }
    let prefix = "STREAM.MSG.GET."
    guard operation.hasPrefix(prefix) else { return nil }
    let name = operation.dropFirst(prefix.utf8.count)
    guard let request = try? JSONValue(message.payload.isEmpty ? bytes("{}") : message.payload),
      let sequence = request.count("seq")
    else {
      return ModelStreams.error(400, 10_025, "invalid JSON")
    }
    if !ModelStreams.isGood(request, sequence) {
      return ModelStreams.error(400, 10_003, "bad request")
    }
    guard let stream = streams.first(where: { $0.options.name == name }) else {
      return ModelStreams.error(404, 10_059, "stream not found")
    }
    return get(request, sequence, from: stream)
  }

  private func names(_ payload: [UInt8]) -> [UInt8] {
    let request = payload.isEmpty ? .object([]) : try? JSONValue(payload)
    let type = "{\"type\":\"io.nats.jetstream.api.v1.stream_names_response\","
    guard let request else {
      return bytes(
        type + "\"error\":{\"code\":400,\"err_code\":10025,\"description\":\"invalid JSON\"},"
          + "\"total\":0,\"offset\":0,\"limit\":0,\"streams\":null}")
    }
    let filter = request.text("subject")
    let names = streams.filter { stream in
      filter.isEmpty || stream.options.subjects.contains { Pattern.overlap($0, filter) }
    }.map(\.options.name).sorted()
    let list = names.isEmpty ? "null" : "[\"\(names.joined(separator: "\",\""))\"]"
    return bytes(type + "\"total\":\(names.count),\"offset\":0,\"limit\":1024,\"streams\":\(list)}")
  }

  /// As far as publishers want to know.
  private func info(of name: Substring) -> [UInt8] {
    guard let stream = streams.first(where: { $0.options.name == name }) else {
      return ModelStreams.error(404, 10_059, "stream not found")
    }
    let allows = stream.options.allowsBatches ? ",\"allow_atomic\":true" : ""
    return bytes(
      "{\"type\":\"io.nats.jetstream.api.v1.stream_info_response\",\"config\":{\"name\":\"\(name)\","
        + "\"duplicate_window\":\(stream.options.duplicateWindow.nanoseconds)\(allows)},"
        + "\"state\":{\"messages\":\(stream.count),\"last_seq\":\(stream.lastSequence)}}")
  }

  /// A sequence, or the last of a subject, or the next of one.
  private static func isGood(_ request: JSONValue, _ sequence: UInt64) -> Bool {
    let hasNext = !request.text("next_by_subj").isEmpty
    let hasLast = !request.text("last_by_subj").isEmpty
    return hasLast ? sequence == 0 && !hasNext : sequence > 0 || hasNext
  }

  private func get(_ request: JSONValue, _ sequence: UInt64, from stream: ModelStream) -> [UInt8] {
    let (last, next) = (request.text("last_by_subj"), request.text("next_by_subj"))
    let found =
      !last.isEmpty
      ? stream.last(last)
      : !next.isEmpty ? stream.next(next, from: sequence) : stream.message(sequence)
    guard let found else { return ModelStreams.error(404, 10_037, "no message found") }
    let message = found.message
    let time = Timestamp(nanoseconds: epoch + found.at.nanoseconds).rfc3339
    var json = "{\"type\":\"io.nats.jetstream.api.v1.stream_msg_get_response\",\"message\":{"
    json += "\"subject\":\"\(message.subject)\",\"seq\":\(found.sequence),"
    if !message.headers.isEmpty { json += "\"hdrs\":\"\(encodeBase64(message.headers))\"," }
    if !message.payload.isEmpty { json += "\"data\":\"\(encodeBase64(message.payload))\"," }
    return bytes(json + "\"time\":\"\(time)\"}}")
  }

  private static func error(_ code: Int, _ errorCode: Int, _ text: String) -> [UInt8] {
    bytes(
      "{\"type\":\"io.nats.jetstream.api.v1.stream_msg_get_response\",\"error\":{"
        + "\"code\":\(code),\"err_code\":\(errorCode),\"description\":\"\(text)\"}}")
  }
}

extension JSONValue {
  fileprivate func text(_ key: String) -> String {
    if case .string(let text)? = self[key] { return text }
    return ""
  }

  /// Zero when it is not there, nil when it is no count.
  fileprivate func count(_ key: String) -> UInt64? {
    switch self[key] {
    case nil: 0
    case .integer(let number)?: UInt64(exactly: number)
    default: nil
    }
  }
}

/// As JSON carries bytes.
private func encodeBase64(_ input: [UInt8]) -> String {
  let alphabet = bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  var output: [UInt8] = []
  for start in stride(from: 0, to: input.count, by: 3) {
    let group = input[start..<min(start + 3, input.count)]
    var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    bits <<= UInt32(8 * (3 - group.count))
    for place in 0..<4 {
      let isPadding = place > group.count
      output.append(isPadding ? 0x3D : alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63])
    }
  }
  return output.string
}

extension Pattern {
  /// Whether it has no wildcards.
  static func isPlain(_ pattern: String) -> Bool {
    !pattern.utf8.contains(0x2A) && !pattern.utf8.contains(0x3E)
  }

  /// Whether a subject can match both.
  static func overlap(_ one: String, _ other: String) -> Bool {
    let left = one.split(separator: ".", omittingEmptySubsequences: false)
    let right = other.split(separator: ".", omittingEmptySubsequences: false)
    for index in 0..<max(left.count, right.count) {
      guard index < left.count, index < right.count else { return false }
      if left[index] == ">" || right[index] == ">" { return true }
      if left[index] != right[index], left[index] != "*", right[index] != "*" { return false }
    }
    return true
  }
}
