import CLinux

/// Hears from the kernel when links, addresses and routes come and go. It wakes the loop only for
/// that.
public final class NetworkWatch {
  /// A link's report is the longest, about 1.5 kB; a longer one counts as lost.
  private static let bufferBytes = 4096
  /// The buffer, and the copy that is read from.
  static let bytesMax = 2 * bufferBytes
  /// Reports read at a time; the rest waits for the next turn.
  private static let reportsPerTurn = 16

  private let descriptor: Int32
  private let handler: (NetworkEvent) -> Void
  private var watch: Watch?
  private var buffer = [UInt8](repeating: 0, count: bufferBytes)

  /// - Parameter handler: called for each event, until `cancel`.
  public init(
    on loop: EventLoop, handler: @escaping (NetworkEvent) -> Void
  ) throws(SystemError) {
    self.handler = handler
    descriptor = try check("netlink", linux_route_watch())
    watch = try loop.watch(descriptor, for: .readable) { [self] _ in read() }
  }

  /// Ends the watch, which else lives as long as the loop.
  public func cancel() {
    guard let watch else { return }
    watch.cancel()
    self.watch = nil
    _ = linux_close(descriptor)
  }

  private func read() {
    for _ in 0..<NetworkWatch.reportsPerTurn {
      if watch == nil { return }
      let length = linux_netlink_read(descriptor, &buffer, buffer.count)
      if length < 0 {
        if SystemError("recv", Int32(clamping: length)).isWouldBlock { return }
        // Too many (ENOBUFS) or too long: what they said is not known.
        handler(.lost)
        continue
      }
      // A view needs an owner that nobody changes meanwhile.
      let bytes = buffer
      let events = NetworkWatch.events(in: bytes.span, length: Int(length))
      for event in events where watch != nil { handler(event) }
    }
  }

  private static func events(in buffer: Span<UInt8>, length: Int) -> [NetworkEvent] {
    var events: [NetworkEvent] = []
    var reader = RouteMessageReader(buffer.extracting(0..<min(length, buffer.count)))
    while let event = reader.next() { events.append(event) }
    return events
  }
}
