import Lattice
import Transport

/// An input whose edges are counted. What it counted is told once for each window in which there were
/// any, and outlives the process.
final class CounterLine: ProvidedLine {
  private var counter: PulseCounter
  private var lostEdges = LostEdges()
  /// Of the last window.
  private var rate = 0.0
  private let memory: (any LineMemory)?
  private let key: String

  init(_ configuration: LineConfiguration, memory: (any LineMemory)?) {
    self.memory = memory
    key = "count." + configuration.name
    counter = PulseCounter(every: configuration.every, count: memory?.recall(key) ?? 0)
    super.init(configuration)
  }

  override var operations: [String] { ["get", "reset"] }

  override func begin(_ values: [Bool], at now: Instant) {
    lostEdges.restart()
    counter.begin(at: now)
    super.begin(values, at: now)
  }

  override func handle(_ edge: EdgeEvent, ofPart part: Int) -> [LineNews] {
    counter.pulse(lost: lostEdges.take(edge.lineSequence), at: edge.time)
    return []
  }

  override func end() { memory?.remember(counter.count, for: key, isUrgent: false) }

  override var deadline: Instant? { isTaken ? counter.deadline : nil }

  override func handleDeadline(at now: Instant) -> [LineNews] {
    guard let report = counter.handleDeadline(at: now) else { return [] }
    rate = report.rate
    memory?.remember(report.count, for: key, isUrgent: false)
    var news = LineNews("count", at: now)
    news.fields.append("count", .integer(report.count))
    news.fields.append("pulses", .integer(report.pulses))
    news.fields.append("rate_hz", .double(report.rate))
    return [news]
  }

  override func state(_ values: [Bool]) -> Record {
    var record = Record()
    record.append("count", .integer(counter.count))
    record.append("rate_hz", .double(rate))
    if lostEdges.total > 0 {
      // They are counted, too.
      record.append("lost", .integer(Int64(clamping: lostEdges.total)))
    }
    return record
  }

  /// - Returns: the count before.
  func reset() -> Int64 {
    let count = counter.reset()
    memory?.remember(0, for: key, isUrgent: true)
    return count
  }
}
