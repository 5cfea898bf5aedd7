/// The sequence numbers that nobody waits for: acknowledged, dropped, or never used. Ascending ranges that
/// do not touch; the first begins at 0. At most as many as a cursor slot has room for: more would be facts
/// that wait in as many separate places, and then the shortest is forgotten, so that some are sent again.
struct SettledSequences: Equatable {
  static let rangesMax = 200

  private(set) var ranges: [Range<UInt64>]

  init(below first: UInt64) { ranges = [0..<first] }

  /// Nil when the ranges are none as above.
  init?(_ ranges: [Range<UInt64>]) {
    guard let first = ranges.first, first.lowerBound == 0,
      ranges.count <= SettledSequences.rangesMax
    else { return nil }
    for index in ranges.indices.dropFirst()
    where ranges[index].isEmpty || ranges[index].lowerBound <= ranges[index - 1].upperBound {
      return nil
    }
    self.ranges = ranges
  }

  /// The first number that is not settled.
  var end: UInt64 { ranges[0].upperBound }

  func contains(_ sequence: UInt64) -> Bool { firstOpen(from: sequence) != sequence }

  /// The first number from this one on that is not settled.
  func firstOpen(from sequence: UInt64) -> UInt64 {
    let index = firstIndex(endingBehind: sequence)
    if index == ranges.count || ranges[index].lowerBound > sequence { return sequence }
    return ranges[index].upperBound
  }

  /// Where the last range ends that begins at or before this number: nothing from there up to it is settled.
  func openStart(before sequence: UInt64) -> UInt64 {
    let index = firstIndex(endingBehind: sequence)
    if index < ranges.count, ranges[index].lowerBound <= sequence { return sequence }
    return index > 0 ? ranges[index - 1].upperBound : 0
  }

  /// - Returns: what had to be forgotten for it.
  mutating func insert(_ added: Range<UInt64>) -> Range<UInt64>? {
    if added.isEmpty { return nil }
    // Those that it touches become one with it.
    let lower = added.lowerBound == 0 ? 0 : firstIndex(endingBehind: added.lowerBound - 1)
    var upper = lower
    var joined = added
    while upper < ranges.count, ranges[upper].lowerBound <= added.upperBound {
      joined =
        min(
          joined.lowerBound, ranges[upper].lowerBound)..<max(
          joined.upperBound, ranges[upper].upperBound)
      upper += 1
    }
    ranges.replaceSubrange(lower..<upper, with: [joined])
    return ranges.count > SettledSequences.rangesMax ? removeShortest() : nil
  }

  private mutating func removeShortest() -> Range<UInt64> {
    var shortest = 1
    for index in 2..<ranges.count where ranges[index].length < ranges[shortest].length {
      shortest = index
    }
    let removed = ranges[shortest]
    ranges.replaceSubrange(shortest..<(shortest + 1), with: [Range<UInt64>]())
    return removed
  }

  /// The index of the first range that ends behind the number.
  private func firstIndex(endingBehind sequence: UInt64) -> Int {
    var (lower, upper) = (0, ranges.count)
    while lower < upper {
      let middle = (lower + upper) / 2
      if ranges[middle].upperBound > sequence { upper = middle } else { lower = middle + 1 }
    }
    return lower
  }
}

extension Range where Bound == UInt64 {
  /// `count` is an `Int`, which need not hold it.
  var length: UInt64 { upperBound - lowerBound }
}
