import CLinux
import Transport

/// A manifest on its way from a file to a value, with every mistake that is found on the way.
enum ManifestFile {
  /// Reads, checks and completes the manifest at `path`.
  /// - Parameters:
  ///   - expandingEnvironment: replaces `${NAME}` by the environment's values first.
  ///   - checkingFiles: also reads the files that the manifest names.
  ///   - lookUp: the environment; it also names the server when the manifest does not.
  static func load(
    _ path: String, expandingEnvironment: Bool = false, checkingFiles: Bool = false,
    lookUp: (String) -> String? = ManifestEnvironment.lookUp
  ) throws(ManifestErrors) -> Manifest {
    var bytes = try read(path)
    if expandingEnvironment {
      guard let expanded = ManifestEnvironment.expand(bytes, lookUp) else {
        throw whole(path, tooLarge)
      }
      bytes = expanded
    }
    return try decode(bytes, from: path, checkingFiles: checkingFiles, lookUp: lookUp)
  }

  /// Decodes the text of a manifest.
  /// - Parameter file: what messages call it.
  static func decode(
    _ bytes: [UInt8], from file: String, checkingFiles: Bool = false,
    lookUp: (String) -> String?
  ) throws(ManifestErrors) -> Manifest {
    if bytes.count > ManifestLimits.fileBytesMax { throw whole(file, tooLarge) }
    let problems = ProblemList()
    var manifest = Manifest()
    if let root = YAMLParser.parse(bytes, problems: problems) {
      manifest = ManifestDecoder.decode(root, problems: problems, checkingFiles: checkingFiles)
    }
    if !problems.isEmpty { throw problems.errors(in: file) }
    if manifest.link.servers.isEmpty {
      do throws(ManifestError) {
        manifest.link.servers = try ManifestEnvironment.servers(lookUp)
      } catch {
        throw ManifestErrors(errors: [error])
      }
    }
    return manifest
  }

  private static func read(_ path: String) throws(ManifestErrors) -> [UInt8] {
    // One byte more than is allowed tells that there is more.
    let capacity = ManifestLimits.fileBytesMax + 1
    var result: Int64 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      result = linux_read_file(path, buffer.baseAddress, capacity)
      count = Int(clamping: max(result, 0))
    }
    if result < 0 {
      throw whole(path, SystemError("read", Int32(clamping: result)).reason)
    }
    return bytes
  }

  private static var tooLarge: String {
    let most = Quantity.size.text(Int64(ManifestLimits.fileBytesMax))
    return ("the manifest is too large: at most \(most)" as Text).string
  }

  private static func whole(_ file: String, _ message: String) -> ManifestErrors {
    ManifestErrors(errors: [ManifestError(file: file, mark: nil, message: message)])
  }
}
