#if !TLS
  /// What stands for TLS in a build without it: a session that cannot be made.
  final class TLSSession {
    static let isAvailable = false
    static let bytesMax = 0

    init(
      on socket: Int32, host: String, _ configuration: TLSConfiguration, _ files: TLSFiles,
      ticket: TLSTicket
    ) throws(TLSError) {
      throw .notBuilt
    }

    static func check(_ files: TLSFiles, of configuration: TLSConfiguration) throws(TLSError) {}

    func handshake() throws(TLSError) -> TLSOutcome { throw .notBuilt }
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> TLSOutcome {
      throw .notBuilt
    }
    var hasBufferedBytes: Bool { false }
    func append(_ bytes: UnsafeRawBufferPointer) -> Int { 0 }
    var hasUnsentBytes: Bool { false }
    func flush() throws(TLSError) -> TLSOutcome { throw .notBuilt }
    func sayGoodbye() {}
    var version: String { "" }
    var isResumed: Bool { false }
  }

  final class TLSTicket {}
#endif
