import Transport

/// How well a wireless interface hears its access point.
public struct WiFiSignal: Equatable {
  public enum Metric: Equatable {
    /// The strength of the signal in dBm.
    case signal
    /// From 0 to 1.
    case quality
  }

  public var interface: String
  public var metric: Metric

  public init(interface: String, metric: Metric) {
    self.interface = interface
    self.metric = metric
  }
}

final class WiFiProbe: Probe {
  private let signal: WiFiSignal
  private let path: String

  init(_ signal: WiFiSignal, proc: String) {
    self.signal = signal
    path = DeviceFolder.path(proc, "net/wireless")
  }

  func requests() -> FileRequests { FileRequests([path], lane: path) }

  func value(of contents: [FileContent], at now: Instant) throws(ReadingError) -> Measured {
    let bytes = try contents.content(0).bytes(path)
    let rows = WirelessTable.rows(bytes)
    guard let row = rows.first(where: { $0.interface == signal.interface }) else {
      let names = rows.map { $0.interface }.listed
      throw ReadingError(
        """
        \(path) has no interface \(quoted: signal.interface); there is: \
        \(names)
        """)
    }
    switch signal.metric {
    case .signal:
      // 0 or -256 while there is no access point.
      guard let level = row.level, level < 0, level > -256 else {
        throw ReadingError("\(path): \(signal.interface) hears no access point")
      }
      return Measured(Double(level))
    case .quality:
      guard let link = row.link, link >= 0 else {
        throw ReadingError("\(path): \(signal.interface) has no quality")
      }
      // The kernel makes 0...70 of the level of the signal.
      return Measured(min(Double(link) / 70, 1))
    }
  }
}

/// /proc/net/wireless: two lines of headings, then one for each interface.
///
///      wlan0: 0000   54.  -56.  -256        0      0      0      0     12        0
enum WirelessTable {
  struct Row: Equatable {
    var interface: String
    var link: Int64?
    var level: Int64?
  }

  /// Interfaces that are taken; a board has one or two.
  private static let rowsMax = 16

  static func rows(_ content: [UInt8]) -> [Row] {
    var rows: [Row] = []
    for line in content.split(separator: UInt8(ascii: "\n")) where rows.count < rowsMax {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let name = line[..<colon].drop { $0 == UInt8(ascii: " ") }
      let columns = line[(colon + 1)...].split(separator: UInt8(ascii: " "))
      guard !name.isEmpty, columns.count >= 3 else { continue }
      rows.append(
        Row(
          interface: name.string, link: number(columns[1]),
          level: number(columns[2])))
    }
    return rows
  }

  /// A point behind the number says that it has changed since it was read before.
  private static func number(_ column: ArraySlice<UInt8>) -> Int64? {
    var column = column
    if column.last == UInt8(ascii: ".") { column.removeLast() }
    return AttributeText.integer(Array(column))
  }
}
