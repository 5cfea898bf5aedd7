import Transport

/// What all operator commands take.
struct OperatorOptions: Equatable {
  var server: ServerURL
  var authentication = Authentication.none
  var tls: TLSConfiguration?
  /// One JSON document per line, for machines.
  var json = false
  /// How long answers are waited for.
  var timeout: Duration?
}

extension Arguments {
  /// The options of all commands that talk to a NATS server; names are those of the `nats` command.
  static let ofOperators = [
    "--server", "--json", "--timeout", "--creds", "--nkey", "--tlsca", "--tlscert", "--tlskey",
  ]

  func operatorOptions(
    _ environment: (String) -> String?
  ) throws(UsageError) -> OperatorOptions {
    let given = option("--server")
    let text = given ?? Arguments.variable("LATTICE_HOST", environment) ?? "127.0.0.1:4222"
    let server: ServerURL
    do throws(ServerURLError) {
      server = try ServerURL(parsing: text)
    } catch {
      // The address is not repeated: it may hold a password.
      throw UsageError(message: "\(given == nil ? "LATTICE_HOST" : "--server"): \(error)")
    }
    var options = OperatorOptions(server: server, json: option("--json") != nil)
    options.timeout = try duration("--timeout")
    options.authentication = try authentication(environment)
    options.tls = try tls()
    return options
  }

  private func authentication(
    _ environment: (String) -> String?
  ) throws(UsageError) -> Authentication {
    let key = option("--nkey")
    let given = option("--creds")
    if key != nil, given != nil { throw UsageError(message: "--creds and --nkey: give one") }
    if let key { return .nkey(FileReference(path: key)) }
    // What waSCC hosts read, too.
    let creds = given ?? Arguments.variable("LATTICE_CREDS_FILE", environment)
    return creds.map { .credentials(FileReference(path: $0)) } ?? .none
  }

  private func tls() throws(UsageError) -> TLSConfiguration? {
    let authorities = option("--tlsca")
    let certificate = option("--tlscert")
    let key = option("--tlskey")
    if (certificate == nil) != (key == nil) {
      throw UsageError(message: "--tlscert and --tlskey go together")
    }
    if authorities == nil, certificate == nil { return nil }
    if !TLSConfiguration.isAvailable { throw UsageError(message: "this build has no TLS") }
    var tls = TLSConfiguration()
    tls.authorities = authorities.map { FileReference(path: $0) }
    tls.certificate = certificate.map { FileReference(path: $0) }
    tls.key = key.map { FileReference(path: $0) }
    return tls
  }
}
