#if TLS
  import CLinux
  import CSodium
  import CTLS

  /// One TLS session on a connected, non-blocking socket, which stays its owner's. No call waits. Its
  /// memory is taken at once: some 17 kB for a record that comes, since servers in Go agree to nothing
  /// less, and two times 4 kB for one that goes; while the handshake lasts, certificates and the file of
  /// authorities besides.
  final class TLSSession {
    static let isAvailable = true
    /// Once it is agreed upon: 26 kB for records, and a server's certificates, which it may send in one
    /// message of 16 kB. Measured with one certificate: 41 kB, 33 kB for a session that goes on.
    static let bytesMax = 64 * 1024

    private let session: OpaquePointer
    /// The name that the certificate must have.
    private let name: String
    private let configuration: TLSConfiguration
    /// Needed until the handshake is over.
    private var files: TLSFiles?
    private let ticket: TLSTicket

    /// - Parameter host: as the server's address has it.
    init(
      on socket: Int32, host: String, _ configuration: TLSConfiguration, _ files: TLSFiles,
      ticket: TLSTicket
    ) throws(TLSError) {
      name = configuration.serverName ?? TLSSession.certificateName(of: host)
      self.configuration = configuration
      self.files = files
      self.ticket = ticket
      ticket.keepOnly(for: name, files)
      var failure = tls_failure()
      var opened: OpaquePointer?
      files.withFiles { [name] files in
        opened = tls_open(socket, name, files, ticket.pointer, &failure)
      }
      guard let opened else { throw TLSError(failure, name: name, configuration) }
      session = opened
    }

    deinit { tls_free(session) }

    /// Certificates name no zone of an IPv6 address and no dot at the end.
    private static func certificateName(of host: String) -> String {
      let bytes = Array(host.utf8)
      var end = bytes.firstIndex(of: UInt8(ascii: "%")) ?? bytes.count
      if end > 1, bytes[end - 1] == UInt8(ascii: ".") { end -= 1 }
      return String(decoding: bytes[..<end], as: UTF8.self)
    }

    static func check(
      _ files: TLSFiles, of configuration: TLSConfiguration
    ) throws(TLSError) {
      var failure = tls_failure()
      var result: Int32 = 0
      files.withFiles { result = tls_check_files($0, &failure) }
      if result != 0 { throw TLSError(failure, name: "", configuration) }
    }

    /// Goes on with the handshake as far as the socket allows.
    func handshake() throws(TLSError) -> TLSOutcome {
      var failure = tls_failure()
      let outcome = try outcome(Int64(tls_handshake(session, &failure)), &failure)
      if case .done = outcome { files = nil }
      return outcome
    }

    /// Reads what has come, at most as much as fits. The socket may have nothing more to say while
    /// `hasBufferedBytes`.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> TLSOutcome {
      if buffer.count == 0 { return .done(0) }
      var failure = tls_failure()
      return try outcome(tls_read(session, buffer.baseAddress, buffer.count, &failure), &failure)
    }

    var hasBufferedBytes: Bool { tls_buffered(session) > 0 }

    /// Puts bytes into the next record, which `flush` sends. Returns how many it took: none when the
    /// record is full or on its way.
    func append(_ bytes: UnsafeRawBufferPointer) -> Int {
      Int(tls_append(session, bytes.baseAddress, bytes.count))
    }

    /// Bytes that were appended and that the socket has not taken wait for `flush`.
    var hasUnsentBytes: Bool { tls_unsent(session) > 0 }

    func flush() throws(TLSError) -> TLSOutcome {
      var failure = tls_failure()
      return try outcome(Int64(tls_flush(session, &failure)), &failure)
    }

    /// Says that nothing more comes, as far as the socket takes it at once.
    func sayGoodbye() { tls_say_goodbye(session) }

    /// "TLSv1.3".
    var version: String { String(cString: tls_version(session)) }
    /// The handshake went on with the server's last session.
    var isResumed: Bool { tls_is_resumed(session) != 0 }

    private func outcome(
      _ result: Int64, _ failure: inout tls_failure
    ) throws(TLSError) -> TLSOutcome {
      switch result {
      case 0...: return .done(Int(result))
      case Int64(TLS_WANTS_READ): return .wantsRead
      case Int64(TLS_WANTS_WRITE): return .wantsWrite
      case Int64(TLS_CLOSED): return .closed
      default: throw TLSError(failure, name: name, configuration)
      }
    }
  }

  /// A server's last session, by which the next handshake is shorter: no certificates, and half the bytes
  /// or less. It is kept in memory only.
  final class TLSTicket {
    fileprivate let pointer: OpaquePointer?

    init() { pointer = tls_ticket_create() }

    deinit { tls_ticket_free(pointer) }

    /// A session is resumed with the same name, authorities and identity only: whoever replaces a file
    /// wants certificates to be verified anew.
    fileprivate func keepOnly(for name: String, _ files: TLSFiles) {
      var state = crypto_hash_sha512_state()
      crypto_hash_sha512_init(&state)
      add([UInt8](name.utf8).span, to: &state)
      for secret in [files.authorities, files.certificate, files.key] {
        if let secret { add(secret.bytes, to: &state) } else { add([UInt8]().span, to: &state) }
      }
      var digest = [UInt8](repeating: 0, count: 64)
      crypto_hash_sha512_final(&state, &digest)
      tls_ticket_keep_only(pointer, digest)
    }

    private func add(_ bytes: Span<UInt8>, to state: inout crypto_hash_sha512_state) {
      var count = UInt64(bytes.count)
      withUnsafeBytes(of: &count) { count in
        _ = crypto_hash_sha512_update(
          &state, count.baseAddress?.assumingMemoryBound(to: UInt8.self), 8)
      }
      bytes.withUnsafeBufferPointer { bytes in
        _ = crypto_hash_sha512_update(&state, bytes.baseAddress, UInt64(bytes.count))
      }
    }
  }

  extension TLSFiles {
    fileprivate func withFiles(_ body: (UnsafePointer<tls_files>) -> Void) {
      var files = tls_files(
        authorities: TLSFiles.pem(authorities), certificate: TLSFiles.pem(certificate),
        key: TLSFiles.pem(key))
      body(&files)
    }

    private static func pem(_ secret: Secret?) -> tls_pem {
      guard let secret else { return tls_pem(bytes: nil, length: 0) }
      return secret.withPointer { tls_pem(bytes: $0, length: secret.count) }
    }
  }

  extension ClockTrust {
    fileprivate static var present: ClockTrust {
      if tls_clock_is_unset() != 0 { return .unset }
      return EventLoop.isWallClockSynchronised ? .synchronised : .unsynchronised
    }
  }

  extension TLSError {
    fileprivate init(
      _ failure: tls_failure, name: String, _ configuration: TLSConfiguration
    ) {
      let detail = withUnsafeBytes(of: failure.detail) { detail in
        String(decoding: detail.prefix { $0 != 0 }, as: UTF8.self)
      }
      switch failure.problem {
      case Int32(TLS_PROBLEM_SYSTEM): self = .system(SystemError("tls", 0 &- failure.code))
      case Int32(TLS_PROBLEM_MEMORY): self = .outOfMemory
      case Int32(TLS_PROBLEM_NOT_TLS): self = .notTLS
      case Int32(TLS_PROBLEM_VERSION): self = .noCommonVersion
      case Int32(TLS_PROBLEM_CHOICE): self = .unsuitableChoice
      case Int32(TLS_PROBLEM_ALERT): self = .alert(failure.code)
      case Int32(TLS_PROBLEM_EXPIRED): self = .expired(detail, .present)
      case Int32(TLS_PROBLEM_NOT_YET_VALID):
        self = .notYetValid(detail, .present)
      case Int32(TLS_PROBLEM_UNKNOWN_AUTHORITY): self = .unknownAuthority(detail)
      case Int32(TLS_PROBLEM_NAME): self = .name(expected: name, found: detail)
      case Int32(TLS_PROBLEM_WEAK): self = .weak(detail)
      case Int32(TLS_PROBLEM_CERTIFICATE): self = .certificate(detail, failure.code)
      case Int32(TLS_PROBLEM_NO_AUTHORITY), Int32(TLS_PROBLEM_BAD_AUTHORITY): self = .noAuthority
      case Int32(TLS_PROBLEM_BAD_CERTIFICATE): self = .badCertificate(configuration.certificate)
      case Int32(TLS_PROBLEM_BAD_KEY): self = .badKey(configuration.key)
      case Int32(TLS_PROBLEM_WRONG_KEY): self = .wrongKey(configuration.key)
      case Int32(TLS_PROBLEM_LONG_CHAIN): self = .longChain(failure.code)
      default: self = .other(failure.code)
      }
    }
  }
#endif

/// How a step of a session ended, when it did not fail.
enum TLSOutcome: Equatable {
  /// With the number of bytes, where bytes were asked for.
  case done(Int)
  /// To be called again when the socket is readable, or writable.
  case wantsRead
  case wantsWrite
  case closed
}
