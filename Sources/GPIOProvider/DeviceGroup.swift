import CLinux
import Transport

/// The group whose members may use a device.
enum DeviceGroup {
  /// More than a board's list of groups takes; what is behind it has only its number.
  private static let listBytesMax = 16_384

  /// The group's name, or its number when it has none; nil when the device lets no group in.
  static func name(of device: String, groups: String = "/etc/group") -> String? {
    let number = linux_file_group(device)
    if number < 0 { return nil }
    var list = [UInt8](repeating: 0, count: listBytesMax)
    let length = linux_read_file(groups, &list, listBytesMax)
    let digits = ("\(number)" as Text).bytes
    for entry in list.prefix(Int(clamping: max(length, 0))).split(separator: UInt8(ascii: "\n")) {
      // group(5): name, password, number, members.
      let fields = entry.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      if fields.count > 2 && fields[2].elementsEqual(digits) {
        return fields[0].string
      }
    }
    return digits.string
  }
}

extension BoardError {
  /// A device may not be opened: it is asked whose group may.
  public static func denied(_ path: String) -> BoardError {
    .permissionDenied(path: path, group: DeviceGroup.name(of: path))
  }
}
