import Transport
import XCTest

@testable import GPIOProvider

final class ButtonPressesTests: XCTestCase {
  private typealias Event = ButtonPresses.Event

  private func configuration(doubleClick: Int64 = 300, longPress: Int64 = 800)
    -> ButtonConfiguration
  {
    var configuration = ButtonConfiguration()
    configuration.doubleClick = .milliseconds(doubleClick)
    configuration.longPress = .milliseconds(longPress)
    return configuration
  }

  /// The gestures of edges in milliseconds, the first a press, with deadlines handled on time.
  private func gestures(
    _ edges: [Int64], until end: Int64 = 100_000, _ configuration: ButtonConfiguration
  ) -> [Event] {
    var button = ButtonPresses(configuration)
    button.begin(isActive: false)
    var (events, isActive) = ([Event](), false)
    for time in edges + [end] {
      while let deadline = button.deadline, deadline <= milliseconds(time) {
        events += button.handleDeadline(at: deadline)
        XCTAssertNotEqual(button.deadline, deadline, "it is still due")
        if button.deadline == deadline { break }
      }
      if time == end { break }
      isActive.toggle()
      events += button.edge(isActive: isActive, at: milliseconds(time))
    }
    return events
  }

  private func event(_ gesture: ButtonPresses.Gesture, _ time: Int64) -> Event {
    Event(gesture: gesture, time: milliseconds(time))
  }

  func testGesturesAndTheirTimes() {
    let table: [(String, [Int64], [Event])] = [
      ("click", [0, 100], [event(.click, 400)]),
      ("just not long", [0, 799], [event(.click, 1_099)]),
      ("just long", [0, 800], [event(.long, 800)]),
      ("long, told while held", [0], [event(.long, 800)]),
      ("double", [0, 100, 399, 500], [event(.double, 500)]),
      ("too late for a double", [0, 100, 400, 500], [event(.click, 400), event(.click, 800)]),
      ("double and click", [0, 10, 20, 30, 40, 50], [event(.double, 30), event(.click, 350)]),
      ("click, then long", [0, 100, 200, 2_000], [event(.click, 1_000), event(.long, 1_000)]),
      ("long, then click", [0, 900, 1_000, 1_100], [event(.long, 800), event(.click, 1_400)]),
    ]
    for (name, edges, events) in table {
      XCTAssertEqual(gestures(edges, configuration()), events, name)
    }
  }

  func testWithoutDoubleClicksEveryClickIsToldAtOnce() {
    let configuration = configuration(doubleClick: 0)
    XCTAssertEqual(
      gestures([0, 100, 150, 200, 300, 1_200], until: 1_200, configuration),
      [event(.click, 100), event(.click, 200), event(.long, 1_100)])
    var button = ButtonPresses(configuration)
    _ = button.edge(isActive: true, at: milliseconds(0))
    XCTAssertEqual(button.edge(isActive: false, at: milliseconds(5)), [event(.click, 5)])
    XCTAssertNil(button.deadline)
  }

  func testAButtonHeldAtTheStartInventsNothing() {
    var button = ButtonPresses(configuration())
    button.begin(isActive: true)
    XCTAssertNil(button.deadline)
    XCTAssertEqual(button.handleDeadline(at: milliseconds(10_000)), [])
    XCTAssertEqual(button.edge(isActive: false, at: milliseconds(10_000)), [])
    XCTAssertNil(button.deadline)
    XCTAssertEqual(button.edge(isActive: true, at: milliseconds(10_100)), [])
    XCTAssertEqual(button.edge(isActive: false, at: milliseconds(10_200)), [])
    XCTAssertEqual(
      button.handleDeadline(at: milliseconds(10_500)), [event(.click, 10_500)], "a click, no double"
    )
  }

  func testALineThatIsLostForgetsThePress() {
    var button = ButtonPresses(configuration())
    _ = button.edge(isActive: true, at: milliseconds(0))
    button.begin(isActive: false)
    XCTAssertNil(button.deadline)
    XCTAssertEqual(button.edge(isActive: false, at: milliseconds(100)), [])
    XCTAssertNil(button.deadline)
  }

  func testLostEdgesInventNothing() {
    // A release without its press.
    var button = ButtonPresses(configuration())
    XCTAssertEqual(button.edge(isActive: false, at: milliseconds(0)), [])
    XCTAssertNil(button.deadline)
    // A press without the release before it: it begins anew.
    _ = button.edge(isActive: true, at: milliseconds(100))
    _ = button.edge(isActive: true, at: milliseconds(700))
    XCTAssertEqual(button.deadline, milliseconds(1_500))
    XCTAssertEqual(button.edge(isActive: false, at: milliseconds(1_000)), [])
    // After a click, a second release without its press.
    XCTAssertEqual(button.edge(isActive: false, at: milliseconds(1_100)), [])
    XCTAssertEqual(button.handleDeadline(at: milliseconds(1_300)), [event(.click, 1_300)])
  }

  func testTimesAtTheEndOfTheRangeDoNotTrap() {
    var button = ButtonPresses(configuration())
    _ = button.edge(isActive: true, at: Instant(nanoseconds: .max - 1))
    XCTAssertEqual(button.edge(isActive: false, at: Instant(nanoseconds: .min)), [])
    XCTAssertEqual(
      button.handleDeadline(at: Instant(nanoseconds: .max)).map { $0.gesture }, [.click])
  }

  /// However late deadlines are handled, the gestures are those of the whole list of edges.
  func testLatenessChangesNothing() {
    for seed in UInt64(1)...2_000 {
      var random = SeededGenerator(seed: seed)
      let configuration = configuration(
        doubleClick: [0, 1, 5, 20].randomElement(using: &random)!,
        longPress: [1, 10, 40].randomElement(using: &random)!)
      var button = ButtonPresses(configuration)
      button.begin(isActive: false)
      var (edges, events, now) = ([Int64](), [Event](), Int64(0))
      for _ in 0..<Int.random(in: 0...60, using: &random) {
        now += Int64.random(in: 0...30, using: &random)
        edges.append(now)
        events += button.edge(isActive: edges.count % 2 == 1, at: milliseconds(now))
        // Any number of calls before the next edge, none of them in time but by chance.
        while Int.random(in: 0..<3, using: &random) == 0 {
          now += Int64.random(in: 0...30, using: &random)
          events += button.handleDeadline(at: milliseconds(now))
        }
      }
      now += Int64.random(in: 0...50, using: &random)
      events += button.handleDeadline(at: milliseconds(now))
      XCTAssertEqual(
        events, ButtonPressesTests.oracle(edges, until: now, configuration), "seed \(seed)")
      if let deadline = button.deadline {
        XCTAssertGreaterThan(deadline, milliseconds(now), "seed \(seed)")
      }
    }
  }

  /// The gestures that are certain at `end`, from all presses at once.
  private static func oracle(
    _ edges: [Int64], until end: Int64, _ configuration: ButtonConfiguration
  ) -> [Event] {
    let presses = stride(from: 0, to: edges.count, by: 2).map { index in
      (start: edges[index], end: index + 1 < edges.count ? edges[index + 1] : Int64.max)
    }
    let long = configuration.longPress.milliseconds
    let double = configuration.doubleClick.milliseconds
    var told: [(ButtonPresses.Gesture, Int64)] = []
    var index = 0
    while index < presses.count {
      let press = presses[index]
      let next = index + 1 < presses.count ? presses[index + 1] : nil
      index += 1
      if press.end - press.start >= long {
        told.append((.long, press.start + long))
      } else if let next, next.start - press.end < double {
        index += 1
        if next.end - next.start < long {
          told.append((.double, next.end))
        } else {
          told += [(.click, next.start + long), (.long, next.start + long)]
        }
      } else {
        told.append((.click, press.end + double))
      }
    }
    return told.filter { $0.1 <= end }.map { Event(gesture: $0.0, time: milliseconds($0.1)) }
  }
}
