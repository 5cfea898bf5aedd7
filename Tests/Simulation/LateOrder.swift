@testable import Lattice
@testable import Transport

/// In which order facts that are late get into the stream: by their numbers, but that those of a kind which
/// was parked may come behind what is newer and of another kind, and behind the one fact that stood for
/// theirs, which can be a live one while older ones wait.
struct LateOrder {
  private var newest: UInt64 = 0
  private var newestOfKinds: [[UInt8]: UInt64] = [:]
  /// Of each kind, the number below which facts were recorded while it was parked, or before.
  private var parkedEnds: [[UInt8]: UInt64] = [:]

  /// Facts that stood for a kind.
  private var tried: Set<UInt64> = []

  /// The host has parked a kind, for which a fact stands, and the next fact gets this number.
  mutating func parked(_ kind: [UInt8], fact: UInt64, below sequence: UInt64) {
    parkedEnds[kind] = sequence
    tried.insert(fact)
  }

  /// A fact is stored; the newer one that it should not be behind, or nil.
  mutating func stored(_ sequence: UInt64, of subject: String) -> UInt64? {
    // Behind `edge.{lattice}.{host}.`
    let name =
      subject.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3).last ?? subject[...].utf8
    let kind = ParkedFacts.kind(of: Array(name))
    let isExempt = sequence < parkedEnds[kind] ?? 0
    let before = isExempt ? newestOfKinds[kind] ?? 0 : newest
    if !tried.contains(sequence) {
      newestOfKinds[kind] = max(newestOfKinds[kind] ?? 0, sequence)
      newest = max(newest, sequence)
    }
    return sequence <= before ? before : nil
  }
}
