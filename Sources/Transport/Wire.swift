import CLinux

/// The socket of one link on an event loop, from dialling to closing, with its read buffer.
final class Wire {
  private static let sendsPerMeasurement = 32
  private static let writeBytesMax = 64 * 1024

  let id: LinkID
  let server: ServerURL
  private let loop: EventLoop
  private let limits: ConnectionLimits
  /// Tells the connection; called from the loop only.
  private let handle: (ConnectionEvent) -> Void
  private var dialer: Dialer?
  private var socket: Int32 = -1
  private var state: SocketState?
  /// Bytes that the socket took.
  private var written: UInt64 = 0
  private var watch: Watch?
  private var isBlocked = false
  var input: ReadBuffer

  /// What one call writes: what the link carries in 5 ms, which an urgent message may wait, at least
  /// `ConnectionLimits.writeBytes`. Each call has its price, which on a fast link is most of a message's.
  private(set) var writeBytes: Int
  private var sendsSinceMeasurement = 0

  /// Whether what arrives is read; else it waits in the kernel and then at the server.
  var isReading = true

  /// Dials.
  ///
  /// - Parameter handle: gets what happens to the socket; not at all after `close`.
  init(
    _ id: LinkID, to server: ServerURL, on loop: EventLoop, limits: ConnectionLimits,
    handle: @escaping (ConnectionEvent) -> Void
  ) {
    self.id = id
    self.server = server
    self.loop = loop
    self.limits = limits
    self.handle = handle
    writeBytes = limits.writeBytes
    input = ReadBuffer(capacity: limits.readBufferBytes)
    dialer = Dialer(server, on: loop, settings: limits.link) { [self] result in
      dialer = nil
      switch result {
      case .success(let socket): opened(socket)
      case .failure(let error): handle(.closed(error))
      }
    }
  }

  func close() {
    dialer?.cancel()
    dialer = nil
    watch?.cancel()
    watch = nil
    if socket >= 0 { _ = linux_close(socket) }
    socket = -1
    state = nil
  }

  /// How far the server's machine has acknowledged; nil when that is not known.
  func progress(at now: Instant) -> ConnectionEvent? {
    guard let (bytes, instant) = state?.acknowledged(written: written, at: now) else { return nil }
    return .progressed(bytes, at: instant)
  }

  /// Ends with the path, if that is what an event of the network means.
  func networkChanged(_ event: NetworkEvent) {
    if let loss = state?.loss(after: event) { handle(.pathLost(loss)) }
  }

  /// Writes pieces; returns how many bytes the kernel took. A failure is told behind the call.
  func send(_ pieces: borrowing OutputPieces) -> Int {
    if socket < 0 { return 0 }
    let sent = pieces.send(to: socket)
    isBlocked = sent < Int64(pieces.byteCount)
    sendsSinceMeasurement += 1
    if isBlocked || sendsSinceMeasurement >= Wire.sendsPerMeasurement { measure() }
    if sent >= 0 {
      written &+= UInt64(sent)
      return Int(sent)
    }
    let error = SystemError("send", Int32(truncatingIfNeeded: sent))
    if !error.isWouldBlock { failure = error }
    return 0
  }

  private func measure() {
    sendsSinceMeasurement = 0
    let carried = Int(clamping: linux_tcp_delivery_rate(socket) / 200)
    writeBytes = max(limits.writeBytes, min(carried, Wire.writeBytesMax))
  }

  private var failure: SystemError?

  /// Ends a turn: tells of a failed write, and what the loop is to watch for.
  func settle() {
    if let failure {
      self.failure = nil
      lost(failure)
    }
    var interests: Readiness = isReading ? .readable : []
    if isBlocked { interests.insert(.writable) }
    watch?.interests = interests
  }

  private func opened(_ socket: Int32) {
    self.socket = socket
    state = SocketState(
      socket, settings: limits.link, unsentBytesMax: UInt32(clamping: limits.writeBytes))
    do throws(SystemError) {
      watch = try loop.watch(socket, for: .readable) { [self] readiness in ready(readiness) }
      handle(.opened)
    } catch {
      lost(error)
    }
  }

  private func ready(_ readiness: Readiness) {
    isBlocked = false
    if !readiness.isDisjoint(with: [.readable, .failed]), isReading { read() }
  }

  private func read() {
    var result: Int64 = 0
    let socket = socket
    if socket < 0 { return }
    input.withFreeSpace { free in
      // A full buffer would read zero bytes, which means "closed"; the parser never leaves one full.
      if free.count == 0 {
        result = -11
        return 0
      }
      result = linux_receive(socket, free.baseAddress, free.count)
      return Int(max(result, 0))
    }
    if result > 0 {
      handle(.received(Int(result)))
    } else if result == 0 {
      lost(nil)
    } else {
      let error = SystemError("recv", Int32(truncatingIfNeeded: result))
      if !error.isWouldBlock { lost(error) }
    }
  }

  private func lost(_ error: SystemError?) {
    close()
    handle(.closed(error))
  }
}
