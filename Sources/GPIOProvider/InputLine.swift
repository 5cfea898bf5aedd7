import Lattice
import Transport

/// An input whose edges are told one by one, with the exact number of those that were lost.
final class InputLine: ProvidedLine {
  private var lostEdges = LostEdges()
  /// The value is told anew after edges were lost, once what the kernel still has of them is read.
  private var valueDue: Instant?

  override func begin(_ values: [Bool], at now: Instant) {
    lostEdges.restart()
    super.begin(values, at: now)
  }

  override func end() { valueDue = nil }

  override func handle(_ edge: EdgeEvent, ofPart part: Int) -> [LineNews] {
    let lost = lostEdges.take(edge.lineSequence)
    var news = LineNews("edge", at: edge.time)
    news.fields.append("edge", .string(edge.isRising ? "rising" : "falling"))
    news.fields.append("active", .bool(edge.isRising))
    news.details.append("line_seq", .integer(Int64(edge.lineSequence)))
    if lost > 0 {
      news.details.append("lost", .integer(Int64(lost)))
      valueDue = edge.time
    }
    return [news]
  }

  override var deadline: Instant? { valueDue }

  override func handleDeadline(at now: Instant) -> [LineNews] {
    if valueDue.isDue(at: now) {
      valueDue = nil
      isStateUntold = true
    }
    return []
  }

  override func state(_ values: [Bool]) -> Record {
    var record = super.state(values)
    if lostEdges.total > 0 {
      record.append("lost", .integer(Int64(clamping: lostEdges.total)))
    }
    return record
  }

  override func describe(_ properties: inout Record) {
    if debounce > .zero && debounce != configuration.debounce {
      properties.append("debounce_taken_us", .integer(debounce.nanoseconds / 1_000))
    }
    if lostEdges.total > 0 {
      properties.append("lost", .integer(Int64(clamping: lostEdges.total)))
    }
  }
}
