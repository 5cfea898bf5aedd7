/// Keys with their values, kept as the bytes that stand in the state file, one entry after the other:
///
///     offset   bytes
///     0        1       length of the key, 1 to 127
///     1        1       length of the value, 0 to 255
///     2        k       key
///     2 + k    v       value
///
/// Each key is there once, in ascending order of its bytes: the same content is always the same bytes. It
/// is searched from the beginning, as there are some tens of entries at most.
struct StateEntries: Equatable {
  static let keyBytesMax = 127
  static let valueBytesMax = 255
  /// What an entry takes beside its key and value.
  static let headerBytes = 2

  private(set) var bytes: [UInt8] = []

  init() {}

  /// Nil when the bytes are not entries as above.
  init?(_ bytes: Span<UInt8>) {
    var previous: Range<Int>?
    var offset = 0
    while offset < bytes.count {
      guard let entry = Entry(in: bytes, at: offset) else { return nil }
      if let previous {
        let order = compare(bytes.extracting(previous), bytes.extracting(entry.key))
        if order != .ascending { return nil }
      }
      previous = entry.key
      offset = entry.value.upperBound
    }
    self.bytes = bytes.array
  }

  func value(of key: [UInt8]) -> [UInt8]? {
    let place = place(of: key.span)
    guard let entry = Entry(in: bytes.span, at: place.lowerBound), !place.isEmpty else {
      return nil
    }
    return bytes.span.extracting(entry.value).array
  }

  /// Takes a value in place of the key's former one; false when it is the same.
  /// - Parameter bytesMax: of all entries together. What is refused leaves them as they are.
  mutating func set(
    _ key: [UInt8], _ value: [UInt8], bytesMax: Int
  ) throws(StateRefusal) -> Bool {
    if key.isEmpty || key.count > StateEntries.keyBytesMax { throw .key(bytes: key.count) }
    if value.count > StateEntries.valueBytesMax { throw .value(bytes: value.count) }
    let place = place(of: key.span)
    var entry = [UInt8(clamping: key.count), UInt8(clamping: value.count)]
    entry.append(key.span)
    entry.append(value.span)
    let needed = bytes.count - place.count + entry.count
    if needed > bytesMax { throw .full(needed: needed, bytesMax: bytesMax) }
    if bytes.span.extracting(place).equals(entry.span) { return false }
    bytes.replaceSubrange(place, with: entry)
    return true
  }

  /// False when there is no such key.
  mutating func remove(_ key: [UInt8]) -> Bool {
    let place = place(of: key.span)
    // As in `set`: the library's own removal is the same code once more.
    bytes.replaceSubrange(place, with: [UInt8]())
    return !place.isEmpty
  }

  /// Adds those of the other entries whose keys are not here, as long as they fit.
  mutating func adopt(_ other: StateEntries, bytesMax: Int) {
    let bytes = other.bytes.span
    var offset = 0
    while let entry = Entry(in: bytes, at: offset) {
      let key = bytes.extracting(entry.key).array
      if place(of: key.span).isEmpty {
        _ = try? set(key, bytes.extracting(entry.value).array, bytesMax: bytesMax)
      }
      offset = entry.value.upperBound
    }
  }

  /// Where the key's entry is, or nothing at the place where it belongs.
  private func place(of key: Span<UInt8>) -> Range<Int> {
    let bytes = bytes.span
    var offset = 0
    while let entry = Entry(in: bytes, at: offset) {
      switch compare(bytes.extracting(entry.key), key) {
      case .ascending: offset = entry.value.upperBound
      case .same: return offset..<entry.value.upperBound
      case .descending: return offset..<offset
      }
    }
    return offset..<offset
  }
}

/// Why a value is not taken.
enum StateRefusal: Error, Equatable {
  /// The key is empty or too long.
  case key(bytes: Int)
  case value(bytes: Int)
  /// All entries together would need more than there is.
  case full(needed: Int, bytesMax: Int)
}

extension StateRefusal: TextConvertible {
  var text: Text {
    switch self {
    case .key(let bytes): "the key has \(bytes) bytes; 1 to \(StateEntries.keyBytesMax) can be kept"
    case .value(let bytes):
      "the value has \(bytes) bytes; up to \(StateEntries.valueBytesMax) can be kept"
    case .full(let needed, let bytesMax):
      "with it all values would need \(needed) bytes; there are \(bytesMax)"
    }
  }
}

/// Where an entry's parts are.
private struct Entry {
  let key: Range<Int>
  let value: Range<Int>

  /// Nil when there is no whole entry at this offset.
  init?(in bytes: Span<UInt8>, at offset: Int) {
    if bytes.count - offset < StateEntries.headerBytes { return nil }
    let keyBytes = Int(bytes[offset])
    let valueBytes = Int(bytes[offset + 1])
    let start = offset + StateEntries.headerBytes
    if keyBytes == 0 || keyBytes > StateEntries.keyBytesMax { return nil }
    if bytes.count - start < keyBytes + valueBytes { return nil }
    key = start..<(start + keyBytes)
    value = key.upperBound..<(key.upperBound + valueBytes)
  }
}

private enum Order {
  case ascending
  case same
  case descending
}

/// Byte by byte; what another begins with comes before it.
private func compare(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Order {
  let shared = min(left.count, right.count)
  for index in 0..<shared where left[index] != right[index] {
    return left[index] < right[index] ? .ascending : .descending
  }
  if left.count == right.count { return .same }
  return left.count < right.count ? .ascending : .descending
}
