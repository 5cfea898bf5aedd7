import Transport
import XCTest

@testable import EdgeHost

/// `limits` of a link, and what `check --limits` says of them.
final class ManifestLimitsTests: XCTestCase {
  func testEveryKey() throws {
    let manifest = try goodManifest(
      """
      link:
        discovered: ignore
        limits:
          read: 8KiB
          control: 5KiB
          write: 2KiB
          subscriptions: 32
          requests: 4
          replies: {memory: 9KiB, full: refuse}
          commands: {memory: 2KiB}
          facts: {full: drop-oldest}
          readings: {memory: 1024B, full: newest}
          bulk: {}
      capabilities: []
      """)
    var expected = ConnectionLimits()
    expected.readBufferBytes = 8192
    expected.controlBytes = 5120
    expected.writeBytes = 2048
    expected.subscriptionsMax = 32
    expected.requestsMax = 4
    expected.replies.bytes = 9216
    expected.commands.bytes = 2048
    expected.facts.whenFull = .dropOldest
    expected.readings = QueueLimits(bytes: 1024, whenFull: .newest)
    XCTAssertEqual(manifest.link.limits, expected)
    XCTAssertTrue(manifest.link.ignoresDiscoveredServers)
  }

  func testMistakes() {
    func mistakes(_ limits: String, _ expected: String, line: UInt = #line) {
      assertMistakes("link: {limits: \(limits)}\ncapabilities: []", [expected], line: line)
    }
    mistakes("{read: 4kB}", "1:23: 'read' must be between 4096B and 1048576B, not '4kB'")
    mistakes("{requests: 0}", "1:27: 'requests' must be a whole number from 1 to 1024, not '0'")
    mistakes(
      "{bulk: {full: wait}}",
      "1:30: 'full' must be refuse, drop-oldest or newest, not 'wait'")
    mistakes(
      "{urgent: {}}",
      "1:17: unknown key 'urgent': the keys of the limits are read, control, write, "
        + "subscriptions, requests, replies, commands, facts, readings and bulk")
  }

  func testTheSumIsOfAllLines() throws {
    let manifest = try goodManifest("journal: {memory: 20kB}\ncapabilities: []")
    let lines = CheckCommand.limits(of: manifest).string.split(separator: "\n")
    let numbers = lines.map { Int($0.split(separator: " ").dropLast().last ?? "") ?? -1 }
    XCTAssertEqual(numbers.dropLast().reduce(0, +), numbers.last)
    XCTAssertEqual(numbers.dropLast().last, 20_000)
  }
}
