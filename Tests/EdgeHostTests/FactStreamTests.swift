import Lattice
import Transport
import XCTest

@testable import EdgeHost

/// The stream that `setup stream` makes.
final class FactStreamTests: XCTestCase {
  private func command(_ line: String) -> Result<Command, UsageError> {
    do throws(UsageError) {
      return .success(
        try Arguments.command(line.split(separator: " ").map(String.init)) { _ in nil })
    } catch {
      return .failure(error)
    }
  }

  func testOptions() throws {
    guard case .success(.setup(let plain, let options)) = command("setup stream --server h") else {
      return XCTFail("not understood")
    }
    XCTAssertEqual(plain, SetupRequest())
    XCTAssertEqual(options.server, try ServerURL(parsing: "h"))
    let all =
      "--name F --lattice wh7 --max-bytes 5GB --max-age 7d --duplicate-window 10s --replicas 3 "
      + "--domain hub --dry-run"
    guard case .success(.setup(let request, _)) = command("setup stream " + all) else {
      return XCTFail("not understood")
    }
    var expected = SetupRequest(domain: "hub", isDryRun: true)
    expected.stream = FactStream(
      name: "F", lattice: "wh7", maxBytes: 5_000_000_000, maxAge: .seconds(604_800),
      duplicateWindow: .seconds(10), replicas: 3)
    XCTAssertEqual(request, expected)
  }

  func testMistakes() {
    let table = [
      ("setup", "setup what? There is: setup stream"),
      ("setup bucket", "setup what? There is: setup stream"),
      ("setup stream --replicas 0", "--replicas 0 is no number from 1 to 5"),
      ("setup stream --max-bytes 5", "--max-bytes 5 is no size such as 500MB or 10GB"),
      ("setup stream --max-age x", "--max-age x is no duration such as 5s or 500ms"),
      ("setup stream --lattice a.b", "--lattice a.b is no name of a lattice"),
      ("setup stream --count 1", "--count does not belong to this command"),
    ]
    for (line, message) in table {
      guard case .failure(let error) = command(line) else { return XCTFail(line) }
      XCTAssertEqual(error.message.string, message)
    }
  }

  /// A request's subject in the stream would be answered by the stream.
  func testNoSubjectIsThatOfARequest() throws {
    let requests = [
      "edge.wh7.dock-7.gpio.siren.set", "edge.wh7.dock-7.gpio.door.get", "edge.wh7.dock-7.describe",
      "edge.wh7.dock-7.gpio.set-many", "edge.wh7.dock-7.sensors.room.get",
      "edge.wh7.dock-7.journal.read", "edge.wh7.dock-7.status", "edge.wh7.dock-7.gpio.door.state",
    ]
    let facts = [
      "edge.wh7.dock-7.gpio.door.edge", "edge.wh7.dock-7.gpio.siren.change",
      "edge.wh7.dock-7.gpio.water.count", "edge.wh7.dock-7.gpio.wheel.position",
      "edge.wh7.dock-7.gpio.bell.press", "edge.wh7.dock-7.sensors.room.reading",
      "edge.wh7.dock-7.sensors.room.alarm", "edge.wh7.dock-7.host.started",
    ]
    for lattice in [nil, "wh7"] as [String?] {
      let patterns = try FactStream(lattice: lattice).subjects.map {
        try XCTUnwrap(Subject(Array($0.utf8), allowsWildcards: true))
      }
      func isKept(_ subject: String) -> Bool {
        patterns.contains { $0.matches(Array(subject.utf8).span) }
      }
      for subject in requests { XCTAssertFalse(isKept(subject), subject) }
      for subject in facts { XCTAssertTrue(isKept(subject), subject) }
      XCTAssertEqual(isKept("edge.wh8.dock-7.host.started"), lattice == nil)
    }
  }

  func testWhatIsThereIsLeftAloneUnlessItWasGiven() throws {
    var present = FactStream().configuration
    present.append("description", .string("ours"))
    present.append("allow_direct", .bool(true))
    XCTAssertEqual(FactStream().changed(present), present)
    XCTAssertTrue(FactStream.differences(from: present, to: present).bytes.isEmpty)
    var wanted = FactStream()
    wanted.maxAge = .seconds(3600)
    wanted.maxBytes = 500_000
    let changed = wanted.changed(present)
    XCTAssertEqual(changed["description"], .string("ours"))
    XCTAssertEqual(
      FactStream.differences(from: present, to: changed).string,
      "  max_bytes: 1GB -> 500kB\n  max_age: 30d -> 1h\n")
  }

  func testAWindowIsNoLongerThanMessagesAreKept() {
    var stream = FactStream()
    stream.maxAge = .seconds(30)
    XCTAssertEqual(stream.configuration["duplicate_window"], .integer(30_000_000_000))
  }
}
