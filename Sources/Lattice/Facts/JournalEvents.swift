import Transport

/// Tells as facts what becomes of facts: that some had to go, that some may be missing after a power cut,
/// and that the journal is in memory only. It is told a moment later, not while the journal is at work.
final class JournalEvents {
  /// Facts of one class that had to go since that was last told.
  private struct Dropped {
    var count: UInt64
    var firstSequence: UInt64
    var lastSequence: UInt64
    var firstTime: FactTime
    var lastTime: FactTime
  }

  /// What is dropped within that is told together; each telling needs room itself.
  private static let droppedFirst = Duration.seconds(1)
  private static let droppedPeriod = Duration.seconds(60)

  private let journal: Journal
  private let diagnostics: any Diagnostics
  private var dropped: [Dropped?] = [nil, nil, nil]
  private var gap: JournalGap?
  /// What is to be told of the disk: the reason, or nil for its being there again.
  private var problem: String??
  private var droppedDue: Instant?
  private var droppedTold: Instant?
  private var hasNews = false
  /// The time of the last look at it.
  private var now = Instant(nanoseconds: 0)

  /// Listens to a journal that is not open yet.
  init(of journal: Journal, diagnostics: any Diagnostics) {
    self.journal = journal
    self.diagnostics = diagnostics
    journal.onDropped = { [self] facts in add(facts) }
    journal.onGap = { [self] gap in
      self.gap = gap
      hasNews = true
    }
    journal.onProblem = { [self] reason in
      problem = .some(reason)
      hasNews = true
    }
  }

  /// Ends listening.
  func stop() {
    journal.onDropped = nil
    journal.onGap = nil
    journal.onProblem = nil
  }

  var deadline: Instant? { hasNews ? now : droppedDue }

  /// Tells what is to be told by now.
  func handleDeadline(of host: LatticeHost, at now: Instant) {
    self.now = now
    if hasNews { tellNews(of: host, at: now) }
    if droppedDue.isDue(at: now) { tellDropped(of: host, at: now) }
  }

  /// Tells all there is.
  func tellAll(of host: LatticeHost, at now: Instant) {
    tellNews(of: host, at: now)
    if droppedDue != nil { tellDropped(of: host, at: now) }
  }

  private func tellNews(of host: LatticeHost, at now: Instant) {
    hasNews = false
    if let gap {
      self.gap = nil
      diagnostics.report(
        "facts missing",
        "facts of the last \(gap.interval.milliseconds) ms before the power went may be missing")
      var body = Record()
      body.append("first_seq", .integer(Int64(clamping: gap.firstSequence)))
      body.append("end_seq", .integer(Int64(clamping: gap.endSequence)))
      body.append("interval_ms", .integer(gap.interval.milliseconds))
      if let run = gap.run { body.append("run", .string(run.id.span.string)) }
      host.tell(.gap, body, at: now)
    }
    if let problem {
      self.problem = nil
      if let reason = problem {
        diagnostics.report("journal", "facts are in memory only: \(reason)")
      } else {
        diagnostics.report("journal is back", "facts are on the disk again")
      }
      var body = Record()
      body.append("state", .string(problem == nil ? "disk" : "memory"))
      if let reason = problem { body.append("reason", .string(reason)) }
      host.tell(.journal, body, at: now)
    }
  }

  private func tellDropped(of host: LatticeHost, at now: Instant) {
    droppedDue = nil
    droppedTold = now
    for factClass in FactClass.allCases {
      let index = Int(factClass.rawValue)
      guard let facts = dropped[index] else { continue }
      dropped[index] = nil
      diagnostics.report(
        "facts dropped",
        "the journal is full: \(facts.count) facts were dropped, of the class \(factClass.text)")
      var body = Record()
      body.append("class", .string(factClass.text))
      body.append("count", .integer(Int64(clamping: facts.count)))
      body.append("first_seq", .integer(Int64(clamping: facts.firstSequence)))
      body.append("last_seq", .integer(Int64(clamping: facts.lastSequence)))
      // Of others nobody knows the time, nor in which boot they were recorded.
      if facts.firstTime.isSynchronised, facts.lastTime.isSynchronised {
        body.append("first_time", .string(facts.firstTime.wallClock.rfc3339))
        body.append("last_time", .string(facts.lastTime.wallClock.rfc3339))
      }
      host.tell(.dropped, body, at: now)
    }
  }

  private func add(_ facts: DroppedFacts) {
    let index = Int(facts.factClass.rawValue)
    var all =
      dropped[index]
      ?? Dropped(
        count: 0, firstSequence: facts.firstSequence, lastSequence: facts.lastSequence,
        firstTime: facts.firstTime, lastTime: facts.lastTime)
    all.count &+= facts.count
    // What is in memory may go before what is older and on the disk.
    if facts.firstSequence < all.firstSequence {
      (all.firstSequence, all.firstTime) = (facts.firstSequence, facts.firstTime)
    }
    if facts.lastSequence > all.lastSequence {
      (all.lastSequence, all.lastTime) = (facts.lastSequence, facts.lastTime)
    }
    dropped[index] = all
    if droppedDue != nil { return }
    let first = now + JournalEvents.droppedFirst
    droppedDue = droppedTold.map { max($0 + JournalEvents.droppedPeriod, first) } ?? first
  }
}

extension FactClass {
  /// As the host's events and the commands write it.
  public var text: String {
    switch self {
    case .reading: "reading"
    case .event: "event"
    case .alarm: "alarm"
    }
  }
}
