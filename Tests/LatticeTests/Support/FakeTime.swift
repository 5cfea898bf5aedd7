import Transport

/// Time that passes only when a test says so.
final class FakeTime: TimeSource {
  var now = Instant(nanoseconds: 100_000_000_000)
  var wallClock = Timestamp(nanoseconds: 1_793_692_483_000_000_000)  // 2026-11-03T07:54:43Z

  var isSynchronised = true

  func advance(_ duration: Transport.Duration) {
    now = now + duration
    wallClock = wallClock + duration
  }
}
