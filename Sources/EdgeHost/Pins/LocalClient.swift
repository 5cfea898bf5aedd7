import CLinux
import Lattice
import Transport

/// A connection to the running host's socket: sends requests, and hands over what comes as records.
final class LocalClient {
  /// Of one line: a description of everything a host has.
  private static let lineBytesMax = 1_048_576

  let loop: EventLoop
  private let descriptor: Int32
  private var watch: Watch?
  private var input: [UInt8] = []

  /// - Throws: when nobody listens there.
  init(_ path: String) throws(SystemError) {
    descriptor = try check("connect", linux_local_connect(path))
    do throws(SystemError) {
      loop = try EventLoop()
    } catch {
      _ = linux_close(descriptor)
      throw error
    }
  }

  deinit { _ = linux_close(descriptor) }

  /// Sends requests, a few kilobytes in all, which a socket's buffer takes at once.
  func send(_ requests: [Record]) throws(SystemError) {
    var bytes: [UInt8] = []
    for request in requests {
      bytes += request.jsonBytes
      bytes.append(0x0A)
    }
    let count = linux_send(descriptor, bytes, bytes.count)
    if count < 0 { throw SystemError("send", Int32(clamping: count)) }
    let tryAgain: Int32 = -11
    if count < Int64(bytes.count) { throw SystemError("send", tryAgain) }
  }

  /// Calls `handler` for each record that comes, and with nil when there is nothing more to come.
  func receive(_ handler: @escaping (Record?) -> Void) throws(SystemError) {
    watch = try loop.watch(descriptor, for: .readable) { [self] _ in
      if !read(handler) {
        watch?.cancel()
        watch = nil
        handler(nil)
      }
    }
  }

  func stop() {
    watch?.cancel()
    watch = nil
    loop.stop()
  }

  private func read(_ handler: (Record?) -> Void) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = linux_receive(descriptor, &buffer, buffer.count)
    if count < 0 { return SystemError("recv", Int32(clamping: count)).isWouldBlock }
    let scanned = input.count
    input += buffer.prefix(Int(count))
    if count == 0 || input.count > LocalClient.lineBytesMax { return false }
    let bytes = input
    var start = 0
    var next = scanned
    while watch != nil, let end = bytes.span.firstOffset(of: 0x0A, from: next) {
      if let record = try? Record(json: bytes.span.extracting(start..<end)) { handler(record) }
      start = end + 1
      next = start
    }
    input.removeFirst(start)
    return true
  }
}
