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

/// One thing that can be asked of a resource, or of a capability as a whole.
public struct Operation {
  public enum Target {
    /// One thing by its name.
    case resource
    /// The whole: several things at once, or none in particular. `Invocation.resource` is empty.
    case capability
  }

  /// One token: `get`, `set`.
  public let name: String
  public let target: Target
  public let parameters: [Parameter]
  /// Whether it moves something in the world: such a request is never executed late or twice.
  public let isCommand: Bool

  public init(
    name: String, target: Target = .resource, parameters: [Parameter] = [], isCommand: Bool = false
  ) {
    self.name = name
    self.target = target
    self.parameters = parameters
    self.isCommand = isCommand
  }
}

/// A named argument of an operation.
public struct Parameter {
  public enum Kind: Equatable {
    case bool, string
    /// A number in this range, whole or not.
    case double(ClosedRange<Double>)
    /// A whole number in this range.
    case integer(ClosedRange<Int64>)
    /// A list of 1 to `max` texts.
    case names(max: Int)
    /// A record of 1 to `max` booleans by name; JSON bodies have at most 128 fields.
    case states(max: Int)
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
