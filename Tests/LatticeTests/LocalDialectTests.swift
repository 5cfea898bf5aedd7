import Transport
import XCTest

@testable import Lattice

final class LocalDialectTests: XCTestCase {
  private let pins = FakeProvider(
    .pins, resources: [.pin("door", "input"), .pin("siren", "output")])
  private let diagnostics = FakeDiagnostics()
  private let host = LatticeHost(identity: .test(), time: FakeTime(), boot: .test)
  private lazy var dialect = LocalDialect(diagnostics: diagnostics)

  override func setUp() {
    host.add(pins)
    host.start([dialect], on: FakeBus())
  }

  private func open(_ caller: String = "uid-7") throws -> LocalSession {
    try XCTUnwrap(dialect.open(caller: caller))
  }

  private func send(_ text: String, to session: LocalSession) {
    dialect.receive(Array(text.utf8).span, from: session)
  }

  /// What has been said since, a text for each line.
  private func take(_ session: LocalSession) -> [String] {
    let text = String(decoding: session.output, as: UTF8.self)
    XCTAssertTrue(text.isEmpty || text.hasSuffix("\n"), text)
    session.removeOutput(session.output.count)
    dialect.advance(session)
    return text.split(separator: "\n").map(String.init)
  }

  private func ask(_ text: String, _ session: LocalSession) -> [String] {
    send(text + "\n", to: session)
    return take(session)
  }

  private func emit(_ resource: String, _ body: Record = Record()) {
    host.emit(
      CapabilityEvent(
        capability: "gpio", resource: resource, kind: "edge", delivery: .latest, at: host.time.now,
        body: body))
  }

  // MARK: calls

  func testCallIsAnswered() throws {
    pins.answer = { _ in .success(Record([("active", .bool(true))])) }
    let session = try open()
    let line =
      #"{"id":1,"capability":"gpio","resource":"siren","operation":"set","arguments":{"active":true}}"#
    XCTAssertEqual(ask(line, session), [#"{"id":1,"result":{"active":true}}"#])
    XCTAssertEqual(pins.invocations.map { $0.resource }, ["siren"])
    XCTAssertEqual(pins.invocations.map { $0.arguments["active"] }, [.bool(true)])
    XCTAssertEqual(pins.invocations.map { $0.caller.text.string }, ["uid-7 (local)"])
  }

  func testIdComesBackAsItWasSent() throws {
    pins.answer = { _ in .success(Record()) }
    let session = try open()
    let get = #""capability":"gpio","resource":"door","operation":"get""#
    XCTAssertEqual(ask(#"{"id":"a\"b",\#(get)}"#, session), [#"{"id":"a\"b","result":{}}"#])
    XCTAssertEqual(ask(#"{\#(get)}"#, session), [#"{"result":{}}"#])
    XCTAssertEqual(
      ask(#"{"id":null,\#(get),"arguments":null}"#, session), [#"{"id":null,"result":{}}"#])
    for id in ["[1]", "{}", #""\#(String(repeating: "x", count: 64))""#] {
      XCTAssertEqual(
        ask(#"{"id":\#(id),\#(get)}"#, session),
        [#"{"error":{"code":400,"reason":"'id' must be a number or a text of at most 64 bytes"}}"#])
    }
  }

  func testRefusalNamesCodeAndReason() throws {
    pins.answer = { _ in .failure(InvocationError(.conflict, "line \"door\" is an input")) }
    let session = try open()
    XCTAssertEqual(
      ask(#"{"id":1,"capability":"gpio","resource":"door","operation":"get"}"#, session),
      [#"{"id":1,"error":{"code":409,"reason":"line \"door\" is an input"}}"#])
    let answer = ask(#"{"id":2,"capability":"tv","resource":"x","operation":"get"}"#, session)
    XCTAssertEqual(
      answer, [#"{"id":2,"error":{"code":404,"reason":"this host has no capability 'tv'"}}"#])
  }

  func testDetailsStandBesideTheReason() throws {
    pins.answer = { _ in
      .failure(
        InvocationError(.conflict, "too soon", details: Record([("guard", .string("min_off"))])))
    }
    let session = try open()
    XCTAssertEqual(
      ask(#"{"id":1,"capability":"gpio","resource":"door","operation":"get"}"#, session),
      [#"{"id":1,"error":{"code":409,"reason":"too soon","guard":"min_off"}}"#])
  }

  func testOperationOfTheWholeCapability() throws {
    let contract = Contract(
      id: "edge:bank", name: "bank",
      operations: [Operation(name: "get-many", target: .capability), Operation(name: "get")],
      events: [])
    let bank = FakeProvider(contract)
    bank.answer = { _ in .success(Record()) }
    host.add(bank)
    let session = try open()
    XCTAssertEqual(
      ask(#"{"id":1,"capability":"bank","operation":"get-many"}"#, session),
      [#"{"id":1,"result":{}}"#])
    XCTAssertEqual(bank.invocations.map { $0.resource }, [""])
    XCTAssertTrue(
      ask(#"{"id":1,"capability":"bank","operation":"get"}"#, session)[0].contains("'resource'"))
  }

  func testMalformedRequests() throws {
    let session = try open()
    for (line, reason) in [
      ("nonsense", "unexpected character at byte 0"), ("[1]", "value of an unexpected type"),
      ("{}", "needs 'capability'"), (#"{"capability":1}"#, "'capability' must be a text, not '1'"),
      (#"{"capability":"gpio"}"#, "needs 'operation'"),
      (#"{"capability":"gpio","operation":"get"}"#, "needs 'resource'"),
      (#"{"capability":"gpio","resource":"door"}"#, "needs 'operation'"),
      (
        #"{"capability":"gpio","resource":"door","operation":"get","arguments":[1]}"#,
        "'arguments' must be an object, not '[1]'"
      ),
      (#"{"capabilty":"gpio"}"#, "no 'capabilty'"),
      (#"{"watch":"door"}"#, "'watch' must be a list"),
      (#"{"watch":[7]}"#, "'7' is no name"), (#"{"watch":["dor"]}"#, "named 'dor'"),
    ] {
      let answers = ask(line, session)
      XCTAssertEqual(answers.count, 1, line)
      XCTAssertTrue(answers.first?.contains(reason) == true, "\(line): \(answers)")
      XCTAssertEqual(diagnostics.takeReports().count, 1, line)
    }
    XCTAssertTrue(pins.invocations.isEmpty)
    XCTAssertFalse(session.isOver)
  }

  func testDescription() throws {
    let session = try open()
    let answer = try XCTUnwrap(ask(#"{"id":3,"describe":true}"#, session).first)
    guard case .record(let result)? = json(answer)?["result"] else { return XCTFail(answer) }
    XCTAssertEqual(result["host"], .string("dock-7"))
    XCTAssertNotNil(result["capabilities"])
  }

  func testLinesInPiecesAndTogether() throws {
    pins.answer = { .success(Record([("r", .string($0.resource))])) }
    let session = try open()
    let lines = (0..<9).map {
      #"{"id":\#($0),"capability":"gpio","resource":"r\#($0)","operation":"get"}"# + "\r\n\n"
    }
    let expected = (0..<9).map { #"{"id":\#($0),"result":{"r":"r\#($0)"}}"# }
    let text = Array(lines.joined().utf8)
    for pieceBytes in [1, 7, 100, text.count] {
      for start in stride(from: 0, to: text.count, by: pieceBytes) {
        let piece = text[start..<min(start + pieceBytes, text.count)]
        dialect.receive(piece.span, from: session)
      }
      XCTAssertEqual(take(session), expected)
    }
  }

  // MARK: watches

  func testWatchesHearOfTheirNames() throws {
    let (one, all) = (try open(), try open())
    XCTAssertEqual(
      ask(#"{"id":2,"watch":["door"]}"#, one), [#"{"id":2,"result":{"watching":["door"]}}"#])
    XCTAssertEqual(ask(#"{"id":"x","watch":[]}"#, all), [#"{"id":"x","result":{"watching":[]}}"#])
    emit("door", Record([("edge", .string("rising"))]))
    emit("siren")
    XCTAssertEqual(
      take(one),
      [
        #"{"watch":2,"capability":"gpio","resource":"door","kind":"edge","body":{"edge":"rising","#
          + #""time":"2026-11-03T07:54:43.000000000Z","monotonic_ns":100000000000,"#
          + #""time_quality":"synced"}}"#
      ]
    )
    XCTAssertEqual(take(all).count, 2)
    dialect.close(one)
    emit("door")
    XCTAssertEqual(one.output, [])
    XCTAssertEqual(take(all).count, 1)
  }

  func testWatcherThatDoesNotReadIsCutOff() throws {
    let (slow, other) = (try open(), try open())
    _ = ask(#"{"id":1,"watch":[]}"#, slow)
    _ = ask(#"{"id":1,"watch":[]}"#, other)
    var events = 0
    while !slow.isCutOff, events < 1_000 {
      emit("door", Record([("number", .integer(Int64(events)))]))
      XCTAssertLessThanOrEqual(slow.output.count, LocalSession.outputBytesMax)
      XCTAssertEqual(take(other).count, 1)
      events += 1
    }
    XCTAssertGreaterThan(events, 80)
    XCTAssertTrue(slow.isCutOff && slow.isOver)
    XCTAssertEqual(slow.output, [])
    XCTAssertEqual(diagnostics.takeReports().count, 1)
    emit("door")
    XCTAssertEqual(take(other).count, 1)
    XCTAssertEqual(diagnostics.takeReports(), [])
  }

  /// A loop that was away for long tells more at once than may wait.
  func testBurstCutsOffNobodyWhoReads() throws {
    let session = try open()
    _ = ask(#"{"id":1,"watch":[]}"#, session)
    var lines = 0
    session.makeRoom = { [unowned self] in lines += take(session).count }
    for _ in 0..<1_000 { emit("door") }
    XCTAssertFalse(session.isCutOff)
    XCTAssertEqual(lines + take(session).count, 1_000)
    session.makeRoom = {}
    for _ in 0..<1_000 { emit("door") }
    XCTAssertTrue(session.isCutOff)
  }

  func testWatchesAreBounded() throws {
    let session = try open()
    for _ in 0..<LocalSession.watchesMax { _ = ask(#"{"id":1,"watch":[]}"#, session) }
    XCTAssertTrue(ask(#"{"id":1,"watch":[]}"#, session)[0].contains(#""code":413"#))
  }

  // MARK: bounds

  func testConnectionsAreBounded() throws {
    let sessions = try (0..<LocalDialect.sessionsMax).map { _ in try open() }
    XCTAssertNil(dialect.open(caller: "one more"))
    XCTAssertEqual(
      String(decoding: dialect.refusal, as: UTF8.self),
      """
      {"error":{"code":503,"reason":"8 connections are open already, which is the most there may \
      be"}}

      """)
    dialect.close(sessions[3])
    XCTAssertNotNil(dialect.open(caller: "one more"))
  }

  func testLineThatIsTooLongEndsTheConnection() throws {
    let session = try open()
    var sent = 0
    while session.inputRoom > 0, sent < 100 {
      send(String(repeating: "x", count: min(session.inputRoom, 1_000)), to: session)
      sent += 1
    }
    XCTAssertEqual(
      take(session), [#"{"error":{"code":413,"reason":"a line has at most 8192 bytes"}}"#])
    XCTAssertTrue(session.isOver)
  }

  func testLongestLineIsTaken() throws {
    let session = try open()
    let line = #"{"describe":true}"#
    let blanks = String(repeating: " ", count: LocalSession.lineBytesMax - line.utf8.count)
    XCTAssertEqual(ask(line + blanks, session).count, 1)
    XCTAssertFalse(session.isOver)
  }

  func testWhoDoesNotReadIsNotReadFrom() throws {
    let session = try open()
    let line = #"{"id":1,"describe":true}"# + "\n"
    var sent = 0
    while session.inputRoom >= line.utf8.count, sent < 1_000 {
      send(line, to: session)
      sent += 1
    }
    XCTAssertLessThanOrEqual(session.output.count, LocalSession.outputBytesMax)
    XCTAssertLessThan(sent, 1_000)
    var answers = 0
    while true {
      let count = take(session).count
      if count == 0 { break }
      answers += count
    }
    XCTAssertEqual(answers, sent)
    XCTAssertFalse(session.isOver)
  }

  func testCallsUnderWayAreBounded() throws {
    let session = try open()
    let line = #"{"id":1,"capability":"gpio","resource":"door","operation":"get"}"# + "\n"
    send(String(repeating: line, count: 20), to: session)
    XCTAssertEqual(pins.replies.count, LocalSession.callsMax)
    XCTAssertEqual(session.inputRoom, 0)
    for reply in pins.replies { reply(.success(Record())) }
    XCTAssertEqual(take(session).count, LocalSession.callsMax)
    XCTAssertEqual(pins.replies.count, 20)
  }

  // MARK: ends

  func testAnswersComeAfterTheLastRequest() throws {
    let session = try open()
    send(#"{"id":1,"capability":"gpio","resource":"door","operation":"get"}"# + "\n", to: session)
    session.endInput()
    XCTAssertFalse(session.isOver)
    pins.replies[0](.success(Record()))
    XCTAssertFalse(session.isOver)
    XCTAssertEqual(take(session).count, 1)
    XCTAssertTrue(session.isOver)
  }

  func testAnswerForSomebodyWhoHasGone() throws {
    let session = try open()
    send(#"{"id":1,"capability":"gpio","resource":"door","operation":"get"}"# + "\n", to: session)
    dialect.close(session)
    pins.replies[0](.success(Record()))
    XCTAssertEqual(session.output, [])
  }

  func testStop() throws {
    let session = try open()
    _ = ask(#"{"id":1,"watch":[]}"#, session)
    host.stop()
    XCTAssertEqual(session.inputRoom, 0)
    XCTAssertTrue(session.isOver)
    XCTAssertNil(dialect.open(caller: "late"))
  }

  /// Any bytes in any pieces: the answers are lines, the bounds hold, and a good request that follows
  /// on another connection is answered.
  func testHostileBytes() throws {
    let seed = UInt64.random(in: .min ... .max)
    var random = RandomGenerator(seed: seed)
    pins.answer = { _ in .success(Record()) }
    let words = [
      "{", "}", "\"watch\":[]", "\"id\":1", ",", "\n", "\"", "\\", "\u{0}", "\"describe\":true",
      "{\"describe\":true}\n", "{\"id\":1,\"watch\":[]}\n", String(repeating: "[", count: 40),
    ]
    for _ in 0..<200 {
      let session = try open()
      for _ in 0..<50 where session.inputRoom > 0 {
        let word = words[Int(random.next() % UInt64(words.count))]
        send(String(word.prefix(session.inputRoom)), to: session)
        emit("door")
        if random.next() % 4 == 0 {
          for line in take(session) { XCTAssertNotNil(json(line), "seed \(seed): \(line)") }
        }
        XCTAssertLessThanOrEqual(session.output.count, LocalSession.answerBytesMax, "seed \(seed)")
      }
      dialect.close(session)
    }
    let session = try open()
    XCTAssertEqual(ask(#"{"describe":true}"#, session).count, 1, "seed \(seed)")
  }
}
