@testable import Transport

/// The streams that keep facts, and the way to them: in the servers that hosts are connected to, or in a hub
/// to which those are leaf nodes. What is stored goes into the ledger of its host.
final class HubStreams {
  private let scenario: Scenario
  private(set) var streams: ModelStreams
  /// By server: its way to the hub, where there is one.
  private var uplinks: [Uplink]
  private(set) var ledgers: [FactLedger]
  /// Restarts of the server that has the streams under way.
  private var outages = 0
  private var random: RandomGenerator

  /// Where happenings are told, for people.
  var trace: ((() -> String) -> Void)?
  /// Has something arrive later.
  var schedule: (HubEvent, Instant) -> Void = { _, _ in }
  /// Has a server publish an answer.
  var reply: (Int, ModelServer.Message, Instant) -> Void = { _, _, _ in }

  init(_ scenario: Scenario) {
    self.scenario = scenario
    streams = ModelStreams([ModelStream(scenario.stream)], domain: scenario.domain)
    streams.epoch = SimulatedTime.epoch
    uplinks = (0..<scenario.serverCount).map { _ in Uplink(delay: scenario.uplinkDelay ?? .zero) }
    ledgers = (0..<scenario.hostCount).map { FactLedger(host: $0) }
    random = RandomGenerator(seed: scenario.seed &+ 4242)
  }

  var breach: Breach? { ledgers.lazy.compactMap(\.breach).first }

  func changeLedger(of host: Int, _ change: (inout FactLedger) -> Void) { change(&ledgers[host]) }

  // MARK: messages

  /// Whether a server believes that the streams, or their API, want messages of a subject.
  func isInterested(in subject: String, at server: Int) -> Bool {
    streams.isInterested(in: subject) && uplinks[server].isInterested
  }

  /// A server has a message for the streams.
  func take(_ message: ModelServer.Message, from server: Int, at now: Instant) {
    if scenario.uplinkDelay == nil { return answer(message, of: server, at: now) }
    schedule(.up(server, message), now + uplinks[server].delay)
  }

  /// Something is at the end of a server's way to the hub, or of the way back.
  func arrive(_ event: HubEvent, of server: Int, at now: Instant) {
    if let event = uplinks[server].arriving(event) { finish(event, at: now) }
  }

  private func finish(_ event: HubEvent, at now: Instant) {
    switch event {
    case .routed: break
    case .up(let server, let message): answer(message, of: server, at: now)
    case .down(let server, let message): reply(server, message, now)
    }
  }

  private func answer(_ message: ModelServer.Message, of server: Int, at now: Instant) {
    if outages > 0 { return }
    let before = streams.streams[0].lastSequence
    guard let json = streams.answer(message, at: now) else { return }
    trace? { "the hub gets \(HubStreams.text(of: message)): \(json.string)" }
    // A message that commits a batch has others before it.
    for sequence in before..<streams.streams[0].lastSequence {
      guard let stored = streams.streams[0].message(sequence + 1)?.message else { continue }
      ledgers[Hub.host(of: stored.subject)].stored(stored, at: now)
    }
    guard let subject = message.reply else { return }
    let isTroubled = now < scenario.healed && scenario.lostAnswers > 0
    if isTroubled, random.oneIn(scenario.lostAnswers) { return }
    let count = isTroubled && random.oneIn(scenario.lostAnswers) ? 2 : 1
    let answer = ModelServer.Message(subject: subject, reply: nil, headers: [], payload: json)
    for _ in 0..<count {
      if scenario.uplinkDelay == nil {
        reply(server, answer, now)
      } else {
        schedule(.down(server, answer), now + uplinks[server].delay)
      }
    }
  }

  private static func text(of message: ModelServer.Message) -> String {
    let last = message.header("Nats-Expected-Last-Subject-Sequence").map { " behind \($0)" } ?? ""
    let id = message.header("Nats-Msg-Id").map { " \($0.suffix(12))" } ?? ""
    return "\(message.subject)\(id)\(last) \(Array(message.payload.prefix(90)).string)"
  }

  // MARK: faults

  /// A fault begins, with 1, or ends, with -1.
  func change(_ fault: Scenario.Fault, by change: Int, at now: Instant) {
    switch fault.kind {
    case .uplinkDown: uplinks[fault.server].downs += change
    case .uplinkDead: uplinks[fault.server].deaths += change
    case .uplinkStalled: uplinks[fault.server].stalls += change
    case .streamRestart:
      outages += change
      if outages == 0 { streams.restart(at: now, losesWindow: false) }
    default: return
    }
    refresh(at: now)
  }

  private func refresh(at now: Instant) {
    for server in uplinks.indices {
      for event in uplinks[server].refresh(areStreamsUp: outages == 0) { finish(event, at: now) }
    }
  }
}
