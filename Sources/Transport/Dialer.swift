import CLinux

/// Opens a TCP connection to a host: resolves its name off the loop, then tries each address in turn.
final class Dialer {
  private static let addressesMax = 8
  /// The kernel then gives up by itself after 15 s, should nobody else.
  private static let synRetries: UInt32 = 3

  private let loop: EventLoop
  private let settings: LinkSettings
  private let finished: (Result<Int32, SystemError>) -> Void
  private var addresses: ArraySlice<linux_address> = []
  private var descriptor: Int32 = -1
  private var watch: Watch?
  private var timer: Timer?
  private var lastError = SystemError("connect", 0)

  /// - Parameter finished: gets the connected, non-blocking socket, which is then the caller's, or the
  ///   last failure. Called once, never from within `init`; not at all after `cancel`.
  init(
    _ server: ServerURL, on loop: EventLoop, settings: LinkSettings,
    finished: @escaping (Result<Int32, SystemError>) -> Void
  ) {
    self.loop = loop
    self.settings = settings
    self.finished = finished
    descriptor = linux_resolve(server.host, server.port)
    if descriptor < 0 {
      fail(SystemError("resolve", descriptor))
    } else {
      watch(for: .readable) { [self] in resolved() }
      limit(to: settings.timeouts.resolve) { [self] in
        end(.failure(SystemError("resolve", Dialer.timedOut)))
      }
    }
  }

  /// Abandons the attempt.
  func cancel() {
    closeDescriptor()
    timer?.set(nil)
    timer = nil
  }

  private func resolved() {
    var found = [linux_address](repeating: linux_address(), count: Dialer.addressesMax)
    let count = linux_resolve_result(descriptor, &found, Int32(Dialer.addressesMax))
    closeDescriptor()
    if count < 0 { return end(.failure(SystemError("resolve", count))) }
    addresses = found.prefix(Int(count))
    tryNextAddress()
  }

  private func tryNextAddress() {
    closeDescriptor()
    timer?.set(nil)
    guard var address = addresses.popFirst() else { return end(.failure(lastError)) }
    descriptor = linux_tcp_connect(
      &address, settings.isMultipath ? 1 : 0, Dialer.synRetries)
    if descriptor < 0 {
      lastError = SystemError("connect", descriptor)
      return tryNextAddress()
    }
    watch(for: .writable) { [self] in connected() }
    limit(to: settings.timeouts.connect) { [self] in
      lastError = SystemError("connect", Dialer.timedOut)
      tryNextAddress()
    }
  }

  /// ETIMEDOUT, as a `CLinux` function would return it.
  private static let timedOut: Int32 = -110

  /// Calls `action` when a stage takes too long.
  private func limit(to timeout: Duration, _ action: @escaping () -> Void) {
    self.timer?.set(nil)
    let timer = Timer(on: loop) { _ in action() }
    timer.set(EventLoop.now + timeout)
    self.timer = timer
  }

  private func connected() {
    let result = linux_tcp_connect_result(descriptor)
    if result < 0 {
      lastError = SystemError("connect", result)
      return tryNextAddress()
    }
    watch?.cancel()
    watch = nil
    let socket = descriptor
    descriptor = -1
    end(.success(socket))
  }

  private func watch(for interest: Readiness, _ action: @escaping () -> Void) {
    do throws(SystemError) {
      watch = try loop.watch(descriptor, for: interest) { _ in action() }
    } catch {
      fail(error)
    }
  }

  /// Reports a failure on the next turn, so that `init` never calls back.
  private func fail(_ error: SystemError) {
    let timer = Timer(on: loop) { [self] _ in end(.failure(error)) }
    timer.set(EventLoop.now)
    self.timer = timer
  }

  private func end(_ result: Result<Int32, SystemError>) {
    cancel()
    finished(result)
  }

  private func closeDescriptor() {
    watch?.cancel()
    watch = nil
    if descriptor >= 0 { _ = linux_close(descriptor) }
    descriptor = -1
  }
}
