import Glibc

@testable import Transport

/// Runs seeds, or one, or shows that each canary is noticed.
///
///     simulation seeds COUNT [FIRST]
///     simulation seed NUMBER [CANARY]
///     simulation canaries
///     simulation cuts COUNT
///     simulation night
@main
enum Main {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    let number = arguments.dropFirst().first.flatMap { UInt64($0) }
    let third = arguments.dropFirst(2).first
    switch (arguments.first, number) {
    case ("seeds", let count?):
      exit(runSeeds(count, from: third.flatMap { UInt64($0) } ?? 1) ? 0 : 1)
    case ("seed", let seed?):
      let canary = third.flatMap { Canary(rawValue: $0) }
      if third != nil, canary == nil { usage("no canary \(third ?? "")") }
      exit(replay(seed, canary) ? 0 : 1)
    case ("canaries", nil):
      exit(runCanaries() ? 0 : 1)
    case ("cuts", let count?): exit(Cuts.run(writes: Int(count)) ? 0 : 1)
    case ("night", nil): exit(Night.run() ? 0 : 1)
    default:
      usage("seeds COUNT [FIRST], seed NUMBER [CANARY], canaries, cuts COUNT, or night")
    }
  }

  private static func usage(_ text: String) -> Never {
    var line = "simulation: \(text)\n"
    _ = line.withUTF8 { write(2, $0.baseAddress, $0.count) }
    exit(2)
  }

  private static func runSeeds(_ count: UInt64, from first: UInt64) -> Bool {
    let begin = seconds(CLOCK_MONOTONIC)
    let beginProcessor = seconds(CLOCK_PROCESS_CPUTIME_ID)
    var steps = 0
    var virtual = Duration.zero
    for seed in first..<(first + count) {
      let world = World(Scenario(seed: seed))
      if let breach = world.run() {
        if replay(seed, nil) {
          print("simulation: seed \(seed): \(breach.text), but not when it was run again")
        }
        return false
      }
      steps += world.stepCount
      virtual = virtual + (world.now - Scenario.start)
    }
    let took = seconds(CLOCK_MONOTONIC) - begin
    let processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - beginProcessor
    print(
      "simulation: \(count) seeds from \(first), \(steps) steps, \(virtual.seconds / 3600) hours of"
        + " virtual time: nothing broken")
    let rate = Int(Double(count) * 60 / max(took, 0.001))
    let processorRate = Int(Double(count) * 60 / max(processor, 0.001))
    print("simulation: \(rate) seeds a minute, \(processorRate) in a minute of processor time")
    return true
  }

  /// Runs a seed and tells what happened last.
  private static func replay(_ seed: UInt64, _ canary: Canary?) -> Bool {
    let world = World(Scenario(seed: seed), canary: canary, keepsTrace: true)
    let breach = world.run()
    guard let breach else {
      print("simulation: seed \(seed): nothing broken; \(world.scenario.summary)")
      return true
    }
    print("simulation: seed \(seed): \(world.scenario.summary)")
    for line in world.lastHappenings { print("  \(line)") }
    let at = (breach.at - Scenario.start).milliseconds
    print("simulation: seed \(seed): \(breach.invariant.rawValue), at \(at) ms: \(breach.text)")
    print(
      "to run it again: make sim SEED=\(seed)" + (canary.map { " CANARY=\($0.rawValue)" } ?? ""))
    return false
  }

  /// Each canary has to be noticed by its own invariant within some hundred seeds.
  private static func runCanaries() -> Bool {
    let seedsMax: UInt64 = 1000
    var isGood = true
    for canary in Canary.allCases {
      var found: UInt64?
      var others: [Invariant: Int] = [:]
      for seed in 1...seedsMax where found == nil {
        guard let breach = World(Scenario(seed: seed), canary: canary).run() else { continue }
        if breach.invariant == canary.invariant { found = seed }
        others[breach.invariant, default: 0] += 1
      }
      if let found {
        print("canary \(canary.rawValue): \(canary.invariant.rawValue) (seed \(found))")
      } else {
        isGood = false
        print("canary \(canary.rawValue): NOT noticed in \(seedsMax) seeds; instead \(others)")
      }
    }
    return isGood
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

extension Scenario.Fault {
  var summary: String {
    let whose =
      switch kind {
      case .restart, .lameDuck, .uplinkDown, .uplinkDead, .uplinkStalled: "server \(server)"
      default: host.map { "h\($0)" } ?? "all hosts"
      }
    return "\(kind) of \(whose) for \(duration.milliseconds) ms"
  }
}

extension Scenario {
  /// What it is, in a line.
  var summary: String {
    let rate = link.bytesPerSecond.map { "\($0) B/s" } ?? "any rate"
    return "\(kind), \(hostCount) hosts, \(serverCount) servers, \(rate),"
      + " \(link.latency.milliseconds) ms + 0 to \(link.jitter.milliseconds) ms, faults:"
      + " \(faults.map { "\($0.kind)" }.joined(separator: " "))"
  }
}
