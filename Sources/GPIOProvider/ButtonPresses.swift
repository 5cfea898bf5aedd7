import Transport

/// What somebody does with a button: clicks, double clicks, long presses.
///
/// Edges go in with the kernel's times, gestures come out:
///
///     short press, nothing after it     click, when `doubleClick` has passed since the release
///     two short presses                 double, at the second release
///     long press                        long, while the button is still held
///     short press, then a long one      click and long, when the second has become long
///
/// A second press belongs to the first when it begins less than `doubleClick` after its release; a press
/// of at least `longPress` is long. Only the edges' times count, however late they are handled, as long as
/// edges that wait are handed in before `handleDeadline` is called.
struct ButtonPresses: Equatable {
  enum Gesture: Equatable { case click, double, long }

  struct Event: Equatable {
    var gesture: Gesture
    /// When it was certain.
    var time: Instant
  }

  private enum State: Equatable {
    case released
    case pressed(at: Instant, isSecond: Bool)
    /// After a short press that another may follow.
    case clicked(releasedAt: Instant)
    /// A press that means nothing more: told as long, or older than the host.
    case held
  }

  private let configuration: ButtonConfiguration
  private var state = State.released

  init(_ configuration: ButtonConfiguration) { self.configuration = configuration }

  /// The line was taken with this value. A press that is under way is no gesture: its length is not
  /// known. One that was not finished when the line was lost is forgotten.
  mutating func begin(isActive: Bool) { state = isActive ? .held : .released }

  /// An edge with its kernel time; what was due before it is decided first.
  mutating func edge(isActive: Bool, at time: Instant) -> [Event] {
    var events = handleDeadline(at: time)
    if isActive {
      press(at: time)
    } else if let gesture = release(at: time) {
      events.append(Event(gesture: gesture, time: time))
    }
    return events
  }

  /// When a gesture is decided if nothing happens before.
  var deadline: Instant? {
    switch state {
    case .released, .held: nil
    case .pressed(let start, _): start + configuration.longPress
    case .clicked(let end): end + configuration.doubleClick
    }
  }

  /// The gestures that time has decided, at most two. Early or repeated calls have no effect.
  mutating func handleDeadline(at now: Instant) -> [Event] {
    guard let deadline, deadline <= now else { return [] }
    let click = Event(gesture: .click, time: deadline)
    switch state {
    case .released, .held:
      return []
    case .clicked:
      state = .released
      return [click]
    case .pressed(_, let isSecond):
      state = .held
      let long = Event(gesture: .long, time: deadline)
      return isSecond ? [click, long] : [long]
    }
  }

  private mutating func press(at time: Instant) {
    switch state {
    case .released, .held:
      state = .pressed(at: time, isSecond: false)
    case .clicked:
      state = .pressed(at: time, isSecond: true)
    case .pressed(_, let isSecond):
      // The release between was lost, and with it how long the earlier press was: this one counts.
      state = .pressed(at: time, isSecond: isSecond)
    }
  }

  /// A release, after what was due has been decided: the press was short.
  private mutating func release(at time: Instant) -> Gesture? {
    switch state {
    case .released, .clicked:
      // The press was lost. How long it was is not known: it is none.
      return nil
    case .held:
      state = .released
      return nil
    case .pressed(_, let isSecond):
      if !isSecond && configuration.doubleClick > .zero {
        state = .clicked(releasedAt: time)
        return nil
      }
      state = .released
      return isSecond ? .double : .click
    }
  }
}
