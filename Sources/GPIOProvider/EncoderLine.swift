import Lattice
import Transport

/// Two inputs in quadrature: the position of what turns.
final class EncoderLine: ProvidedLine {
  private var decoder: QuadratureDecoder
  private var lostEdges = [LostEdges(), LostEdges()]

  override init(_ configuration: LineConfiguration) {
    decoder = QuadratureDecoder(every: configuration.every)
    super.init(configuration)
  }

  override var operations: [String] { ["get", "reset"] }

  override var parts: [LineConfiguration] {
    var first = configuration
    first.edges = .both
    var second = first
    // No name has a dot, so this is no other line's.
    second.name = configuration.name + ".b"
    second.location = configuration.secondLocation ?? configuration.location
    return [first, second]
  }

  override func begin(_ values: [Bool], at now: Instant) {
    for part in lostEdges.indices { lostEdges[part].restart() }
    decoder.begin(a: values.first ?? false, b: values.last ?? false)
    super.begin(values, at: now)
  }

  override func handle(_ edge: EdgeEvent, ofPart part: Int) -> [LineNews] {
    if !lostEdges.indices.contains(part) { return [] }
    let lost = lostEdges[part].take(edge.lineSequence)
    decoder.edge(ofSecond: part == 1, isActive: edge.isRising, lost: lost)
    return handleDeadline(at: edge.time)
  }

  override var deadline: Instant? { isTaken ? decoder.deadline : nil }

  override func handleDeadline(at now: Instant) -> [LineNews] {
    guard decoder.handleDeadline(at: now) != nil else { return [] }
    var news = LineNews("position", at: now)
    news.fields = state([])
    return [news]
  }

  override func state(_ values: [Bool]) -> Record {
    var record = Record()
    record.append("position", .integer(decoder.position))
    record.append("errors", .integer(Int64(clamping: decoder.errors)))
    return record
  }

  /// - Returns: the position before.
  func reset() -> Int64 { decoder.reset() }
}
