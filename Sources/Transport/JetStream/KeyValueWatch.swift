/// What a watch has to say: an entry, valid during the call, or how it fares.
public enum KeyValueEvent: ~Escapable {
  case entry(KeyValueEntry)
  /// All keys that were there have come; what follows are changes. Once per start.
  case current
  /// The bucket is another than before: all entries are to be forgotten and come again.
  case restarted
  /// Nothing comes for now; it is tried again by itself.
  case problem(JetStreamFailure)
}

extension KeyValue {
  /// Follows keys: the last revision of each, then every change, in order, each once, over reconnects.
  /// After a gap only the revisions behind the last one are fetched. What a bucket drops by its limits
  /// alone is not told, and neither is a bucket that was made anew and has outgrown the old one unseen.
  ///
  /// A value larger than `PullLimits.batchBytes` holds up all that follows until it is replaced; the
  /// problem is reported.
  ///
  /// - Parameters:
  ///   - pattern: of keys, with `*` for one token and `>` for all that follow.
  ///   - handler: called for every event.
  /// - Returns: to be started, and told when the link changes and when its deadline has come.
  /// - Throws: `.invalidName` for what is no pattern of keys.
  public func watch(
    _ pattern: String = ">", limits: PullLimits = PullLimits(), time: any TimeSource, seed: UInt64,
    handler: @escaping (borrowing KeyValueEvent) -> Void
  ) throws(JetStreamFailure) -> PullConsumer {
    let bytes = pattern.bytes
    guard KeyValue.isValidKey(bytes.span, allowsWildcards: true),
      let filter = Subject(subjectPrefix + bytes, allowsWildcards: true)
    else { throw .invalidName(pattern) }
    var configuration = ConsumerConfiguration(.ordered)
    configuration.deliverPolicy = .lastPerSubject
    configuration.filter = filter
    let prefixLength = subjectPrefix.count
    return try PullConsumer(
      of: stream, on: jetStream, configuration, limits: limits, time: time, seed: seed
    ) { event in
      switch event {
      case .current: handler(.current)
      case .restarted: handler(.restarted)
      case .problem(let failure): handler(.problem(failure))
      case .message(let message, let delivery):
        if let size = message.oversizedBytes { return handler(.problem(.oversizedAnswer(size))) }
        // The filter lets nothing else through.
        if message.subject.count <= prefixLength { return }
        handler(
          .entry(
            KeyValueEntry(
              key: message.subject.extracting(prefixLength..<message.subject.count),
              value: message.payload, headers: message.headers,
              revision: delivery.streamSequence, stored: delivery.stored)))
      }
    }
  }
}
