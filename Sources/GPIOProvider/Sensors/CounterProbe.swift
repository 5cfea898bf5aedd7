import Transport

/// A count of a device of the kernel's counter class (Documentation/ABI/testing/sysfs-bus-counter).
public struct CounterCount: Equatable {
  public var device: DeviceName
  /// From 0.
  public var count: UInt32

  public init(device: DeviceName, count: UInt32) {
    self.device = device
    self.count = count
  }
}

final class CounterProbe: Probe {
  private let count: CounterCount
  private var search: DeviceSearch
  private var path = ""

  init(_ count: CounterCount, sys: String) {
    self.count = count
    search = DeviceSearch(
      count.device, "counter", in: "\(sys)/bus/counter/devices", prefix: "counter")
  }

  func requests() throws(ReadingError) -> FileRequests {
    let folder = try search.find()
    path = ("\(folder)/count\(count.count)/count" as Text).string
    return FileRequests([path], lane: folder)
  }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    // Counters of 64 bits may have 20 digits.
    let bytes = try contents.content(0).bytes(path)
    guard let value = Array(AttributeText.trimmed(bytes)).span.unsignedNumber else {
      throw ReadingError("\(path) holds \(AttributeText.quoted(bytes)), which is no count")
    }
    return Measured(Double(value))
  }
}
