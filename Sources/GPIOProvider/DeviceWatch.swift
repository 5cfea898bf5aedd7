import CLinux
import Transport

/// Hears from the kernel when a GPIO chip comes or goes (a USB expander, a driver that is loaded).
final class DeviceWatch {
  /// An event has at most 2 kB (UEVENT_BUFFER_SIZE of linux/kobject.h) and a head.
  private static let bufferBytes = 4096
  private static let eventsPerTurn = 16

  private let descriptor: Int32
  private let handler: () -> Void
  private var watch: Watch?
  private var buffer = [UInt8](repeating: 0, count: bufferBytes)

  /// - Parameter handler: called after any number of events of chips; also when some were lost, for
  ///   then it is not known what they said.
  init(on loop: EventLoop, handler: @escaping () -> Void) throws(SystemError) {
    self.handler = handler
    descriptor = try check("netlink", linux_device_watch())
    watch = try loop.watch(descriptor, for: .readable) { [self] _ in read() }
  }

  private func read() {
    var isNews = false
    for _ in 0..<DeviceWatch.eventsPerTurn {
      let length = linux_netlink_read(descriptor, &buffer, buffer.count)
      if length == Int64(0 &- KernelError.tryAgain) { break }
      if length < 0 || DeviceWatch.isOfChip(buffer.prefix(Int(length))) { isNews = true }
    }
    if isNews { handler() }
  }

  /// Whether an event, a run of strings that each end with NUL, is of the subsystem `gpio`.
  static func isOfChip(_ event: ArraySlice<UInt8>) -> Bool {
    for text in event.split(separator: 0) where text.elementsEqual("SUBSYSTEM=gpio".utf8) {
      return true
    }
    return false
  }
}
