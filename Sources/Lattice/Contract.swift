import Transport

/// What a capability offers, described once: every dialect derives its encoding, its checks and its
/// self-description from this.
public struct Contract {
  /// Contract id in the lattice, for example `edge:gpio`.
  public let id: String
  /// One token, for subjects and for people: `gpio`, `sensors`.
  public let name: String
  public let operations: [Operation]
  public let events: [EventKind]

  public init(id: String, name: String, operations: [Operation], events: [EventKind]) {
    self.id = id
    self.name = name
    self.operations = operations
    self.events = events
  }

  public func operation(named name: String) -> Operation? {
    for operation in operations where operation.name == name { return operation }
    return nil
  }
}

/// One thing that can be asked of a resource.
public struct Operation {
  /// One token: `get`, `set`.
  public let name: String
  public let parameters: [Parameter]
  /// Whether it moves something in the world: such a request is never executed late or twice.
  public let isCommand: Bool

  public init(name: String, parameters: [Parameter] = [], isCommand: Bool = false) {
    self.name = name
    self.parameters = parameters
    self.isCommand = isCommand
  }
}

/// A named argument of an operation.
public struct Parameter {
  public enum Kind: Equatable {
    case bool, string, double
    /// A whole number in this range.
    case integer(ClosedRange<Int64>)
  }

  public let name: String
  public let kind: Kind
  public let isRequired: Bool

  public init(_ name: String, _ kind: Kind, isRequired: Bool = false) {
    self.name = name
    self.kind = kind
    self.isRequired = isRequired
  }
}

/// A kind of event that resources of the capability emit: `edge`, `reading`.
public struct EventKind {
  public let name: String

  public init(name: String) { self.name = name }
}

/// A thing of the capability that is called by name: a line, a sensor.
public struct Resource {
  public let name: String
  /// The operations of the contract that this one takes.
  public let operations: [String]
  /// What is told about it to whoever asks: direction, kind, unit; and `error`, the reason, while it
  /// cannot be used.
  public let properties: Record

  public init(name: String, operations: [String], properties: Record) {
    self.name = name
    self.operations = operations
    self.properties = properties
  }
}
