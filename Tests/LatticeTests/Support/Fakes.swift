import Transport
import XCTest

@testable import Lattice

final class FakeDiagnostics: Diagnostics {
  private(set) var reports: [String] = []

  func report(_ kind: StaticString, _ text: @autoclosure () -> Text) {
    reports.append("\(kind): \(text().string)")
  }

  func takeReports() -> [String] {
    defer { reports = [] }
    return reports
  }
}

/// What providers and dialects were told, in order.
final class CallRecorder {
  var calls: [String] = []
}

/// A provider that keeps what it is asked and answers what a test wants.
final class FakeProvider: CapabilityProvider {
  let contract: Contract
  var resources: [Resource]
  var deadline: Instant?
  var invocations: [Invocation] = []
  /// Nil keeps the reply for later.
  var answer: ((Invocation) -> InvocationResult)?
  var replies: [(InvocationResult) -> Void] = []
  private let name: String
  private let recorder: CallRecorder

  init(_ contract: Contract, resources: [Resource] = [], recorder: CallRecorder = CallRecorder()) {
    self.contract = contract
    self.resources = resources
    self.recorder = recorder
    name = contract.name
  }

  func bind(_ binding: Binding) throws(InvocationError) {}
  func unbind(actor: String) {}

  var resourceCount: Int { resources.count }
  func forEachResource(_ body: (Resource) -> Void) { resources.forEach(body) }
  var problemCount: Int { resources.filter { $0.properties["error"] != nil }.count }

  func invoke(
    _ invocation: Invocation, at now: Instant, reply: @escaping (InvocationResult) -> Void
  ) {
    invocations.append(invocation)
    if let answer { reply(answer(invocation)) } else { replies.append(reply) }
  }

  func handleDeadline(at now: Instant) { recorder.calls.append("\(name) deadline") }
  func start(at now: Instant) { recorder.calls.append("\(name) start") }
  func linkChanged(isConnected: Bool, at now: Instant) {
    recorder.calls.append("\(name) link \(isConnected)")
  }
  func stop(at now: Instant) { recorder.calls.append("\(name) stop") }
}

final class FakeDialect: Dialect {
  var deadline: Instant?
  var events: [CapabilityEvent] = []
  private let name: String
  private let recorder: CallRecorder

  init(_ name: String, recorder: CallRecorder) {
    self.name = name
    self.recorder = recorder
  }

  func start(_ host: LatticeHost, on bus: any MessageBus, at now: Instant) {
    recorder.calls.append("\(name) start")
  }
  func linkChanged(isConnected: Bool, at now: Instant) {
    recorder.calls.append("\(name) link \(isConnected)")
  }
  func emit(_ event: CapabilityEvent, at now: Instant) { events.append(event) }
  func statusChanged(at now: Instant) { recorder.calls.append("\(name) status") }
  func stop(at now: Instant) { recorder.calls.append("\(name) stop") }
  func handleDeadline(at now: Instant) { recorder.calls.append("\(name) deadline") }
}

extension InvocationResult {
  var error: InvocationError? {
    if case .failure(let error) = self { return error }
    return nil
  }
}

extension Record {
  init(_ fields: [(String, Value)]) {
    self.init()
    for (name, value) in fields { append(name, value) }
  }
}

extension BootID {
  static let test = BootID([UInt8](0..<16)) ?? BootID(seed: 1)
}

extension HostIdentity {
  static func test(labels: [(key: String, value: String)] = []) -> HostIdentity {
    HostIdentity(
      name: "dock-7", lattice: "wh7", id: "K6HEGCYKDMRGFWVDTAZB6O", version: "0.1.0",
      labels: labels, started: Instant(nanoseconds: 17_000_000_000))
  }
}

extension Contract {
  /// Pins, as a provider of them describes itself.
  static var pins: Contract {
    Contract(
      id: "edge:gpio", name: "gpio",
      operations: [
        Operation(name: "get"),
        Operation(
          name: "set",
          parameters: [
            Parameter("active", .bool, isRequired: true),
            Parameter("pulse_ms", .integer(1...3_600_000)),
          ], isCommand: true),
      ], events: [EventKind(name: "edge")])
  }

  /// The same with operations of several pins at once.
  static var manyPins: Contract {
    Contract(
      id: pins.id, name: pins.name,
      operations: pins.operations + [
        Operation(
          name: "get-many", target: .capability,
          parameters: [Parameter("names", .names(max: 3), isRequired: true)]),
        Operation(
          name: "set-many", target: .capability,
          parameters: [Parameter("states", .states(max: 3), isRequired: true)], isCommand: true),
      ], events: pins.events)
  }

  static var meters: Contract {
    Contract(
      id: "edge:sensors", name: "sensors", operations: [Operation(name: "get")],
      events: [EventKind(name: "reading")])
  }
}

extension Resource {
  static func pin(_ name: String, _ direction: String) -> Resource {
    Resource(
      name: name, operations: direction == "output" ? ["get", "set"] : ["get"],
      properties: Record([("direction", .string(direction))]))
  }

  static func meter(_ name: String) -> Resource {
    Resource(
      name: name, operations: ["get"],
      properties: Record([("kind", .string("thermal")), ("unit", .string("Cel"))]))
  }
}

/// A text as its JSON value, for comparing; nil when it is no JSON object.
func json(_ text: String) -> Record? { try? Record(json: Array(text.utf8).span) }
