import CLinux
import Transport

/// Tells systemd how the service fares (sd_notify(3)); without systemd it does nothing.
struct ServiceManager {
  private let socket = linux_environment("NOTIFY_SOCKET").map { String(cString: $0) }

  /// Start-up is done: pins are in their start state and the loop runs. The link may be down.
  func ready(_ status: Text) { notify("READY=1\nSTATUS=\(status)") }
  func status(_ status: Text) { notify("STATUS=\(status)") }
  func stopping() { notify("STOPPING=1") }

  private func notify(_ message: Text) {
    guard let socket else { return }
    _ = linux_notify(socket, message.string)
  }
}
