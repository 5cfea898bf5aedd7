import Transport
import XCTest

@testable import Lattice

/// A host that speaks the services dialect over a bus without a server: two pins and a meter.
final class ServicesHarness {
  let time: FakeTime
  let bus = FakeBus()
  let diagnostics = FakeDiagnostics()
  let pins: FakeProvider
  let meters = FakeProvider(.meters, resources: [.meter("cpu")])
  let host: LatticeHost
  let dialect: ServicesDialect

  init(
    identity: HostIdentity = .test(), time: FakeTime = FakeTime(), contract: Contract = .pins,
    requestTimeout: Transport.Duration? = nil, commandRate: Int64? = 50,
    isConnected: Bool = true,
    prepare: (ServicesHarness) -> Void = { _ in }
  ) {
    self.time = time
    host = LatticeHost(identity: identity, time: time, boot: .test)
    pins = FakeProvider(contract, resources: [.pin("door", "input"), .pin("siren", "output")])
    host.add(pins)
    host.add(meters)
    dialect = ServicesDialect(
      presenceInterval: .seconds(30), requestTimeout: requestTimeout,
      commandRate: commandRate, journal: .inMemory(for: host), diagnostics: diagnostics, seed: 1)
    prepare(self)
    host.start([dialect], on: bus)
    if isConnected {
      host.linkChanged(isConnected: true)
      _ = bus.takePublished()
    }
  }

  /// The answers to one request.
  func request(
    _ subject: String, reply: String = "_INBOX.1", headers: String = "", _ payload: String = ""
  ) -> [FakeBus.Published] {
    bus.deliver(subject, reply: reply, headers: headers, payload)
    return bus.takePublished()
  }

  func emit(
    _ resource: String, _ delivery: CapabilityEvent.Delivery, _ body: [(String, Value)] = []
  ) {
    host.emit(
      CapabilityEvent(
        capability: "gpio", resource: resource, kind: "edge", delivery: delivery,
        at: time.now, body: Record(body)))
  }

  /// Lets time pass up to the host's next deadline.
  func waitForDeadline() throws {
    let deadline = try XCTUnwrap(host.deadline)
    XCTAssertGreaterThan(deadline, time.now)
    time.advance(deadline - time.now)
    host.handleDeadline(at: time.now)
  }
}

/// A header block of these lines.
func headerBlock(_ lines: String...) -> String {
  "NATS/1.0\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// The answer that refuses a request.
func refusal(
  _ name: String, _ code: Int, _ reason: String, details: [(String, Value)] = []
) -> (headers: String, payload: String) {
  (
    headerBlock("Nats-Service-Error: \(reason)", "Nats-Service-Error-Code: \(code)"),
    String(
      decoding: Record(
        [
          ("name", .string(name)), ("code", .integer(Int64(code))), ("reason", .string(reason)),
        ] + details
      ).jsonBytes, as: UTF8.self)
  )
}

extension Journal {
  /// A journal of this host's present run.
  static func inMemory(for host: LatticeHost) -> Journal {
    let run = JournalRun(id: Array(host.identity.id.utf8), boot: host.clock.boot.bytes)
    return Journal(JournalConfiguration(), run: run, disk: nil, tail: nil)
  }
}
