import Lattice
import Transport

/// `edge-host hosts`: asks every host who it is and prints a table when all have had time to answer.
final class HostsCommand {
  private static let defaultTimeout = Duration.seconds(2)
  /// When nobody has answered for this long after the first answer, no more are expected.
  private static let quiet = Duration.milliseconds(400)

  private let session: OperatorSession
  private let options: OperatorOptions
  private var answers: [Record] = []
  private var timer: Timer?
  private var isFinished = false

  static func run(_ options: OperatorOptions) throws(SystemError) -> Int32 {
    let command = HostsCommand(try OperatorSession(options), options)
    return command.session.run { command.ask() }
  }

  private init(_ session: OperatorSession, _ options: OperatorOptions) {
    self.session = session
    self.options = options
  }

  private func ask() {
    let inbox = session.makeInbox { [self] message in take(message) }
    guard let inbox else { return session.fail("cannot subscribe") }
    let subject = "$SRV.INFO.edge-host".bytes
    let nothing: [UInt8] = []
    let timeout = options.timeout ?? HostsCommand.defaultTimeout
    do throws(PublishError) {
      try session.client.publish(
        OutgoingMessage(
          subject: subject.span, reply: inbox.bytes.span, headers: nothing.span,
          payload: nothing.span), as: .commands, expires: EventLoop.now + timeout)
    } catch {
      return session.fail("\(error)")
    }
    let timer = session.timer { [self] in finish() }
    timer.set(EventLoop.now + timeout)
    self.timer = timer
  }

  private func take(_ message: borrowing IncomingMessage) {
    if isFinished { return }
    // No responders: an empty message with status 503.
    if let headers = HeaderReader(message.headers), headers.status == 503 { return finish() }
    guard let answer = try? Record(json: message.payload) else { return }
    answers.append(answer)
    if options.timeout == nil { timer?.set(EventLoop.now + HostsCommand.quiet) }
  }

  private func finish() {
    timer?.set(nil)
    isFinished = true
    if answers.isEmpty {
      return session.fail("no host answers at \(options.server)")
    }
    if options.json {
      for answer in answers { StandardStream.output.write("\(answer.jsonBytes.span)\n") }
    } else {
      StandardStream.output.write(table())
    }
    session.end(0)
  }

  private func table() -> Text {
    var rows: [[String]] = []
    for answer in answers {
      let row = row(answer)
      let place = rows.firstIndex { HostsCommand.isOrdered(row, $0) } ?? rows.count
      rows.insert(row, at: place)
    }
    var table = Table(heads: ["LATTICE", "HOST", "VERSION", "GPIO", "SENSORS", "LABELS"])
    for row in rows { table.append(row) }
    return table.text
  }

  private func row(_ answer: Record) -> [String] {
    var metadata = Record()
    if case .record(let record)? = answer["metadata"] { metadata = record }
    return [
      metadata["lattice"]?.plainText ?? "-", metadata["host"]?.plainText ?? "-",
      answer["version"]?.plainText ?? "-", names("gpio-get", answer), names("sensors-get", answer),
      metadata.pairs(except: ["host", "lattice"]),
    ]
  }

  /// What an endpoint says it can be called for.
  private func names(_ endpoint: String, _ answer: Record) -> String {
    for record in answer["endpoints"]?.records ?? [] {
      guard let name = record["name"]?.string, name == endpoint else { continue }
      if case .record(let metadata)? = record["metadata"] {
        return metadata["names"]?.plainText ?? "-"
      }
    }
    return "-"
  }

  /// By lattice, then by host.
  private static func isOrdered(_ left: [String], _ right: [String]) -> Bool {
    for (one, other) in zip(left, right) where one != other {
      let (one, other) = (one.bytes, other.bytes)
      for (byte, otherByte) in zip(one, other) where byte != otherByte { return byte < otherByte }
      return one.count < other.count
    }
    return false
  }
}
