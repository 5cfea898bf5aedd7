import Lattice
import Transport

extension Contract {
  /// Sensors by name.
  ///
  /// `get` answers, and a `reading` tells, `name`, `kind`, `value` (null when there is none), `unit`
  /// (SenML), `quality` (`good`, `uncertain`, `stale` or `bad`), `seq`, the `reason` when the quality is
  /// not good, and of a sensor with alarms the names of those that are active, in `alarms`.
  /// - `alarm` tells that an alarm has begun or ended (`active`), its `limit`, and the value.
  /// - `seq` numbers readings and alarms that were told, over all sensors since the provider started;
  ///   `get` answers that of the sensor's last reading, 0 before there was any.
  /// - `drive` sets what a simulated sensor measures: a `value`; with a `reason` an uncertain one, and a
  ///   `reason` alone makes it bad. Without either its script goes on.
  ///
  /// - Parameter isDriven: whether callers may drive simulated sensors.
  public static func sensors(isDriven: Bool) -> Contract {
    var operations = [Operation(name: "get")]
    if isDriven {
      operations.append(
        Operation(
          name: "drive",
          parameters: [Parameter("value", .double(-1e12...1e12)), Parameter("reason", .string)],
          isCommand: true))
    }
    return Contract(
      id: "edge:sensors", name: "sensors", operations: operations,
      events: [EventKind(name: "reading"), EventKind(name: "alarm")])
  }
}

extension SensorConfiguration {
  public var isSimulated: Bool {
    if case .simulated = kind { return true }
    return false
  }
}
