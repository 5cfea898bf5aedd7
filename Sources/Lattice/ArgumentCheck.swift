import Transport

/// Compares arguments with what an operation takes.
enum ArgumentCheck {
  static func check(_ arguments: Record, against operation: Operation) throws(InvocationError) {
    for field in arguments.fields {
      guard let parameter = parameter(named: field.name, of: operation) else {
        throw InvocationError(
          .badRequest, "\(operation.name) takes no argument \(quoted: field.name)")
      }
      try check(field.value, against: parameter)
    }
    for parameter in operation.parameters
    where parameter.isRequired && ArgumentCheck.isAbsent(arguments[parameter.name]) {
      throw InvocationError(
        .badRequest, "\(operation.name) needs the argument \"\(parameter.name)\"")
    }
  }

  /// JSON's null is how many clients leave an argument out.
  static func isAbsent(_ value: Value?) -> Bool {
    switch value {
    case nil, .null?: true
    default: false
    }
  }

  private static func parameter(named name: String, of operation: Operation) -> Parameter? {
    for parameter in operation.parameters where parameter.name == name { return parameter }
    return nil
  }

  private static func check(_ value: Value, against parameter: Parameter) throws(InvocationError) {
    switch (parameter.kind, value) {
    case (_, .null), (.bool, .bool), (.string, .string):
      return
    case (.double(let range), .double(let number)):
      if range.contains(number) { return }
    case (.double(let range), .integer(let number)):
      if range.contains(Double(number)) { return }
    case (.integer(let range), .integer(let number)):
      if range.contains(number) { return }
    case (.names(let max), .list(let values)):
      try check(count: values.count, max: max, parameter)
      for value in values where value.string == nil {
        throw InvocationError(
          .badRequest,
          "an entry of \"\(parameter.name)\" is \(quoted: value.jsonBytes), but must be text")
      }
      return
    case (.states(let max), .record(let record)):
      try check(count: record.fields.count, max: max, parameter)
      for field in record.fields where field.value.bool == nil {
        throw InvocationError(
          .badRequest,
          """
          \(quoted: field.name) of \"\(parameter.name)\" is \(quoted: field.value.jsonBytes), but \
          must be true or false
          """)
      }
      return
    default:
      throw InvocationError(
        .badRequest,
        """
        \"\(parameter.name)\" must be \(expected(parameter.kind)), not \(quoted: value.jsonBytes)
        """)
    }
    // A number outside of its range.
    throw InvocationError(
      .badRequest,
      "\"\(parameter.name)\" is \(value.jsonBytes.span), but must be \(range(parameter.kind))")
  }

  private static func check(
    count: Int, max: Int, _ parameter: Parameter
  ) throws(InvocationError) {
    if count > 0 && count <= max { return }
    throw InvocationError(
      .badRequest,
      """
      \"\(parameter.name)\" has \(count) entries, but must have \(range(parameter.kind))
      """)
  }

  private static func expected(_ kind: Parameter.Kind) -> Text {
    switch kind {
    case .bool: "true or false"
    case .string: "text"
    case .double: "a number from \(range(kind))"
    case .integer: "a whole number from \(range(kind))"
    case .names: "a list of \(range(kind)) names"
    case .states: "an object of \(range(kind)) names with true or false"
    }
  }

  private static func range(_ kind: Parameter.Kind) -> Text {
    switch kind {
    case .bool, .string: Text()
    case .double(let range):
      """
      \(Value.double(range.lowerBound).jsonBytes.span) to \
      \(Value.double(range.upperBound).jsonBytes.span)
      """
    case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .names(let max), .states(let max): "1 to \(max)"
    }
  }
}
