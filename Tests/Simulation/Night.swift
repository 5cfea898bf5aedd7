@testable import Transport

/// A night without a link: 50,000 facts wait in a journal of the default size, and are delivered over a
/// slow link while new ones keep coming.
enum Night {
  private static let liveLatencyMax = Duration.seconds(2)

  static func run() -> Bool {
    var isGood = true
    for takesBatches in [false, true] {
      for roundTrip in [20, 100, 300] {
        let duration = Duration.milliseconds(Int64(roundTrip))
        if !run(roundTrip: duration, takesBatches: takesBatches) { isGood = false }
      }
    }
    return isGood
  }

  private static func run(roundTrip: Duration, takesBatches: Bool) -> Bool {
    let scenario = Scenario.night(
      delay: Duration(nanoseconds: roundTrip.nanoseconds / 2), takesBatches: takesBatches)
    let world = World(scenario)
    let breach = world.run()
    let ledger = world.ledgers[0]
    let drain = (world.ebbed ?? world.now) - scenario.healed
    let capacity = (scenario.link.bytesPerSecond ?? 0) * max(drain.seconds, 1)
    print(
      "night \(takesBatches ? "with" : "without") batches, round trip \(roundTrip.milliseconds) ms: \(ledger.facts.count) facts, \(ledger.storedCount)"
        + " stored; drained in \(drain.seconds) s with \(Int64(world.bytesSent) * 100 / capacity) %"
        + " of the link; slowest live fact \(ledger.slowestLive.milliseconds) ms;"
        + " \(world.writes.count) writes of \(world.writes.bytes) bytes")
    if let breach { print("night: \(breach.invariant.rawValue): \(breach.text)") }
    let isQuick = ledger.slowestLive < liveLatencyMax
    if !isQuick { print("night: a live fact was slower than \(liveLatencyMax.milliseconds) ms") }
    return breach == nil && isQuick && ledger.facts.count >= Scenario.nightFacts
  }
}
