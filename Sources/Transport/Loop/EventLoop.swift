import CLinux

/// What a descriptor can do now.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let readable = Readiness(rawValue: UInt32(LINUX_READABLE))
  public static let writable = Readiness(rawValue: UInt32(LINUX_WRITABLE))
  /// An error or hang-up; reported whether asked for or not.
  public static let failed = Readiness(rawValue: UInt32(LINUX_FAILED))
}

/// The one thread's loop over descriptors (epoll) and timers (a heap over one timerfd). Handlers run
/// to completion, one at a time, and must not block.
public final class EventLoop {
  private static let eventsPerTurn = 32
  private static let busyFor = Duration.milliseconds(10)

  private let epoll: Int32
  private let timerDescriptor: Int32
  private var armed: Instant?
  private var lastArmed = Instant(nanoseconds: 0)
  /// A handful: a socket, signals and one per line, so they are searched from the beginning.
  private var watches: [Watch] = []
  private var nextToken: UInt64 = 1
  private var isStopping = false
  private var events = [linux_event](repeating: linux_event(), count: eventsPerTurn)
  var timers = TimerHeap()

  /// The monotonic clock as it was read last, at the beginning or the end of a turn: for where it may be
  /// late by what a turn takes, and reading it would cost more than the work.
  public private(set) var turnTime = EventLoop.now

  /// Called at the end of every turn, when all that was ready has been handled: the place to write
  /// out what the handlers queued, so that what belongs together travels together.
  public var endOfTurn: ((Instant) -> Void)?

  public init() throws(SystemError) {
    epoll = try check("epoll_create1", linux_epoll_create())
    timerDescriptor = try check("timerfd_create", linux_timer_create())
    _ = try check(
      "epoll_ctl",
      linux_epoll_add(epoll, timerDescriptor, Readiness.readable.rawValue, 0))
  }

  deinit {
    _ = linux_close(timerDescriptor)
    _ = linux_close(epoll)
  }

  /// The monotonic clock, read now.
  public static var now: Instant { Instant(nanoseconds: linux_monotonic_nanoseconds()) }
  /// The wall clock, read now.
  public static var wallClock: Timestamp { Timestamp(nanoseconds: linux_realtime_nanoseconds()) }
  /// Whether the kernel was told that the wall clock is kept right (adjtimex(2), STA_UNSYNC).
  public static var isWallClockSynchronised: Bool { linux_clock_is_synchronised() != 0 }

  /// Calls `handler` whenever the descriptor is ready for one of `interests` (level-triggered), until
  /// the watch is cancelled. The caller keeps the descriptor and closes it after cancelling.
  public func watch(
    _ descriptor: Int32, for interests: Readiness, handler: @escaping (Readiness) -> Void
  ) throws(SystemError) -> Watch {
    let token = nextToken
    _ = try check("epoll_ctl", linux_epoll_add(epoll, descriptor, interests.rawValue, token))
    nextToken += 1
    let watch = Watch(
      loop: self, descriptor: descriptor, token: token, interests: interests, handler: handler)
    watches.append(watch)
    return watch
  }

  /// Handles events until `stop` is called.
  public func run() throws(SystemError) {
    isStopping = false
    while !isStopping { try turn() }
  }

  /// Ends `run` after the present turn.
  public func stop() { isStopping = true }

  /// Waits for the next event or timer and handles all that is ready.
  public func turn() throws(SystemError) {
    try armTimer()
    let count = try check(
      "epoll_wait", linux_epoll_wait(epoll, &events, Int32(EventLoop.eventsPerTurn)))
    turnTime = EventLoop.now
    for index in 0..<Int(count) {
      let event = events[index]
      if event.token == 0 {
        armed = nil
        drainTimer()
      } else if let watch = watches.first(where: { $0.token == event.token }) {
        watch.handler(Readiness(rawValue: event.readiness))
      }
    }
    fireTimers()
    turnTime = EventLoop.now
    endOfTurn?(turnTime)
  }

  fileprivate func modify(_ watch: Watch) {
    _ = linux_epoll_modify(epoll, watch.descriptor, watch.interests.rawValue, watch.token)
  }

  fileprivate func remove(_ watch: Watch) {
    _ = linux_epoll_remove(epoll, watch.descriptor)
    watches.removeAll { $0 === watch }
  }

  /// Fires what is due now. A timer that its own action sets to the past again waits for the next
  /// turn, so that it cannot keep descriptors from being served.
  private func fireTimers() {
    let now = turnTime
    var due: [Timer] = []
    while let timer = timers.first, let deadline = timer.deadline, deadline <= now {
      timers.remove(timer)
      due.append(timer)
    }
    for timer in due where timer.position < 0 && timer.deadline != nil {
      timer.deadline = nil
      timer.action(now)
    }
  }

  private func armTimer() throws(SystemError) {
    let next = timers.first?.deadline
    if next == armed { return }
    // Traffic moves a deadline with every message. To set the timer each time costs more than to be
    // woken once for nothing.
    let isBusy = turnTime < lastArmed + EventLoop.busyFor
    if isBusy, let next, let armed, turnTime < armed, armed < next { return }
    lastArmed = turnTime
    // Zero would disarm; an instant in the past fires at once.
    let nanoseconds = next.map { max($0.nanoseconds, 1) } ?? 0
    _ = try check("timerfd_settime", linux_timer_set(timerDescriptor, nanoseconds))
    armed = next
  }

  private func drainTimer() {
    var expirations: UInt64 = 0
    _ = linux_read(timerDescriptor, &expirations, 8)
  }
}

/// A descriptor's registration with an `EventLoop`.
public final class Watch {
  private let loop: EventLoop
  fileprivate let descriptor: Int32
  fileprivate let token: UInt64
  fileprivate let handler: (Readiness) -> Void
  private var isCancelled = false

  /// What the handler is called for; may be changed at any time.
  public var interests: Readiness {
    didSet { if interests != oldValue && !isCancelled { loop.modify(self) } }
  }

  fileprivate init(
    loop: EventLoop, descriptor: Int32, token: UInt64, interests: Readiness,
    handler: @escaping (Readiness) -> Void
  ) {
    self.loop = loop
    self.descriptor = descriptor
    self.token = token
    self.interests = interests
    self.handler = handler
  }

  /// Ends the watch; the handler is not called again, not even for events already collected.
  public func cancel() {
    if isCancelled { return }
    isCancelled = true
    loop.remove(self)
  }
}
