import CLinux
import Transport

/// Hears from the kernel when devices come or go (a USB expander, a driver that is loaded).
final class DeviceWatch {
  /// Which events are heard.
  enum News {
    /// Of a GPIO chip, that it has come or gone.
    case chips
    /// Of any device that has come: a sensor may be behind each.
    case arrivals
  }

  /// An event has at most 2 kB (UEVENT_BUFFER_SIZE of linux/kobject.h) and a head.
  private static let bufferBytes = 4096
  private static let eventsPerTurn = 16

  private let descriptor: Int32
  private let news: News
  private let handler: () -> Void
  private var watch: Watch?
  private var buffer = [UInt8](repeating: 0, count: bufferBytes)

  /// - Parameter handler: called after any number of such events; also when some were lost, for then
  ///   it is not known what they said.
  init(on loop: EventLoop, news: News, handler: @escaping () -> Void) throws(SystemError) {
    self.news = news
    self.handler = handler
    descriptor = try check("netlink", linux_device_watch())
    watch = try loop.watch(descriptor, for: .readable) { [self] _ in read() }
  }

  private func read() {
    var isNews = false
    for _ in 0..<DeviceWatch.eventsPerTurn {
      let length = linux_netlink_read(descriptor, &buffer, buffer.count)
      if length == Int64(0 &- KernelError.tryAgain) { break }
      if length < 0 || DeviceWatch.tells(news, buffer.prefix(Int(length))) { isNews = true }
    }
    if isNews { handler() }
  }

  /// Whether an event, a run of strings that each end with NUL, tells that.
  static func tells(_ news: News, _ event: ArraySlice<UInt8>) -> Bool {
    event.split(separator: 0).contains { text in
      switch news {
      case .chips: text.elementsEqual("SUBSYSTEM=gpio".utf8)
      // A device is there (`add`), and then has the driver that makes its files (`bind`).
      case .arrivals:
        text.elementsEqual("ACTION=add".utf8) || text.elementsEqual("ACTION=bind".utf8)
      }
    }
  }
}
