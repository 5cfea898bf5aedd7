import CLinux
import Lattice
import Transport

/// The Unix socket by which programs on the board talk to the running host: moves bytes between its
/// connections and the local dialect. Who may connect is the file's mode and group. The host runs
/// on, and says so, when there can be no socket.
final class LocalSocket {
  static let defaultPath = "/run/edge-host/edge-host.sock"
  /// The user and the group, which packaging sets.
  private static let mode: UInt32 = 0o660
  private static let bytesPerRead = 4_096
  /// Connections taken in one turn of the loop, so that who connects again and again starves nobody.
  private static let acceptsPerTurn = 16

  private final class Connection {
    let descriptor: Int32
    let session: LocalSession
    var watch: Watch?

    init(descriptor: Int32, session: LocalSession) {
      self.descriptor = descriptor
      self.session = session
    }
  }

  private let dialect: LocalDialect
  private let path: String
  private let loop: EventLoop
  private let log: Log
  private let diagnostics: RateLimitedLog
  private var listener: Int32 = -1
  private var watch: Watch?
  private var connections: [Connection] = []
  private var buffer = [UInt8](repeating: 0, count: LocalSocket.bytesPerRead)

  init(
    _ dialect: LocalDialect, at path: String, on loop: EventLoop, log: Log,
    diagnostics: RateLimitedLog
  ) {
    self.dialect = dialect
    self.path = path
    self.loop = loop
    self.log = log
    self.diagnostics = diagnostics
  }

  func open() {
    let result = linux_local_listen(path, LocalSocket.mode)
    if result < 0 { return reportMissing(SystemError("listen", result)) }
    do throws(SystemError) {
      watch = try loop.watch(result, for: .readable) { [self] _ in accept() }
      listener = result
      log.debug("listening at \(path)")
    } catch {
      _ = linux_close(result)
      reportMissing(error)
    }
  }

  /// Lets nobody in any more; answers that wait are still sent.
  func stop() {
    if listener < 0 { return }
    stopListening()
    _ = linux_remove_file(path)
  }

  /// Sends what the turn's events and answers have left to be sent.
  func handleEndOfTurn() {
    for connection in connections { flush(connection) }
  }

  private func reportMissing(_ error: SystemError) {
    let noEntry: Int32 = 2
    let inUse: Int32 = 98
    let consequence: StaticString = "commands on this board reach the lines without this host"
    if error.code == noEntry && path == LocalSocket.defaultPath {
      // Started by hand, not by systemd, which makes the folder.
      log.debug("no local socket: there is no folder for \(path)")
    } else if error.code == inUse {
      log.warning("no local socket: another host listens at \(path)")
    } else {
      log.warning("no local socket: \(path): \(error.reason): \(consequence)")
    }
  }

  private func stopListening() {
    watch?.cancel()
    watch = nil
    _ = linux_close(listener)
    listener = -1
  }

  // MARK: connections

  private func accept() {
    for _ in 0..<LocalSocket.acceptsPerTurn {
      var user: UInt32 = 0
      let result = linux_local_accept(listener, &user)
      if result < 0 {
        let error = SystemError("accept", result)
        if error.isWouldBlock { return }
        // It would be reported as readable again and again.
        log.error("the local socket is closed: \(error)")
        return stop()
      }
      guard let session = dialect.open(caller: ("uid-\(user)" as Text).string) else {
        let refusal = dialect.refusal
        _ = linux_send(result, refusal, refusal.count)
        _ = linux_close(result)
        diagnostics.report("local connection", "a connection of uid \(user) was refused")
        continue
      }
      add(Connection(descriptor: result, session: session))
    }
  }

  private func add(_ connection: Connection) {
    do throws(SystemError) {
      connection.watch = try loop.watch(connection.descriptor, for: .readable) {
        [self] readiness in
        if readiness.contains(.readable) { read(connection) }
        if readiness.contains(.failed) { close(connection) }
      }
      connection.session.makeRoom = { [self] in _ = send(connection) }
      connections.append(connection)
    } catch {
      diagnostics.report("local connection", "a connection was refused: \(error)")
      dialect.close(connection.session)
      _ = linux_close(connection.descriptor)
    }
  }

  private func read(_ connection: Connection) {
    let room = min(connection.session.inputRoom, buffer.count)
    if room == 0 { return }
    let count = linux_receive(connection.descriptor, &buffer, room)
    if count < 0 {
      if !SystemError("recv", Int32(clamping: count)).isWouldBlock { close(connection) }
      return
    }
    if count == 0 { return connection.session.endInput() }
    let bytes = buffer
    dialect.receive(bytes.span.extracting(0..<min(Int(count), room)), from: connection.session)
  }

  /// Sends what the kernel takes.
  /// - Returns: false when the connection has failed.
  private func send(_ connection: Connection) -> Bool {
    let session = connection.session
    while !session.output.isEmpty {
      let count = linux_send(connection.descriptor, session.output, session.output.count)
      if count < 0 { return SystemError("send", Int32(clamping: count)).isWouldBlock }
      session.removeOutput(Int(clamping: count))
    }
    return true
  }

  /// Sends, and handles what had to wait for it, until nothing is left or the kernel takes no more.
  private func flush(_ connection: Connection) {
    let session = connection.session
    while !session.output.isEmpty {
      if !send(connection) { return close(connection) }
      if !session.output.isEmpty { break }
      dialect.advance(session)
    }
    if session.isOver { return close(connection) }
    var interests: Readiness = session.inputRoom > 0 ? .readable : []
    if !session.output.isEmpty { interests.insert(.writable) }
    connection.watch?.interests = interests
  }

  private func close(_ connection: Connection) {
    guard let watch = connection.watch else { return }
    watch.cancel()
    connection.watch = nil
    dialect.close(connection.session)
    _ = linux_close(connection.descriptor)
    connections.removeAll { $0 === connection }
  }
}
