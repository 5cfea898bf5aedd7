import Transport

/// A line as the provider holds it: what it should be and what became of it.
struct ProvidedLine {
  enum State {
    /// Before start and after stop.
    case released
    case taken(LineHandle)
    /// It could not be taken, or was lost; taken again when `retryAt` has come.
    case bad(BoardError, retryAt: Instant)
  }

  let configuration: LineConfiguration
  var state = State.released
  /// Present for an output that is taken, and for one that was lost and is to be kept.
  var control: OutputControl?
  /// When a state that the hardware would not take is written again.
  var rewriteAt: Instant?
  /// The number of the line's last event.
  var lastSequence: Int64 = 0

  init(_ configuration: LineConfiguration) { self.configuration = configuration }

  var handle: LineHandle? {
    if case .taken(let handle) = state { return handle }
    return nil
  }

  var problem: BoardError? {
    if case .bad(let error, _) = state { return error }
    return nil
  }

  var retryAt: Instant? {
    if case .bad(_, let retryAt) = state { return retryAt }
    return nil
  }

  var deadline: Instant? { Instant.earlier(Instant.earlier(control?.deadline, rewriteAt), retryAt) }

  /// The level at the pin, for a logical value.
  func level(active: Bool) -> Int64 { active == configuration.activeLow ? 0 : 1 }
}
