/// How many edges of a line were lost, by the kernel's own numbers of them.
///
/// The kernel numbers every edge of a requested line that it was asked to report, from 1, and drops
/// the oldest when its buffer is full: a gap before an event is the exact number of edges lost just
/// before it (linux/gpio.h, `line_seqno`). An edge that is lost is always followed by one that is not,
/// so no loss stays unseen.
struct LostEdges: Equatable {
  /// Lost since the start, over every time that the line was taken.
  private(set) var total: UInt64 = 0
  /// The number before the first event of a request is 0.
  private var last: UInt32 = 0

  /// Takes an event's number and returns how many edges were lost just before it.
  ///
  /// The numbers wrap around. One that goes back, which no kernel gives, counts as no loss, in place
  /// of one of four thousand million edges.
  mutating func take(_ lineSequence: UInt32) -> UInt32 {
    let step = lineSequence &- last
    last = lineSequence
    let goesBack = step == 0 || step > UInt32.max / 2
    let lost = goesBack ? 0 : step &- 1
    total &+= UInt64(lost)
    return lost
  }

  /// The line was taken anew: its numbers begin at 1 again.
  mutating func restart() { last = 0 }
}
