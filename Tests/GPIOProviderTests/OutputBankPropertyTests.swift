import Transport
import XCTest

@testable import GPIOProvider

final class OutputBankPropertyTests: XCTestCase {
  /// Random outputs, commands, links and losses. Invariants: those of `OutputOracle`.
  func testNoRuleIsBrokenWhateverHappens() {
    var accepted = 0
    var allowedLater = 0
    var refusals: [GuardRefusal.Guard: Int] = [:]
    var causes: [OutputBank.Cause: Int] = [:]
    for seed in UInt64(1)...400 {
      var world = OutputWorld(seed: seed)
      world.run(steps: 100)
      XCTAssertEqual(world.oracle.violations.first, nil, "seed \(seed)")
      if !world.oracle.violations.isEmpty { return }
      accepted += world.accepted
      allowedLater += world.allowedLater
      refusals.merge(world.refusals) { $0 + $1 }
      causes.merge(world.causes) { $0 + $1 }
    }
    // Everything there is has happened, and often.
    XCTAssertGreaterThan(accepted, 5_000)
    XCTAssertGreaterThan(allowedLater, 500)
    for name in [GuardRefusal.Guard.maxOn, .minOn, .minOff, .maxRate, .interlock, .notTaken] {
      XCTAssertGreaterThan(refusals[name] ?? 0, 40, "\(name)")
    }
    for cause in [
      OutputBank.Cause.command, .pulse, .blink, .lease, .linkLoss, .maxOn, .stop, .interlock,
    ] {
      XCTAssertGreaterThan(causes[cause] ?? 0, 20, "\(cause)")
    }
  }

  /// The same with a bank that is wrong in one way: the oracle must see it.
  func testTheOracleFindsWhatIsBroken() {
    for canary in OutputWorld.Canary.allCases {
      let isFound = (UInt64(1)...100).contains { seed in
        var world = OutputWorld(seed: seed, canary: canary)
        world.run(steps: 100)
        return !world.oracle.violations.isEmpty
      }
      XCTAssertTrue(isFound, "\(canary)")
    }
  }
}
