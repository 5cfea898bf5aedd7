import CLinux
import Transport

/// Reads files whose drivers take long on helper threads: a conversion of 1-Wire takes 750 ms, and a bus
/// that is stuck takes for ever. There is a thread only while something is read.
///
/// - A few read at once, and what shares a lane one after the other; the rest waits for its turn. Reads
///   of a lane that share a trigger, and wait, are handled together.
/// - A read that hangs is told as a failure, and no longer counts: neither its lane nor the others wait
///   for it. Its thread stays until the kernel lets go of it, and what it brings then is thrown away.
final class ThreadReader: FileReader {
  struct Limits {
    /// Threads that are not known to hang. The kernel does most of the waiting; arbitrary.
    var active = 4
    /// Threads in all. One takes 16 kB of memory and a descriptor.
    var threads = 32
    /// A read that takes so long hangs. The slowest that is none: a 1-Wire bus in trouble, which the
    /// kernel tries several times, and I2C, which gives up after seconds.
    var hangs = Duration.seconds(12)
    /// How long a read waits for its turn. Only when many hang is it so long.
    var waits = Duration.seconds(60)
  }

  /// Files of one thread, so that there are over a hundred bytes of the result for each: a `w1_slave`
  /// has 75.
  private static let filesMax = 32

  private let loop: EventLoop
  private let time: any TimeSource
  private let limits: Limits
  private var waiting: [(read: FileRead, since: Instant)] = []
  private var batches: [Batch] = []
  private var timer: Timer?

  /// What one thread reads.
  private final class Batch {
    let reads: [FileRead]
    let descriptor: Int32
    let started: Instant
    var hangs = false
    var watch: Watch?

    init(_ reads: [FileRead], _ descriptor: Int32, _ started: Instant) {
      self.reads = reads
      self.descriptor = descriptor
      self.started = started
    }

    var lane: String { reads.first?.requests.lane ?? "" }
  }

  init(on loop: EventLoop, time: any TimeSource, limits: Limits = Limits()) {
    self.loop = loop
    self.time = time
    self.limits = limits
  }

  /// Threads that are reading, or hang.
  var threadCount: Int { batches.count }

  func start(_ read: FileRead, at now: Instant) {
    waiting.append((read, now))
    startWaiting(at: now)
  }

  // MARK: starting

  /// Starts what may start, in the order in which it came.
  private func startWaiting(at now: Instant) {
    var index = 0
    while index < waiting.count {
      let active = batches.reduce(0) { $1.hangs ? $0 : $0 + 1 }
      if active >= limits.active || batches.count >= limits.threads { break }
      let lane = waiting[index].read.requests.lane
      if batches.contains(where: { !$0.hangs && $0.lane == lane }) {
        index += 1
      } else {
        startBatch(takeBatch(from: index), at: now)
        // What a completion has added stands behind.
        index = 0
      }
    }
    armTimer()
  }

  /// Takes a read out of those that wait, with the others of its trigger.
  private func takeBatch(from index: Int) -> [FileRead] {
    let first = waiting.remove(at: index).read
    guard let trigger = first.requests.trigger else { return [first] }
    var reads = [first]
    var files = first.requests.files.count + 1
    var place = index
    while place < waiting.count {
      let requests = waiting[place].read.requests
      if let other = requests.trigger, other == trigger, requests.lane == first.requests.lane,
        files + requests.files.count <= ThreadReader.filesMax
      {
        files += requests.files.count
        reads.append(waiting.remove(at: place).read)
      } else {
        place += 1
      }
    }
    return reads
  }

  private func startBatch(_ reads: [FileRead], at now: Instant) {
    var bytes: [UInt8] = []
    var count = 0
    if let trigger = reads.first?.requests.trigger {
      ThreadReader.append(UInt8(ascii: "t"), trigger, to: &bytes)
      count += 1
    }
    for read in reads {
      for file in read.requests.files {
        let letter = file.action == .read ? UInt8(ascii: "r") : UInt8(ascii: "f")
        ThreadReader.append(letter, file.path, to: &bytes)
        count += 1
      }
    }
    let capacity = Int(LINUX_READS_MAX) / max(count, 1) - 4
    let descriptor = bytes.withUnsafeBytes { bytes in
      linux_reads(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, capacity)
    }
    if descriptor < 0 {
      return fail(reads, "cannot be read: \(SystemError("pthread_create", descriptor).reason)")
    }
    let batch = Batch(reads, descriptor, now)
    do throws(SystemError) {
      batch.watch = try loop.watch(descriptor, for: .readable) { [self] _ in end(batch) }
    } catch {
      _ = linux_close(descriptor)
      return fail(reads, "cannot be read: \(error)")
    }
    batches.append(batch)
  }

  private static func append(_ letter: UInt8, _ path: String, to bytes: inout [UInt8]) {
    bytes.append(letter)
    for byte in path.utf8 where byte != 0 { bytes.append(byte) }
    bytes.append(0)
  }

  private func fail(_ reads: [FileRead], _ reason: Text) {
    for read in reads {
      read.isUnderWay = false
      read.tell(.failure(ReadingError(reason)))
    }
  }

  // MARK: ending

  private func end(_ batch: Batch) {
    batch.watch?.cancel()
    var bytes = [UInt8](repeating: 0, count: Int(LINUX_READS_MAX))
    let length = linux_reads_result(batch.descriptor, &bytes, bytes.count)
    _ = linux_close(batch.descriptor)
    batches.removeAll { $0 === batch }
    var reader = ReadsReader(bytes, count: Int(clamping: max(length, 0)))
    if batch.reads.first?.requests.trigger != nil {
      // Where the trigger may not be written, each sensor makes its own conversion.
      _ = reader.next()
    }
    for read in batch.reads {
      let contents = read.requests.files.map { _ in reader.next() }
      read.isUnderWay = false
      read.tell(.success(contents))
    }
    startWaiting(at: time.now)
  }

  private func armTimer() {
    var deadline: Instant?
    for batch in batches where !batch.hangs {
      deadline = Instant.earlier(deadline, batch.started + limits.hangs)
    }
    for entry in waiting { deadline = Instant.earlier(deadline, entry.since + limits.waits) }
    if deadline == nil && timer == nil { return }
    let timer = timer ?? Timer(on: loop) { [self] now in handleDeadline(at: now) }
    self.timer = timer
    timer.set(deadline)
  }

  private func handleDeadline(at now: Instant) {
    for batch in batches where !batch.hangs && batch.started + limits.hangs <= now {
      batch.hangs = true
      let seconds = limits.hangs.seconds
      for read in batch.reads {
        read.tell(.failure(ReadingError("has been reading for more than \(seconds) s")))
      }
    }
    let late = waiting.filter { $0.since + limits.waits <= now }
    waiting.removeAll { $0.since + limits.waits <= now }
    let seconds = limits.waits.seconds
    fail(late.map { $0.read }, "waited \(seconds) s, as \(batches.count) other reads hang")
    startWaiting(at: now)
  }
}

/// Takes what a helper thread has read apart: see `linux_reads_result`.
private struct ReadsReader {
  private let bytes: [UInt8]
  private let count: Int
  private var place = 0

  init(_ bytes: [UInt8], count: Int) {
    self.bytes = bytes
    self.count = min(count, bytes.count)
  }

  mutating func next() -> FileContent {
    guard count - place >= 4 else { return .failure(SystemError("read", -5)) }
    var status: UInt32 = 0
    // Boards and this machine are all little-endian.
    for index in 0..<4 { status |= UInt32(bytes[place + index]) << (8 * UInt32(index)) }
    place += 4
    let length = Int(Int32(bitPattern: status))
    if length < 0 { return .failure(SystemError("read", Int32(bitPattern: status))) }
    guard length <= count - place else { return .failure(SystemError("read", -5)) }
    defer { place += length }
    return .success(Array(bytes[place..<place + length]))
  }
}
