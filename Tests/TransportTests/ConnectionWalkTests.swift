import XCTest

@testable import Transport

/// Random walks: commands, messages, faults and time in any order, from a seed. What must hold is
/// checked after every step and once more when the link is whole again.
final class ConnectionWalkTests: XCTestCase {
  func testWalks() { walk(isCalm: false) }

  /// Without stalls and with a socket that takes everything, nothing may leave after its expiry.
  func testCalmWalks() { walk(isCalm: true) }

  /// Seeds 1 to 120, or to WALK_SEEDS; or one alone, WALK_SEED.
  private func walk(isCalm: Bool) {
    let environment = ProcessInfo.processInfo.environment
    let only = environment["WALK_SEED"].flatMap { UInt64($0) }
    let last = environment["WALK_SEEDS"].flatMap { UInt64($0) } ?? 120
    for seed in only.map({ $0...$0 }) ?? 1...max(last, 1) {
      var walk = Walk(seed: seed, isCalm: isCalm)
      if let complaint = walk.run(steps: 150) {
        let command = "WALK_SEED=\(seed) swift test --filter ConnectionWalkTests"
        return XCTFail("\(complaint)\nto run it again: \(command)")
      }
    }
  }
}

private struct Walk {
  private struct Sent {
    var trafficClass: TrafficClass
    var expires: Instant
    var receptions = 0
  }

  private let pair: Pair
  private let isCalm: Bool
  private var random: RandomGenerator
  private var subscriptions: [UInt32] = []
  private var patternCount = 0
  private var sent: [Sent] = []
  private var publishedByServer = 0
  private var begun: [RequestID] = []
  private var checkedReceptions = 0

  init(seed: UInt64, isCalm: Bool) {
    var random = RandomGenerator(seed: seed)
    var limits = ConnectionLimits()
    limits.readBufferBytes = random.element(of: [512, 600, 4096])
    limits.controlBytes = random.element(of: [300, 512, 4096])
    limits.writeBytes = isCalm ? 1 << 16 : random.element(of: [1, 300, 4096])
    limits.replies.bytes = random.element(of: [256, 1024, 8192])
    limits.facts.bytes = random.element(of: [256, 1024, 8192])
    limits.bulk.bytes = random.element(of: [256, 1024, 8192])
    limits.bulk.whenFull = random.element(of: [.refuse, .dropOldest])
    limits.subscriptionsMax = random.element(of: [2, 16])
    limits.requestsMax = random.element(of: [1, 4, 32])
    var link = LinkConditions()
    link.jitter = .milliseconds(Int64(random.index(below: 100)))
    link.pieceBytesMax = random.element(of: [1, 13, 500, .max])
    if !isCalm { link.sendBufferBytes = random.element(of: [60, 1000, 1 << 16]) }
    var options = ModelServer.Options()
    options.repeatsInfo = random.oneIn(2)
    options.pingInterval = random.oneIn(2) ? .seconds(11) : nil
    pair = Pair(
      seed: seed, servers: 1 + random.index(below: 2), limits: limits, link: link, server: options)
    for server in pair.servers {
      server.respond("echo") { $0.payload }
      server.listen("silent") { _, _ in }
    }
    self.isCalm = isCalm
    self.random = random
  }

  /// What is wrong, or nil.
  mutating func run(steps: Int) -> String? {
    pair.start()
    do {
      for _ in 0..<steps {
        act()
        if let complaint = check() { return complaint }
      }
      pair.endpoint.isStalled = false
      pair.endpoint.heal()
      for server in pair.servers {
        server.options.isMute = false
        server.options.isLameDuck = false
      }
      // A drain may be under way: it ends by itself.
      try pair.drive(for: .seconds(10))
      pair.start()
      // The longest that any deadline and any backoff may take.
      try pair.drive(within: .seconds(120)) { pair.isConnected }
      try pair.drive(for: .seconds(30))
    } catch {
      return "\(error)"
    }
    return check() ?? checkEnd()
  }

  private mutating func act() {
    switch random.index(below: 24) {
    case 0...4: publish()
    case 5...7: request()
    case 8, 9: subscribe()
    case 10:
      if !subscriptions.isEmpty {
        pair.unsubscribe(subscriptions.remove(at: random.index(below: subscriptions.count)))
      }
    case 11...13: publishFromServer()
    case 14: breakLink()
    case 15: misbehave()
    case 16: if random.oneIn(8) { pair.drain() }
    case 17: pair.start()
    default: try? pair.drive(for: random.duration(through: .seconds(random.oneIn(5) ? 40 : 1)))
    }
  }

  private mutating func publish() {
    let lifetime = random.duration(through: .seconds(60))
    let padding = [UInt8](repeating: 0x20, count: random.index(below: 200))
    let expires = pair.now + lifetime
    do {
      let trafficClass = random.element(of: [TrafficClass.replies, .facts, .bulk])
      try pair.publish(
        "from.client", bytes("\(sent.count) ") + padding, as: trafficClass, expiresIn: lifetime)
      sent.append(Sent(trafficClass: trafficClass, expires: expires))
    } catch {}
  }

  private mutating func request() {
    let subject = random.element(of: ["echo", "silent", "nobody"])
    let timeout = random.duration(through: .seconds(10))
    if let id = try? pair.request(subject, bytes("q"), timeout: timeout) { begun.append(id) }
  }

  private mutating func subscribe() {
    patternCount += 1
    let group = random.oneIn(2) ? "group" : ""
    if let sid = pair.subscribe("to.client.\(patternCount)", queueGroup: group) {
      subscriptions.append(sid)
    }
  }

  private mutating func publishFromServer() {
    let subject = "to.client.\(1 + random.index(below: max(patternCount, 1)))"
    let size = random.oneIn(4) ? 5000 : random.index(below: 100)
    publishedByServer += 1
    random.element(of: pair.servers).publish(
      subject, bytes("\(publishedByServer) ") + [UInt8](repeating: 0x0A, count: size), at: pair.now)
  }

  private mutating func breakLink() {
    switch random.index(below: isCalm ? 5 : 7) {
    case 0: pair.endpoint.cut()
    case 1: pair.endpoint.lose(forGood: random.oneIn(2))
    case 2, 3: pair.endpoint.heal()
    case 4: pair.endpoint.reachability = pair.servers.map { _ in .refusing }
    case 5: pair.endpoint.isStalled = true
    default: pair.endpoint.isStalled = false
    }
  }

  private mutating func misbehave() {
    let server = random.element(of: pair.servers)
    guard let client = server.connected.last else { return }
    switch random.index(below: 10) {
    case 8:
      server.options.isLameDuck = true
      server.announce()
    case 9: server.options.isLameDuck = false
    case 0: server.send(raw: random.bytes(count: 20), to: client)
    case 1: server.send(raw: bytes("PONG\r\nPONG\r\n"), to: client)
    case 2: server.close(client, saying: "Stale Connection")
    case 3: server.close(client)
    case 4: server.send(raw: bytes("MSG to.client.1 1 5\r\nhelloXX"), to: client)
    case 5: server.announce()
    case 6: server.options.isMute.toggle()
    default: server.send(raw: bytes("MSG _INBOX.nobody.99 1 0\r\n\r\n"), to: client)
    }
  }

  // MARK: what must hold

  private mutating func check() -> String? {
    var calls = 0
    while let deadline = pair.endpoint.connection.deadline, deadline <= pair.now {
      pair.endpoint.connection.handleDeadline(at: pair.now)
      pair.endpoint.flush(at: pair.now)
      calls += 1
      if calls > 3 { return "the deadline stays in the past" }
    }
    for server in pair.servers where !server.violations.isEmpty {
      return "violations: \(server.violations)"
    }
    return nil
  }

  private mutating func checkEnd() -> String? {
    for server in pair.servers {
      var last: [TrafficClass: Int] = [:]
      for received in server.received where received.message.subject == "from.client" {
        let number = Int(received.message.payload.string.prefix { $0 != " " }) ?? -1
        let trafficClass = sent[number].trafficClass
        if let before = last.updateValue(number, forKey: trafficClass), number <= before {
          return "message \(number) after \(before)"
        }
        sent[number].receptions += 1
        let left = received.at - pair.endpoint.link.latency - pair.endpoint.link.jitter
        if isCalm, left > sent[number].expires { return "message \(number) was sent late" }
      }
    }
    if let number = sent.firstIndex(where: { $0.receptions > 1 }) {
      return "message \(number) was received twice"
    }
    return checkMessages() ?? checkRequests()
  }

  private func checkMessages() -> String? {
    let numbers = pair.payloads.filter { $0 != "hello" }.map { $0.prefix { $0 != " " } }
    return Set(numbers).count == numbers.count ? nil : "a message was delivered twice: \(numbers)"
  }

  private func checkRequests() -> String? {
    let ended = pair.ends.map(\.id)
    if Set(ended).count != ended.count { return "a request ended twice" }
    if Set(ended) != Set(begun) { return "\(begun.count) requests, \(ended.count) ends" }
    return nil
  }
}
