extension ConnectionOptions {
  /// The JSON of CONNECT. What is left out would be true on the server: +OK for every operation, and
  /// our own messages back.
  ///
  /// It is made when it is to be written, and wiped when it is given up.
  /// - Parameter nonce: of the server's INFO; empty for none.
  func connectArgument(
    _ proof: Proof, nonce: Span<UInt8>, usesTLS: Bool
  ) throws(AuthenticationError) -> Secret {
    if nonce.isEmpty {
      switch proof {
      case .none, .token, .password: break
      case .nkey, .credentials: throw .noNonce
      }
    }
    // Never more than this, so that the bytes do not move and leave a copy behind.
    var json = JSONWriter(
      capacity: 256 + 6 * (name.utf8.count + version.utf8.count) + proof.jsonBytesMax)
    json.beginObject()
    json.key("verbose")
    json.bool(false)
    json.key("pedantic")
    json.bool(false)
    json.key("echo")
    json.bool(echo)
    json.key("tls_required")
    json.bool(usesTLS)
    json.key("lang")
    json.string("swift")
    json.key("version")
    json.string(version)
    json.key("name")
    json.string(name)
    json.key("protocol")
    json.integer(1)
    json.key("headers")
    json.bool(true)
    json.key("no_responders")
    json.bool(true)
    proof.write(into: &json, nonce: nonce)
    json.endObject()
    let argument = Secret(copying: json.bytes.span)
    json.wipe()
    // "CONNECT " and CRLF.
    let size = argument.count + 10
    if size > Encoder.controlLineBytesMax {
      throw .tooLong(size: size, limit: Encoder.controlLineBytesMax)
    }
    return argument
  }
}
