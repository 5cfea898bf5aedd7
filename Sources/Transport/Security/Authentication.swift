/// How this host proves to a server who it is. Secrets stay in their files until a server asks.
public enum Authentication: Equatable, Sendable {
  case none
  case token(FileReference)
  case password(user: String, FileReference)
  /// The seed of a user's key pair, `SU...`.
  case nkey(FileReference)
  /// A `.creds` file: the JWT of a user and the seed of its key pair.
  case credentials(FileReference)

  /// Of a file with a secret; a `.creds` file has some 2 kB.
  static let fileBytesMax = 64 * 1024

  /// Whether CONNECT must not be written where others may read.
  public var isSecret: Bool { self != .none }

  /// Whether CONNECT can be written only when the server's INFO has come.
  public var needsNonce: Bool {
    switch self {
    case .none, .token, .password: false
    case .nkey, .credentials: true
    }
  }

  /// Reads the files; done for each connection, so that new secrets take effect without a restart.
  public func read() throws(AuthenticationError) -> Proof {
    switch self {
    case .none: return .none
    case .token(let file): return .token(try Authentication.line(of: file))
    case .password(let user, let file):
      return .password(user: user, try Authentication.line(of: file))
    case .nkey(let file):
      let seed = try Authentication.line(of: file)
      do throws(NKeyError) {
        return .nkey(try NKey(seed: seed.bytes))
      } catch {
        throw .seed(file, error)
      }
    case .credentials(let file):
      let content = try Authentication.content(of: file)
      do throws(CredentialsError) {
        return try Proof(credentials: content)
      } catch {
        throw .credentials(file, error)
      }
    }
  }

  private static func content(of file: FileReference) throws(AuthenticationError) -> Secret {
    do throws(FileReadError) {
      return try file.read(bytesMax: fileBytesMax)
    } catch {
      throw .file(error)
    }
  }

  /// The one line that a file has, without blanks at its ends.
  private static func line(of file: FileReference) throws(AuthenticationError) -> Secret {
    let content = try content(of: file)
    let bytes = content.bytes
    var lines = LineReader(bytes)
    var found: Range<Int>?
    while let range = lines.next() {
      if range.isEmpty { continue }
      if found != nil { throw .severalLines(file) }
      found = range
    }
    guard let found else { throw .noLine(file) }
    for index in found where bytes[index] < 0x20 || bytes[index] == 0x7F {
      throw .controlCharacter(file)
    }
    return Secret(copying: bytes.extracting(found))
  }
}

/// What was read of an `Authentication`'s files, for one CONNECT; wiped when it is given up.
public enum Proof {
  case none
  case token(Secret)
  case password(user: String, Secret)
  case nkey(NKey)
  /// The whole file, and where its JWT is.
  case credentials(Secret, jwt: Range<Int>, NKey)

  public init(credentials file: Secret) throws(CredentialsError) {
    let layout = try CredentialsLayout(file.bytes)
    do throws(NKeyError) {
      let key = try NKey(seed: file.bytes.extracting(layout.seed))
      self = .credentials(file, jwt: layout.jwt, key)
    } catch {
      throw CredentialsError(line: layout.seedLine, problem: .seed(error))
    }
  }

  /// The most bytes that `write` adds: a byte may become six.
  var jsonBytesMax: Int {
    switch self {
    case .none: 0
    case .token(let token): 32 + 6 * token.count
    case .password(let user, let password): 32 + 6 * (user.utf8.count + password.count)
    case .nkey: 32 + NKey.publicTextLength + NKey.signatureTextLength
    case .credentials(_, let jwt, _): 32 + jwt.count + NKey.signatureTextLength
    }
  }

  func write(into json: inout JSONWriter, nonce: Span<UInt8>) {
    switch self {
    case .none: break
    case .token(let token):
      json.key("auth_token")
      json.string(token.bytes)
    case .password(let user, let password):
      json.key("user")
      json.string(user)
      json.key("pass")
      json.string(password.bytes)
    case .nkey(let key):
      json.key("nkey")
      let publicKey = key.publicKey
      json.string(publicKey.span)
      Proof.write(signature: key.signature(of: nonce), into: &json)
    case .credentials(let file, let jwt, let key):
      json.key("jwt")
      json.string(file.bytes.extracting(jwt))
      Proof.write(signature: key.signature(of: nonce), into: &json)
    }
  }

  private static func write(signature: [UInt8], into json: inout JSONWriter) {
    json.key("sig")
    json.string(signature.span)
  }
}

/// Why this host cannot say who it is. Nothing of a secret is repeated.
public enum AuthenticationError: Error, Equatable {
  case file(FileReadError)
  case credentials(FileReference, CredentialsError)
  case seed(FileReference, NKeyError)
  case noLine(FileReference)
  case severalLines(FileReference)
  case controlCharacter(FileReference)
  /// The server gives nothing to sign: it has no users with keys.
  case noNonce
  /// Servers close a connection whose CONNECT is longer.
  case tooLong(size: Int, limit: Int)
}

extension AuthenticationError: TextConvertible {
  public var text: Text {
    switch self {
    case .file(let error): error.text
    case .credentials(let file, let error): "\(file.text):\(error)"
    case .seed(let file, let error): "\(file.text): \(error)"
    case .noLine(let file): "\(file.text): the file has only blanks"
    case .severalLines(let file): "\(file.text): the file must have one line"
    case .controlCharacter(let file): "\(file.text): the file has control characters"
    case .noNonce: "the server gave no nonce to sign: it has no users with keys"
    case .tooLong(let size, let limit):
      "CONNECT would have \(size) bytes with these credentials: at most \(limit)"
    }
  }
}
