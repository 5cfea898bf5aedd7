import Transport
import XCTest

@testable import Lattice

final class HostEventTests: XCTestCase {
  func testAHostTellsFactsOfItself() throws {
    let harness = ServicesHarness()
    harness.bus.answerAtOnce = nil
    let local = LocalDialect(diagnostics: harness.diagnostics)
    let host = LatticeHost(identity: .test(), time: harness.time, boot: .test)
    host.start([local], on: FakeBus())
    let session = try XCTUnwrap(local.open(caller: "uid-7"))
    local.receive(Array("{\"watch\":[]}\n".utf8).span, from: session)
    session.removeOutput(session.output.count)
    for host in [harness.host, host] {
      host.tell(.journal, Record([("problem", .null)]), at: harness.time.now - .seconds(1))
    }
    let body =
      #"{"problem":null,"time":"2026-11-03T07:54:42.000000000Z","monotonic_ns":99000000000,"#
      + #""time_quality":"synced","boot":"00010203-0405-0607-0809-0a0b0c0d0e0f"}"#
    XCTAssertEqual(harness.bus.requests.map { $0.subject }, ["edge.wh7.dock-7.host.journal"])
    XCTAssertEqual(harness.bus.requests.map { $0.payload }, [body])
    XCTAssertEqual(
      String(decoding: session.output, as: UTF8.self),
      #"{"capability":"host","kind":"journal","body":\#(body)}"# + "\n")
  }

  func testNothingElseGoesLater() {
    let event = CapabilityEvent(.dropped, at: Instant(nanoseconds: 5), body: Record())
    XCTAssertEqual(event.factClass, FactClass.allCases.max())
    XCTAssertEqual(event.delivery, .durable)
  }

  func testEachKindHasItsWord() {
    let kinds: [HostEvent] = [.started, .stopped, .clock, .dropped, .journal, .gap]
    XCTAssertEqual(
      kinds.map { $0.text }, ["started", "stopped", "clock", "dropped", "journal", "gap"])
  }
}
