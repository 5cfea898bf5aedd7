import CLinux

/// Why there is no TLS session, in an operator's words. Texts of a server's certificate are printable
/// ASCII and bounded.
public enum TLSError: Error, Equatable, Sendable {
  /// This build has no TLS.
  case notBuilt
  case file(FileReadError)
  case system(SystemError)
  case outOfMemory
  /// The server does not ask for TLS where the address does.
  case notOffered
  /// There were bytes between INFO and TLS: somebody puts them there.
  case bytesBehindInfo
  /// What answers does not speak TLS.
  case notTLS
  case noCommonVersion
  /// The server chose a parameter that is not taken, such as RSA-PSS with TLS 1.2.
  case unsuitableChoice
  /// The server gave up, with the number of an alert (RFC 8446, section 6).
  case alert(Int32)
  /// Whose certificate it is and when it ended.
  case expired(String, ClockTrust)
  /// Whose certificate it is and when it begins.
  case notYetValid(String, ClockTrust)
  case unknownAuthority(String)
  case name(expected: String, found: String)
  /// A key that is too short, or a signature by SHA-1.
  case weak(String)
  /// Any other fault of a certificate, as flags of Mbed TLS.
  case certificate(String, Int32)
  /// A file without a certificate that can be used.
  case noAuthority
  case badCertificate(FileReference?)
  /// Encrypted, or of a kind that is not supported.
  case badKey(FileReference?)
  case wrongKey(FileReference?)
  /// Certificates of this host, in bytes, that do not fit into one record.
  case longChain(Int32)
  /// Anything else, as Mbed TLS's number.
  case other(Int32)
}

/// What the clock is worth by which a certificate was judged.
public enum ClockTrust: Equatable, Sendable {
  /// Something keeps it right.
  case synchronised
  /// It may be wrong.
  case unsynchronised
  /// It shows a day before this program was made.
  case unset
}

extension TLSError {
  /// Somebody has to change certificates or files first. What may be of the moment (the network, a hub
  /// that is just being set up, a clock that is not set yet) is tried again as usual.
  var needsOperator: Bool {
    switch self {
    case .notBuilt, .system, .outOfMemory, .notOffered, .bytesBehindInfo, .notTLS, .other: false
    case .notYetValid(_, let clock): clock == .synchronised
    // By an unset clock, it had ended when this program was made.
    case .expired(_, let clock): clock != .unsynchronised
    case .file, .noCommonVersion, .unsuitableChoice, .alert, .unknownAuthority, .name, .weak,
      .certificate, .noAuthority, .badCertificate, .badKey, .wrongKey, .longChain:
      true
    }
  }
}

extension TLSError: TextConvertible {
  public var text: Text {
    switch self {
    case .notBuilt: "this build has no TLS"
    case .file(let error): error.text
    case .system(let error): "TLS: \(error.reason)"
    case .outOfMemory: "no memory for TLS"
    case .notOffered: "the server does not offer TLS, which its address asks for"
    case .bytesBehindInfo: "there were bytes between the server's INFO and TLS"
    case .notTLS: "the server does not speak TLS from the start; is handshake_first right?"
    case .noCommonVersion: "the server speaks neither TLS 1.2 nor 1.3"
    case .unsuitableChoice:
      "the server chose what is not supported: with TLS 1.2 and an RSA key it insists on RSA-PSS?"
    case .alert(let alert): TLSError.text(ofAlert: alert)
    case .expired(let certificate, let clock):
      "the certificate of \(certificate), is not valid any more\(TLSError.doubt(clock))"
    case .notYetValid(let certificate, .unset):
      "the clock of this host is not set: the certificate of \(certificate), is not valid yet"
    case .notYetValid(let certificate, let clock):
      "the certificate of \(certificate), is not valid yet\(TLSError.doubt(clock))"
    case .unknownAuthority(let issuer):
      "the server's certificate was issued by '\(issuer)', which is not among the authorities (ca)"
    case .name(let expected, let found):
      "the server's certificate is for \(found), not for \(expected)"
    case .weak(let certificate): "the certificate of \(certificate) has a weak key or signature"
    case .certificate(let certificate, let flags):
      "the certificate of \(certificate) cannot be used (flags \(flags))"
    case .noAuthority: "the file of authorities (ca) has no certificate that can be used"
    case .badCertificate(let file): "\(TLSError.name(file)): not PEM certificates of a known kind"
    case .badKey(let file):
      "\(TLSError.name(file)): not a PEM key, or encrypted, or neither RSA nor P-256 nor P-384"
    case .wrongKey(let file): "\(TLSError.name(file)): the key is not the certificate's"
    case .longChain(let size): "the certificates have \(size) bytes together: at most 4096"
    case .other(let code): "TLS failed (Mbed TLS \(code))"
    }
  }

  private static func doubt(_ clock: ClockTrust) -> StaticString {
    clock == .unsynchronised
      ? "; but the clock of this host is not synchronised, and may be wrong" : ""
  }

  private static func name(_ file: FileReference?) -> String { file?.text ?? "(no file)" }

  private static func text(ofAlert alert: Int32) -> Text {
    let meaning: StaticString
    switch alert {
    case 40: meaning = "no common cipher suite, or a certificate is missing"
    case 42, 43, 44, 46: meaning = "our certificate does not suit, or is missing"
    case 45: meaning = "our certificate has expired"
    case 48: meaning = "our certificate's authority is unknown to it"
    case 49: meaning = "our certificate has no access"
    case 70: meaning = "neither TLS 1.2 nor 1.3"
    case 71: meaning = "not secure enough"
    case 112: meaning = "it does not know the name"
    case 116: meaning = "it wants a certificate of ours"
    default: meaning = "an alert"
    }
    return "the server refused TLS: \(meaning) (alert \(alert))"
  }
}
