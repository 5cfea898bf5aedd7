import CLinux
import Transport

/// What a host can tell of itself.
public enum HostMetric: Equatable {
  /// The part of its time that the processor worked since the reading before, from 0 to 1.
  case cpu
  /// The bytes of memory that a program may still take.
  case memory
  /// The bytes that may still be written to the file system that a path is on.
  case disk(path: String)
  /// The seconds since the board was started.
  case uptime
  /// How many tasks want to run, over the last minute.
  case load
  /// By how many seconds the wall clock is off, as whatever keeps it right told the kernel.
  case clockOffset

  public var text: String {
    switch self {
    case .cpu: "cpu"
    case .memory: "memory"
    case .disk: "disk"
    case .uptime: "uptime"
    case .load: "load"
    case .clockOffset: "clock_offset"
    }
  }

  public var quantity: SensorQuantity {
    switch self {
    case .cpu: .ratio
    case .memory, .disk: .bytes
    case .uptime, .clockOffset: .duration
    case .load: .count
    }
  }
}

final class HostProbe: Probe {
  private let metric: HostMetric
  private let proc: String
  private let statistics: String
  private let time: any TimeSource
  /// Of the processor, at the last reading that was long enough after the one before.
  private var ticks: ProcessorTicks?
  private var path = ""

  init(_ metric: HostMetric, proc: String, time: any TimeSource) {
    self.metric = metric
    self.proc = proc
    self.time = time
    statistics = DeviceFolder.path(proc, "stat")
    if case .cpu = metric {
      ticks = (try? DeviceFolder.content(statistics, sizeMax: 256)).flatMap { ProcessorTicks($0) }
    }
  }

  func requests() -> FileRequests {
    switch metric {
    case .cpu: path = statistics
    case .memory: path = DeviceFolder.path(proc, "meminfo")
    case .uptime: path = DeviceFolder.path(proc, "uptime")
    case .load: path = DeviceFolder.path(proc, "loadavg")
    case .clockOffset: path = ""
    case .disk(let folder):
      path = folder
      var requests = FileRequests([], lane: "disk " + folder)
      requests.files = [FileRequest(path: folder, action: .freeBytes)]
      return requests
    }
    return FileRequests(path.utf8.isEmpty ? [] : [path], lane: path)
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    switch metric {
    case .cpu: return try load(try contents.content(0).bytes(path))
    case .memory:
      return Measured(try number("MemAvailable:", contents) * 1_024)
    case .uptime, .load: return Measured(try number("", contents))
    case .disk: return Measured(try contents.content(0).decimal(path))
    case .clockOffset:
      let offset = Double(linux_clock_offset_nanoseconds()) / 1_000_000_000
      if time.isSynchronised { return Measured(offset) }
      return Measured(offset, uncertain: "nothing keeps the clock right")
    }
  }

  private func number(
    _ after: String, _ contents: [FileContent]
  ) throws(ReadingError) -> Double {
    let bytes = try contents.content(0).bytes(path)
    let pattern = FilePattern(path: path, after: after.utf8.isEmpty ? nil : after)
    return try pattern.number(in: bytes)
  }

  private func load(_ content: [UInt8]) throws(ReadingError) -> Measured {
    guard let present = ProcessorTicks(content) else {
      throw ReadingError("\(path) begins with no times of the processor")
    }
    guard let before = ticks, before.all < present.all, before.idle <= present.idle else {
      // Nothing has passed, or the counters were set back.
      if ticks.map({ $0.all != present.all }) ?? true { ticks = present }
      throw ReadingError("\(path): the times of the processor have not gone on since the last try")
    }
    ticks = present
    let idle = Double(present.idle - before.idle) / Double(present.all - before.all)
    return Measured(max(1 - idle, 0))
  }
}

/// How long all processors together have worked and idled since the start, in ticks: the first line of
/// /proc/stat.
struct ProcessorTicks: Equatable {
  private(set) var all: UInt64 = 0
  private(set) var idle: UInt64 = 0

  init?(_ content: [UInt8]) {
    let line = content.prefix { $0 != UInt8(ascii: "\n") }
    let words = line.split(separator: UInt8(ascii: " "))
    guard words.count >= 5, words[0].elementsEqual("cpu".utf8) else { return nil }
    // User, nice, system, idle, waiting, interrupts, software interrupts, stolen; guests are within.
    for (index, word) in words[1...].prefix(8).enumerated() {
      guard let ticks = Array(word).span.unsignedNumber else { return nil }
      let (sum, overflow) = all.addingReportingOverflow(ticks)
      if overflow { return nil }
      all = sum
      if index == 3 || index == 4 { idle += ticks }
    }
  }
}
