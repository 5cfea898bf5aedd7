@testable import Transport

/// Keeps facts, as a stream does: each id once within a window, in the order in which they come.
struct Keeper {
  /// Longer than any outage of a simulation: a stream whose window is shorter stores a fact twice whose
  /// acknowledgement was lost with the link.
  static let window = Duration.seconds(3600)

  private var seen: [String: Instant] = [:]
  /// By host: the numbers of the facts, as stored.
  private(set) var stored: [[Int]]
  /// By host: when the last was stored.
  private(set) var lastStored: [Instant?]
  private(set) var breach: Breach?

  init(hosts: Int) {
    stored = Array(repeating: [], count: hosts)
    lastStored = Array(repeating: nil, count: hosts)
  }

  /// Takes a fact; gives the acknowledgement.
  mutating func store(_ message: ModelServer.Message, of host: Int, at now: Instant) -> [UInt8] {
    let id = Keeper.id(of: message.headers)
    if let id, let before = seen[id], now - before <= Keeper.window {
      return bytes("{\"stream\":\"FACTS\",\"seq\":1,\"duplicate\":true}")
    }
    if let id { seen[id] = now }
    let number = Hub.number(in: message.payload)
    if let last = stored[host].last, number <= last, breach == nil {
      let isDoubled = stored[host].contains(number)
      breach = Breach(
        invariant: isDoubled ? .factDoubled : .factReordered,
        text: "host \(host): fact \(number) is stored behind \(last)", at: now)
    }
    stored[host].append(number)
    lastStored[host] = now
    return bytes("{\"stream\":\"FACTS\",\"seq\":\(stored[host].count)}")
  }

  private static func id(of headers: [UInt8]) -> String? {
    guard let reader = HeaderReader(headers.span), let value = reader.value(of: "Nats-Msg-Id")
    else {
      return nil
    }
    return String(decoding: headers[value], as: UTF8.self)
  }
}

/// What is behind the servers: who keeps facts and who sends commands. The servers of a cluster pass
/// messages to each other, which takes some time.
final class Hub {
  let servers: [ModelServer]
  private(set) var keeper: Keeper
  private let scenario: Scenario
  /// Servers that are not there at present.
  var isDown: [Bool]
  private struct Command {
    /// Of the right clock, as the command says.
    let deadline: Instant
    /// When it was at all servers.
    let taken: Instant
    /// How old it may be then for a host without a clock.
    let ageMax: Duration?
    var isExecuted = false
  }

  /// By number.
  private var commands: [Command] = []
  private var random: RandomGenerator
  private(set) var breach: Breach?
  /// Attempts to connect within the last second.
  private var attempts: [Instant] = []
  private var firstAttempt = 0

  /// Has a message be given to another server later.
  var route: (Int, ModelServer.Message, Instant) -> Void = { _, _, _ in }
  /// An urgent message has come.
  var answered: (String, Instant) -> Void = { _, _ in }

  init(_ scenario: Scenario) {
    self.scenario = scenario
    servers = (0..<scenario.serverCount).map {
      ModelServer(options: scenario.server, seed: scenario.seed &+ UInt64($0))
    }
    isDown = servers.map { _ in false }
    keeper = Keeper(hosts: scenario.hostCount)
    random = RandomGenerator(seed: ~scenario.seed)
    if scenario.discoversServers {
      servers[0].options.connectURLs = ["model:\(Int(ServerURL.defaultPort) + 1)"]
    }
    for (index, server) in servers.enumerated() {
      server.listen("edge.sim.*.pump.*.edge") { [unowned self] message, now in
        let answer = keeper.store(message, of: Hub.host(of: message.subject), at: now)
        if let reply = message.reply { publish(reply, answer, at: index, now) }
      }
      // A clock that jumps is a fact of its own, which has no number.
      server.listen("edge.sim.*.host.*") { [unowned self] message, now in
        let answer = bytes("{\"stream\":\"FACTS\",\"seq\":1}")
        if let reply = message.reply { publish(reply, answer, at: index, now) }
      }
      server.listen("echo") { [unowned self] message, now in
        if let reply = message.reply { publish(reply, message.payload, at: index, now) }
      }
      server.listen("silent") { _, _ in }
      server.listen("_R.*") { [unowned self] message, now in answered(message.subject, now) }
    }
  }

  /// The digits of a host's name in `edge.sim.h12.`
  private static func host(of subject: String) -> Int {
    var number = 0
    for byte in subject.utf8.dropFirst(10) {
      if byte == 0x2E { break }
      number = number * 10 + Int(byte &- 0x30)
    }
    return number
  }

  /// The number in `{"n":12}`.
  fileprivate static func number(in payload: [UInt8]) -> Int {
    var number = 0
    for byte in payload.dropFirst(5) {
      if byte < 0x30 || byte > 0x39 { break }
      number = number * 10 + Int(byte - 0x30)
    }
    return number
  }

  // MARK: messages

  private func publish(_ subject: String, _ payload: [UInt8], at server: Int, _ now: Instant) {
    publish(
      ModelServer.Message(subject: subject, reply: nil, headers: [], payload: payload), at: server,
      now)
  }

  private func publish(_ message: ModelServer.Message, at server: Int, _ now: Instant) {
    deliver(message, at: server, now)
    for other in servers.indices where other != server {
      route(other, message, now + scenario.routeDelay)
    }
  }

  func deliver(_ message: ModelServer.Message, at server: Int, _ now: Instant) {
    if isDown[server] { return }
    servers[server].publish(
      message.subject, reply: message.reply, headers: message.headers, message.payload, at: now)
  }

  /// Sends a command with a deadline to a host; now and then one that is larger than its read buffer.
  func command(_ host: Int, at now: Instant) {
    let age = random.duration(through: scenario.commandAgeMax)
    // In whole milliseconds, as it is written.
    let deadline = Instant(
      nanoseconds: (now + age).nanoseconds / 1_000_000 * 1_000_000)
    let number = commands.count
    let saysAge = random.oneIn(2)
    commands.append(
      Command(
        deadline: deadline, taken: now + scenario.routeDelay,
        ageMax: saysAge ? .milliseconds(age.milliseconds) : scenario.requestTimeout))
    let wall = Timestamp(nanoseconds: SimulatedTime.epoch + deadline.nanoseconds)
    var headers = HeaderWriter()
    headers.append("Edge-Deadline", wall.rfc3339)
    if saysAge { headers.append("Edge-Timeout", "\(age.milliseconds)ms") }
    var payload = "{\"n\":\(number)"
    if random.oneIn(30) {
      payload += ",\"text\":\"\(longText(random.index(below: 18_000)))\""
    }
    let resource = random.index(below: scenario.resourceCount)
    publish(
      ModelServer.Message(
        subject: "edge.sim.h\(host).pump.r\(resource).set", reply: "_R.\(number)",
        headers: headers.finished(), payload: bytes(payload + "}")),
      at: random.index(below: servers.count), now)
  }

  /// A host has executed a command.
  func executed(_ number: Int64, by host: SimulatedHost) {
    guard let index = Int(exactly: number), commands.indices.contains(index) else { return }
    let command = commands[index]
    let now = host.time.now
    if command.isExecuted { return host.fail(.executedTwice, "command \(number)", at: now) }
    commands[index].isExecuted = true
    // By the host's own clock it is never late. Without one that is right its age counts.
    var late = now + host.time.skew - command.deadline
    if !host.time.isSynchronised, let ageMax = command.ageMax {
      late = max(late, now - (command.taken + ageMax))
    }
    if late > .zero {
      host.fail(.executedLate, "command \(number), \(late.milliseconds) ms too late", at: now)
    }
  }

  private func longText(_ count: Int) -> String {
    String(decoding: [UInt8](repeating: 0x78, count: count), as: UTF8.self)
  }

  // MARK: attempts to connect

  func attempted(at now: Instant) {
    attempts.append(now)
    while now - attempts[firstAttempt] > .seconds(1) { firstAttempt += 1 }
    let count = attempts.count - firstAttempt
    if count > scenario.attemptsPerSecondMax, breach == nil {
      breach = Breach(
        invariant: .herd,
        text: "\(count) attempts to connect in a second, where there may be"
          + " \(scenario.attemptsPerSecondMax)", at: now)
    }
  }

  /// What a client did that none may do.
  var violation: String? {
    servers.lazy.compactMap(\.violations.first).first
  }
}
