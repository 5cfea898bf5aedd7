import Transport

/// What the manifest says of one sensor.
public struct SensorConfiguration: Equatable {
  public enum Report: Equatable { case durable, latest }

  /// The name actors call it by: one subject token.
  public var name: String
  public var kind: SensorKind
  /// SenML unit (`Cel`, `%RH`, `V`); a kind that knows its unit sets it.
  public var unit: String
  /// How often it is read and reported.
  public var every: Duration
  public var report = Report.latest

  public init(name: String, kind: SensorKind, unit: String, every: Duration) {
    self.name = name
    self.kind = kind
    self.unit = unit
    self.every = every
  }
}
