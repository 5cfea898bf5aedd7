import Lattice
import Transport
import XCTest

@testable import EdgeHost

final class CommandLogTests: XCTestCase {
  private final class FakeTime: TimeSource {
    var now = Instant(nanoseconds: 0)
    var wallClock = Timestamp(nanoseconds: 0)
    var isSynchronised = true
  }

  private let time = FakeTime()
  private var lines: [String] = []
  private lazy var log = CommandLog(time: time) { [unowned self] in lines.append($0.string) }

  private func invocation(
    _ arguments: [(String, Value)], resource: String = "siren", by caller: String = "ops@laptop"
  ) -> Invocation {
    var record = Record()
    for (name, value) in arguments { record.append(name, value) }
    return Invocation(
      capability: "gpio", resource: resource, operation: "set", arguments: record,
      caller: Caller(dialect: "services", name: Array(caller.utf8).span))
  }

  private func line(
    _ arguments: [(String, Value)], resource: String = "siren",
    _ result: InvocationResult = .success(Record())
  ) -> String {
    CommandLog.line(invocation(arguments, resource: resource), result).string
  }

  func testLines() {
    XCTAssertEqual(
      line([("active", .bool(true)), ("pulse_ms", .integer(250))]),
      "command gpio set siren active=true pulse_ms=250 by ops@laptop (services): done")
    XCTAssertEqual(
      line([("names", .list([.string("a")]))], resource: ""),
      "command gpio set names=[\"a\"] by ops@laptop (services): done")
    XCTAssertEqual(
      line([], .failure(InvocationError(.conflict, "an input"))),
      "command gpio set siren by ops@laptop (services): refused: an input")
  }

  /// A long or a sly argument does not pass for more than it is.
  func testArgumentsFromOutside() {
    let sly = line([("text", .string("1 by root (local): done\n\u{1b}[2J"))], resource: "\u{1b}")
    XCTAssertEqual(
      sly,
      "command gpio set ? text=\"1 by root (local): done\\n\\u001b[2J\" by ops@laptop (services): done"
    )
    let long = String(repeating: "x", count: 5000)
    let cut = line([("text", .string(long)), ("more", .string(long))], resource: long)
    XCTAssertLessThan(cut.utf8.count, 350)
    XCTAssertTrue(cut.hasSuffix("x... by ops@laptop (services): done"), cut)
  }

  func testAFloodIsLeftOutAndCounted() {
    let on: [(String, Value)] = [("active", .bool(true))]
    for _ in 0..<500 { log.report(invocation(on, by: "flood"), .success(Record())) }
    XCTAssertEqual(lines.count, Int(CommandLog.linesAtOnce))
    log.report(invocation(on), .success(Record()))
    XCTAssertEqual(
      lines.last,
      "command gpio set siren active=true by ops@laptop (services): done "
        + "(and 480 more commands were not logged)")
    log.report(invocation(on), .success(Record()))
    XCTAssertEqual(
      lines.last, "command gpio set siren active=true by ops@laptop (services): done")
    time.now = time.now + CommandLog.interval
    lines = []
    for _ in 0..<500 { log.report(invocation(on, by: "flood"), .success(Record())) }
    XCTAssertEqual(lines.count, 1)
  }

  func testWhatIsMalformedIsNoCommand() {
    log.report(invocation([]), .failure(InvocationError(.badRequest, "set needs \"active\"")))
    XCTAssertEqual(lines, [])
    log.report(invocation([]), .failure(InvocationError(.late, "came too late")))
    XCTAssertEqual(lines.count, 1)
  }
}
