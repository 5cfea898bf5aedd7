import Foundation
import Transport

@testable import GPIOProvider

/// A board's /sys and /proc as files in a temporary folder.
///
/// A description has a line for each file, `path = content`, where `\n` is a line's end and one is added
/// at the end. `@ FOLDER < CLASS` begins a device: the paths behind it are below its folder, to which
/// CLASS has a link, as in sysfs. `@` alone ends it.
final class BoardTree {
  let root: String
  var sys: String { root + "/sys" }
  var proc: String { root + "/proc" }

  init(_ description: String = "") throws {
    root = NSTemporaryDirectory() + "edge-host-board-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try add(description)
  }

  func remove() { try? FileManager.default.removeItem(atPath: root) }

  func add(_ description: String) throws {
    var folder = ""
    for line in description.split(separator: "\n") {
      if line.hasPrefix("@") {
        let parts = line.dropFirst().split(separator: "<").map {
          $0.trimmingCharacters(in: .whitespaces)
        }
        folder = parts.first.map { $0 + "/" } ?? ""
        if parts.count == 2 { try link(parts[1], to: parts[0]) }
      } else if let equals = line.range(of: " = ") {
        let content = line[equals.upperBound...].replacingOccurrences(of: "\\n", with: "\n")
        try write(folder + line[..<equals.lowerBound], content + "\n")
      }
    }
  }

  private func link(_ classFolder: String, to device: String) throws {
    let name = device.split(separator: "/").last.map(String.init) ?? ""
    try makeFolder(classFolder)
    let up = classFolder.split(separator: "/").dropFirst().map { _ in "../" }.joined()
    let path = "\(root)/\(classFolder)/\(name)"
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: up + device.dropFirst("sys/".count))
  }

  func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: "\(root)/\(path)", withIntermediateDirectories: true)
  }

  func write(_ path: String, _ text: String) throws { try write(path, Data(text.utf8)) }

  func write(_ path: String, _ data: Data) throws {
    try makeFolder(path.split(separator: "/").dropLast().joined(separator: "/"))
    try data.write(to: URL(fileURLWithPath: "\(root)/\(path)"))
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(atPath: "\(root)/\(path)")
  }

  func content(_ path: String) -> String? {
    FileManager.default.contents(atPath: "\(root)/\(path)").map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// All files, none of them by way of a link.
  var files: [String] {
    var files: [String] = []
    let walk = FileManager.default.enumerator(atPath: root)
    while let path = walk?.nextObject() as? String {
      if walk?.fileAttributes?[.type] as? FileAttributeType == .typeRegular { files.append(path) }
    }
    return files.sorted()
  }

  func environment(_ reader: any FileReader, time: any TimeSource) -> SensorEnvironment {
    SensorEnvironment(reader, time: time, sys: sys, proc: proc)
  }

  /// What a new sensor of this kind measures.
  func measure(_ kind: SensorKind) -> Result<Measured, ReadingError> {
    let time = FakeTime()
    return environment(InlineReader(), time: time).source(of: kind).measure(at: time.now)
  }
}

extension SensorSource {
  /// The outcome of a try that ends during the call.
  func measure(at now: Instant) -> Result<Measured, ReadingError> {
    var outcome: Result<Measured, ReadingError>?
    measure(at: now) { outcome = $0 }
    return outcome ?? .failure(ReadingError("no outcome yet"))
  }
}

extension Result where Success == Measured, Failure == ReadingError {
  var value: Double? {
    if case .success(let measured) = self { return measured.value }
    return nil
  }

  /// Why there is no value, or why it is uncertain; empty when all is well.
  var reason: String {
    switch self {
    case .success(let measured): measured.reason ?? ""
    case .failure(let error): error.reason
    }
  }
}
