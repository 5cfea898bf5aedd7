import CLinux
import GPIOProvider
import Lattice
import Transport

/// `edge-host run`: reads the manifest, takes the board, joins the lattice and stays until it is told
/// to stop. A missing link or a missing pin is no reason to end.
final class HostProgram: ClientDelegate {
  private var manifest: Manifest
  private let log: Log
  private let diagnostics: RateLimitedLog
  private let commandLog: CommandLog
  private var linkLog = LinkLog()
  private let loop: EventLoop
  private let time = SystemTime()
  private let host: LatticeHost
  private let client: Client
  private let memory: HostMemory?
  private let services = ServiceManager()
  private var timer: Timer?
  private var socket: LocalSocket?
  private var signals: Watch?
  private var clockWatch: ClockWatch?
  private var isStopping = false

  /// - Returns: the exit status: 0 after a stop that was asked for, 2 for a bad manifest.
  static func run(_ file: ManifestPath) throws(SystemError) -> Int32 {
    let manifest: Manifest
    do throws(ManifestErrors) {
      manifest = try ManifestFile.load(
        file.path, expandingEnvironment: file.expandsEnvironment)
    } catch {
      StandardStream.error.write(error.text)
      return 2
    }
    try HostProgram(manifest).run()
    return 0
  }

  private init(_ manifest: Manifest) throws(SystemError) {
    self.manifest = manifest
    let log = Log(level: manifest.host.log)
    self.log = log
    diagnostics = RateLimitedLog(time: time) { text in log.warning(text()) }
    commandLog = CommandLog(time: time) { line in log.info(line) }
    loop = try EventLoop()
    memory =
      manifest.host.keepsState
      ? HostMemory(path: manifest.host.state, loop: loop, log: log, time: time) : nil
    let seed = RandomGenerator.systemSeed
    let identity = HostIdentity(
      name: manifest.host.name ?? HostProgram.kernelHostName(), lattice: manifest.host.lattice,
      id: HostIdentity.makeID(seed: seed), version: Program.version,
      labels: manifest.labels.map { (key: $0.name, value: $0.value) },
      started: EventLoop.now)
    host = LatticeHost(
      identity: identity, time: time, boot: BootID.ofKernel(), known: memory?.clocks ?? [])
    var options = ConnectionOptions(
      servers: manifest.link.servers, name: identity.name, version: Program.version)
    options.authentication = manifest.link.authentication
    options.tls = manifest.link.tls
    options.ignoresDiscoveredServers = manifest.link.ignoresDiscoveredServers
    client = Client(on: loop, options: options, limits: manifest.link.limits)
  }

  private func run() throws(SystemError) {
    let identity = host.identity
    log.info("edge-host \(Program.version): host \(identity.name) in lattice \(identity.lattice)")
    try watchSignals()
    watchClock()
    for capability in manifest.capabilities { add(capability) }
    // The providers have their lines and sensors now.
    manifest.capabilities = []
    let journal = HostJournal.make(manifest.journal, for: host, on: loop, log)
    let dialect = ServicesDialect(
      presenceInterval: manifest.host.presence, requestTimeout: manifest.requests.timeout,
      commandRate: manifest.services.takesCommands ? Int64(manifest.services.commandRate) : nil,
      journal: journal, guarantee: manifest.journal.guarantee, diagnostics: diagnostics,
      seed: RandomGenerator.systemSeed)
    journal.open(at: time.now)
    host.onCommand = { [self] in commandLog.report($0, $1) }
    let timer = Timer(on: loop) { [self] now in
      host.handleDeadline(at: now)
      memory?.handleDeadline(at: now)
    }
    self.timer = timer
    let local = LocalDialect(diagnostics: diagnostics)
    host.start([dialect, local], on: client)
    let socket = manifest.host.socket.map {
      LocalSocket(local, at: $0, on: loop, log: log, diagnostics: diagnostics)
    }
    self.socket = socket
    socket?.open()
    client.delegate = self
    client.start()
    // Whatever a turn handled may have changed when the host wants to be called next.
    let endClientTurn = loop.endOfTurn
    loop.endOfTurn = { [self] now in
      endClientTurn?(now)
      socket?.handleEndOfTurn()
      host.lookAtClock(at: now)
      timer.set(isStopping ? nil : Instant.earlier(host.deadline, memory?.deadline))
    }
    services.ready("connecting")
    try loop.run()
    close(journal)
    memory?.close()
    log.info("stopped")
  }

  /// What still waits goes to the disk.
  private func close(_ journal: Journal) {
    journal.close(at: time.now)
    let status = journal.status
    if status.waiting == 0 { return }
    if status.diskBytes > 0 && status.problem == nil {
      log.info("\(status.waiting) facts wait for the next start")
    } else {
      log.warning("\(status.waiting) facts wait in memory only")
    }
  }

  // MARK: board

  private func add(_ capability: Manifest.Capability) {
    switch capability {
    case .gpio(let board, let lines, let interlocks):
      let provider = GPIOProvider(
        lines: lines, interlocks: interlocks, board: makeBoard(board), time: time,
        isSimulated: board == .simulated, memory: memory)
      provider.eventSink = host
      provider.onProblem = { [self] line, reason in problemChanged("line", line, reason) }
      host.add(provider)
    case .sensors(let sensors):
      let provider = SensorsProvider(
        sensors: sensors, environment: SensorEnvironment(loop: loop, time: time),
        isDriven: sensors.contains { $0.isSimulated })
      watchDevices(provider)
      provider.eventSink = host
      provider.onProblem = { [self] sensor, reason in problemChanged("sensor", sensor, reason) }
      host.add(provider)
    }
  }

  private func watchDevices(_ provider: SensorsProvider) {
    do throws(SystemError) {
      try provider.watchDevices(on: loop)
    } catch {
      log.info("sensors that appear are found only when they are tried again: \(error)")
    }
  }

  private func makeBoard(_ board: Manifest.Board) -> any Board {
    switch board {
    case .linux:
      let board = LinuxBoard(loop: loop)
      do throws(SystemError) {
        try board.watchChips()
      } catch {
        log.info("chips that appear are found only every few seconds: \(error)")
      }
      return board
    case .simulated: return SimulatedBoard(startingAt: time.now)
    }
  }

  private func problemChanged(_ kind: StaticString, _ name: String, _ reason: String?) {
    if let reason {
      log.error("\(kind) \(name): \(reason)")
    } else {
      log.info("\(kind) \(name): is back")
    }
    host.statusChanged()
  }

  /// A name for a host whose manifest gives none.
  static func kernelHostName() -> String { hostName(fromKernel: Kernel.hostName) }

  /// The kernel's host name as one subject token.
  static func hostName(fromKernel name: [UInt8]) -> String {
    if Name.isValid(name) { return name.string }
    return Name.suggestion(for: name) ?? "edge-host"
  }

  // MARK: life

  private func watchSignals() throws(SystemError) {
    let descriptor = try check("signalfd", linux_signals_create())
    signals = try loop.watch(descriptor, for: .readable) { [self] _ in
      while true {
        let signal = linux_signals_read(descriptor)
        if signal < 0 { return }
        take(signal: signal)
      }
    }
  }

  private func take(signal: Int32) {
    let hangUp: Int32 = 1
    if signal == hangUp {
      log.warning("SIGHUP: this version does not reload its manifest; restart the service")
    } else if isStopping {
      log.warning("told to stop again: ending at once")
      loop.stop()
    } else {
      stop()
    }
  }

  private func watchClock() {
    if !host.clock.isSynchronised {
      log.info("the clock is not synchronised: times are told as unknown until it is")
    }
    host.onClockChange = { [self] change in clockChanged(change) }
    rememberClock(evenIfKnown: false)
    do throws(SystemError) {
      clockWatch = try ClockWatch(on: loop) { [self] in host.readClock() }
    } catch {
      log.info("it is noticed late when the clock is set: \(error)")
    }
  }

  private func clockChanged(_ change: ClockChange) {
    let state: StaticString = change.isSynchronised ? "synchronised" : "not synchronised"
    log.info("the clock was set by \(change.step.milliseconds) ms and is \(state)")
    rememberClock(evenIfKnown: true)
    // Certificates may have been refused by a clock that was wrong.
    client.handleClockSet()
  }

  /// Facts that wait beyond this boot get their time by it. It is written about once in a boot.
  private func rememberClock(evenIfKnown: Bool) {
    guard let memory, host.clock.isSynchronised else { return }
    let isKnown = memory.clocks.contains { $0.boot == host.clock.boot }
    if evenIfKnown || !isKnown { memory.clocks = host.clock.known }
  }

  /// Outputs first, then the farewell; the link has a few seconds to carry it.
  private func stop() {
    isStopping = true
    log.info("stopping: outputs take their safe state")
    services.stopping()
    host.stop()
    socket?.stop()
    client.drain()
  }

  // MARK: ClientDelegate

  func clientConnected(to server: ServerURL) {
    linkLog.connected()
    if let security = client.security {
      log.info("connected to \(server) (\(security))")
    } else {
      log.info("connected to \(server)")
    }
    services.status("connected to \(server)")
    host.linkChanged(isConnected: true)
  }

  func clientDisconnected(from server: ServerURL, _ reason: DisconnectReason, retryIn: Duration) {
    if let line = linkLog.line("\(server): \(reason)", retryIn: retryIn, at: time.now) {
      log.warning(line)
    } else {
      log.debug("\(server): \(reason); next try in \(retryIn.milliseconds) ms")
    }
    services.status("not connected: \(reason)")
    host.linkChanged(isConnected: false)
  }

  func clientStopped() { loop.stop() }

  func clientFoundLameDuck(_ server: ServerURL) {
    log.info("\(server) is shutting down: looking for another server")
  }

  func clientMoved(to server: ServerURL) {
    log.info("moved to \(server)")
    services.status("connected to \(server)")
  }

  func clientReceivedError(_ error: ServerError, _ text: String) {
    // What ends the connection is told as the reason of its end.
    if error.closesConnection == true { return }
    diagnostics.report("server error", "the server says: \(text)")
  }
}
