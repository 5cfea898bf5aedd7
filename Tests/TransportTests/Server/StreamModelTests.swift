import XCTest

@testable import Transport

/// The model of a stream, which the simulation believes, beside real servers: the same operations in the
/// same order have to give the same answers. A failure names the seed and the operation.
final class StreamModelTests: ServerTestCase {
  private static let streams = [
    ModelStream.Options(name: "FACTS", subjects: ["edge.>"], duplicateWindow: .seconds(3600)),
    ModelStream.Options(
      name: "LAST", subjects: ["last.*", "late.>"], duplicateWindow: .seconds(3600), messagesMax: 5
    ),
    ModelStream.Options(
      name: "FULL", subjects: ["full.a"], duplicateWindow: .seconds(3600), messagesMax: 6,
      refusesWhenFull: true, messageBytesMax: 300),
  ]

  private static func creation(_ stream: ModelStream.Options) -> String {
    var json = #"{"name":"\#(stream.name)","subjects":["#
    json += stream.subjects.map { #""\#($0)""# }.joined(separator: ",")
    json += #"],"storage":"file","duplicate_window":\#(stream.duplicateWindow.nanoseconds)"#
    if stream.messagesMax < .max { json += #","max_msgs":\#(stream.messagesMax)"# }
    if stream.messageBytesMax < .max { json += #","max_msg_size":\#(stream.messageBytesMax)"# }
    return json + (stream.refusesWhenFull ? #","discard":"new"}"# : "}")
  }

  func testModelAnswersAsServersDo() throws {
    if NATSServer.executables.isEmpty { throw XCTSkip("there is no nats-server") }
    for executable in NATSServer.executables {
      for seed in 1...3 { try compare(executable, seed: UInt64(seed)) }
    }
  }

  /// Which of the modelled servers answers; between them nobody has looked.
  private static func release(of server: NATSServer) throws -> ModelStream.Release? {
    switch try server.version {
    case "v2.9.10", "v2.10.27": .v2_10
    case "v2.15.1": .v2_15
    default: nil
    }
  }

  private func compare(_ executable: String, seed: UInt64) throws {
    let server = try server(executable: executable)
    guard let release = try Self.release(of: server) else {
      return print("\(executable) is \(try server.version), which the model does not claim to be")
    }
    let live = try client(server)
    for stream in Self.streams {
      XCTAssertNil(
        try JetStream(over: live.client).callForTest(
          live, "STREAM.CREATE.\(stream.name)", Self.creation(stream)))
    }
    var random = RandomGenerator(seed: seed)
    var model = ModelStreams(
      Self.streams.map { options in
        var options = options
        options.release = release
        return ModelStream(options)
      })
    var history: [String] = []
    for step in 0..<250 {
      let operation = Self.operation(model, &random)
      history.append(Self.text(of: operation))
      let now = Instant(nanoseconds: Int64(step))
      guard let message = operation else {
        try restart(server, live)
        model.restart(at: now)
        continue
      }
      let expected = try Self.comparable(model.answer(message, at: now))
      let actual = try answer(live, message)
      if actual == expected { continue }
      XCTFail(
        """
        \(executable), seed \(seed), step \(step): the server says \(actual ?? "nothing"), the model
        \(expected ?? "nothing"), after
        \(history.suffix(60).joined(separator: "\n"))
        """)
      return
    }
  }

  private static func text(of message: ModelServer.Message?) -> String {
    guard let message else { return "restart" }
    let lines = message.headers.string.split(separator: "\r\n").dropFirst()
    let headers = lines.joined(separator: ", ")
    let payload = message.subject.hasPrefix("$JS") ? message.payload.string : ""
    return "\(message.subject) \(headers) \(payload) (\(message.payload.count) bytes)"
  }

  private func restart(_ server: NATSServer, _ live: LiveClient) throws {
    server.shutDown()
    try live.wait("the end of the connection") { !live.client.isConnected }
    try server.start()
    try live.wait("a connection") { live.client.isConnected }
  }

  /// Ids are forgotten by their age since they were stored, whatever came of them later.
  func testIDsAreForgotten() throws {
    let window = Transport.Duration.seconds(1)
    for executable in NATSServer.executables {
      let live = try client(try server(executable: executable))
      let options = ModelStream.Options(duplicateWindow: window)
      XCTAssertNil(
        try JetStream(over: live.client).callForTest(
          live, "STREAM.CREATE.FACTS", Self.creation(options)))
      var model = ModelStreams([ModelStream(options)])
      var headers = HeaderWriter()
      headers.append(messageID: "id")
      let message = ModelServer.Message(
        subject: "edge.a", reply: nil, headers: headers.finished(), payload: [])
      let first = try Self.comparable(model.answer(message, at: Instant(nanoseconds: 0)))
      XCTAssertEqual(try answer(live, message), first, executable)
      // The server looks at its clock at times of its own.
      let known = try Self.comparable(model.answer(message, at: Instant(nanoseconds: 1)))
      var latest = try answer(live, message)
      for _ in 0..<600 where latest == known {
        usleep(50_000)
        latest = try answer(live, message)
      }
      let second = model.answer(message, at: Instant(nanoseconds: window.nanoseconds))
      XCTAssertEqual(latest, try Self.comparable(second), executable)
    }
  }

  // MARK: operations

  private static let subjects = [
    "edge.a", "edge.a", "edge.b", "edge.b.c", "last.a", "last.b", "late.a.b", "full.a", "none.a",
  ]

  /// A message to a stream or to the API; nil for a restart of the server.
  private static func operation(
    _ model: ModelStreams, _ random: inout RandomGenerator
  ) -> ModelServer.Message? {
    func call(_ subject: String, _ json: String) -> ModelServer.Message {
      ModelServer.Message(subject: subject, reply: nil, headers: [], payload: bytes(json))
    }
    switch random.index(below: 100) {
    case 0..<2: return nil
    case 2..<62: return message(model, &random)
    case 62..<72:
      let filter = random.element(
        of: ["edge.a", "edge.*", "*.a", "late.a", "late.*.b", "full.*", "none.a", ">", "full.a.b"])
      let json = random.oneIn(8) ? "" : #"{"subject":"\#(filter)"}"#
      return call("$JS.API.STREAM.NAMES", random.oneIn(20) ? "[" : json)
    default:
      let stream = random.element(of: ["FACTS", "FACTS", "LAST", "FULL", "NONE"])
      return call("$JS.API.STREAM.MSG.GET.\(stream)", get(&random))
    }
  }

  private static func get(_ random: inout RandomGenerator) -> String {
    let subject = random.element(of: subjects + ["edge.*", "last.*", ">"])
    let sequence = random.index(below: 60) - (random.oneIn(20) ? 60 : 0)
    return random.element(of: [
      #"{"seq":\#(sequence)}"#, #"{"last_by_subj":"\#(subject)"}"#,
      #"{"seq":\#(sequence),"next_by_subj":"\#(subject)"}"#, #"{"next_by_subj":"\#(subject)"}"#,
      #"{"seq":\#(sequence),"last_by_subj":"\#(subject)"}"#, "", "{", "{}",
    ])
  }

  private static func message(
    _ model: ModelStreams, _ random: inout RandomGenerator
  ) -> ModelServer.Message {
    let subject = random.element(of: subjects)
    let stream = model.streams.first { $0.keeps(subject) }
    var headers = HeaderWriter()
    if random.oneIn(3) { headers.append(messageID: "id-\(random.index(below: 40))") }
    if random.oneIn(4) {
      let last = stream?.last(subject)?.sequence ?? 0
      headers.append(.lastSubjectSequence(random.oneIn(4) ? last + 1 : last))
    }
    if random.oneIn(8) {
      let last = stream?.lastSequence ?? 0
      headers.append(.lastSequence(random.oneIn(3) ? last &- 1 : last))
    }
    if random.oneIn(8) {
      let last = stream?.messages.last.flatMap { $0 }?.message.header("Nats-Msg-Id")
      headers.append(.lastMessageID(random.oneIn(3) ? "id-0" : last ?? "id-1"))
    }
    if random.oneIn(10) {
      headers.append(.stream(random.oneIn(2) ? "FACTS" : stream?.options.name ?? "NONE"))
    }
    let size = random.oneIn(6) ? 200 + random.index(below: 200) : random.index(below: 20)
    return ModelServer.Message(
      subject: subject, reply: nil, headers: headers.finished(), payload: random.bytes(count: size))
  }

  // MARK: answers

  /// Nil when nobody is interested.
  private func answer(_ live: LiveClient, _ message: ModelServer.Message) throws -> String? {
    var failure: RequestFailure?
    let json: [UInt8] = try live.result { done in
      do {
        try live.client.request(
          subject: bytes(message.subject).span, headers: message.headers.span,
          payload: message.payload.span, as: .facts, timeout: .seconds(20)
        ) { outcome in
          switch outcome {
          case .failed(let reason):
            failure = reason
            done([])
          case .response(let message): done(message.payload.array)
          }
        }
      } catch { XCTFail("\(error)") }
    }
    if failure == .noResponders { return nil }
    if let failure { throw WaitedInVain(what: "an answer: \(failure)") }
    return try Self.comparable(json)
  }

  /// Without what may differ: times, and a server's words about bad JSON.
  private static func comparable(_ json: [UInt8]?) throws -> String? {
    guard let json else { return nil }
    let value = try JSONValue(json)
    var writer = JSONWriter()
    without(["time"], value).write(to: &writer)
    return writer.bytes.string
  }

  private static func without(_ keys: [String], _ value: JSONValue) -> JSONValue {
    guard case .object(let members) = value else { return value }
    let isBadJSON = value["err_code"] == .integer(10_025)
    let keys = isBadJSON ? keys + ["description"] : keys
    return .object(
      members.filter { !keys.contains($0.key) }
        .map { JSONValue.Member(key: $0.key, value: without(keys, $0.value)) })
  }
}
