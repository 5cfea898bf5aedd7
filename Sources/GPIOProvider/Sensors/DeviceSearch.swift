import Transport

/// Which of the kernel's devices is meant: by the name that its driver gives it, and where several have
/// that name, by its place. Never by its number, which changes with the order in which drivers are
/// loaded.
public struct DeviceName: Equatable {
  /// As in the device's `name` file.
  public var name: String
  /// A part of the path of the device: `i2c-1`, `1-0076`. Nil when the name is enough.
  public var place: String?

  public init(_ name: String, at place: String? = nil) {
    self.name = name
    self.place = place
  }
}

/// Finds a device among those of its class, and again when it has moved.
struct DeviceSearch {
  private let device: DeviceName
  private let what: StaticString
  private let root: String
  private let prefix: StaticString
  /// Where it was last found.
  private var found: String?

  /// - Parameters:
  ///   - what: for messages: `IIO device`.
  ///   - root: the folder of the class.
  ///   - prefix: what the names of the devices' folders begin with.
  init(_ device: DeviceName, _ what: StaticString, in root: Text, prefix: StaticString) {
    self.device = device
    self.what = what
    self.root = root.string
    self.prefix = prefix
  }

  /// The device's folder. Its name is read each time: the number may have become another's.
  mutating func find() throws(ReadingError) -> String {
    if let found, isMeant(found) { return found }
    found = nil
    var names: [String] = []
    var matches: [String] = []
    for folder in DeviceSearch.folders(in: root, prefix: prefix) {
      guard let name = DeviceSearch.name(of: folder) else { continue }
      if !names.includes(name) { names.append(name) }
      if isMeant(folder) { matches.append(folder) }
    }
    if matches.count > 1 {
      let places = matches.map { DeviceSearch.place(of: $0) ?? $0 }
      throw ReadingError(
        """
        \(matches.count) \(what)s are named \(quoted: device.name): say 'at' with a part of \
        \(places.joined(by: " or "))
        """)
    }
    guard let match = matches.first else { throw missing(names) }
    found = match
    return match
  }

  private func missing(_ names: [String]) -> ReadingError {
    if let place = device.place, names.includes(device.name) {
      return ReadingError(
        "no \(what) named \(quoted: device.name) is at \(quoted: place) in \(root)")
    }
    return ReadingError(
      "no \(what) is named \(quoted: device.name) in \(root); there is: \(names.listed)")
  }

  private func isMeant(_ folder: String) -> Bool {
    guard let name = DeviceSearch.name(of: folder), name == device.name else { return false }
    guard let place = device.place else { return true }
    return DeviceSearch.place(of: folder)?.includes(place) ?? false
  }

  // MARK: what there is

  static func folders(in root: String, prefix: StaticString) -> [String] {
    var folders: [String] = []
    for name in DeviceFolder.names(root) where name.begins(with: prefix) {
      folders.append(DeviceFolder.path(root, name))
    }
    return folders
  }

  static func name(of folder: String) -> String? { DeviceFolder.text("\(folder)/name") }

  /// The path of the device, without the folders that lead up to /sys; nil when it is told nowhere.
  static func place(of folder: String) -> String? {
    guard let link = DeviceFolder.link("\(folder)") else { return nil }
    var path = link.bytes[...]
    while path.starts(with: "../".utf8) { path.removeFirst(3) }
    return path.string
  }
}

extension String {
  /// Whether the bytes of `part` are somewhere in the text.
  func includes(_ part: String) -> Bool {
    let (text, part) = (Array(utf8), part.bytes)
    if part.count > text.count { return false }
    for start in 0...(text.count - part.count)
    where text[start..<start + part.count].elementsEqual(part) {
      return true
    }
    return false
  }
}
