/// A wake-up at one instant, owned by whoever needs it and kept by an `EventLoop`. Setting it again
/// replaces the earlier instant.
public final class Timer {
  private let loop: EventLoop
  let action: (Instant) -> Void
  /// Place in the loop's heap, or -1 while not set.
  var position = -1
  /// When it fires; nil while it is not set.
  public internal(set) var deadline: Instant?

  /// - Parameter action: called once per deadline, with the loop's present time.
  public init(on loop: EventLoop, action: @escaping (Instant) -> Void) {
    self.loop = loop
    self.action = action
  }

  /// Fires at `deadline` (at once when that has passed), or not at all when nil.
  public func set(_ deadline: Instant?) {
    if deadline == self.deadline { return }
    loop.timers.remove(self)
    self.deadline = deadline
    if deadline != nil { loop.timers.insert(self) }
  }
}

/// Timers ordered by deadline: a binary heap whose members know their place.
struct TimerHeap {
  private var timers: [Timer] = []

  var first: Timer? { timers.first }

  mutating func insert(_ timer: Timer) {
    timer.position = timers.count
    timers.append(timer)
    rise(timer.position)
  }

  mutating func remove(_ timer: Timer) {
    let position = timer.position
    if position < 0 { return }
    let last = timers.count - 1
    swap(position, last)
    timers.removeLast()
    timer.position = -1
    if position < last {
      rise(position)
      sink(position)
    }
  }

  private mutating func rise(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      if !isEarlier(child, than: parent) { return }
      swap(child, parent)
      child = parent
    }
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while true {
      var earliest = parent
      for child in (2 * parent + 1)...(2 * parent + 2)
      where child < timers.count && isEarlier(child, than: earliest) {
        earliest = child
      }
      if earliest == parent { return }
      swap(parent, earliest)
      parent = earliest
    }
  }

  private func isEarlier(_ left: Int, than right: Int) -> Bool {
    let never = Instant(nanoseconds: .max)
    return (timers[left].deadline ?? never) < (timers[right].deadline ?? never)
  }

  private mutating func swap(_ left: Int, _ right: Int) {
    timers.swapAt(left, right)
    timers[left].position = left
    timers[right].position = right
  }
}
