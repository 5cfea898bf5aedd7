import CBench
import Transport

/// A journal whose time is the bench's.
final class Queue {
  private static let sync = Duration.seconds(5)

  private let loop: EventLoop
  private let disk: CountingStorage
  private let tail: CountingStorage
  private let journal: Journal
  private var now = Instant(nanoseconds: 1_000_000_000)
  private let recoverySeconds: Double
  private let subject = Array("gpio.dock-door.edge".utf8)
  private(set) var memoryMax: Int64 = 0

  init(in folder: String, tail tailPath: String) throws(SystemError) {
    loop = try EventLoop()
    disk = CountingStorage(JournalFile(path: "\(folder)/journal", .disk, loop: loop))
    tail = CountingStorage(JournalFile(path: tailPath, .tail, loop: loop))
    var configuration = JournalConfiguration()
    configuration.sync = Queue.sync
    let run = JournalRun(id: Array("bench".utf8), boot: [UInt8](repeating: 7, count: 16))
    journal = Journal(configuration, run: run, disk: disk, tail: tail)
    let start = bench_now()
    journal.open(at: now)
    recoverySeconds = Double(bench_now() - start) / 1e9
    if journal.status.problem != nil { bench_fail("the journal does not write") }
  }

  func report(recoveryOf count: Int64) {
    if journal.nextWaiting(from: 0)?.sequence != 1 { bench_fail("the first fact is missing") }
    if journal.status.waiting != UInt64(count) { bench_fail("facts are missing") }
    bench_report("recovery_seconds", recoverySeconds)
  }

  /// Keeps facts that nobody acknowledges.
  func append(
    _ numbers: ClosedRange<Int64>, inBatchesOf batch: Int64, as name: String
  ) throws(SystemError) {
    let phase = begin()
    for number in numbers {
      append(number)
      if number % batch == 0 { try sync() }
    }
    try settle()
    if journal.status.waiting != UInt64(numbers.count) { bench_fail("facts were dropped") }
    end(phase, name, numbers.count)
  }

  /// Reads all facts in order and acknowledges them.
  func drain(
    _ numbers: ClosedRange<Int64>, inBatchesOf batch: Int64, as name: String
  ) throws(SystemError) {
    let phase = begin()
    for number in numbers {
      let sequence = UInt64(number)
      guard let record = journal.nextWaiting(from: sequence), record.sequence == sequence,
        record.payload.count >= 50
      else { bench_fail("a fact is missing") }
      journal.acknowledge(sequence, at: now)
      if number % batch == 0 { try sync() }
    }
    try settle()
    if journal.status.waiting != 0 { bench_fail("facts are still there") }
    end(phase, name, numbers.count)
  }

  /// Acknowledges each fact before the next is kept.
  func passThrough(
    _ numbers: ClosedRange<Int64>, inBatchesOf batch: Int64
  ) throws(SystemError) {
    let phase = begin()
    for number in numbers {
      append(number)
      journal.acknowledge(UInt64(number), at: now)
      if number % batch == 0 { try sync() }
    }
    try settle()
    end(phase, "healthy", numbers.count)
  }

  private func append(_ number: Int64) {
    let payload = [UInt8](unsafeUninitializedCapacity: Int(BENCH_FACT_BYTES)) {
      buffer, length in
      length = Int(bench_fact(number, buffer.baseAddress))
    }
    let time = FactTime(
      instant: now, wallClock: Timestamp(nanoseconds: 1_800_000_000_000_000_000 + number),
      isSynchronised: true)
    let subject = subject
    let sequence = journal.append(
      .event, time, subject: subject.span, payload: payload.span, at: now)
    if sequence != UInt64(number) { bench_fail("a fact was not kept") }
  }

  /// Lets the time go by after which a batch is to be on the disk. It goes there while the next batch is
  /// kept, and has to be there before that one goes.
  private func sync() throws(SystemError) {
    try settle()
    now = now + Queue.sync
    journal.handleDeadline(at: now)
    memoryMax = max(memoryMax, bench_memory_bytes())
  }

  /// Waits for the disk.
  private func settle() throws(SystemError) {
    while disk.isSyncing { try loop.turn() }
  }

  // MARK: results

  private struct Phase {
    let cost: bench_phase
    let disk: Int
    let tail: Int
  }

  private func begin() -> Phase {
    Phase(cost: bench_phase_begin(), disk: disk.writtenBytes, tail: tail.writtenBytes)
  }

  private func end(_ phase: Phase, _ name: String, _ number: Int) {
    let count = Int64(number)
    bench_phase_end(phase.cost, name, count)
    bench_report_each(name, "file_bytes", Double(disk.writtenBytes - phase.disk), count)
    bench_report_each(name, "tail_bytes", Double(tail.writtenBytes - phase.tail), count)
  }
}
