import Lattice
import Transport

extension InvocationError {
  /// Why a name that is not known is refused, with the names that are.
  static func unknown(_ kind: StaticString, _ name: String, known: [String]) -> InvocationError {
    let namesMax = 8
    var text: Text = "no \(kind) is named \(quoted: name); there "
    if known.isEmpty { text += "are none" }
    if known.count == 1 { text += "is: " }
    if known.count > 1 { text += "are: " }
    text.append(Array(known.prefix(namesMax)).joined(by: ", "))
    if known.count > namesMax { text += " and \(known.count - namesMax) more" }
    return InvocationError(.notFound, text)
  }
}
