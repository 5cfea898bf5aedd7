import CLinux

/// What the kernel says of the machine.
enum Kernel {
  /// The host name as it is set; empty when it cannot be read.
  static var hostName: [UInt8] {
    var buffer = [CChar](repeating: 0, count: 65)
    if linux_host_name(&buffer, buffer.count) != 0 { return [] }
    return buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  }
}
