@testable import Transport

/// All that a seed decides before time begins: how many hosts, over what links, to what servers, with what
/// load, and what goes wrong when.
struct Scenario {
  enum Kind: CaseIterable {
    /// One host, whatever happens.
    case single
    /// One host whose readings fill a slow link that otherwise behaves.
    case saturated
    /// A few hosts at one hub.
    case group
    /// Many hosts that lose their hub at once.
    case fleet
  }

  /// What can go wrong, for how long.
  struct Fault {
    enum Kind: CaseIterable {
      /// Nothing moves; nothing is lost.
      case stall
      /// Segments are lost, and sent again with growing pauses.
      case lossBurst
      /// Open connections are dead and nobody is told; new ones find a way (a router forgot us).
      case forgotten
      /// Open connections are dead and new ones find no way.
      case blackout
      /// As a blackout, but the kernel tells of its beginning and its end.
      case pathLost
      /// Both ends are told that connections are over; new ones find a way.
      case cut
      /// New connections are refused, old ones are cut.
      case refused
      /// The host's clock is off by some time.
      case clockJump
      /// The process does not run.
      case suspended
      /// A server ends, and comes back.
      case restart
      /// A server says that it will end, does so after a while, and comes back.
      case lameDuck
      /// A leaf node has lost its hub, and says so.
      case uplinkDown
      /// A leaf node's way to its hub is dead, and nobody knows.
      case uplinkDead
      /// The same, but what is sent waits and goes on later.
      case uplinkStalled
      /// The server that has the stream ends, and comes back.
      case streamRestart
      /// The process is killed, and begins again.
      case killed
      /// The machine loses its power, and begins again.
      case powerCut
      /// It does behind a certain write to its disk, if there is one in time.
      case powerCutAtWrite
    }

    let kind: Kind
    /// One host, or nil: all, for faults of a link.
    let host: Int?
    /// For faults of a server.
    let server: Int
    let begin: Instant
    let duration: Duration
    /// By how much a clock is off.
    let skew: Duration
    /// Whether the host knows that its clock may be off.
    let isKnown: Bool
    /// Behind how many writes power is cut.
    let writes: Int
  }

  static let start = Instant(nanoseconds: 1_000_000_000_000)

  let seed: UInt64
  private(set) var kind: Kind
  private(set) var hostCount: Int
  private(set) var serverCount: Int
  private(set) var limits: ConnectionLimits
  private(set) var link: LinkConditions
  let server: ModelServer.Options
  /// A server tells of the other, which hosts are not told of otherwise.
  private(set) var discoversServers: Bool
  /// From one server to the other. Less than it takes a client to leave one and to subscribe at the
  /// other: else NATS itself delivers to both.
  let routeDelay: Duration
  /// The stream that keeps facts, and the domain of its JetStream.
  private(set) var stream: ModelStream.Options
  private(set) var domain: String?
  /// Hosts are connected to leaf nodes of the hub that has the stream, at this distance.
  private(set) var uplinkDelay: Duration?
  /// Of so many answers of the stream one is lost and one comes twice, while anything may go wrong; 0: none.
  private(set) var lostAnswers: Int
  private(set) var faults: [Fault]
  /// When the last fault is over.
  private(set) var healed: Instant

  // The load; each comes after a random time around its mean.
  private(set) var factEvery: Duration
  private(set) var readingEvery: Duration
  private(set) var readingBytes: Int
  private(set) var resourceCount: Int
  private(set) var commandEvery: Duration
  private(set) var requestEvery: Duration
  /// Text that one command in thirty carries is shorter than this.
  private(set) var commandTextMax = 18_000
  /// Commands are sent with a deadline of at most this.
  let commandAgeMax: Duration
  /// How old a command may be that does not say so; nil: as old as it likes.
  let requestTimeout: Duration?
  /// By how much the clocks of hosts without a battery are behind, until they are told the time.
  private(set) var bootSkew: Duration
  private(set) var factBytes: Int
  private(set) var journal: JournalConfiguration
  /// How long all that waits may take to be delivered, while new facts come; zero: none come then.
  private(set) var drainTime = Duration.zero
  /// Of the host's disk.
  private(set) var syncLatency: Duration

  init(seed: UInt64) {
    var random = RandomGenerator(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ 0x5DEE_CE66)
    let draw = random.index(below: 1000)
    let kind: Kind = draw < 820 ? .single : draw < 940 ? .saturated : draw < 992 ? .group : .fleet
    self.seed = seed
    self.kind = kind
    hostCount =
      switch kind {
      case .single, .saturated: 1
      case .group: 2 + random.index(below: 4)
      case .fleet: 16 + random.index(below: 45)
      }
    serverCount = kind == .saturated || random.oneIn(2) ? 1 : 2
    discoversServers = serverCount == 2 && random.oneIn(3)
    let link = Scenario.link(kind, &random)
    self.link = link
    routeDelay = min(.milliseconds(Int64(1 + random.index(below: 60))), link.latency * 3)
    limits = Scenario.limits(kind, hosts: hostCount, &random)
    server = Scenario.server(&random)
    let roundTrip = link.latency * 2 + link.jitter * 2
    let pause = Duration.milliseconds(Int64(700 + random.index(below: 3000)))
    factEvery = max(pause, roundTrip * 2)
    resourceCount = kind == .saturated ? 24 : 1 + random.index(below: 6)
    readingBytes = kind == .saturated ? 300 : 20 + random.index(below: 200)
    readingEvery =
      kind == .saturated
      ? .milliseconds(40)
      : .milliseconds(
        Int64(link.bytesPerSecond == nil ? 400 : 1000) + Int64(random.index(below: 2000)))
    commandEvery = .milliseconds(Int64(500 + random.index(below: 2500)))
    requestEvery = .milliseconds(Int64(500 + random.index(below: 8000)))
    commandAgeMax = .milliseconds(Int64(500 + random.index(below: 6000)))
    requestTimeout = random.oneIn(2) ? nil : .seconds(Int64(1 + random.index(below: 6)))
    bootSkew = random.oneIn(5) ? .zero - random.duration(through: .seconds(3600)) : .zero
    journal = Scenario.journal(&random)
    syncLatency = .milliseconds(random.element(of: [1, 30, 700]))
    factBytes = random.index(below: 60)
    uplinkDelay =
      kind == .saturated || random.oneIn(2)
      ? nil : .milliseconds(random.element(of: [1, 20, 100, 300]))
    domain = random.oneIn(3) ? "hub" : nil
    lostAnswers = kind == .saturated ? 0 : random.element(of: [0, 0, 3, 10])
    stream = Scenario.stream(&random)
    // Without a draw, so that what comes behind stays as it is.
    stream.allowsAtomic = seed.isMultiple(of: 2)
    let length = Duration.seconds(Int64(kind == .saturated ? 20 : 25 + random.index(below: 45)))
    faults = Scenario.faults(
      kind, hosts: hostCount, servers: serverCount, hasDisk: journal.size > 0, within: length,
      &random)
    healed = faults.reduce(Scenario.start + length) { max($0, $1.begin + $1.duration) }
  }

  private static func link(_ kind: Kind, _ random: inout RandomGenerator) -> LinkConditions {
    var link = LinkConditions()
    link.latency = .milliseconds(random.element(of: [1, 10, 40, 150, 400, 800]))
    link.jitter = .milliseconds(random.element(of: [0, 0, 5, 30, 200]))
    if kind == .fleet {
      link.latency = .milliseconds(random.element(of: [5, 20, 60]))
    } else if kind == .saturated || random.oneIn(4) {
      link.bytesPerSecond = random.element(of: [2000, 4000, 8000])
      link.pieceBytesMax = 1400
      link.sendBufferBytes = 4096
    } else {
      link.pieceBytesMax = random.element(of: [.max, .max, 1400, 100])
      link.sendBufferBytes = random.element(of: [4096, 1 << 16])
    }
    return link
  }

  /// The defaults, or smaller ones that come to their ends sooner.
  private static func limits(
    _ kind: Kind, hosts: Int, _ random: inout RandomGenerator
  ) -> ConnectionLimits {
    var limits = ConnectionLimits()
    if random.oneIn(2) {
      limits.readBufferBytes = random.element(of: [4096, 8192])
      limits.replies.bytes = random.element(of: [2048, 8192])
      limits.facts.bytes = random.element(of: [1024, 8192])
      limits.readings.bytes = random.element(of: [2048, 8192])
      limits.requestsMax = random.element(of: [3, 8])
    }
    limits.link = LinkSettings(
      random.element(of: [.ethernet, .ethernet, .wifi, .wifi, .lte, .satellite]))
    if random.oneIn(2) {
      limits.link.ping = .seconds(Int64(5 + random.index(below: 10)))
      limits.link.detect = limits.link.ping + .seconds(Int64(5 + random.index(below: 5)))
      limits.link.backoffCap = .seconds(Int64(4 + random.index(below: 16)))
    }
    if kind == .fleet { limits.link.herd = UInt32(hosts) }
    if kind == .saturated { limits.readings.bytes = random.element(of: [4096, 16 * 1024]) }
    return limits
  }

  private static func server(_ random: inout RandomGenerator) -> ModelServer.Options {
    var options = ModelServer.Options()
    options.repeatsInfo = random.oneIn(2)
    options.pingInterval = random.oneIn(2) ? .seconds(20) : nil
    options.keepsReceived = false
    return options
  }

  private static func journal(_ random: inout RandomGenerator) -> JournalConfiguration {
    var journal = JournalConfiguration()
    journal.size = random.oneIn(8) ? 0 : JournalConfiguration.sizes.lowerBound
    journal.memory = random.element(of: [JournalConfiguration.memories.lowerBound, journal.memory])
    journal.sync = .milliseconds(random.element(of: [200, 1000, 5000]))
    return journal
  }

  private static func stream(_ random: inout RandomGenerator) -> ModelStream.Options {
    var options = ModelStream.Options()
    options.subjects = ["edge.sim.*.pump.*.edge", "edge.sim.*.host.*"]
    options.release = random.element(of: ModelStream.Release.allCases)
    options.duplicateWindow = .milliseconds(random.element(of: [100, 10_000, 120_000]))
    return options
  }

  private static func faults(
    _ kind: Kind, hosts: Int, servers: Int, hasDisk: Bool, within length: Duration,
    _ random: inout RandomGenerator
  ) -> [Fault] {
    var faults: [Fault] = []
    let count = kind == .saturated ? random.index(below: 2) : 1 + random.index(below: 5)
    for index in 0..<count {
      var fault = random.element(
        of: Fault.Kind.allCases.filter { $0 != .killed && $0 != .powerCut })
      if kind == .fleet, index == 0 { fault = .restart }
      // Who keeps facts in memory only does not keep them then.
      if !hasDisk, fault == .powerCut || fault == .powerCutAtWrite { fault = .killed }
      let isLong = random.oneIn(3)
      let longest = Duration.milliseconds(isLong ? 40_000 : 6_000)
      let offset = Duration.seconds(5) + random.duration(through: length - .seconds(10))
      faults.append(
        Fault(
          // Processes are not suspended together: their attempts would all be due when they go on.
          kind: fault,
          host: random.oneIn(3) && fault != .suspended ? nil : random.index(below: hosts),
          server: random.index(below: servers), begin: start + offset,
          duration: random.duration(through: longest),
          skew: random.duration(through: .seconds(120)) - .seconds(60),
          isKnown: random.oneIn(2), writes: 1 + random.index(below: 6)))
    }
    return faults
  }
}

// MARK: what may be expected

extension Scenario {
  /// How long after the last fault a host is connected again at the latest: a link whose death began
  /// unseen is noticed, or an attempt that was under way fails; the pause behind it passes; then an
  /// attempt goes through all its stages.
  var reconnectTime: Duration {
    let timeouts = limits.link.timeouts
    let stages = timeouts.open + timeouts.info + timeouts.pong
    let noticed = max(limits.link.detect + limits.link.ping, stages)
    let spread = Herd(hosts: limits.link.herd, seed: 0).window * 3
    return noticed + limits.link.backoffCap + limits.backoffFirst + spread + attemptTime
  }

  /// What an attempt over the healed link takes at most: three round trips, behind what the link still
  /// carries of before.
  private var attemptTime: Duration {
    (link.latency + link.jitter) * 6 + transmission(of: 8192) + .seconds(1)
  }

  /// How long after that a fact is stored: the pause of its queue, what goes before it, a round trip.
  var resumeTime: Duration {
    // An answer that was lost on the way behind the server is waited for in vain.
    let lost = uplinkDelay.map { $0 * 8 + .seconds(80) } ?? (lostAnswers > 0 ? .seconds(80) : .zero)
    return reconnectTime + lost + .seconds(5) + (link.latency + link.jitter) * 4
      + transmission(of: 4 * limits.writeBytes) + .seconds(1)
  }

  /// The bytes' time on the link.
  func transmission(of bytes: Int) -> Duration {
    guard let rate = link.bytesPerSecond else { return .zero }
    return Duration(nanoseconds: Int64(bytes) * 1_000_000_000 / rate)
  }

  /// How long before a power cut a fact may have happened that is lost by it: it has waited for its
  /// acknowledgement, then for a sync under way, then for its own.
  var lossTime: Duration { journal.sync + syncLatency * 2 + .milliseconds(100) }

  /// From the moment an urgent message is queued until it is at the server, while nothing goes wrong:
  /// what the kernel holds, one write, the urgent messages queued before, and a round trip.
  func urgentTime(queuedBefore bytes: Int) -> Duration {
    transmission(of: link.sendBufferBytes + limits.writeBytes + bytes)
      + (link.latency + link.jitter) * 2
  }

  /// Attempts that the hub sees in any second. A fleet that shares a hub keeps to the herd's rate. Others
  /// make four each and to each server at most, since the least pauses are nothing, nothing, a quarter and
  /// half a second; and three more when a useful link ends meanwhile, which begins the pauses anew.
  var attemptsPerSecondMax: Int {
    limits.link.herd > 1 ? Int(Herd.attemptsPerSecondMax) : 7 * hostCount * serverCount
  }
}

extension Scenario {
  /// How many facts there are in the night.
  static let nightFacts = 50_000

  /// Six hours without a link, then one of 64 kbit/s; facts go on coming as before.
  ///
  /// - Parameters:
  ///   - delay: of the link, one way.
  ///   - takesBatches: whether the stream does.
  static func night(delay: Duration, takesBatches: Bool) -> Scenario {
    var scenario = Scenario(seed: 1)
    let length = Duration.seconds(6 * 3600)
    scenario.kind = .single
    (scenario.hostCount, scenario.serverCount) = (1, 1)
    scenario.discoversServers = false
    scenario.limits = ConnectionLimits()
    scenario.link = LinkConditions()
    scenario.link.latency = delay
    scenario.link.bytesPerSecond = 8000
    scenario.link.pieceBytesMax = 1400
    scenario.link.sendBufferBytes = 4096
    scenario.stream.duplicateWindow = .seconds(120)
    (scenario.stream.release, scenario.stream.allowsAtomic) = (.v2_15, takesBatches)
    (scenario.domain, scenario.uplinkDelay, scenario.lostAnswers) = (nil, nil, 0)
    scenario.factEvery = Duration(nanoseconds: length.nanoseconds / Int64(nightFacts))
    (scenario.factBytes, scenario.resourceCount) = (20, 6)
    (scenario.readingEvery, scenario.readingBytes) = (.seconds(1), 60)
    (scenario.commandEvery, scenario.requestEvery) = (.seconds(10), .seconds(60))
    // What the hub sends at once the acknowledgements of facts wait behind: an eighth of a second each kB.
    scenario.commandTextMax = 1000
    (scenario.bootSkew, scenario.journal) = (.zero, JournalConfiguration())
    let begin = start + .seconds(10)
    scenario.faults = [
      Fault(
        kind: .blackout, host: 0, server: 0, begin: begin, duration: length, skew: .zero,
        isKnown: true, writes: 0)
    ]
    scenario.healed = begin + length
    scenario.drainTime = .seconds(24 * 3600)
    return scenario
  }
}
