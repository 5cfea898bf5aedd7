import XCTest

@testable import Transport

/// A journal on a simulated disk and tail, in a time that only the test moves.
class JournalWorld {
  let crash = SimulatedCrash()
  let disk: SimulatedDisk
  let tail: SimulatedDisk
  var configuration = JournalConfiguration()
  private(set) var journal: Journal
  var now = Instant(nanoseconds: 1_000_000_000)
  private(set) var run: JournalRun
  private var runCount = 0
  private var bootCount = 0

  private(set) var dropped: [DroppedFacts] = []
  private(set) var problems: [String?] = []
  private(set) var gaps: [JournalGap] = []
  /// What was told since the last start.
  var onDropped: ((DroppedFacts) -> Void)?

  init(size: Int = 256 << 10, memory: Int = 16 << 10) {
    disk = SimulatedDisk(crash: crash)
    tail = SimulatedDisk(name: "tail", crash: crash)
    configuration.size = size
    configuration.memory = memory
    run = JournalRun(id: bytes("R0"), boot: bytes("boot 0"))
    journal = Journal(configuration, run: run, disk: disk, tail: tail)
  }

  /// Starts a process.
  func start(withDisk: Bool = true, withTail: Bool = true) {
    runCount += 1
    run = JournalRun(id: bytes("R\(runCount)"), boot: bytes("boot \(bootCount)"))
    (gaps, problems, dropped) = ([], [], [])
    crash.begin()
    journal = Journal(
      configuration, run: run, disk: withDisk ? disk : nil, tail: withTail ? tail : nil)
    journal.onDropped = { [self] in
      dropped.append($0)
      onDropped?($0)
    }
    journal.onProblem = { [self] in problems.append($0) }
    journal.onGap = { [self] in gaps.append($0) }
    journal.open(at: now)
  }

  func kill() {
    disk.kill()
    tail.kill()
  }

  func cutPower(_ random: inout RandomGenerator) {
    bootCount += 1
    disk.cutPower(&random)
    tail.clear()
  }

  /// Moves the time on, and does what is due on the way; a sync ends at once unless the disk is slow.
  func pass(_ duration: Transport.Duration) {
    let end = now + duration
    var count = 0
    while !crash.hasHappened {
      if !disk.isSlow { disk.endSync(at: now) }
      guard let deadline = journal.deadline, deadline <= end, count < 1000 else { break }
      now = max(now, deadline)
      journal.handleDeadline(at: now)
      count += 1
    }
    XCTAssertLessThan(count, 1000, "the journal is due without an end")
    if !crash.hasHappened { now = end }
  }

  static func time(_ number: Int) -> FactTime {
    FactTime(
      instant: Instant(nanoseconds: Int64(number)), wallClock: Timestamp(nanoseconds: -1),
      isSynchronised: number % 3 == 0)
  }

  @discardableResult
  func append(_ factClass: FactClass = .event, _ number: Int = 0, payload: Int = 10) -> UInt64? {
    journal.append(
      factClass, JournalWorld.time(number), subject: bytes("gpio.door.edge").span,
      payload: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: payload).span, at: now)
  }

  var waiting: [UInt64] {
    var found: [UInt64] = []
    while let record = journal.nextWaiting(from: (found.last ?? 0) + 1) {
      found.append(record.sequence)
    }
    XCTAssertEqual(journal.status.waiting, UInt64(found.count))
    return found
  }

  func acknowledge(_ sequences: ClosedRange<UInt64>) {
    for sequence in sequences { journal.acknowledge(sequence, at: now) }
  }
}
