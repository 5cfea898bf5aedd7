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
  private var tls: TLSSession?
  private var isSecuring = false
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
    if !isSecuring { tls?.sayGoodbye() }
    tls = nil
    isSecuring = false
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
    if tls != nil { return sendSecured(pieces) }
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
  private var tlsFailure: TLSError?

  /// Ends a turn: tells of a failed write, and what the loop is to watch for.
  func settle() {
    if let failure {
      self.failure = nil
      lost(failure)
    }
    if let tlsFailure {
      self.tlsFailure = nil
      lost(tlsFailure)
    }
    var interests: Readiness = isReading || isSecuring ? .readable : []
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
    if isSecuring { return continueSecuring() }
    if tls?.hasUnsentBytes == true { flush() }
    if !readiness.isDisjoint(with: [.readable, .failed]), isReading { read() }
  }

  private func read() {
    var result: Int64 = 0
    let socket = socket
    if socket < 0 { return }
    if let tls { return readSecured(tls) }
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

  private func lost(_ error: TLSError) {
    close()
    handle(.tlsFailed(error))
  }

  // MARK: TLS

  /// "TLSv1.3", and whether the server's last session went on; nil without TLS.
  var security: Text? {
    guard let tls, !isSecuring else { return nil }
    return tls.isResumed ? "\(tls.version), resumed" : "\(tls.version)"
  }

  /// Begins TLS. How that ends is told as an event.
  func secure(_ configuration: TLSConfiguration, _ ticket: TLSTicket) {
    if socket < 0 { return }
    let files: TLSFiles
    do throws(FileReadError) {
      files = try configuration.read()
    } catch {
      return lost(.file(error))
    }
    do throws(TLSError) {
      tls = try TLSSession(
        on: socket, host: server.host, configuration, files, ticket: ticket)
    } catch {
      return lost(error)
    }
    isSecuring = true
    continueSecuring()
  }

  private func continueSecuring() {
    guard let tls else { return }
    do throws(TLSError) {
      switch try tls.handshake() {
      case .done:
        isSecuring = false
        handle(.secured)
      case .wantsRead: break
      case .wantsWrite: isBlocked = true
      case .closed: lost(SystemError?.none)
      }
    } catch {
      lost(error)
    }
  }

  /// Fills records and sends them; what is in a record counts as sent.
  private func sendSecured(_ pieces: borrowing OutputPieces) -> Int {
    guard let tls, !isSecuring else { return 0 }
    var taken = 0
    pieces.forEach { piece in
      piece.withUnsafeBytes { bytes in
        var start = 0
        while start < bytes.count, !isBlocked, tlsFailure == nil {
          let count = tls.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
          start += count
          taken += count
          if start < bytes.count { flush() }
        }
      }
    }
    if !isBlocked, tlsFailure == nil { flush() }
    return taken
  }

  private func flush() {
    guard let tls else { return }
    do throws(TLSError) {
      isBlocked = try tls.flush() != .done(0)
    } catch {
      tlsFailure = Wire.explanation(of: error, tls)
    }
  }

  /// A server that refuses us sends an alert and closes; what we write then fails before the alert is read.
  private static func explanation(of error: TLSError, _ tls: TLSSession) -> TLSError {
    guard case .system = error else { return error }
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
    defer { scratch.deallocate() }
    do throws(TLSError) {
      // At most as many bytes as a server says before it refuses.
      for _ in 0..<64 {
        guard case .done = try tls.read(into: scratch) else { break }
      }
    } catch {
      if case .alert = error { return error }
    }
    return error
  }

  private func readSecured(_ tls: TLSSession) {
    var outcome = TLSOutcome.wantsRead
    var failure: TLSError?
    input.withFreeSpace { free in
      if free.count == 0 { return 0 }
      do throws(TLSError) {
        outcome = try tls.read(into: free)
      } catch {
        failure = error
      }
      if case .done(let count) = outcome { return count }
      return 0
    }
    if let failure { return lost(failure) }
    switch outcome {
    case .done(let count): handle(.received(count))
    case .wantsRead: break
    case .wantsWrite: isBlocked = true
    case .closed: lost(SystemError?.none)
    }
  }

  /// Reads what TLS has taken from the socket and did not fit into the buffer; false when there is none.
  func readBuffered() -> Bool {
    guard isReading, let tls, tls.hasBufferedBytes else { return false }
    let count = input.count
    readSecured(tls)
    return input.count > count
  }
}
