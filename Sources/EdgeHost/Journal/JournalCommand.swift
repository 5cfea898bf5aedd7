import Lattice
import Transport

/// What `edge-host journal` is to do.
struct JournalRequest: Equatable {
  enum Action: Equatable {
    case list
    case dump
    case verify
    case clear
  }

  var action: Action
  var path: String
}

/// `edge-host journal`: what a board's journal holds. All but `clear` only read, also while a host runs.
enum JournalCommand {
  /// - Returns: the exit status; 1 when the journal is damaged, or is none.
  static func run(_ request: JournalRequest) throws(SystemError) -> Int32 {
    let purpose = request.action == .clear ? JournalFile.Purpose.tail : .inspection
    let journal: JournalInspection
    do throws(SystemError) {
      if purpose != .inspection { try exists(request.path) }
      journal = try JournalInspection(JournalFile(path: request.path, purpose, loop: nil))
    } catch {
      let busy: Int32 = 16
      OperatorSession.complain(
        error.code == busy
          ? "\(request.path): a host runs and has it" : "\(request.path): \(error)")
      return 1
    }
    if !journal.isJournal {
      OperatorSession.complain("\(request.path): it is no journal, or a new one")
      return 1
    }
    switch request.action {
    case .list: StandardStream.output.write(list(journal, request.path))
    case .dump: journal.forEachRecord { StandardStream.output.write(line($0, isWaiting: $1)) }
    case .verify: return verify(journal, request.path)
    case .clear: try journal.clear()
    }
    return 0
  }

  /// What is not there is not made in order to be cleared.
  private static func exists(_ path: String) throws(SystemError) {
    try JournalFile(path: path, .inspection, loop: nil).open(bytes: 0)
  }

  static func list(_ journal: JournalInspection, _ path: String) -> Text {
    var text: Text = "\(path): \(journal.segmentCount) segments of \(journal.segmentBytes) bytes, "
    text += "\(journal.freeCount) free; the next fact is \(journal.nextSequence)"
    if journal.isClean { text.append("; ended cleanly") }
    text.append("\n")
    if let position = journal.streamPosition {
      text += "acknowledged last: \(position.sequence) of stream \(quoted: position.stream)\n"
    }
    var table = Table(heads: ["CLASS", "SEGMENT", "FIRST", "LAST", "FACTS", "WAITING", "BYTES"])
    for segment in journal.segments {
      var row = [JournalCommand.name(segment.factClass)]
      for number in [
        UInt64(segment.index), segment.firstSequence, segment.lastSequence, UInt64(segment.facts),
        UInt64(segment.waiting), UInt64(segment.usedBytes),
      ] {
        row.append(("\(number)" as Text).string)
      }
      table.append(row)
    }
    text += table.text
    return text
  }

  /// One JSON document.
  static func line(_ fact: JournalRecord, isWaiting: Bool) -> Text {
    var record = Record()
    record.append("seq", .integer(Int64(clamping: fact.sequence)))
    record.append("time", .string(fact.time.wallClock.rfc3339))
    record.append("synchronised", .bool(fact.time.isSynchronised))
    record.append("monotonic_ns", .integer(fact.time.instant.nanoseconds))
    record.append("class", .string(name(fact.factClass)))
    record.append("run", .string(fact.run.id.span.string))
    record.append("waiting", .bool(isWaiting))
    record.append("subject", .string(fact.subject.span.string))
    // As it was written, or as text when it is not what a host writes.
    let body = try? Record(json: fact.payload.span)
    record.append("body", body.map { .record($0) } ?? .string(fact.payload.span.string))
    return "\(record.jsonBytes.span)\n"
  }

  static func verify(_ journal: JournalInspection, _ path: String) -> Int32 {
    for damage in journal.damages { OperatorSession.complain("\(path): \(damage)") }
    if !journal.damages.isEmpty { return 1 }
    var facts = 0
    for segment in journal.segments { facts += segment.facts }
    StandardStream.output.write("\(path): ok: \(facts) facts\n")
    return 0
  }

  static func name(_ factClass: FactClass) -> String {
    switch factClass {
    case .reading: "reading"
    case .event: "event"
    case .alarm: "alarm"
    }
  }
}

extension Arguments {
  /// Where systemd's unit lets the host keep its state.
  static let journalDefault = "/var/lib/edge-host/journal"

  /// `journal list | dump | verify | clear [--file PATH]`
  func journalRequest(_ environment: (String) -> String?) throws(UsageError) -> JournalRequest {
    try allow(["--file"], positional: 2)
    let action: JournalRequest.Action
    switch positional.count > 1 ? positional[1] : "" {
    case "list": action = .list
    case "dump": action = .dump
    case "verify": action = .verify
    case "clear": action = .clear
    default: throw UsageError(message: "journal needs list, dump, verify or clear")
    }
    var path = Arguments.journalDefault
    if let folders = environment("STATE_DIRECTORY"), !folders.utf8.isEmpty {
      path = (folders.cut(at: UInt8(ascii: ":"))?.before ?? folders) + "/journal"
    }
    return JournalRequest(action: action, path: option("--file") ?? path)
  }
}
