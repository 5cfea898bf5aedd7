import XCTest

@testable import Transport

/// The steps of `PullState` that a walk may not meet.
final class PullStateTests: XCTestCase {
  private let now = Instant(nanoseconds: 1_000_000_000)
  private let limits = PullLimits()

  /// Open, with request 2 under way.
  private func pulling(isOrdered: Bool = true, pending: UInt64 = 5) -> PullState {
    var state = PullState(isOrdered: isOrdered, limits: limits, seed: 1)
    state.start(isConnected: true, at: now)
    XCTAssertEqual(actions(&state), [.open(number: 1, after: nil)])
    state.handleOpened(1, .success(ConsumerInfo(pendingCount: pending)), at: now)
    XCTAssertEqual(
      actions(&state), pending == 0 ? [.report(.current), .pull(number: 2)] : [.pull(number: 2)])
    return state
  }

  private func actions(_ state: inout PullState, at time: Instant? = nil) -> [PullState.Action] {
    var actions: [PullState.Action] = []
    while let action = state.nextAction(at: time ?? now) { actions.append(action) }
    return actions
  }

  private func delivery(_ sequence: UInt64, _ consumerSequence: UInt64, pending: UInt64 = 3) throws
    -> Delivery
  {
    let reply = "$JS.ACK.E.c.1.\(sequence).\(consumerSequence).1.\(pending)"
    return try XCTUnwrap(Delivery(replySubject: bytes(reply).span))
  }

  func testAnotherConsumersMessagesAreNotTaken() throws {
    var state = pulling()
    XCTAssertFalse(state.handleMessage(try delivery(9, 1), isOfConsumer: false, at: now))
    XCTAssertEqual(actions(&state), [])
    XCTAssertTrue(state.handleMessage(try delivery(4, 1), isOfConsumer: true, at: now))
    XCTAssertTrue(state.handleMessage(try delivery(7, 2), isOfConsumer: true, at: now))
    XCTAssertEqual(actions(&state), [])
  }

  func testGapIsFetchedAnew() throws {
    var state = pulling()
    XCTAssertTrue(state.handleMessage(try delivery(4, 1), isOfConsumer: true, at: now))
    XCTAssertFalse(state.handleMessage(try delivery(6, 3), isOfConsumer: true, at: now))
    XCTAssertEqual(actions(&state), [.discard(number: 1), .open(number: 3, after: 4)])
    // What still comes of the old one is not taken; it comes again.
    XCTAssertFalse(state.handleMessage(try delivery(7, 4), isOfConsumer: false, at: now))
    state.handleOpened(3, .success(ConsumerInfo(streamSequence: 4, pendingCount: 2)), at: now)
    XCTAssertEqual(actions(&state), [.pull(number: 4)])
    XCTAssertTrue(state.handleMessage(try delivery(5, 1), isOfConsumer: true, at: now))
  }

  /// The last message was lost: only the heartbeat tells.
  func testGapThatAHeartbeatTells() throws {
    var state = pulling()
    XCTAssertTrue(state.handleMessage(try delivery(4, 1), isOfConsumer: true, at: now))
    state.handleStatus(.heartbeat(consumerSequence: 1), of: 2, at: now)
    XCTAssertEqual(actions(&state), [])
    state.handleStatus(.heartbeat(consumerSequence: 2), of: 2, at: now)
    XCTAssertEqual(actions(&state), [.discard(number: 1), .open(number: 3, after: 4)])
  }

  func testHeartbeatsKeepARequestAlive() {
    var state = pulling(isOrdered: false)
    let silence = limits.heartbeat * 2 + limits.grace
    XCTAssertEqual(state.deadline, now + silence)
    state.handleDeadline(at: now + silence - .nanoseconds(1))
    XCTAssertEqual(actions(&state), [])
    let later = now + .seconds(100)
    state.handleStatus(.heartbeat(consumerSequence: nil), of: 2, at: later)
    XCTAssertEqual(state.deadline, later + silence)
    // Of a request that is over: no sign of life.
    state.handleStatus(.heartbeat(consumerSequence: nil), of: 1, at: later + .seconds(50))
    XCTAssertEqual(state.deadline, later + silence)
    state.handleDeadline(at: later + silence)
    XCTAssertEqual(actions(&state), [.report(.problem(.timedOut))])
    XCTAssertLessThanOrEqual(try XCTUnwrap(state.deadline), later + silence + limits.backoffFirst)
  }

  func testARequestWhoseEndIsLostIsMadeAgain() {
    var state = pulling(isOrdered: false)
    var time = now
    while time < now + limits.expires {
      time = time + limits.heartbeat
      state.handleStatus(.heartbeat(consumerSequence: nil), of: 2, at: time)
    }
    let end = now + limits.expires + limits.grace
    XCTAssertEqual(state.deadline, end)
    state.handleDeadline(at: end)
    XCTAssertEqual(actions(&state, at: end), [.pull(number: 3)])
  }

  func testEveryStatus() {
    let refused = JetStreamError(code: 409, reason: "Consumer is push based")
    typealias Row = (PullStatus, afterPause: [PullState.Action], problems: [PullState.Action])
    let table: [Row] = [
      (.ended, [.pull(number: 3)], []), (.interrupted, [.pull(number: 3)], []),
      (.gone, [.open(number: 3, after: nil)], []),
      (
        .tooLarge, [.pull(number: 3)],
        [.report(.problem(.messageTooLarge(limit: limits.batchBytes)))]
      ),
      (
        .refused(refused), [.open(number: 3, after: nil)],
        [.report(.problem(.refused(refused)))]
      ),
    ]
    for (status, afterPause, problems) in table {
      var state = pulling(isOrdered: false)
      state.handleStatus(status, of: 7, at: now)
      XCTAssertEqual(actions(&state), [], "of another request")
      state.handleStatus(status, of: 2, at: now)
      XCTAssertEqual(actions(&state), problems)
      // Never at once: a server that refuses at once is not hammered.
      let until = state.deadline ?? now
      XCTAssertLessThanOrEqual(until, now + limits.backoffFirst)
      state.handleDeadline(at: until)
      XCTAssertEqual(actions(&state), afterPause, "\(status)")
    }
  }

  /// The batch was full of bytes, not of messages.
  func testTooLargeForTheRestOfABatchIsItsEnd() throws {
    var state = pulling()
    XCTAssertTrue(state.handleMessage(try delivery(4, 1), isOfConsumer: true, at: now))
    state.handleStatus(.tooLarge, of: 2, at: now)
    XCTAssertEqual(actions(&state), [.pull(number: 3)])
  }

  func testLateAnswersHaveNoEffect() {
    var state = pulling()
    state.handleLink(isConnected: false, at: now)
    XCTAssertNil(state.deadline)
    state.handleOpened(1, .failure(.disconnected), at: now)
    state.handleStatus(.gone, of: 2, at: now)
    state.handleNotSent(2, .outboxFull, at: now)
    XCTAssertEqual(actions(&state), [])
    state.handleLink(isConnected: true, at: now)
    state.handleLink(isConnected: true, at: now)
    XCTAssertEqual(actions(&state), [.discard(number: 1), .open(number: 3, after: nil)])
    state.stop()
    state.handleOpened(3, .success(ConsumerInfo()), at: now)
    state.handleLink(isConnected: true, at: now)
    XCTAssertEqual(actions(&state), [])
    XCTAssertNil(state.deadline)
  }

  func testADurableConsumerIsUsedAgainAfterAReconnect() {
    var state = pulling(isOrdered: false, pending: 0)
    state.handleLink(isConnected: false, at: now)
    state.handleLink(isConnected: true, at: now)
    XCTAssertEqual(actions(&state), [.pull(number: 3)])
    state.stop()
    XCTAssertEqual(actions(&state), [])
  }
}
