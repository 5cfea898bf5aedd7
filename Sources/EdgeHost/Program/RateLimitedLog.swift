import Lattice
import Transport

/// Writes what goes wrong, usually to the log: each kind at most once a minute, with the number of reports left
/// out meanwhile, so that a flood of bad input neither hides the rest nor wears out the card.
final class RateLimitedLog: Diagnostics {
  static let period = Duration.seconds(60)
  /// Kinds are literals in the source; more than these are not kept apart.
  private static let kindsMax = 32

  private struct Kind {
    let name: StaticString
    var writtenAt: Instant
    var leftOut: UInt64 = 0
  }

  private let time: any TimeSource
  private let write: (() -> Text) -> Void
  private var kinds: [Kind] = []

  init(time: any TimeSource, write: @escaping (() -> Text) -> Void) {
    self.time = time
    self.write = write
  }

  func report(_ kind: StaticString, _ text: @autoclosure () -> Text) {
    let now = time.now
    guard let index = kinds.firstIndex(where: { ascii($0.name).equals(kind) }) else {
      if kinds.count < RateLimitedLog.kindsMax { kinds.append(Kind(name: kind, writtenAt: now)) }
      return write(text)
    }
    if now - kinds[index].writtenAt < RateLimitedLog.period {
      kinds[index].leftOut += 1
      return
    }
    let leftOut = kinds[index].leftOut
    kinds[index] = Kind(name: kind, writtenAt: now)
    write { leftOut == 0 ? text() : "\(text()) (and \(leftOut) more since the last report)" }
  }
}
