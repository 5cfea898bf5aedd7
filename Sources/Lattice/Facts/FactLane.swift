import Transport

/// Carries facts to whoever keeps them, strictly one at a time: the next one is taken when it is known
/// that the one before is kept. So none of a lane is stored before an earlier one, whatever is lost, late
/// or doubled on the way.
///
/// Into a stream a fact goes only on the condition that its subject has had no message since the last one
/// that is known. When nobody says what became of it, the stream is looked through before it is sent again,
/// and a copy that is still on its way somewhere is refused by its own condition. So it is stored once, and
/// no window of time and no clock has a part in that.
///
/// Who keeps facts without a stream gets the same fact again, with the same id, until there is an answer.
///
/// It does nothing itself: `next` gives a step, and `handle` takes its outcome.
struct FactLane {
  private enum State: Equatable {
    case empty
    case ready
    case pausing(until: Instant)
    case underWay(FactStep)
  }

  /// What becomes of the fact when a step has ended.
  enum Verdict: Equatable {
    /// It stays, for another step.
    case goesOn
    /// Somebody keeps it; the lane is empty.
    case kept
    /// Nobody keeps its kind now; the lane is empty.
    case unwanted(FactAttempt)
  }

  static let timeoutFirst = Duration.seconds(5)
  /// A link slower than that gets no fact through.
  static let timeoutCap = Duration.seconds(80)
  /// Of questions to a JetStream.
  static let questionTimeout = Duration.seconds(10)
  static let pauseFirst = Duration.milliseconds(500)
  static let pauseCap = Duration.seconds(5)
  /// After so many questions in a row that nobody has answered, none is asked any more: facts may be kept
  /// by somebody who is no JetStream, or who lets us only publish.
  static let questionsMax: UInt32 = 4

  private(set) var attempt: FactAttempt?
  private var state = State.empty
  private var backoff: Backoff
  /// Questions without an answer since there was one.
  private var unanswered: UInt32 = 0
  /// Look-ups that nobody listened to, of a stream that is there.
  private var unheard: UInt32 = 0

  init(seed: UInt64) {
    backoff = Backoff(first: FactLane.pauseFirst, cap: FactLane.pauseCap, seed: seed)
  }

  var isEmpty: Bool { attempt == nil }

  /// The fact whose outcome is waited for.
  var sending: JournalRecord? {
    if case .underWay(.send) = state { return attempt?.fact }
    return nil
  }

  /// When `next` may have something that it has not now.
  var deadline: Instant? {
    if case .pausing(let until) = state { return until }
    return nil
  }

  /// Whether nobody is waited for.
  var isIdle: Bool {
    if case .underWay = state { return false }
    return true
  }

  /// Puts a fact into the empty lane.
  mutating func take(_ attempt: FactAttempt) {
    self.attempt = attempt
    state = .ready
    unanswered = 0
    unheard = 0
  }

  /// Takes the fact out.
  mutating func clear() {
    attempt = nil
    state = .empty
  }

  /// The link is there again: what waited for it may go at once.
  mutating func handleConnected() {
    backoff.reset()
    unanswered = 0
    if case .pausing = state { state = .ready }
  }

  /// The step to do now, if any; then its outcome is waited for.
  mutating func next(_ known: FactKnowledge, at now: Instant) -> FactStep? {
    switch state {
    case .empty, .underWay: return nil
    case .pausing(let until): if until > now { return nil }
    case .ready: break
    }
    guard let step = attempt.map({ FactLane.step(for: $0, known) }) else { return nil }
    if case .send(let expected) = step {
      attempt?.sendings &+= 1
      // A copy can only be behind what it is put behind.
      if let expected { attempt?.floor = expected }
    }
    if let position = known.subject, attempt?.keeper == .unknown {
      attempt?.setStream(position.stream)
      if case .send(let expected?) = step { attempt?.floor = expected }
    }
    state = .underWay(step)
    return step
  }

  private static func step(for attempt: FactAttempt, _ known: FactKnowledge) -> FactStep {
    var attempt = attempt
    if let position = known.subject, attempt.keeper == .unknown {
      attempt.setStream(position.stream)
    }
    switch attempt.keeper {
    case .noStream, .silent, .denied: return .send(expecting: nil)
    case .unknown: return known.mayAsk ? .ask : .send(expecting: nil)
    case .stream(let name):
      if !known.mayAsk { return .send(expecting: nil) }
      let position = known.subject.flatMap { $0.stream == name ? $0 : nil }
      if attempt.isInDoubt {
        // What was looked at for the facts before it was looked at for this one, too; but not for what went
        // in a batch of this run.
        let isSeen =
          attempt.fact.isRecovered && attempt.sendings == 0 && position?.isSeen ?? false
        if isSeen, let position { return .send(expecting: position.last) }
        return .lookUp(behind: attempt.floor)
      }
      if let position { return .send(expecting: position.last) }
      return .lookUp(behind: .max)
    }
  }

  // MARK: outcomes

  /// Takes the outcome of the step under way. With none under way it has no effect.
  mutating func handle(
    _ outcome: FactOutcome, _ known: FactKnowledge, at now: Instant
  ) -> Verdict {
    guard case .underWay(let step) = state, attempt != nil else { return .goesOn }
    state = .ready
    switch outcome {
    case .kept:
      backoff.reset()
      clear()
      return .kept
    case .refused: pause(at: now)
    case .notSent:
      if case .send = step { attempt?.sendings &-= 1 }
      pause(at: now)
    case .outOfPlace:
      // A copy of it was first, or another fact of its subject. Should that be so again and again,
      // somebody else writes there all the time.
      if !(attempt?.isOnlyCopy ?? false) { attempt?.isInDoubt = true }
      if backoff.failures > 0 { pause(at: now) } else { _ = backoff.next() }
    case .stream(let name): answered { $0.setStream(name) }
    case .noStream: answered { $0.keeper = .noStream }
    case .absent(let last):
      unheard = 0
      answered {
        $0.isInDoubt = false
        $0.floor = last
      }
    case .streamGone:
      answered { $0.forgetStream() }
      pause(at: now)
    case .disconnected:
      if case .send = step { attempt?.isInDoubt = true }
    case .noResponders, .timedOut:
      if case .send = step { return handleSilence(outcome, known, at: now) }
      handleUnanswered(outcome, known, at: now)
    }
    return .goesOn
  }

  /// Nobody has said that the fact is kept.
  private mutating func handleSilence(
    _ outcome: FactOutcome, _ known: FactKnowledge, at now: Instant
  ) -> Verdict {
    if outcome == .timedOut {
      attempt?.isInDoubt = true
      if let timeout = attempt?.timeout {
        attempt?.timeout = min(timeout * 2, FactLane.timeoutCap)
      }
    }
    if case .stream = attempt?.keeper {
      // Is there still a stream? A fact in doubt is looked for, which tells the same.
      if outcome == .noResponders { attempt?.keeper = .unknown }
      pause(at: now)
      return .goesOn
    }
    attempt?.keeper = .unknown
    guard let attempt else { return .goesOn }
    clear()
    return .unwanted(attempt)
  }

  /// A question was not answered.
  private mutating func handleUnanswered(
    _ outcome: FactOutcome, _ known: FactKnowledge, at now: Instant
  ) {
    unanswered = unanswered == .max ? unanswered : unanswered + 1
    if case .stream = attempt?.keeper, outcome == .noResponders, !known.hasLookedUp {
      return handleUnheard(at: now)
    }
    // A stream that was met is waited for: the way to it is cut. Where there never was one, whoever else
    // keeps facts is tried.
    if known.knowsStream {
      pause(at: now)
    } else if outcome == .noResponders {
      attempt?.keeper = .silent
    } else if unanswered >= FactLane.questionsMax {
      attempt?.keeper = .denied
    } else {
      pause(at: now)
    }
  }

  /// Nobody listens to a look-up: the way to the stream is cut, which the next question to the JetStream
  /// tells, too. Where that one is answered again and again, we may ask for names only.
  private mutating func handleUnheard(at now: Instant) {
    unheard += 1
    attempt?.keeper = unheard < FactLane.questionsMax ? .unknown : .silent
    pause(at: now)
  }

  private mutating func answered(_ change: (inout FactAttempt) -> Void) {
    unanswered = 0
    if var changed = attempt {
      change(&changed)
      attempt = changed
    }
  }

  /// Waits a while before the next step.
  mutating func pause(at now: Instant) { state = .pausing(until: now + backoff.next()) }
}
