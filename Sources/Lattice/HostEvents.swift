import Transport

/// What a host has to say of itself, and not of its lines and sensors.
public enum HostEvent {
  /// The program runs; also after a power cut.
  case started
  /// It was told to stop.
  case stopped
  /// The clock was set: by how much, and what time it was at which instant since.
  case clock
  /// Facts had to go: how many of which class, and from when to when.
  case dropped
  /// The journal is kept in memory only, and why; or on the disk again.
  case journal
  /// Facts may be missing that nobody can name, after a power cut.
  case gap

  /// The last token of its subject, `edge.LATTICE.HOST.host.KIND`.
  public var text: String {
    switch self {
    case .started: "started"
    case .stopped: "stopped"
    case .clock: "clock"
    case .dropped: "dropped"
    case .journal: "journal"
    case .gap: "gap"
    }
  }
}

extension CapabilityEvent {
  /// In the place of a capability's name in the subjects of the host's own events.
  static let hostName = "host"

  /// A host's own event: a fact that goes last when there is no room. It is of no resource, so its subject
  /// has a token less than those of lines and sensors.
  init(_ event: HostEvent, at instant: Instant, body: Record) {
    self.init(
      capability: CapabilityEvent.hostName, resource: "", kind: event.text, delivery: .durable,
      factClass: .alarm, at: instant, body: body)
  }

  var isOfHost: Bool { capability == CapabilityEvent.hostName }
}

extension LatticeHost {
  /// Tells the lattice of something that has happened to the host itself.
  public func tell(_ event: HostEvent, _ body: Record = Record(), at instant: Instant) {
    emit(CapabilityEvent(event, at: instant, body: body))
  }
}
