import Foundation

/// A folder like /sys/class/thermal, made of files.
final class ThermalTree {
  let sys: String
  var root: String { sys + "/class/thermal" }

  init() throws {
    sys = NSTemporaryDirectory() + "edge-host-thermal-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: sys) }

  func add(_ number: Int, type: String, temp: String?) throws {
    let zone = "\(root)/thermal_zone\(number)"
    try FileManager.default.createDirectory(atPath: zone, withIntermediateDirectories: true)
    try write(type + "\n", zone + "/type")
    if let temp { try write(temp, zone + "/temp") }
  }

  func set(_ number: Int, temp: String) throws {
    try write(temp, "\(root)/thermal_zone\(number)/temp")
  }

  func remove(_ number: Int) throws {
    try FileManager.default.removeItem(atPath: "\(root)/thermal_zone\(number)")
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }
}
