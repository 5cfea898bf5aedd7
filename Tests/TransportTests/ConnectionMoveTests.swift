import XCTest

@testable import Transport

/// Servers that shut down in lame duck mode, and servers that are told of by others.
final class ConnectionMoveTests: XCTestCase {
  /// Both servers, as a cluster: a message goes to the subscribers of both; one of a queue group gets it.
  private func publish(_ number: Int, in pair: Pair) {
    for server in pair.servers {
      server.publish("all", reply: "r.\(number)", bytes("\(number)"), at: pair.now)
    }
    let holders = pair.servers.filter { server in
      server.connected.contains { server.subscriptions(of: $0).contains("one group") }
    }
    if holders.isEmpty { return }
    holders[number % holders.count].publish("one", bytes("\(number)"), at: pair.now)
  }

  /// A connection to one of two servers, subscribed to `all`.
  private func connected(
    seed: UInt64, link: LinkConditions = LinkConditions()
  ) throws -> (Pair, old: ModelServer, new: ModelServer) {
    let pair = try Pair.connected(seed: seed, servers: 2, link: link)
    XCTAssertNotNil(pair.subscribe("all"))
    try pair.drive(for: .seconds(1))
    let old = try XCTUnwrap(pair.servers.first { !$0.connected.isEmpty })
    let new = try XCTUnwrap(pair.servers.first { $0 !== old })
    return (pair, old, new)
  }

  private func shutDown(_ server: ModelServer) {
    server.options.isLameDuck = true
    server.announce()
  }

  private func hasMoved(_ pair: Pair) -> Bool {
    pair.happenings.contains { if case .moved = $0 { true } else { false } }
  }

  private func assertOneMessageComes(_ pair: Pair, _ context: String) throws {
    XCTAssertTrue(pair.isConnected, context)
    publish(7, in: pair)
    try pair.drive(within: .seconds(5)) { !pair.payloads.isEmpty }
    XCTAssertEqual(pair.payloads, ["7"], context)
  }

  func testNothingIsLostOrDoubledWhileMoving() throws {
    for seed in UInt64(1)...60 {
      var link = LinkConditions()
      link.jitter = .milliseconds(Int64(seed) * 3)
      let (pair, old, new) = try connected(seed: seed, link: link)
      XCTAssertNotNil(pair.subscribe("one", queueGroup: "group"))
      try pair.drive(for: .seconds(1))
      var sent = 0
      for number in 0..<400 {
        if number == 50 { shutDown(old) }
        publish(number, in: pair)
        try pair.publish("up", bytes("\(number)"))
        sent += 1
        try pair.drive(for: .milliseconds(10))
      }
      try pair.drive(for: .seconds(2))
      XCTAssertEqual(pair.disconnects, [], "seed \(seed)")
      XCTAssertEqual(old.connected.count, 0, "seed \(seed)")
      XCTAssertEqual(new.connected.count, 1, "seed \(seed)")
      XCTAssertEqual(new.violations + old.violations, [], "seed \(seed)")
      let messages = pair.happenings.compactMap { happening -> Endpoint.Message? in
        if case .message(let message) = happening { return message }
        return nil
      }
      for subject in ["all", "one"] {
        let numbers = messages.filter { $0.subject == subject }
          .compactMap { Int($0.payload.string) }.sorted()
        let doubled = zip(numbers, numbers.dropFirst()).filter(==).map(\.0)
        let lost = Set(0..<sent).subtracting(numbers)
        XCTAssertEqual(doubled, [], "\(subject), seed \(seed)")
        XCTAssertEqual(lost, [], "\(subject), seed \(seed)")
      }
      let published = (old.received + new.received).filter { $0.message.subject == "up" }
        .compactMap { Int($0.message.payload.string) }.sorted()
      XCTAssertEqual(published, Array(0..<sent), "seed \(seed)")
    }
  }

  /// A message that the old server has delivered comes to the new one after it knows our subscriptions.
  func testASlowRouteDoublesNothing() throws {
    for seed in UInt64(1)...20 {
      let (pair, old, new) = try connected(seed: seed)
      for number in 0..<200 {
        if number == 50 { shutDown(old) }
        old.publish("all", bytes("\(number)"), at: pair.now)
        // Six times ten milliseconds around the cluster, which is more than a round trip.
        if number >= 6 { new.publish("all", bytes("\(number - 6)"), at: pair.now) }
        try pair.drive(for: .milliseconds(10))
      }
      XCTAssertTrue(hasMoved(pair))
      let numbers = pair.payloads.compactMap { Int($0) }
      XCTAssertEqual(Set(numbers).count, numbers.count, "seed \(seed): \(numbers)")
    }
  }

  func testRequestUnderWayIsAnswered() throws {
    let (pair, old, _) = try connected(seed: 3)
    var replies: [String] = []
    for server in pair.servers { server.listen("slow") { m, _ in replies.append(m.reply ?? "") } }
    let id = try pair.request("slow", timeout: .seconds(30))
    try pair.drive { replies.count == 1 }
    shutDown(old)
    try pair.drive { old.connected.isEmpty }
    for server in pair.servers { server.publish(replies[0], bytes("answer"), at: pair.now) }
    try pair.drive { !pair.ends.isEmpty }
    XCTAssertEqual(pair.ends.map(\.id), [id])
    XCTAssertEqual(pair.responses, ["answer"])
  }

  /// Nowhere to go: the old link serves until it ends, and trying does not hammer the server.
  func testAloneItStaysUntilTheEnd() throws {
    let pair = try Pair.connected()
    XCTAssertNotNil(pair.subscribe("a"))
    shutDown(pair.server)
    pair.endpoint.reachability = [.refusing]
    try pair.drive(for: .seconds(60))
    XCTAssertTrue(pair.isConnected)
    let tries = pair.happenings.filter { $0 == .opening(server: 0) }.count
    XCTAssertLessThan(tries, 25)
    pair.server.publish("a", bytes("still here"), at: pair.now)
    try pair.drive { pair.payloads == ["still here"] }
    pair.server.close(pair.server.connected[0])
    try pair.drive { !pair.isConnected }
    pair.endpoint.heal()
    pair.server.options.isLameDuck = false
    try pair.drive(within: .seconds(60)) { pair.isConnected }
  }

  /// The old server ends before the new one has accepted us, or after.
  func testOldServerEndsAtAnyTime() throws {
    for milliseconds in stride(from: Int64(0), through: 2000, by: 20) {
      let (pair, old, _) = try connected(seed: 9)
      shutDown(old)
      try pair.drive(for: .milliseconds(milliseconds))
      for client in old.connected { old.close(client) }
      try pair.drive(within: .seconds(30)) {
        pair.isConnected && old.connected.isEmpty
      }
      try pair.drive(for: .seconds(3))
      try assertOneMessageComes(pair, "\(milliseconds) ms")
      XCTAssertEqual(pair.servers.flatMap(\.violations), [])
    }
  }

  /// The new server ends while both deliver: the old one still has everything.
  func testNewServerEndsAtAnyTime() throws {
    for milliseconds in stride(from: Int64(0), through: 1200, by: 20) {
      let (pair, old, new) = try connected(seed: 9)
      shutDown(old)
      try pair.drive { hasMoved(pair) }
      try pair.drive(for: .milliseconds(milliseconds))
      for client in new.connected { new.close(client) }
      try pair.drive(for: .seconds(90))
      try assertOneMessageComes(pair, "\(milliseconds) ms")
    }
  }

  // MARK: servers told of

  /// The only server that is configured tells of another, and goes.
  private func toldOfAnother(ignores: Bool) throws -> Pair {
    var options = ModelServer.Options()
    options.connectURLs = ["model:4223"]
    let pair = Pair(
      servers: 1, server: options, ignoresDiscoveredServers: ignores, simulated: 2)
    pair.start()
    try pair.drive { pair.isConnected }
    pair.endpoint.reachability[0] = .refusing
    pair.endpoint.cut()
    return pair
  }

  func testServersToldOfAreUsedWhenTheOwnAreGone() throws {
    let pair = try toldOfAnother(ignores: false)
    try pair.drive(within: .seconds(10)) {
      pair.isConnected && pair.servers[1].connected.count == 1
    }
  }

  func testServersToldOfCanBeIgnored() throws {
    let pair = try toldOfAnother(ignores: true)
    try pair.drive(for: .seconds(100))
    XCTAssertFalse(pair.happenings.contains(.opening(server: 1)))
  }
}
