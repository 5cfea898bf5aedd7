import Transport

/// Decodes how a host proves who it is and what it asks of TLS. Secrets are never in the manifest: it
/// names files, and no message repeats what stands where a file's name should.
struct SecurityDecoder {
  static var keys: Words { "auth tls" }

  private let reader: MappingReader
  private let checksFiles: Bool

  /// - Parameters:
  ///   - reader: of `link`, whose known keys include `keys`.
  ///   - checksFiles: also reads the files and reports what is wrong with them.
  init(_ reader: MappingReader, checksFiles: Bool) {
    self.reader = reader
    self.checksFiles = checksFiles
  }

  // MARK: auth

  func authentication() -> Authentication {
    guard let field = reader.field("auth"),
      let reader = field.mapping(
        "the authentication", keys: "token user password nkey creds")
    else { return .none }
    let fields = ["token", "password", "nkey", "creds"] as [StaticString]
    let given = fields.filter { reader.field($0) != nil }
    guard given.count == 1, let kind = given.first, let secret = reader.field(kind) else {
      field.report("'auth' needs one of token, user with password, nkey and creds")
      return .none
    }
    let user = user(reader, kind)
    guard let file = secret.fileReference() else { return .none }
    let authentication: Authentication
    if isSame(kind, "token") {
      authentication = .token(file)
    } else if isSame(kind, "password") {
      authentication = .password(user: user ?? "", file)
    } else if isSame(kind, "nkey") {
      authentication = .nkey(file)
    } else {
      authentication = .credentials(file)
    }
    if checksFiles {
      do throws(AuthenticationError) {
        _ = try authentication.read()
      } catch {
        secret.report("\(secret.label): \(error)")
      }
    }
    return authentication
  }

  private func user(_ reader: MappingReader, _ kind: StaticString) -> String? {
    if !isSame(kind, "password") {
      reader.refuse("user", "goes with 'password' only")
      return nil
    }
    return reader.required("user", "the user's name")?
      .text("the user's name", bytesMax: ManifestLimits.userBytesMax)
  }

  // MARK: tls

  func tls() -> TLSConfiguration? {
    guard let field = reader.field("tls") else { return nil }
    var tls = TLSConfiguration()
    guard
      let reader = field.mapping(
        "TLS", keys: "ca certificate key server_name handshake_first")
    else { return nil }
    if !TLSConfiguration.isAvailable {
      field.report("this build has no TLS: leave out 'tls', or install a build with TLS")
      return nil
    }
    let authorities = reader.field("ca")
    let certificate = reader.field("certificate")
    let key = reader.field("key")
    tls.authorities = authorities?.fileReference()
    tls.certificate = certificate?.fileReference()
    tls.key = key?.fileReference()
    if let certificate, key == nil { certificate.report("'certificate' needs 'key'") }
    if let key, certificate == nil { key.report("'key' needs 'certificate'") }
    tls.serverName = reader.field("server_name")?
      .text("the name in the server's certificate", bytesMax: ManifestLimits.hostBytesMax)
    if let isFirst = reader.field("handshake_first")?.boolean() { tls.handshakeFirst = isFirst }
    // A reference that is wrong was reported; without it another file would be checked.
    let isWhole =
      (authorities == nil) == (tls.authorities == nil)
      && (certificate == nil) == (tls.certificate == nil)
      && (tls.key == nil) == (tls.certificate == nil)
    if checksFiles, isWhole {
      do throws(TLSError) {
        try tls.check()
      } catch {
        field.report("'tls': \(error)")
      }
    }
    return tls
  }
}

extension Field {
  /// The name of a file; what stands here instead may be a secret and is not repeated.
  @inline(never)
  func fileReference() -> FileReference? {
    guard case .scalar(let scalar) = node.content, !scalar.isNull else {
      report("\(label) must be the path of a file, or credential:NAME")
      return nil
    }
    do throws(FileReferenceError) {
      return try FileReference(parsing: scalar.bytes.string)
    } catch {
      report("\(label) names a file: \(error)")
      return nil
    }
  }
}
