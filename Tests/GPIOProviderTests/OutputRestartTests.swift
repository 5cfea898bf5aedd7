import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// Leases, pulses and blinks over a clock that is set and over the end of the process.
final class OutputRestartTests: ProviderTestCase {
  /// The clock of a board without one is set by decades, and it may be set back.
  func testALeaseEndsWhenItShouldWhateverTheClockDoes() {
    for jump in [Int64(1_793_692_483), -3_600, 86_400, -1_793_692_483] {
      let provider = started([.line("relay", .output)])
      set(provider, "relay", true, lease: 60_000)
      advance(provider, .seconds(30))
      time.wallClock = time.wallClock + .seconds(jump)
      provider.handleDeadline(at: time.now)
      advance(provider, .milliseconds(29_999))
      XCTAssertEqual(board.values["relay"], true, "\(jump) s: too early")
      advance(provider, .milliseconds(1))
      XCTAssertEqual(board.values["relay"], false, "\(jump) s: too late")
      provider.stop(at: time.now)
    }
  }

  private func restarted(_ configure: @escaping (inout LineConfiguration) -> Void) -> Bool? {
    // The process was killed: it wrote nothing more, and the kernel drives on.
    let provider = started([.line("relay", .output, configure)])
    defer { provider.stop(at: time.now) }
    return board.values["relay"]
  }

  /// A process that is killed cannot end what it was to end, and after it nobody would: some kernels go on
  /// driving a line that nobody holds.
  func testWhatWasForATimeOnlyDoesNotOutlastTheProcess() {
    let keep: (inout LineConfiguration) -> Void = { $0.output.start = .keep }
    let forATime: [(String, [(String, Value)])] = [
      ("set", [("active", .bool(true)), ("lease_ms", .integer(60_000))]),
      ("set", [("active", .bool(true)), ("pulse_ms", .integer(2_000))]),
      ("toggle", [("lease_ms", .integer(60_000))]),
      ("pulse", [("duration_ms", .integer(2_000))]),
      (
        "blink",
        [("on_ms", .integer(1_000)), ("off_ms", .integer(1_000)), ("count", .integer(3))]
      ),
    ]
    for (operation, arguments) in forATime {
      board.values["relay"] = false
      let killed = started([.line("relay", .output, keep)])
      call(killed, operation, "relay", arguments)
      XCTAssertEqual(board.values["relay"], true, operation)
      XCTAssertEqual(restarted(keep), false, "\(operation) \(arguments)")
    }
    XCTAssertEqual(memory.urgentKeys, ["timed.relay"])
  }

  func testWhatIsForGoodIsKeptAsItIs() {
    let keep: (inout LineConfiguration) -> Void = { $0.output.start = .keep }
    let killed = started([.line("relay", .output, keep)])
    set(killed, "relay", true, lease: 60_000)
    set(killed, "relay", true)
    XCTAssertEqual(restarted(keep), true)

    // A lease whose end changes nothing is none.
    let keepsAlways: (inout LineConfiguration) -> Void = {
      ($0.output.start, $0.output.safe) = (.keep, .keep)
    }
    board.values["relay"] = true
    set(started([.line("relay", .output, keepsAlways)]), "relay", true, lease: 60_000)
    XCTAssertEqual(restarted(keepsAlways), true)
  }

  /// The safe state that was taken at stop is what the level is, and nobody takes it back.
  func testAStopEndsWhatWasForATime() {
    let active: (inout LineConfiguration) -> Void = {
      ($0.output.start, $0.output.safe) = (.keep, .active)
    }
    let stopped = started([.line("relay", .output, active)])
    call(stopped, "pulse", "relay", [("duration_ms", .integer(2_000))])
    stopped.stop(at: time.now)
    XCTAssertEqual(restarted(active), true)
  }

  /// A lease that is renewed writes nothing to the disk, nor does what is done for good.
  func testRenewingALeaseIsNotRemembered() {
    for start in [OutputConfiguration.StartState.keep, .last] {
      let provider = started([.line("relay", .output) { $0.output.start = start }])
      set(provider, "relay", true, lease: 10_000)
      let values = memory.values
      for _ in 0..<100 {
        advance(provider, .seconds(5))
        set(provider, "relay", true, lease: 10_000)
        XCTAssertEqual(memory.values, values, "what has not changed is not written")
      }
      provider.stop(at: time.now)
    }
    let writes = memory.writes
    let provider = started([.line("relay", .output) { $0.output.start = .keep }])
    memory.values = [:]
    for active in [true, false, true] { set(provider, "relay", active) }
    provider.stop(at: time.now)
    XCTAssertEqual(memory.writes, writes)
  }
}
