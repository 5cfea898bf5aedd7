import Lattice
import Transport

extension Invocation {
  /// Refuses what comes after its deadline.
  func checkDeadline(at now: Instant) throws(InvocationError) {
    guard let deadline, deadline < now else { return }
    throw InvocationError(
      .late,
      "\(operation) of \"\(cut(resource))\" came \((now - deadline).milliseconds) ms too late")
  }

  /// The argument, or nil when it is absent or null.
  private func argument(_ name: String) -> Value? {
    let value = arguments[name]
    return value == .null ? nil : value
  }

  func requiredBool(_ name: String) throws(InvocationError) -> Bool {
    guard let value = argument(name) else {
      throw InvocationError(.badRequest, "\(operation) needs \(name): true or false")
    }
    guard case .bool(let bool) = value else {
      throw InvocationError(.badRequest, "\(name) is true or false, and nothing else")
    }
    return bool
  }

  func optionalInteger(
    _ name: String, in range: ClosedRange<Int64>
  ) throws(InvocationError) -> Int64? {
    guard let value = argument(name) else { return nil }
    guard case .integer(let integer) = value, range.contains(integer) else {
      throw InvocationError(
        .badRequest,
        "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }
}

/// Why a name that is not known is refused, with the names that are.
func noSuchResource(_ kind: String, _ name: String, known: [String]) -> InvocationError {
  let namesMax = 8
  var text = "no \(kind) is named \"\(cut(name))\"; there "
  if known.isEmpty { text += "are none" }
  for (index, name) in known.prefix(namesMax).enumerated() {
    text += (index == 0 ? (known.count == 1 ? "is: " : "are: ") : ", ") + name
  }
  if known.count > namesMax { text += " and \(known.count - namesMax) more" }
  return InvocationError(.notFound, text)
}

func noSuchOperation(_ operation: String, in contract: Contract) -> InvocationError {
  var text = "\(contract.name) has no operation \"\(cut(operation))\"; there are: "
  for (index, operation) in contract.operations.enumerated() {
    text += (index == 0 ? "" : ", ") + operation.name
  }
  return InvocationError(.notFound, text)
}

/// A caller's text as an answer repeats it: not longer than a name can be.
func cut(_ text: String) -> String {
  let bytesMax = 64
  if text.utf8.count <= bytesMax { return text }
  return String(decoding: text.utf8.prefix(bytesMax), as: UTF8.self) + "..."
}
