// Invariant: any bytes in any pieces leave the dialect within its bounds; every line that it says is one
// JSON object with a result, an error or an event; a connection that is over takes nothing more; and
// another connection's request is still answered.

@testable import Lattice
@testable import Transport

// Host and dialect hold each other, and stay.
nonisolated(unsafe) private let dialect = LocalDialect(diagnostics: Board())
nonisolated(unsafe) private let host = makeHost()

private func makeHost() -> LatticeHost {
  let board = Board()
  let host = LatticeHost(
    identity: HostIdentity(
      name: "h", lattice: "l", id: "i", version: "0", labels: [],
      started: Instant(nanoseconds: 0)),
    time: board, boot: BootID(seed: 1))
  host.add(board)
  host.start([dialect], on: NoBus())
  return host
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = [UInt8](UnsafeBufferPointer(start: data, count: count))
  let host = host
  guard let session = dialect.open(caller: "fuzz"), let other = dialect.open(caller: "other") else {
    require(false)
    return 0
  }
  defer {
    dialect.close(session)
    dialect.close(other)
  }
  // The first byte says how the rest is cut and how often it is read.
  let pieceBytes = Int(input.first ?? 0) % 61 + 1
  var start = 1
  var turn = 0
  while start < input.count, session.inputRoom > 0 {
    let end = min(start + min(pieceBytes, session.inputRoom), input.count)
    let piece = input[start..<end]
    dialect.receive(piece.span, from: session)
    host.emit(
      CapabilityEvent(
        capability: "gpio", resource: "door", kind: "edge", delivery: .latest,
        at: host.time.now, body: Record()))
    require(session.output.count <= LocalSession.outputBytesMax)
    turn += 1
    if turn % 3 == 0 { read(session, dialect) }
    start = end
  }
  read(session, dialect)
  let line = Array("{\"id\":7,\"describe\":true}\n".utf8)
  dialect.receive(line.span, from: other)
  require(other.output.starts(with: Array("{\"id\":7,\"result\":{".utf8)))
  return 0
}

private func read(_ session: LocalSession, _ dialect: LocalDialect) {
  var lines = session.output.split(separator: 0x0A, omittingEmptySubsequences: false)
  require(lines.removeLast().isEmpty)
  for line in lines {
    guard let record = try? Record(json: line.span) else { return require(false) }
    let hasKind = ["result", "error", "watch", "body"].contains { record[$0] != nil }
    require(hasKind)
  }
  session.removeOutput(session.output.count)
  dialect.advance(session)
}

/// One line, and the rest of what a host wants.
private final class Board: CapabilityProvider, Diagnostics, TimeSource {
  let contract = Contract(
    id: "edge:gpio", name: "gpio",
    operations: [
      Operation(name: "get"), Operation(name: "set", parameters: [Parameter("active", .bool)]),
    ],
    events: [EventKind(name: "edge")])
  let resourceCount = 1
  let problemCount = 0
  func forEachResource(_ body: (Resource) -> Void) {
    body(Resource(name: "door", operations: ["get"], properties: Record()))
  }
  var deadline: Instant? { nil }
  let now = Instant(nanoseconds: 0)
  let wallClock = Timestamp(nanoseconds: 0)
  let isSynchronised = true

  func bind(_ binding: Binding) throws(InvocationError) {}
  func unbind(actor: String) {}
  func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    reply(.success(invocation.arguments))
  }
  func handleDeadline(at now: Instant) {}
  func start(at now: Instant) {}
  func linkChanged(isConnected: Bool, at now: Instant) {}
  func stop(at now: Instant) {}
  func report(_ kind: StaticString, _ text: @autoclosure () -> Text) { _ = text() }
}

private final class NoBus: MessageBus {
  let isConnected = false
  let linkStatus = LinkStatus()
  let takenAfter: Instant? = nil
  func renewTakenAfter() {}
  func subscribe(
    _ subject: Subject, queueGroup: [UInt8],
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) -> UInt32? { nil }
  func unsubscribe(_ sid: UInt32) {}
  func publish(
    _ message: borrowing OutgoingMessage, as trafficClass: TrafficClass, expires: Instant
  ) throws(PublishError) {}
  func request(
    subject: Span<UInt8>, headers: Span<UInt8>, payload: Span<UInt8>,
    as trafficClass: TrafficClass, timeout: Duration,
    completion: @escaping (borrowing RequestOutcome) -> Void
  ) throws(PublishError) {}
}
