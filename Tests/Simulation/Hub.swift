@testable import Transport

/// What is behind the servers: who keeps facts and who sends commands. The servers of a cluster pass
/// messages to each other, which takes some time.
final class Hub {
  let servers: [ModelServer]
  let streams: HubStreams
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

  /// Has something arrive later.
  var schedule: (HubEvent, Instant) -> Void = { _, _ in } {
    didSet { streams.schedule = schedule }
  }
  /// An urgent message has come.
  var answered: (String, Instant) -> Void = { _, _ in }

  init(_ scenario: Scenario) {
    self.scenario = scenario
    servers = (0..<scenario.serverCount).map {
      ModelServer(options: scenario.server, seed: scenario.seed &+ UInt64($0))
    }
    isDown = servers.map { _ in false }
    streams = HubStreams(scenario)
    random = RandomGenerator(seed: ~scenario.seed)
    streams.reply = { [unowned self] server, message, now in publish(message, at: server, now) }
    if scenario.discoversServers {
      servers[0].options.connectURLs = ["model:\(Int(ServerURL.defaultPort) + 1)"]
    }
    for (index, server) in servers.enumerated() {
      for pattern in ["edge.sim.>", "$JS.>"] {
        server.listen(
          pattern, where: { [unowned self] in streams.isInterested(in: $0.subject, at: index) }
        ) { [unowned self] message, now in streams.take(message, from: index, at: now) }
      }
      server.listen("echo") { [unowned self] message, now in
        if let reply = message.reply { publish(reply, message.payload, at: index, now) }
      }
      server.listen("silent") { _, _ in }
      server.listen("_R.*") { [unowned self] message, now in answered(message.subject, now) }
    }
  }

  /// The digits of a host's name in `edge.sim.h12.`
  static func host(of subject: String) -> Int {
    var number = 0
    for byte in subject.utf8.dropFirst(10) {
      if byte == 0x2E { break }
      number = number * 10 + Int(byte &- 0x30)
    }
    return number
  }

  // MARK: messages

  /// What was to arrive later does.
  func arrive(_ event: HubEvent, at now: Instant) {
    switch event {
    case .routed(let server, let message): deliver(message, at: server, now)
    case .up(let server, _), .down(let server, _): streams.arrive(event, of: server, at: now)
    }
  }

  private func publish(_ subject: String, _ payload: [UInt8], at server: Int, _ now: Instant) {
    publish(
      ModelServer.Message(subject: subject, reply: nil, headers: [], payload: payload), at: server,
      now)
  }

  private func publish(_ message: ModelServer.Message, at server: Int, _ now: Instant) {
    deliver(message, at: server, now)
    for other in servers.indices where other != server {
      schedule(.routed(other, message), now + scenario.routeDelay)
    }
  }

  private func deliver(_ message: ModelServer.Message, at server: Int, _ now: Instant) {
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
      payload += ",\"text\":\"\(longText(random.index(below: scenario.commandTextMax)))\""
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
