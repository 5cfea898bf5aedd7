import Lattice
import Transport

/// `edge-host watch`: prints messages as they come. A durable event that is sent again, because nobody
/// has acknowledged it yet, is printed once.
final class WatchCommand {
  private let session: OperatorSession
  private let request: WatchRequest
  private let options: OperatorOptions
  private var seen = RecentIDs()
  private var printed: Int64 = 0

  static func run(_ request: WatchRequest, _ options: OperatorOptions) throws(SystemError) -> Int32
  {
    guard let subject = Subject(request.subject.bytes, allowsWildcards: true) else {
      OperatorSession.complain("\"\(request.subject)\" is no valid subject")
      return 2
    }
    let command = WatchCommand(try OperatorSession(options), request, options)
    return command.session.run { command.begin(subject) }
  }

  private init(_ session: OperatorSession, _ request: WatchRequest, _ options: OperatorOptions) {
    self.session = session
    self.request = request
    self.options = options
  }

  private func begin(_ subject: Subject) {
    let sid = session.client.subscribe(subject, queueGroup: []) { [self] message in take(message) }
    if sid == nil { session.fail("cannot subscribe") }
    if let timeout = options.timeout {
      let timer = session.timer { [self] in session.end(0) }
      timer.set(EventLoop.now + timeout)
    }
  }

  private func take(_ message: borrowing IncomingMessage) {
    // What comes after the last one that was wanted is left to others.
    if let count = request.count, printed >= count { return }
    var isNew = true
    var isFact = false
    if let reader = HeaderReader(message.headers), let id = reader.value(of: "Nats-Msg-Id") {
      isNew = seen.insert(message.headers.extracting(id))
      isFact = true
    }
    // A request has such a subject, too, and wants a reply; of the events only facts do.
    if let pattern = request.pattern,
      !pattern.matches(message.subject) || !isFact && !message.reply.isEmpty
    {
      return
    }
    if isNew {
      let text = options.json ? WatchCommand.json(message) : WatchCommand.line(message)
      // Only what is printed is kept: a full disk must not swallow what has been acknowledged.
      if !StandardStream.output.write(text) { return session.fail("cannot write the output") }
      printed += 1
    }
    if isFact, request.acknowledges { acknowledge(message) }
    if isNew, printed == request.count { session.end(0) }
  }

  private func acknowledge(_ message: borrowing IncomingMessage) {
    if message.reply.isEmpty { return }
    let nothing: [UInt8] = []
    let reply = OutgoingMessage(
      subject: message.reply, reply: nothing.span, headers: nothing.span, payload: nothing.span)
    do throws(PublishError) {
      try session.client.publish(reply, as: .replies, expires: EventLoop.now + .seconds(5))
    } catch {
      OperatorSession.complain("cannot acknowledge: \(error)")
    }
  }

  /// `{"subject":...,"data":...}`; data that is no JSON object is given as text.
  static func json(_ message: borrowing IncomingMessage) -> Text {
    var record = Record()
    record.append("subject", .string(message.subject.string))
    if let body = try? Record(json: message.payload), !message.payload.isEmpty {
      record.append("data", .record(body))
    } else {
      record.append("data", .string(message.payload.string))
    }
    return "\(record.jsonBytes.span)\n"
  }

  /// Time, subject, and what the body says besides.
  static func line(_ message: borrowing IncomingMessage) -> Text {
    let body = message.payload.isEmpty ? nil : try? Record(json: message.payload)
    var line = Text(body?["time"]?.plainText ?? "")
    line.pad(32 - line.bytes.count)
    line.append(message.subject)
    line.pad(38 - message.subject.count)
    line.append("  ")
    line.append(body?.pairs(except: ["time", "name"]) ?? message.payload.string)
    return "\(line.harmless)\n"
  }
}

/// The last message ids seen.
struct RecentIDs {
  static let capacity = 256

  private var ids: [[UInt8]] = []
  private var next = 0

  /// False when the id is among the last ones already.
  mutating func insert(_ id: Span<UInt8>) -> Bool {
    for known in ids where known.span.equals(id) { return false }
    if ids.count < RecentIDs.capacity {
      ids.append(id.array)
    } else {
      ids[next] = id.array
      next = (next + 1) % RecentIDs.capacity
    }
    return true
  }
}
