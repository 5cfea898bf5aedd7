/// What a message is for, strictest first: the order in which messages leave when not all can.
public enum TrafficClass: UInt8, Comparable, Sendable {
  case protocolData, replies, commands, facts, readings, bulk

  public static func < (left: TrafficClass, right: TrafficClass) -> Bool {
    left.rawValue < right.rawValue
  }
}
