/// What a link asks of TLS. The server's certificate is always verified; there is no switch.
public struct TLSConfiguration: Equatable, Sendable {
  /// PEM certificates of the authorities that are trusted.
  public var authorities: FileReference?
  /// This host's own certificate with its chain, and the key to it; PEM, the key not encrypted.
  public var certificate: FileReference?
  public var key: FileReference?
  /// What the server's certificate must name instead of the host in the address.
  public var serverName: String?
  /// TLS before INFO, as a server with `handshake_first: true` wants it.
  public var handshakeFirst = false

  /// Used when no file is named: where Debian's ca-certificates has all the authorities it trusts.
  static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"
  /// Of a file with authorities; Debian's has 220 kB.
  static let authoritiesBytesMax = 1024 * 1024
  static let identityBytesMax = 64 * 1024

  /// Whether this build has TLS.
  public static var isAvailable: Bool { TLSSession.isAvailable }

  public init() {}

  /// Reads the files; done for each connection, so that new certificates take effect without a restart.
  func read() throws(FileReadError) -> TLSFiles {
    let authorities = authorities ?? FileReference(path: TLSConfiguration.systemAuthorities)
    return TLSFiles(
      authorities: try authorities.read(bytesMax: TLSConfiguration.authoritiesBytesMax),
      certificate: try certificate?.read(bytesMax: TLSConfiguration.identityBytesMax),
      key: try key?.read(bytesMax: TLSConfiguration.identityBytesMax))
  }

  /// Reads the files and says whether they can be used.
  public func check() throws(TLSError) {
    let files: TLSFiles
    do throws(FileReadError) {
      files = try read()
    } catch {
      throw .file(error)
    }
    try TLSSession.check(files, of: self)
  }
}

/// What was read of the files of a `TLSConfiguration`.
struct TLSFiles {
  var authorities: Secret?
  var certificate: Secret?
  var key: Secret?
}
