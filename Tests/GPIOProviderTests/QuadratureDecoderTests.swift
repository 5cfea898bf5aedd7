import Transport
import XCTest

@testable import GPIOProvider

final class QuadratureDecoderTests: XCTestCase {
  private func decoder(every: Int64 = 100, position: Int64 = 0) -> QuadratureDecoder {
    QuadratureDecoder(every: .milliseconds(every), position: position)
  }

  /// Every valid transition by hand: from (a, b), the line that changes, the step.
  func testEachTransitionIsAStep() {
    let table: [(a: Bool, b: Bool, ofSecond: Bool, step: Int64)] = [
      (false, false, true, 1), (false, true, false, 1), (true, true, true, 1),
      (true, false, false, 1),
      (false, false, false, -1), (true, false, true, -1), (true, true, false, -1),
      (false, true, true, -1),
    ]
    for (a, b, ofSecond, step) in table {
      var decoder = decoder(position: 10)
      decoder.begin(a: a, b: b)
      XCTAssertEqual(decoder.position, 10, "the begin is no step")
      decoder.edge(ofSecond: ofSecond, isActive: ofSecond ? !b : !a)
      XCTAssertEqual(decoder.position, 10 + step, "\(a) \(b) \(ofSecond)")
      XCTAssertEqual(decoder.errors, 0)
    }
  }

  func testADoubleStepIsAnErrorAndNoMove() {
    for (ofSecond, lost, errors) in [(false, 0, 1), (true, 0, 1), (false, 3, 3)]
      as [(Bool, UInt32, UInt64)]
    {
      var decoder = decoder()
      decoder.begin(a: true, b: true)
      decoder.edge(ofSecond: ofSecond, isActive: true, lost: lost)
      XCTAssertEqual(decoder.position, 0)
      XCTAssertEqual(decoder.errors, errors)
    }
  }

  func testLostEdgesThatLeaveAValidTransitionAreErrors() {
    var decoder = decoder()
    decoder.begin(a: false, b: false)
    decoder.edge(ofSecond: true, isActive: true, lost: 2)
    XCTAssertEqual(decoder.position, 1)
    XCTAssertEqual(decoder.errors, 2)
  }

  func testReportsLeadAndTrail() {
    var decoder = decoder()
    decoder.begin(a: false, b: false)
    XCTAssertNil(decoder.deadline)
    XCTAssertNil(decoder.handleDeadline(at: milliseconds(0)))
    decoder.edge(ofSecond: true, isActive: true)
    XCTAssertEqual(
      decoder.handleDeadline(at: milliseconds(50)), .init(position: 1, errors: 0), "at once")
    XCTAssertNil(decoder.deadline)
    decoder.edge(ofSecond: false, isActive: true)
    XCTAssertNil(decoder.handleDeadline(at: milliseconds(60)))
    decoder.edge(ofSecond: true, isActive: false)
    XCTAssertEqual(decoder.deadline, milliseconds(150))
    XCTAssertNil(decoder.handleDeadline(at: milliseconds(149)))
    XCTAssertEqual(decoder.handleDeadline(at: milliseconds(150)), .init(position: 3, errors: 0))
    // There and back is no change.
    decoder.edge(ofSecond: false, isActive: false)
    decoder.edge(ofSecond: false, isActive: true)
    XCTAssertNil(decoder.deadline)
    XCTAssertNil(decoder.handleDeadline(at: milliseconds(1_000)))
    decoder.edge(ofSecond: false, isActive: true)
    XCTAssertEqual(
      decoder.handleDeadline(at: milliseconds(1_000)), .init(position: 3, errors: 1),
      "after a pause at once, for an error too")
  }

  func testResetIsAChange() {
    var decoder = decoder(position: -5)
    XCTAssertNil(decoder.deadline, "a restored position is no news")
    XCTAssertEqual(decoder.reset(), -5)
    XCTAssertEqual(decoder.handleDeadline(at: milliseconds(0)), .init(position: 0, errors: 0))
    XCTAssertEqual(decoder.reset(), 0)
    XCTAssertNil(decoder.deadline)
  }

  func testExtremesDoNotTrap() {
    var decoder = decoder(position: .max)
    decoder.begin(a: false, b: false)
    decoder.edge(ofSecond: true, isActive: true)
    XCTAssertEqual(decoder.position, .min)
    XCTAssertNotNil(decoder.handleDeadline(at: Instant(nanoseconds: .max)))
  }

  /// A wheel that is turned at random, whose edges get lost at a rate.
  private struct Wheel {
    var position: Int64
    var lines: (a: Bool, b: Bool)
    /// By line: edges lost since the last that arrived.
    var losses: (a: UInt32, b: UInt32) = (0, 0)
    var lost: UInt64 = 0

    /// Where the wheel stands, its lines are: 00, 01, 11, 10 for a, b.
    init(position: Int64) {
      self.position = position
      lines = Wheel.lines(at: position)
    }

    static func lines(at position: Int64) -> (a: Bool, b: Bool) {
      let phase = position & 3
      return (phase == 2 || phase == 3, phase == 1 || phase == 2)
    }

    mutating func turn(
      _ step: Int64, isLost: Bool, into decoder: inout QuadratureDecoder, isTold: Bool
    ) {
      position += step
      let now = Wheel.lines(at: position)
      let ofSecond = now.b != lines.b
      lines = now
      let before = ofSecond ? losses.b : losses.a
      if isLost {
        if ofSecond { losses.b += 1 } else { losses.a += 1 }
        lost += 1
        return
      }
      if ofSecond { losses.b = 0 } else { losses.a = 0 }
      decoder.edge(
        ofSecond: ofSecond, isActive: ofSecond ? now.b : now.a, lost: isTold ? before : 0)
    }
  }

  func testFollowsARandomWalkExactly() {
    for seed in UInt64(1)...200 {
      var random = SeededGenerator(seed: seed)
      var wheel = Wheel(position: .random(in: -50...50, using: &random))
      var decoder = decoder(position: wheel.position)
      decoder.begin(a: wheel.lines.a, b: wheel.lines.b)
      for _ in 0..<200 {
        wheel.turn(
          Bool.random(using: &random) ? 1 : -1, isLost: false, into: &decoder, isTold: true)
        XCTAssertEqual(decoder.position, wheel.position, "seed \(seed)")
      }
      XCTAssertEqual(decoder.errors, 0, "seed \(seed)")
    }
  }

  /// With the kernel's numbers every lost edge is an error, and nothing else is; without them, at
  /// least one for each odd gap. The position is off by whole cycles or not at all.
  func testLostEdgesAreErrorsAndNothingElseIs() {
    for seed in UInt64(1)...300 {
      var random = SeededGenerator(seed: seed)
      let isTold = Bool.random(using: &random)
      var wheel = Wheel(position: .random(in: -50...50, using: &random))
      var decoder = decoder(position: wheel.position)
      decoder.begin(a: wheel.lines.a, b: wheel.lines.b)
      var (oddGaps, step) = (UInt64(0), Int64(1))
      for _ in 0..<200 {
        if Int.random(in: 0..<4, using: &random) == 0 { step = 0 - step }
        let before = wheel.losses
        wheel.turn(
          step, isLost: Int.random(in: 0..<5, using: &random) == 0, into: &decoder, isTold: isTold)
        oddGaps += wheel.losses.a < before.a ? UInt64(before.a & 1) : 0
        oddGaps += wheel.losses.b < before.b ? UInt64(before.b & 1) : 0
        let pending = UInt64(wheel.losses.a + wheel.losses.b)
        XCTAssertEqual(decoder.errors, isTold ? wheel.lost - pending : oddGaps, "seed \(seed)")
        if pending == 0 {
          XCTAssertEqual((decoder.position - wheel.position) & 3, 0, "seed \(seed)")
        }
      }
    }
  }

  /// Reports are never closer than the period, never repeat what was said, and the last is the truth.
  func testReportsAreRareAndTheLastIsTrue() {
    for seed in UInt64(1)...200 {
      var random = SeededGenerator(seed: seed)
      var wheel = Wheel(position: 0)
      var decoder = decoder()
      decoder.begin(a: false, b: false)
      var (now, last) = (Int64(0), Int64(-1_000))
      var told: Int64 = 0
      func hear() {
        guard let report = decoder.handleDeadline(at: milliseconds(now)) else {
          let isSilent = now - last < 100 || decoder.position == told
          return XCTAssertTrue(isSilent, "a change is not told: seed \(seed) at \(now)")
        }
        XCTAssertGreaterThanOrEqual(now - last, 100, "seed \(seed)")
        XCTAssertNotEqual(report.position, told, "seed \(seed)")
        (told, last) = (report.position, now)
      }
      for _ in 0..<200 {
        now += Int64.random(
          in: 0...(Int.random(in: 0..<20, using: &random) == 0 ? 300 : 20), using: &random)
        wheel.turn(
          Bool.random(using: &random) ? 1 : -1, isLost: false, into: &decoder, isTold: true)
        if Bool.random(using: &random) { hear() }
      }
      now += 100
      hear()
      XCTAssertEqual(told, wheel.position, "seed \(seed)")
      XCTAssertNil(decoder.deadline, "seed \(seed)")
    }
  }
}
