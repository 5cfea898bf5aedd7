import CLinux

/// How much a log line matters, as syslog numbers it.
public enum LogLevel: UInt8, Comparable, Sendable {
  case error = 3
  case warning = 4
  case info = 6
  case debug = 7

  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Writes lines to standard error: with systemd's `<N>` priority prefix when the journal reads them,
/// plain on a terminal. Lines more verbose than `level` are not even built.
public struct Log {
  public let level: LogLevel
  private let usesJournalPrefix: Bool

  public init(level: LogLevel) {
    self.level = level
    usesJournalPrefix = linux_environment("JOURNAL_STREAM") != nil
  }

  public func error(_ text: @autoclosure () -> Text) { write(.error, text) }
  public func warning(_ text: @autoclosure () -> Text) { write(.warning, text) }
  public func info(_ text: @autoclosure () -> Text) { write(.info, text) }
  public func debug(_ text: @autoclosure () -> Text) { write(.debug, text) }

  private func write(_ level: LogLevel, _ text: () -> Text) {
    if level > self.level { return }
    StandardStream.error.write(
      usesJournalPrefix ? "<\(level.rawValue)>\(text())\n" : "\(text())\n")
  }
}

/// Standard output and standard error, written in full.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// False when not all of it could be written.
  @inline(never)
  @discardableResult
  public func write(_ text: Text) -> Bool {
    text.bytes.withUnsafeBufferPointer { bytes in
      var written = 0
      while written < bytes.count {
        guard let base = bytes.baseAddress else { return false }
        let count = linux_write(rawValue, base + written, bytes.count - written)
        if count <= 0 { return false }
        written += Int(count)
      }
      return true
    }
  }
}
