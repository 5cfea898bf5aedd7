import Transport
import XCTest

@testable import GPIOProvider

final class SimulatedBoardTests: XCTestCase {
  private var board = SimulatedBoard(startingAt: milliseconds(0))
  private var recorder = EdgeRecorder()

  override func setUp() {
    board = SimulatedBoard(startingAt: milliseconds(0))
    recorder = EdgeRecorder()
    board.edgeHandler = recorder
  }

  private func script(
    _ steps: [(Int64, Bool)], repeats: Bool = false
  ) -> (inout LineConfiguration) -> Void {
    { line in
      line.script = LineScript(
        steps: steps.map { LineScript.Step(after: .milliseconds($0.0), isActive: $0.1) },
        repeats: repeats)
    }
  }

  private var times: [Int64] { recorder.edges.map { $0.time.nanoseconds / 1_000_000 } }

  func testAScriptRunsOnceWithItsOwnTimes() throws {
    let line = try board.request(
      .inputLine("door", script([(100, true), (50, false)])), active: false)
    XCTAssertEqual(board.deadline, milliseconds(100))
    XCTAssertFalse(try board.isActive(line))
    board.handleDeadline(at: milliseconds(99))
    XCTAssertEqual(recorder.edges, [])
    board.handleDeadline(at: milliseconds(107))
    XCTAssertEqual(
      recorder.edges,
      [EdgeEvent(line: line, isRising: true, time: milliseconds(100), lineSequence: 1)])
    XCTAssertTrue(try board.isActive(line))
    XCTAssertEqual(board.deadline, milliseconds(150))
    board.handleDeadline(at: milliseconds(10_000))
    XCTAssertEqual(times, [100, 150])
    XCTAssertEqual(recorder.edges.last?.lineSequence, 2)
    XCTAssertNil(board.deadline)
  }

  func testALateCallTakesEveryStepOfAllLinesInOrder() throws {
    let first = try board.request(
      .inputLine("a", script([(30, true), (30, false)], repeats: true)), active: false)
    let second = try board.request(
      .inputLine("b", script([(20, true), (20, false)], repeats: true)), active: false)
    board.handleDeadline(at: milliseconds(121))
    XCTAssertEqual(times, [20, 30, 40, 60, 60, 80, 90, 100, 120, 120])
    // The line that was taken first is the first of two at one instant.
    XCTAssertEqual(recorder.edges[3].line, first)
    XCTAssertEqual(recorder.edges[4].line, second)
  }

  func testManyStepsAreTakenInBoundedParts() throws {
    _ = try board.request(
      .inputLine("a", script([(1, true), (1, false)], repeats: true)), active: false)
    let now = milliseconds(1_000)
    var calls = 0
    while let deadline = board.deadline, deadline <= now {
      let before = recorder.edges.count
      board.handleDeadline(at: now)
      XCTAssertLessThanOrEqual(recorder.edges.count - before, SimulatedBoard.changesPerCall)
      calls += 1
      if calls > 100 { return XCTFail("does not end") }
    }
    XCTAssertEqual(times, Array(1...1_000))
    XCTAssertEqual(recorder.edges.map { $0.lineSequence }, Array(1...1_000))
  }

  func testAScriptWithoutTimeOrStepsEnds() throws {
    _ = try board.request(
      .inputLine("a", script([(0, true), (0, false)], repeats: true)), active: false)
    _ = try board.request(.inputLine("b", script([], repeats: true)), active: false)
    _ = try board.request(
      .inputLine("c", script([(-5, true), (-5, false)], repeats: true)), active: false)
    board.handleDeadline(at: milliseconds(10))
    XCTAssertNil(board.deadline)
    XCTAssertEqual(times, [0, 0, 0, 0])
  }

  func testAStepThatChangesNothingIsNoEdge() throws {
    _ = try board.request(
      .inputLine("a", script([(10, false), (10, true), (10, true), (10, false)])), active: false)
    board.handleDeadline(at: milliseconds(100))
    XCTAssertEqual(times, [20, 40])
  }

  func testOnlyTheEdgesAskedForAreReportedAndNumbered() throws {
    let table: [(LineConfiguration.Edges, [Bool])] = [
      (.none, []), (.rising, [true, true]), (.falling, [false, false]),
      (.both, [true, false, true, false]),
    ]
    for (edges, expected) in table {
      setUp()
      let line = try board.request(.inputLine("a") { $0.edges = edges }, active: false)
      for step in Int64(1)...4 {
        board.drive("a", active: step % 2 == 1, at: milliseconds(step))
        XCTAssertEqual(try board.isActive(line), step % 2 == 1)
      }
      XCTAssertEqual(recorder.edges.map { $0.isRising }, expected, "\(edges)")
      XCTAssertEqual(
        recorder.edges.map { $0.lineSequence }, Array(1...4).prefix(expected.count).map { $0 })
    }
  }

  func testDebounceReportsWhatIsStable() throws {
    let line = try board.request(.inputLine("a") { $0.debounce = .milliseconds(10) }, active: false)
    // A contact bounces for 8 ms and then holds.
    for (time, active) in [(0, true), (2, false), (3, true), (6, false), (8, true)] {
      board.drive("a", active: active, at: milliseconds(Int64(time)))
      XCTAssertFalse(try board.isActive(line), "a value is debounced as edges are")
    }
    XCTAssertEqual(board.deadline, milliseconds(18))
    board.handleDeadline(at: milliseconds(17))
    XCTAssertEqual(recorder.edges, [])
    board.handleDeadline(at: milliseconds(30))
    XCTAssertEqual(
      recorder.edges,
      [EdgeEvent(line: line, isRising: true, time: milliseconds(18), lineSequence: 1)])
    XCTAssertTrue(try board.isActive(line))
  }

  func testAPulseShorterThanTheDebounceIsNothing() throws {
    _ = try board.request(.inputLine("a") { $0.debounce = .milliseconds(10) }, active: false)
    board.drive("a", active: true, at: milliseconds(0))
    board.drive("a", active: false, at: milliseconds(9))
    board.handleDeadline(at: milliseconds(100))
    XCTAssertEqual(recorder.edges, [])
    XCTAssertNil(board.deadline)
  }

  func testAnInputStableForExactlyThePeriodCounts() throws {
    _ = try board.request(.inputLine("a") { $0.debounce = .milliseconds(10) }, active: false)
    board.drive("a", active: true, at: milliseconds(0))
    board.drive("a", active: false, at: milliseconds(10))
    board.handleDeadline(at: milliseconds(100))
    XCTAssertEqual(times, [10, 20])
  }

  func testOutputsRememberTheirValue() throws {
    let relay = try board.request(.outputLine("relay"), active: false)
    XCTAssertFalse(try board.isActive(relay))
    try board.setActive(relay, true)
    XCTAssertTrue(try board.isActive(relay))
    board.release(relay)
    XCTAssertEqual(board.isActive(named: "relay"), true)
    XCTAssertThrowsError(try board.isActive(relay))
    XCTAssertThrowsError(try board.setActive(relay, false))

    let kept = try board.request(.outputLine("relay", safe: .keep), active: nil)
    XCTAssertTrue(try board.isActive(kept))
    board.release(kept)
    let again = try board.request(.outputLine("relay"), active: false)
    XCTAssertFalse(try board.isActive(again))
  }

  func testALineIsTakenOnceAndAnInputIsNotSet() throws {
    let door = try board.request(.inputLine("door"), active: false)
    XCTAssertThrowsError(try board.request(.inputLine("door"), active: false)) {
      guard case BoardError.busy = $0 else { return XCTFail("\($0)") }
    }
    XCTAssertThrowsError(try board.setActive(door, true))
    XCTAssertThrowsError(try board.isActive(LineHandle(index: 99)))
    XCTAssertThrowsError(try board.isActive(LineHandle(index: -1)))
    board.release(LineHandle(index: -1))
  }

  func testAReleasedInputIsSilentAndKeepsItsLevel() throws {
    let line = try board.request(.inputLine("a", script([(10, true)])), active: false)
    board.release(line)
    XCTAssertNil(board.deadline)
    board.handleDeadline(at: milliseconds(20))
    board.drive("a", active: true, at: milliseconds(30))
    XCTAssertEqual(recorder.edges, [])
    let again = try board.request(.inputLine("a"), active: nil)
    XCTAssertTrue(try board.isActive(again))
  }

  func testALineTakenLaterBeginsItsScriptThen() throws {
    board.handleDeadline(at: milliseconds(1_000))
    _ = try board.request(.inputLine("a", script([(10, true)])), active: false)
    XCTAssertEqual(board.deadline, milliseconds(1_010))
  }

  func testDrivesOnlyInputs() throws {
    _ = try board.request(.outputLine("relay"), active: false)
    XCTAssertFalse(board.drive("relay", active: true, at: milliseconds(1)))
    XCTAssertFalse(board.drive("nothing", active: true, at: milliseconds(1)))
    XCTAssertNil(board.isActive(named: "nothing"))
  }

  /// Whatever the scripts and however time is cut into calls, the edges are the same, their times
  /// do not go back, and each line's alternate.
  func testTheEdgesDoNotDependOnWhenTimeIsHandled() throws {
    for seed in UInt64(1)...100 {
      var random = SeededGenerator(seed: seed)
      let lines = (0..<3).map { index in
        LineConfiguration.inputLine("line\(index)") { line in
          line.debounce = .milliseconds(Bool.random(using: &random) ? 0 : 5)
          line.script = LineScript(
            steps: (0..<Int.random(in: 1...6, using: &random)).map { _ in
              LineScript.Step(
                after: .milliseconds(.random(in: 0...12, using: &random)),
                isActive: Bool.random(using: &random))
            },
            repeats: Bool.random(using: &random))
        }
      }
      var runs: [[EdgeEvent]] = []
      for _ in 0..<2 {
        setUp()
        for line in lines { _ = try board.request(line, active: false) }
        var now: Int64 = 0
        while now < 300 {
          now = min(300, now + Int64.random(in: 1...50, using: &random))
          board.handleDeadline(at: milliseconds(now))
          if let deadline = board.deadline {
            XCTAssertGreaterThan(deadline, milliseconds(now), "seed \(seed)")
          }
        }
        runs.append(recorder.edges)
      }
      XCTAssertEqual(runs[0], runs[1], "seed \(seed)")
      for (before, after) in zip(runs[0], runs[0].dropFirst()) {
        XCTAssertLessThanOrEqual(before.time, after.time, "seed \(seed)")
      }
      for index in lines.indices {
        let edges = runs[0].filter { $0.line.index == index }
        XCTAssertEqual(edges.map { Int($0.lineSequence) }, Array(0..<edges.count).map { $0 + 1 })
        for (number, edge) in edges.enumerated() {
          XCTAssertEqual(edge.isRising, number % 2 == 0, "seed \(seed)")
        }
      }
    }
  }
}
