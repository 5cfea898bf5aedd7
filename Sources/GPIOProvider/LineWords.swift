// What manifests, answers and commands call the parts of a line's configuration: one word for each.

extension OutputConfiguration.StartState {
  public var text: String {
    switch self {
    case .inactive: "inactive"
    case .active: "active"
    case .keep: "keep"
    case .last: "last"
    }
  }
}

extension LineConfiguration.Direction {
  public var text: String {
    switch self {
    case .input: "input"
    case .output: "output"
    }
  }
}

extension LineConfiguration.Bias {
  /// Nil when the line is left as it is.
  public var text: String? {
    switch self {
    case .asIs: nil
    case .disabled: "disabled"
    case .pullUp: "pull-up"
    case .pullDown: "pull-down"
    }
  }
}

extension LineConfiguration.Drive {
  /// Nil for the ordinary push-pull output.
  public var text: String? {
    switch self {
    case .pushPull: nil
    case .openDrain: "open-drain"
    case .openSource: "open-source"
    }
  }
}

extension LineConfiguration.Edges {
  public var text: String {
    switch self {
    case .none: "none"
    case .rising: "rising"
    case .falling: "falling"
    case .both: "both"
    }
  }
}

extension LineConfiguration.Report {
  public var text: String {
    switch self {
    case .durable: "durable"
    case .latest: "latest"
    }
  }
}

extension OutputConfiguration.SafeState {
  public var text: String {
    switch self {
    case .inactive: "inactive"
    case .active: "active"
    case .keep: "keep"
    }
  }
}
