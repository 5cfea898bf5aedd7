import CLinux
import Transport

/// What a manifest takes from the environment, as waSCC's hosts do.
enum ManifestEnvironment {
  /// A variable of this process.
  static func lookUp(_ name: String) -> String? {
    guard let value = linux_environment(name) else { return nil }
    return String(cString: value)
  }

  /// The servers of a host whose manifest names none: `LATTICE_HOST`, which is `HOST`, `HOST:PORT`
  /// or `nats://HOST:PORT`, or else the server on this machine. The empty variable counts as none.
  static func servers(_ lookUp: (String) -> String?) throws(ManifestError) -> [ServerURL] {
    let variable = "LATTICE_HOST"
    var address = lookUp(variable) ?? ""
    if address.utf8.isEmpty { address = "nats://127.0.0.1:4222" }
    do throws(ServerURLError) {
      return [try ServerURL(parsing: address)]
    } catch {
      throw ManifestError(file: variable, mark: nil, message: error.description)
    }
  }

  /// Replaces `${NAME}` and `${NAME:default}` by the variable's value, before the YAML is read. A
  /// variable that is not set and has no default stays as it is written; `$NAME` is not touched.
  /// Returns nil when the result is larger than a manifest may be.
  static func expand(_ bytes: [UInt8], _ lookUp: (String) -> String?) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if let reference = Reference(bytes, at: index) {
        if let value = lookUp(reference.name.string) {
          result += value.bytes
        } else {
          result += reference.fallback ?? bytes[index..<reference.end]
        }
        index = reference.end
      } else {
        result.append(bytes[index])
        index += 1
      }
      if result.count > ManifestLimits.fileBytesMax { return nil }
    }
    return result
  }

  /// `${NAME}` or `${NAME:default}` in a text, on one line.
  private struct Reference {
    let name: ArraySlice<UInt8>
    let fallback: ArraySlice<UInt8>?
    /// Behind the closing brace.
    let end: Int

    init?(_ bytes: [UInt8], at start: Int) {
      guard bytes.count - start > 3, bytes[start] == UInt8(ascii: "$"),
        bytes[start + 1] == UInt8(ascii: "{")
      else { return nil }
      // Bounded, because text full of references that do not end is searched again for each.
      let searchEnd = min(bytes.count, start + ManifestLimits.referenceBytesMax)
      var colon: Int?
      for index in (start + 2)..<searchEnd {
        let byte = bytes[index]
        if byte == UInt8(ascii: "}") {
          let nameEnd = colon ?? index
          if nameEnd == start + 2 { return nil }
          name = bytes[(start + 2)..<nameEnd]
          fallback = colon.map { bytes[($0 + 1)..<index] }
          end = index + 1
          return
        }
        if byte == UInt8(ascii: "\n") { return nil }
        if colon != nil { continue }
        if byte == UInt8(ascii: ":") {
          colon = index
        } else if !isNameByte(byte) {
          return nil
        }
      }
      return nil
    }
  }
}

private func isNameByte(_ byte: UInt8) -> Bool {
  let letter = byte | 0x20
  return isDigit(byte) || byte == UInt8(ascii: "_")
    || letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
}
