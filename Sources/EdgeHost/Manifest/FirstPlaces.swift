import Transport

/// Remembers where each of a list's names was given first. The lists are short and read once, so
/// they are searched from the beginning.
struct FirstPlaces {
  private var places: [(name: [UInt8], mark: Mark)] = []

  /// The place of the same name before, if there was one; else keeps this one.
  mutating func insert(_ name: String, at mark: Mark) -> Mark? {
    let bytes = name.bytes
    if let first = places.first(where: { $0.name == bytes }) { return first.mark }
    places.append((bytes, mark))
    return nil
  }
}
