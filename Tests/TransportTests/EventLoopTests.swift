import Glibc
import XCTest

@testable import Transport

/// The loop over the kernel's own descriptors and timers. No test measures how long something took:
/// order and counts only.
final class EventLoopTests: XCTestCase {
  private func pipe() -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    XCTAssertEqual(Glibc.pipe(&ends), 0)
    return (ends[0], ends[1])
  }

  private func write(_ descriptor: Int32, _ text: String) {
    let bytes = Array(text.utf8)
    XCTAssertEqual(Glibc.write(descriptor, bytes, bytes.count), bytes.count)
  }

  private func read(_ descriptor: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
  }

  func testReadableDescriptors() throws {
    let loop = try EventLoop()
    let (one, two) = (pipe(), pipe())
    var seen: [String] = []
    let watches = try [one, two].map { pipe in
      try loop.watch(pipe.read, for: .readable) { readiness in
        XCTAssertTrue(readiness.contains(.readable))
        seen.append(self.read(pipe.read))
      }
    }
    write(two.write, "2")
    try loop.turn()
    XCTAssertEqual(seen, ["2"])
    write(one.write, "1")
    write(two.write, "2")
    try loop.turn()
    XCTAssertEqual(Set(seen.suffix(2)), ["1", "2"])
    watches.forEach { $0.cancel() }
    for end in [one.read, one.write, two.read, two.write] { _ = Glibc.close(end) }
  }

  /// Level-triggered: what is not read is told again.
  func testUnreadBytesAreToldAgain() throws {
    let loop = try EventLoop()
    let pipe = pipe()
    var calls = 0
    let watch = try loop.watch(pipe.read, for: .readable) { _ in calls += 1 }
    write(pipe.write, "x")
    for _ in 0..<3 { try loop.turn() }
    XCTAssertEqual(calls, 3)
    watch.cancel()
  }

  func testInterestsMayChange() throws {
    let loop = try EventLoop()
    let pipe = pipe()
    var calls: [Readiness] = []
    let watch = try loop.watch(pipe.write, for: []) { calls.append($0) }
    let timer = Transport.Timer(on: loop) { _ in }
    timer.set(EventLoop.now)
    try loop.turn()
    XCTAssertEqual(calls, [])
    watch.interests = .writable
    try loop.turn()
    XCTAssertEqual(calls, [.writable])
    watch.interests = []
    timer.set(EventLoop.now)
    try loop.turn()
    XCTAssertEqual(calls.count, 1)
    watch.cancel()
    watch.interests = .writable
  }

  func testHangUpIsToldUnasked() throws {
    let loop = try EventLoop()
    let pipe = pipe()
    var calls: [Readiness] = []
    let watch = try loop.watch(pipe.read, for: []) { calls.append($0) }
    _ = Glibc.close(pipe.write)
    try loop.turn()
    XCTAssertTrue(calls.first?.contains(.failed) ?? false)
    watch.cancel()
    _ = Glibc.close(pipe.read)
  }

  func testBadDescriptorIsAnError() throws {
    let loop = try EventLoop()
    XCTAssertThrowsError(try loop.watch(-1, for: .readable) { _ in }) {
      XCTAssertEqual(($0 as? SystemError)?.code, 9)
      XCTAssertEqual("\($0)", "epoll_ctl: Bad file descriptor")
    }
  }

  /// Both pipes are ready in one turn: the handler that runs first cancels the other.
  func testCancelledWatchIsNotCalledInTheSameTurn() throws {
    let loop = try EventLoop()
    let pipes = [pipe(), pipe()]
    var watches: [Watch] = []
    var calls = 0
    for pipe in pipes {
      watches.append(
        try loop.watch(pipe.read, for: .readable) { _ in
          calls += 1
          for watch in watches { watch.cancel() }
        })
      write(pipe.write, "x")
    }
    try loop.turn()
    XCTAssertEqual(calls, 1)
    watches[0].cancel()
  }

  /// The descriptor number comes back in the same turn; the event of its predecessor must not.
  func testReusedDescriptorGetsNoOldEvent() throws {
    let loop = try EventLoop()
    let pipes = [pipe(), pipe()]
    var watches: [Int: Watch] = [:]
    var fresh: Watch?
    var freshCalls = 0
    for index in 0..<2 {
      watches[index] = try loop.watch(pipes[index].read, for: .readable) { _ in
        if fresh != nil { return }
        let other = 1 - index
        watches[other]?.cancel()
        _ = Glibc.close(pipes[other].read)
        let new = self.pipe()
        XCTAssertEqual(new.read, pipes[other].read)
        fresh = try? loop.watch(new.read, for: .readable) { _ in freshCalls += 1 }
      }
      write(pipes[index].write, "x")
    }
    try loop.turn()
    XCTAssertNotNil(fresh)
    XCTAssertEqual(freshCalls, 0)
    watches.values.forEach { $0.cancel() }
    fresh?.cancel()
  }

  // MARK: timers

  func testTimersFireInOrder() throws {
    let loop = try EventLoop()
    let now = EventLoop.now
    var order: [Int] = []
    var timers: [Transport.Timer] = []
    for number in [3, 1, 2, 5, 4] {
      let timer = Transport.Timer(on: loop) { _ in
        order.append(number)
        if order.count == 5 { loop.stop() }
      }
      timer.set(now + .milliseconds(Int64(number)))
      timers.append(timer)
    }
    try loop.run()
    XCTAssertEqual(order, [1, 2, 3, 4, 5])
    XCTAssertTrue(timers.allSatisfy { $0.deadline == nil })
  }

  func testNeverEarlyAndToldTheTime() throws {
    let loop = try EventLoop()
    let deadline = EventLoop.now + .milliseconds(5)
    var firedAt: Instant?
    let timer = Transport.Timer(on: loop) { now in
      firedAt = now
      loop.stop()
    }
    timer.set(deadline)
    try loop.run()
    XCTAssertGreaterThanOrEqual(try XCTUnwrap(firedAt), deadline)
  }

  func testSettingAgainReplaces() throws {
    let loop = try EventLoop()
    var fired: [String] = []
    let moved = Transport.Timer(on: loop) { _ in fired.append("moved") }
    let last = Transport.Timer(on: loop) { _ in loop.stop() }
    moved.set(EventLoop.now + .seconds(3600))
    moved.set(EventLoop.now)
    let cancelled = Transport.Timer(on: loop) { _ in fired.append("cancelled") }
    cancelled.set(EventLoop.now)
    cancelled.set(nil)
    last.set(EventLoop.now + .milliseconds(2))
    try loop.run()
    XCTAssertEqual(fired, ["moved"])
    XCTAssertNil(loop.timers.first)
  }

  /// What every message of a busy connection does to its timer: the kernel's is not set each time, and
  /// nothing may fire early for it.
  func testDeadlineThatMovesAwayIsNotEarly() throws {
    let loop = try EventLoop()
    let pipe = pipe()
    let watch = try loop.watch(pipe.read, for: .readable) { _ in }
    var deadline = EventLoop.now
    var fired = 0
    let timer = Transport.Timer(on: loop) { now in
      XCTAssertGreaterThanOrEqual(now, deadline)
      fired += 1
    }
    write(pipe.write, "x")
    for _ in 0..<100 {
      deadline = EventLoop.now + .milliseconds(3)
      timer.set(deadline)
      try loop.turn()
    }
    watch.cancel()
    while timer.deadline != nil { try loop.turn() }
    XCTAssertGreaterThan(fired, 0)
  }

  /// Three timers are due together; the first cancels the second and moves the third.
  func testHandlersMayChangeTimersThatAreDue() throws {
    let loop = try EventLoop()
    let now = EventLoop.now
    var fired: [String] = []
    let second = Transport.Timer(on: loop) { _ in fired.append("second") }
    let third = Transport.Timer(on: loop) { _ in fired.append("third") }
    let first = Transport.Timer(on: loop) { now in
      fired.append("first")
      second.set(nil)
      third.set(now + .seconds(3600))
    }
    first.set(now - .seconds(3))
    second.set(now - .seconds(2))
    third.set(now - .seconds(1))
    try loop.turn()
    XCTAssertEqual(fired, ["first"])
    XCTAssertTrue(loop.timers.first === third)
    third.set(nil)
  }

  /// A timer that sets itself to the past fires once a turn, and descriptors are served in between.
  func testTimerInThePastDoesNotStarveDescriptors() throws {
    let loop = try EventLoop()
    let pipe = pipe()
    var fired = 0
    var timer: Transport.Timer?
    timer = Transport.Timer(on: loop) { _ in
      fired += 1
      timer?.set(Instant(nanoseconds: -5))
    }
    timer?.set(Instant(nanoseconds: .min))
    var isRead = false
    let watch = try loop.watch(pipe.read, for: .readable) { _ in isRead = true }
    try loop.turn()
    XCTAssertEqual(fired, 1)
    XCTAssertFalse(isRead)
    write(pipe.write, "x")
    try loop.turn()
    XCTAssertTrue(isRead)
    XCTAssertEqual(fired, 2)
    timer?.set(nil)
    timer = nil
    watch.cancel()
  }

  func testFarFutureIsAccepted() throws {
    let loop = try EventLoop()
    let never = Transport.Timer(on: loop) { _ in XCTFail("fired") }
    never.set(Instant(nanoseconds: .max))
    let soon = Transport.Timer(on: loop) { _ in }
    soon.set(EventLoop.now)
    try loop.turn()
    never.set(nil)
  }

  func testEndOfTurnComesAfterAllHandlers() throws {
    let loop = try EventLoop()
    let pipe = pipe()
    var order: [String] = []
    let watch = try loop.watch(pipe.read, for: .readable) { _ in order.append("descriptor") }
    let timer = Transport.Timer(on: loop) { _ in order.append("timer") }
    loop.endOfTurn = { _ in order.append("end") }
    write(pipe.write, "x")
    timer.set(EventLoop.now)
    try loop.turn()
    XCTAssertEqual(order.last, "end")
    XCTAssertEqual(order.filter { $0 == "end" }.count, 1)
    XCTAssertTrue(order.contains("descriptor"))
    watch.cancel()
    timer.set(nil)
  }

  func testStopEndsTheTurnAndRunStartsAgain() throws {
    let loop = try EventLoop()
    var turns = 0
    let timer = Transport.Timer(on: loop) { _ in loop.stop() }
    loop.endOfTurn = { _ in turns += 1 }
    for _ in 0..<2 {
      timer.set(EventLoop.now)
      try loop.run()
    }
    XCTAssertEqual(turns, 2)
  }
}
