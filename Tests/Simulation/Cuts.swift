@testable import Transport

/// Power cuts at every write boundary: a host is run again and again, and loses its power behind the first
/// write to its disk, behind the second, and so on. Each time all has to hold that holds in other runs.
enum Cuts {
  /// So many hosts are tried, each with its own link, load and faults.
  private static let scenarioCount = 10

  static func run(writes: Int) -> Bool {
    var (seed, scenarios, cuts) = (UInt64(0), 0, 0)
    while scenarios < scenarioCount {
      seed += 1
      let scenario = Scenario(seed: seed)
      guard scenario.kind == .single, scenario.journal.size > 0 else { continue }
      scenarios += 1
      for write in 1...writes {
        let world = World(scenario, lastWrite: write)
        if let breach = world.run() {
          print("simulation: seed \(seed), power cut behind write \(write): \(breach.text)")
          return false
        }
        if world.ledgers[0].powerCuts == 0 { break }
        cuts += 1
      }
    }
    print(
      "simulation: \(cuts) power cuts behind each of the first \(writes) writes: nothing broken")
    return true
  }
}
