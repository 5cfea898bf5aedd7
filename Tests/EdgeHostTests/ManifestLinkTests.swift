import Transport
import XCTest

@testable import EdgeHost

/// How a manifest says how the link is watched, retried and filled.
final class ManifestLinkTests: XCTestCase {
  private func settings(_ link: String, line: UInt = #line) throws -> LinkSettings {
    try goodManifest("link: \(link)\ncapabilities: []", line: line).link.limits.link
  }

  private func assertLink(_ link: String, _ expected: String..., line: UInt = #line) {
    assertMistakes("link: \(link)\ncapabilities: []", expected, line: line)
  }

  func testProfiles() throws {
    XCTAssertEqual(try goodManifest("capabilities: []").link.limits.link, LinkSettings(.ethernet))
    XCTAssertEqual(try settings("{}"), LinkSettings(.ethernet))
    XCTAssertEqual(try settings("{profile: ethernet}"), LinkSettings(.ethernet))
    XCTAssertEqual(try settings("{profile: wifi}"), LinkSettings(.wifi))
    XCTAssertEqual(try settings("{profile: lte}"), LinkSettings(.lte))
    XCTAssertEqual(try settings("{profile: satellite}"), LinkSettings(.satellite))
  }

  func testPresenceIsTheProfilesUnlessItIsGiven() throws {
    func presence(_ text: String) throws -> Duration {
      try goodManifest(text + "\ncapabilities: []").host.presence
    }
    XCTAssertEqual(try presence("host: {name: a}"), .seconds(30))
    XCTAssertEqual(try presence("link: {profile: lte}"), .seconds(300))
    XCTAssertEqual(try presence("host: {name: a}\nlink: {profile: lte}"), .seconds(300))
    XCTAssertEqual(try presence("host: {presence: 45s}\nlink: {profile: lte}"), .seconds(45))
  }

  func testEachValueCanBeOverridden() throws {
    var expected = LinkSettings(.lte)
    expected.detect = .seconds(30)
    expected.ping = .seconds(25)
    expected.backoffCap = .seconds(120)
    expected.batch = .zero
    expected.timeouts.resolve = .seconds(1)
    expected.timeouts.connect = .seconds(2)
    expected.timeouts.tls = .seconds(3)
    expected.timeouts.info = .seconds(4)
    expected.timeouts.pong = .milliseconds(500)
    expected.isMultipath = true
    expected.herd = 400
    expected.budget = DataAllowance(bytes: 5_000_000, period: .seconds(86_400))
    XCTAssertEqual(
      try settings(
        """
        {profile: lte, detect: 30s, ping: 25s, backoff: 2min, batch: 0s,
         timeouts: {resolve: 1s, connect: 2s, tls: 3s, info: 4s, pong: 500ms},
         multipath: true, herd: 400, budget: 5MB/day}
        """), expected)
  }

  func testAPingKeepsItsPartOfTheTime() throws {
    XCTAssertEqual(try settings("{detect: 30s}").ping, .seconds(20))
    XCTAssertEqual(try settings("{detect: 3s}").ping, .seconds(2))
    XCTAssertEqual(try settings("{profile: lte, detect: 45s}").ping, .seconds(30))
    XCTAssertEqual(try settings("{profile: lte, detect: 1h}").ping, .seconds(2400))
  }

  func testBudgets() throws {
    for (text, bytes, seconds) in [
      ("500kB/hour", Int64(500_000), Int64(3_600)), ("1GB/month", 1_000_000_000, 2_592_000),
      ("\"5MiB/day\"", 5_242_880, 86_400),
    ] {
      XCTAssertEqual(
        try settings("{profile: lte, budget: \(text)}").budget,
        DataAllowance(bytes: bytes, period: .seconds(seconds)))
    }
  }

  func testMistakes() {
    assertLink(
      "{profile: lan}",
      "1:17: 'profile' must be ethernet, wifi, lte or satellite, not 'lan'")
    assertLink("{detect: 1s}", "1:16: 'detect' must be between 3s and 1h, not '1s'")
    assertLink(
      "{ping: 15s}",
      "1:14: 'ping' must be at least 1s shorter than 'detect', which is 15s: else there is no time "
        + "for the answer")
    assertLink(
      "{profile: lte, detect: 90s, ping: 2min}",
      "1:41: 'ping' must be at least 1s shorter than 'detect', which is 90s: else there is no time "
        + "for the answer")
    assertLink("{backoff: 0s}", "1:17: 'backoff' must be between 1s and 1h, not '0s'")
    assertLink("{batch: 2min}", "1:15: 'batch' must be between 0us and 1min, not '2min'")
    assertLink("{multipath: yes}", "1:19: 'multipath' must be true or false, not 'yes': say true")
    assertLink("{herd: 0}", "1:14: 'herd' must be a whole number from 1 to 10000, not '0'")
    assertLink(
      "{timeouts: {dns: 1s, tls: 10ms}}",
      "1:19: unknown key 'dns': the keys of the timeouts are resolve, connect, tls, info and pong",
      "1:33: 'tls' must be between 100ms and 5min, not '10ms'")
    assertLink(
      "{timeouts: 5s}",
      "1:18: 'timeouts' must be a mapping of keys to values that describes the timeouts, not '5s'")
    assertLink("{detecd: 5s}", "1:8: unknown key 'detecd': did you mean 'detect'?")
  }

  func testBudgetMistakes() {
    let expected = "'budget' must be a size and a period such as 5MB/day, not"
    assertLink("{budget: 5MB}", "1:16: \(expected) '5MB'")
    assertLink("{budget: []}", "1:16: \(expected) a list")
    assertLink(
      "{budget: 5MB/week}", "1:16: \(expected) '5MB/week': the periods are hour, day and month")
    assertLink(
      "{budget: 5MB/day/day}",
      "1:16: \(expected) '5MB/day/day': the periods are hour, day and month")
    assertLink("{budget: 1kB/day}", "1:16: 'budget' must be between 10kB and 100GB, not '1kB'")
    assertLink(
      "{profile: lte, budget: 700kB/day}",
      "1:30: 'budget' is too small: a PING every 1min takes 381kB of it; allow twice as much, or "
        + "raise 'detect' and 'ping'")
    assertLink("{budget: 5/day}", "1:16: 'budget' needs a unit: say 5kB or 5MB")
    assertLink("{budget: /day}", "1:16: \(expected) '/day'")
  }

  func testRequests() throws {
    XCTAssertNil(try goodManifest("capabilities: []").requests.timeout)
    XCTAssertEqual(
      try goodManifest("requests: {timeout: 10s}\ncapabilities: []").requests.timeout, .seconds(10))
    assertMistakes(
      "requests: {timeout: 1us}\ncapabilities: []",
      ["1:21: 'timeout' must be between 100ms and 1d, not '1us'"])
    assertMistakes(
      "requests: {age: 1s}\ncapabilities: []",
      ["1:12: unknown key 'age': the keys of requests are timeout"])
  }
}
