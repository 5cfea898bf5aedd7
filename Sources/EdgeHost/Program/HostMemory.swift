import GPIOProvider
import Transport

/// What the host remembers over a restart, in its state file: counts, the last state of outputs, and the
/// clocks of the last boots.
final class HostMemory: LineMemory {
  /// Keys of lines have a dot.
  private static let clockKey = "clocks".bytes

  private let file: StateFile
  private let time: any TimeSource

  /// - Parameter path: nil: where systemd says that the service's state is, or nowhere.
  init?(path: String?, loop: EventLoop, log: Log, time: any TimeSource) {
    guard let path = path ?? HostMemory.servicePath() else { return nil }
    self.time = time
    file = StateFile(path: path, loop: loop)
    file.onNotice = { text in log.warning(Text(text)) }
    file.onProblem = { reason in
      if let reason {
        log.error("what shall outlive a restart is in memory only: \(reason)")
      } else {
        log.info("what shall outlive a restart is on the disk again")
      }
    }
    file.open(at: time.now)
  }

  /// `$STATE_DIRECTORY` may name several folders; the first is ours (systemd.exec(5)).
  private static func servicePath() -> String? {
    guard let folders = ManifestEnvironment.lookUp("STATE_DIRECTORY"), !folders.utf8.isEmpty else {
      return nil
    }
    return (folders.cut(at: UInt8(ascii: ":"))?.before ?? folders) + "/state"
  }

  func recall(_ key: String) -> Int64? { file.integer(of: key.bytes) }

  func remember(_ value: Int64, for key: String, isUrgent: Bool) {
    file.set(key.bytes, integer: value, isUrgent ? .urgent : .ordinary, at: time.now)
  }

  /// The clocks of the last boots that had a right one.
  var clocks: [KnownClock] {
    get { file.value(of: HostMemory.clockKey).map { KnownClock.clocks(in: $0.span) } ?? [] }
    set { file.set(HostMemory.clockKey, KnownClock.bytes(of: newValue), .urgent, at: time.now) }
  }

  var deadline: Instant? { file.deadline }
  func handleDeadline(at now: Instant) { file.handleDeadline(at: now) }
  /// Waits for the disk.
  func close() { file.close(at: time.now) }
}
