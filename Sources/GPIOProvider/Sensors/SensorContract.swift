import Lattice
import Transport

extension Contract {
  /// Sensors by name.
  ///
  /// `get` answers, and a `reading` tells, `name`, `kind` (`thermal` or `simulated`), `value`
  /// (null when there is none), `unit` (SenML), `time` of the measurement, `quality`, `seq` and,
  /// when the quality is bad, the `reason`.
  /// - The quality is `good`, `bad` (it could not be read), or `stale`: older than three periods.
  /// - `seq` numbers the readings that were told, over all sensors since the provider started;
  ///   `get` answers the sensor's last, 0 before there was any.
  public static var sensors: Contract {
    Contract(
      id: "edge:sensors", name: "sensors",
      operations: [Operation(name: "get")],
      events: [EventKind(name: "reading")])
  }
}

extension SensorConfiguration {
  /// What is told about the sensor to whoever asks.
  func resource(problem: String?) -> Resource {
    var properties = Record()
    properties.append("kind", .string(kind.text))
    kind.appendProperties(to: &properties)
    properties.append("unit", .string(unitText))
    properties.append("every_ms", .integer(every.milliseconds))
    properties.append("report", .string(report == .durable ? "durable" : "latest"))
    if let problem { properties.append("error", .string(problem)) }
    return Resource(name: name, operations: ["get"], properties: properties)
  }

  /// A kind that knows its unit has that, whatever the configuration says.
  var unitText: String { kind.quantity?.unit ?? unit }
}
