import CLinux

/// Names a file with a secret or a certificate: an absolute path, or `credential:NAME`, the file of that
/// name among the service's credentials (systemd's LoadCredential= puts them into the folder that
/// `$CREDENTIALS_DIRECTORY` names).
public struct FileReference: Equatable, Sendable {
  private static let scheme: StaticString = "credential:"
  /// systemd takes no longer name of a credential.
  private static let nameBytesMax = 255

  /// As it is written in the manifest.
  public let text: String

  public init(parsing text: String) throws(FileReferenceError) {
    let bytes = text.bytes
    if bytes.isEmpty { throw .empty }
    if bytes.contains(0) { throw .zeroByte }
    if text.begins(with: FileReference.scheme) {
      let name = bytes[ascii(FileReference.scheme).count...]
      let isDots = name.allSatisfy { $0 == UInt8(ascii: ".") }
      if isDots || name.contains(UInt8(ascii: "/")) || name.count > FileReference.nameBytesMax {
        throw .credentialName
      }
    } else if bytes[0] != UInt8(ascii: "/") {
      throw .relative
    }
    self.text = text
  }

  /// Of a path as somebody has typed it, which may be relative; no credential's name.
  public init(path: String) { text = path }

  /// Reads the file, anew each time, so that what was replaced meanwhile is used.
  /// - Parameter bytesMax: a larger file is refused.
  func read(bytesMax: Int) throws(FileReadError) -> Secret {
    let path = try path()
    // Most files are small, and none is read piece by piece: that would leave copies behind.
    var capacity = min(4096, bytesMax)
    while true {
      var result: Int64 = 0
      // One byte more than is wanted tells that there is more.
      let secret = Secret(capacity: capacity + 1) { buffer in
        result = linux_read_file(path, buffer, capacity + 1)
        return Int(clamping: max(result, 0))
      }
      if result < 0 {
        let error = SystemError("read", Int32(clamping: result))
        throw FileReadError(file: self, problem: .system(error))
      }
      if secret.isEmpty { throw FileReadError(file: self, problem: .empty) }
      if secret.count <= capacity { return secret }
      if capacity == bytesMax {
        throw FileReadError(file: self, problem: .tooLarge(bytesMax: bytesMax))
      }
      capacity = min(capacity * 8, bytesMax)
    }
  }

  private func path() throws(FileReadError) -> String {
    if !text.begins(with: FileReference.scheme) { return text }
    guard let folder = linux_environment("CREDENTIALS_DIRECTORY") else {
      throw FileReadError(file: self, problem: .noCredentials)
    }
    let name = text.bytes[ascii(FileReference.scheme).count...]
    let path: Text = "\(String(cString: folder))/\(name.string)"
    return path.string
  }
}

/// What is wrong with the name of a file.
public enum FileReferenceError: Error, Equatable {
  case empty
  case zeroByte
  /// The name of a credential is empty, too long, or has a '/'.
  case credentialName
  case relative
}

extension FileReferenceError: TextConvertible {
  public var text: Text {
    switch self {
    case .empty: "the file's path is empty"
    case .zeroByte: "a path has no zero bytes"
    case .credentialName: "a credential's name has 1 to 255 bytes and no '/': say credential:NAME"
    case .relative: "the path must be absolute; or say credential:NAME"
    }
  }
}

/// A file that could not be read.
public struct FileReadError: Error, Equatable {
  public enum Problem: Equatable, Sendable {
    case system(SystemError)
    case tooLarge(bytesMax: Int)
    case empty
    /// The service has no credentials.
    case noCredentials
  }

  public let file: FileReference
  public let problem: Problem
}

extension FileReadError: TextConvertible {
  public var text: Text {
    switch problem {
    case .system(let error): "\(file.text): \(error.reason)"
    case .tooLarge(let bytesMax): "\(file.text): larger than \(bytesMax) bytes"
    case .empty: "\(file.text): the file is empty"
    case .noCredentials:
      "\(file.text): no CREDENTIALS_DIRECTORY in the environment (systemd: LoadCredential=)"
    }
  }
}
