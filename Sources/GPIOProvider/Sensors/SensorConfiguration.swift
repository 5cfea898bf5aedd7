import Transport

/// What the manifest says of one sensor.
public struct SensorConfiguration: Equatable {
  public enum Report: Equatable { case durable, latest }

  /// The name actors call it by: one subject token.
  public var name: String
  public var kind: SensorKind
  /// What its values are told in, by its name in SenML's registry.
  public var unit: String
  /// What makes a value in the told unit of one in the kind's.
  public var transform = LinearTransform.identity
  /// How often it is measured.
  public var every: Duration
  public var filter = FilterConfiguration.none
  /// Which readings are told.
  public var reporting = ReportConfiguration()
  public var alarms: [AlarmConfiguration] = []
  /// Whether its readings are kept until somebody has acknowledged them. Alarms always are.
  public var report = Report.latest

  public init(name: String, kind: SensorKind, unit: String, every: Duration) {
    self.name = name
    self.kind = kind
    self.unit = unit
    self.every = every
  }
}
