import Lattice
import Transport

/// Writes who commanded what, and what became of it. A few lines from each caller at once, then one
/// every ten seconds: a flood neither fills the log nor hides the commands of others.
final class CommandLog {
  static let linesAtOnce: Int64 = 20
  static let interval = Duration.seconds(10)
  /// Of the arguments, and of the name; a request may bring 16 kB of them.
  private static let partBytesMax = 120

  private let time: any TimeSource
  private let write: (Text) -> Void
  private var limit = CallerLimit(
    interval: interval, burst: linesAtOnce, seed: RandomGenerator.systemSeed)
  private var leftOut: Int64 = 0

  init(time: any TimeSource, write: @escaping (Text) -> Void) {
    self.time = time
    self.write = write
  }

  func report(_ invocation: Invocation, _ result: InvocationResult) {
    // What could not be understood has asked nothing of the board.
    if case .failure(let error) = result, error.code == .badRequest { return }
    if limit.admit(invocation.caller.name, at: time.now) != nil {
      leftOut += 1
      return
    }
    var line = CommandLog.line(invocation, result)
    if leftOut > 0 { line += " (and \(leftOut) more commands were not logged)" }
    leftOut = 0
    write(line)
  }

  /// `command gpio set siren active=true by ops@laptop (services): done`
  static func line(_ invocation: Invocation, _ result: InvocationResult) -> Text {
    var line: Text = "command \(invocation.capability) \(invocation.operation)"
    if !invocation.resource.utf8.isEmpty { line += " \(cut("\(invocation.resource)"))" }
    line += "\(arguments(invocation.arguments)) by \(invocation.caller): "
    switch result {
    case .success: line.append("done")
    case .failure(let error): line += "refused: \(error.reason)"
    }
    return line.harmless
  }

  /// ` active=true pulse_ms=250`: values as JSON, so that no text in them passes for the line's own.
  private static func arguments(_ record: Record) -> Text {
    var text = Text()
    for field in record.fields where text.bytes.count < partBytesMax {
      text += " \(field.name)=\(field.value.jsonBytes.span)"
    }
    return cut(text)
  }

  private static func cut(_ text: Text) -> Text {
    if text.bytes.count <= partBytesMax { return text }
    return "\(text.bytes.span.extracting(0..<partBytesMax))..."
  }
}
