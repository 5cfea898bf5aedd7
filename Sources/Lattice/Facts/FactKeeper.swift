import Transport

/// Who keeps facts now, as the host's status says it.
enum FactKeeper: Equatable {
  /// A stream, by its name.
  case stream([UInt8])
  /// Somebody who answers each fact.
  case consumer
  /// Nobody has to answer.
  case atMostOnce
  /// Nobody has answered yet, or nobody does any more.
  case waiting

  var text: String {
    switch self {
    case .stream: "stream"
    case .consumer: "consumer"
    case .atMostOnce: "at_most_once"
    case .waiting: "waiting"
    }
  }
}

extension FactDelivery {
  /// What a host's status says of its facts.
  var status: Record {
    let journal = journal.status
    var record = Record()
    record.append("waiting", .integer(Int64(clamping: journal.waiting)))
    record.append("delivered", .integer(Int64(clamping: journal.acknowledged &- unsendableCount)))
    record.append("dropped", .integer(Int64(clamping: journal.droppedTotal &+ unsendableCount)))
    record.append("delivery", .string(keeper.text))
    if case .stream(let name) = keeper {
      record.append("stream", .string(name.span.string))
      if let domain = self.journal.streamPosition?.domain, !domain.isEmpty {
        record.append("domain", .string(domain.span.string))
      }
      if isUnconditional { record.append("exactly_once", .bool(false)) }
    }
    if !parked.kinds.isEmpty {
      record.append(
        "unkept", .list(parked.kinds.map { .string($0.name.span.string) }))
    }
    record.append("bytes", .integer(Int64(journal.diskUsedBytes + journal.memoryUsedBytes)))
    record.append("capacity_bytes", .integer(Int64(journal.diskBytes + journal.memoryBytes)))
    if journal.damaged > 0 { record.append("damaged", .integer(Int64(clamping: journal.damaged))) }
    if let problem = journal.problem { record.append("problem", .string(problem)) }
    return record
  }
}
