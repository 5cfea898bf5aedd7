import Transport

/// A temperature of the kernel's thermal framework, found by its zone's type: the zones' numbers change
/// with the drivers that are loaded.
final class ThermalProbe: Probe {
  private let type: String
  private let root: String
  /// Where the zone was last found.
  private var found: String?
  private var path = ""

  init(zone: String, sys: String) {
    type = zone
    root = DeviceFolder.path(sys, "class/thermal")
  }

  func requests() throws(ReadingError) -> FileRequests {
    if let zone = found, !isMeant(zone) { found = nil }
    if found == nil { found = ThermalProbe.zones(root).first { isMeant($0) } }
    guard let found else { throw ReadingError("no thermal zone of type \"\(type)\" in \(root)") }
    path = DeviceFolder.path(found, "temp")
    return FileRequests([path], lane: found)
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    let steps = try contents.content(0).integer(path)
    let value = Double(steps) / 1_000
    try Plausible.temperature(value, steps, path)
    return Measured(value)
  }

  private func isMeant(_ zone: String) -> Bool {
    guard let type = DeviceFolder.text("\(zone)/type") else { return false }
    return type == self.type
  }

  private static func zones(_ root: String) -> [String] {
    DeviceSearch.folders(in: root, prefix: "thermal_zone")
  }

  /// The types of the zones there are, each once.
  static func types(root: String) -> [String] {
    var types: [String] = []
    for zone in zones(root) {
      if let type = DeviceFolder.text("\(zone)/type"), !types.includes(type) { types.append(type) }
    }
    return types
  }
}
