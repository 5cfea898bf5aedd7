import Lattice
import Transport

/// What `edge-host setup stream` is to make: a stream for the durable events of hosts, and of nothing
/// else. A stream that takes requests, too, would answer them, and quicker than the board.
struct FactStream: Equatable {
  var name = "EDGE"
  /// nil: all.
  var lattice: String?
  /// What was given; the rest is chosen for a new stream, and left alone in one that is there.
  var maxBytes: Int64?
  var maxAge: Duration?
  var duplicateWindow: Duration?
  var replicas: Int64?

  /// Of a stream that is made: what waits for readers for a month, of some hundred hosts.
  private static let maxBytes: Int64 = 1_000_000_000
  private static let maxAge = Duration.seconds(30 * 86_400)
  /// The server's own. Hosts do not need a longer one.
  private static let duplicateWindow = Duration.seconds(120)

  /// Those under which hosts tell durable events.
  var subjects: [String] {
    let lattice = lattice ?? "*"
    var subjects: [String] = []
    for kind in ["edge", "change", "count", "position", "press"] {
      subjects.append("edge.\(lattice).*.gpio.*.\(kind)")
    }
    for kind in ["reading", "alarm"] { subjects.append("edge.\(lattice).*.sensors.*.\(kind)") }
    subjects.append("edge.\(lattice).*.host.*")
    return subjects
  }

  /// The whole configuration of a new stream.
  var configuration: Record {
    let maxAge = maxAge ?? FactStream.maxAge
    let window = duplicateWindow ?? FactStream.duplicateWindow
    var record = Record()
    record.append("name", .string(name))
    record.append("subjects", .list(subjects.map { .string($0) }))
    record.append("retention", .string("limits"))
    record.append("storage", .string("file"))
    record.append("discard", .string("old"))
    record.append("max_bytes", .integer(maxBytes ?? FactStream.maxBytes))
    record.append("max_age", .integer(maxAge.nanoseconds))
    // A window cannot be longer than messages are kept.
    record.append("duplicate_window", .integer(min(window, maxAge).nanoseconds))
    record.append("num_replicas", .integer(replicas ?? 1))
    // Backlogs in batches; servers before 2.12 pass over it.
    record.append("allow_atomic", .bool(true))
    return record
  }

  /// The configuration of a stream that is there, with what shall be otherwise.
  func changed(_ present: Record) -> Record {
    var wanted = Record()
    wanted.append("subjects", .list(subjects.map { .string($0) }))
    if let maxBytes { wanted.append("max_bytes", .integer(maxBytes)) }
    if let maxAge { wanted.append("max_age", .integer(maxAge.nanoseconds)) }
    if let duplicateWindow {
      wanted.append("duplicate_window", .integer(duplicateWindow.nanoseconds))
    }
    if let replicas { wanted.append("num_replicas", .integer(replicas)) }
    var changed = Record()
    for field in present.fields {
      changed.append(field.name, wanted[field.name] ?? field.value)
    }
    for field in wanted.fields where changed[field.name] == nil {
      changed.append(field.name, field.value)
    }
    return changed
  }

  /// A line for each thing that two configurations have otherwise.
  static func differences(from old: Record, to new: Record) -> Text {
    var text = Text()
    for field in new.fields where old[field.name] != field.value {
      let before = old[field.name].map { FactStream.text(field.name, $0) } ?? "not set"
      text += "  \(field.name): \(before) -> \(FactStream.text(field.name, field.value))\n"
    }
    return text
  }

  /// The fields that are of interest, one in a line.
  static func summary(of configuration: Record) -> Text {
    var text = Text()
    for name in [
      "subjects", "storage", "discard", "max_bytes", "max_age", "duplicate_window", "num_replicas",
    ] {
      if let value = configuration[name] { text += "  \(name): \(FactStream.text(name, value))\n" }
    }
    return text
  }

  private static func text(_ name: String, _ value: Value) -> Text {
    switch value {
    case .integer(let number) where name == "max_bytes":
      return number < 0 ? "no limit" : Quantity.size.text(number)
    case .integer(let number) where name == "max_age" || name == "duplicate_window":
      return number == 0 ? "no limit" : Quantity.duration.text(number)
    case .list(let values):
      return Text(values.compactMap { $0.string }.joined(by: ", "))
    default: return Text(value.plainText)
    }
  }
}
