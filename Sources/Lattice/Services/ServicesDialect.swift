import Transport

/// The services dialect: plain NATS requests with JSON bodies, for any NATS client, under subjects
/// `edge.{lattice}.{host}.{capability}.{resource}.{operation}`, without the resource for an operation
/// of a whole capability; described by the NATS services convention (`$SRV.PING`, `$SRV.INFO`,
/// `$SRV.STATS`; ADR-32). docs/services.md is its reference.
public final class ServicesDialect: Dialect {
  /// Commands a second from one caller, where nobody says otherwise.
  public static let commandRateDefault: Int64 = 50

  /// An event or status that could not be sent by then is not news any more.
  private static let newsLifetime = Duration.seconds(5)
  /// How long an answer is worth sending.
  private static let answerLifetime = Duration.seconds(10)

  /// Of an event's subject: allocated at once.
  private static let usualSubjectBytes = 96

  private let presenceInterval: Duration
  private let requestTimeout: Duration?
  private let commandRate: Int64
  /// Nil: commands are not taken.
  private var commandLimit: CallerLimit?
  private let journal: Journal
  private let guarantee: FactGuarantee
  private let diagnostics: any Diagnostics
  private let seed: UInt64

  private var host: LatticeHost?
  private var bus: (any MessageBus)?
  private(set) var facts: FactDelivery?
  /// What the journal has to tell; nil once the host is stopped.
  private var journalEvents: JournalEvents?
  private var endpoints: [ServiceEndpoint] = []
  private var presenceDue: Instant?
  private var isConnected = false
  private var isStopping = false
  /// `edge.{lattice}.{host}.`
  private var prefix: [UInt8] = []

  /// - Parameters:
  ///   - presenceInterval: how often the host's status is published while connected.
  ///   - requestTimeout: how old a request may be that does not say so; nil: as old as it likes.
  ///   - commandRate: commands a second from one caller, and as many at once; nil: commands are not
  ///     taken at all.
  ///   - journal: keeps facts until somebody else does; opened between this and `start`, its run the
  ///     host's id.
  public init(
    presenceInterval: Duration, requestTimeout: Duration? = nil,
    commandRate: Int64? = commandRateDefault, journal: Journal,
    guarantee: FactGuarantee = .acknowledged,
    diagnostics: any Diagnostics, seed: UInt64
  ) {
    self.presenceInterval = presenceInterval
    self.requestTimeout = requestTimeout
    self.commandRate = commandRate ?? 0
    commandLimit = commandRate.map { CallerLimit(perSecond: $0, seed: seed) }
    self.journal = journal
    self.guarantee = guarantee
    journalEvents = JournalEvents(of: journal, diagnostics: diagnostics)
    self.diagnostics = diagnostics
    self.seed = seed
  }

  // MARK: Dialect

  public func start(_ host: LatticeHost, on bus: any MessageBus, at now: Instant) {
    self.host = host
    self.bus = bus
    prefix = ("edge.\(host.identity.lattice).\(host.identity.name)." as Text).bytes
    facts = FactDelivery(
      over: bus, of: host, from: journal, subjectPrefix: prefix, guarantee: guarantee,
      diagnostics: diagnostics, seed: seed)
    addEndpoint("describe", suffix: "describe", of: nil, "describe") { [self] message in
      describe(message)
    }
    for provider in host.providers { addEndpoints(of: provider) }
    let index = endpoints.count
    addEndpoint("journal-read", suffix: "journal.read", of: nil, "read") { [self] message in
      readJournal(message, endpoint: index)
    }
    subscribeDiscovery(host.identity)
    tellStarted(host, at: now)
  }

  public func linkChanged(isConnected: Bool, at now: Instant) {
    self.isConnected = isConnected
    facts?.linkChanged(isConnected: isConnected, at: now)
    presenceDue = isConnected && !isStopping ? now : nil
    handleDeadline(at: now)
  }

  public func emit(_ event: CapabilityEvent, at now: Instant) {
    guard let host else { return }
    var json = JSONWriter()
    switch event.delivery {
    case .durable:
      // Its time is written when it is sent: more may be known of it then.
      json.record(event.body)
      facts?.append(
        event.factClass, host.clock.time(of: event.instant),
        subject: ServicesDialect.subject(of: event, behind: []), payload: json.bytes, at: now)
    case .latest:
      // What nobody can receive now is not news when the link is back.
      if !isConnected { return }
      json.record(event.body, at: EventTime(of: event, by: host))
      publish(
        json.bytes, to: ServicesDialect.subject(of: event, behind: prefix), as: .readings)
    }
  }

  public func statusChanged(at now: Instant) {
    if presenceDue != nil { presenceDue = now }
  }

  public func stop(at now: Instant) {
    isStopping = true
    tellStopped(at: now)
    if isConnected { publishStatus() }
    presenceDue = nil
  }

  public var deadline: Instant? {
    let deadline = Instant.earlier(presenceDue, facts?.deadline)
    return Instant.earlier(deadline, journalEvents?.deadline)
  }

  public func handleDeadline(at now: Instant) {
    facts?.handleDeadline(at: now)
    if let host { journalEvents?.handleDeadline(of: host, at: now) }
    if let due = presenceDue, due <= now {
      publishStatus()
      presenceDue = now + presenceInterval
    }
  }

  private static func subject(of event: CapabilityEvent, behind prefix: [UInt8]) -> [UInt8] {
    var subject: [UInt8] = []
    subject.reserveCapacity(ServicesDialect.usualSubjectBytes)
    subject += prefix
    subject += event.capability.utf8
    subject.append(UInt8(ascii: "."))
    if !event.isOfHost {
      subject += event.resource.utf8
      subject.append(UInt8(ascii: "."))
    }
    subject += event.kind.utf8
    return subject
  }

  // MARK: the host's own events

  /// The first fact of this run.
  private func tellStarted(_ host: LatticeHost, at now: Instant) {
    var body = Record()
    body.append("version", .string(host.identity.version))
    body.append("id", .string(host.identity.id))
    host.tell(.started, body, at: now)
    journalEvents?.tellAll(of: host, at: now)
  }

  /// The last: where nobody takes it any more, it goes at the next start.
  private func tellStopped(at now: Instant) {
    guard let host else { return }
    journalEvents?.tellAll(of: host, at: now)
    journalEvents?.stop()
    journalEvents = nil
    host.tell(.stopped, at: now)
  }

  // MARK: endpoints

  private func addEndpoints(of provider: any CapabilityProvider) {
    let capability = provider.contract.name
    for operation in provider.contract.operations
    where !operation.isCommand || commandLimit != nil {
      let suffix: Text =
        operation.target == .capability
        ? "\(capability).\(operation.name)" : "\(capability).*.\(operation.name)"
      let index = endpoints.count
      addEndpoint("\(capability)-\(operation.name)", suffix: suffix, of: provider, operation.name) {
        [self] message in
        invoke(message, operation, of: capability, endpoint: index)
      }
    }
  }

  @inline(never)
  private func addEndpoint(
    _ name: Text, suffix: Text, of provider: (any CapabilityProvider)?, _ operation: String,
    handler: @escaping (borrowing IncomingMessage) -> Void
  ) {
    let subject = prefix + suffix.bytes
    endpoints.append(
      ServiceEndpoint(
        name: name.string, subject: subject.span.string, provider: provider, operation: operation))
    subscribe(subject, handler)
  }

  private func subscribe(
    _ subject: [UInt8], _ handler: @escaping (borrowing IncomingMessage) -> Void
  ) {
    guard let pattern = Subject(subject, allowsWildcards: true),
      bus?.subscribe(pattern, queueGroup: [], handler: handler) != nil
    else {
      diagnostics.report("not subscribed", "cannot subscribe to \(subject.span.string)")
      return
    }
  }

  @inline(never)
  private func invoke(
    _ message: borrowing IncomingMessage, _ operation: Operation, of capability: String,
    endpoint: Int
  ) {
    guard let host else { return }
    let began = host.time.now
    let reply = message.reply.array
    let resource = operation.target == .resource ? resourceName(message.subject) : ""
    let name = operation.target == .resource ? resource : capability
    let answer = { [self] (result: InvocationResult) in
      record(result, endpoint: endpoint, took: host.time.now - began)
      respond(result, to: reply, resource: name)
    }
    let caller = Caller(of: message)
    // Before anything is read: a flood is to cost as little as it can.
    if operation.isCommand, let refusal = commandLimit?.admit(caller.name, at: began) {
      return answer(.failure(tooManyCommands(from: caller, refusal)))
    }
    do throws(InvocationError) {
      let request = try ServiceRequest(
        message, time: host.time, takenAfter: bus?.takenAfter, timeout: requestTimeout)
      host.invoke(
        Invocation(
          capability: capability, resource: resource, operation: operation.name,
          arguments: request.arguments, deadline: request.deadline, caller: caller),
        reply: answer)
    } catch {
      diagnostics.report("bad request", "\(quoted: message.subject.array): \(error.reason)")
      // So that the same request, sent again, is known to be new.
      if error.code == .late { bus?.renewTakenAfter() }
      answer(.failure(error))
    }
  }

  @inline(never)
  private func tooManyCommands(
    from caller: Caller, _ refusal: CallerLimit.Refusal
  ) -> InvocationError {
    var details = Record()
    // Rounded up: it is allowed by then.
    let wait = refusal.wait + .nanoseconds(999_999)
    details.append("allowed_in_ms", .integer(wait.milliseconds))
    let reason: Text =
      refusal.isShared
      ? "too many commands from new callers such as \(caller.name): at most \(commandRate) a second"
      : "too many commands from \(caller.name): at most \(commandRate) a second"
    diagnostics.report("too many commands", reason)
    return InvocationError(.tooManyRequests, reason, details: details)
  }

  /// The token before the last: `edge.lattice.host.capability.RESOURCE.operation`.
  private func resourceName(_ subject: Span<UInt8>) -> String {
    var tokens = TokenReader(subject)
    var resource = 0..<0
    var last = 0..<0
    while let token = tokens.next() {
      resource = last
      last = token
    }
    return subject.extracting(resource).string
  }

  private func record(_ result: InvocationResult, endpoint: Int, took: Duration) {
    endpoints[endpoint].requests += 1
    endpoints[endpoint].processing = endpoints[endpoint].processing + took
    if case .failure(let error) = result {
      endpoints[endpoint].errors += 1
      endpoints[endpoint].lastError = ("\(error.code.rawValue): \(error.reason)" as Text).string
    }
  }

  private func describe(_ message: borrowing IncomingMessage) {
    guard let host else { return }
    let began = host.time.now
    let document = ServiceDocuments.description(of: host, hasCommands: commandLimit != nil)
    record(.success(Record()), endpoint: 0, took: host.time.now - began)
    answer(document, to: message.reply.array, resource: host.identity.name)
  }

  private func readJournal(_ message: borrowing IncomingMessage, endpoint: Int) {
    guard let host else { return }
    let began = host.time.now
    let reply = message.reply.array
    do throws(InvocationError) {
      let request = try ServiceRequest(
        message, time: host.time, takenAfter: bus?.takenAfter, timeout: nil)
      let document = try JournalReading.answer(
        request.arguments, from: journal, of: host, subjectPrefix: prefix)
      record(.success(Record()), endpoint: endpoint, took: host.time.now - began)
      answer(document, to: reply, resource: "journal")
    } catch {
      record(.failure(error), endpoint: endpoint, took: host.time.now - began)
      refuse(error, to: reply, resource: "journal")
    }
  }

  // MARK: discovery

  /// `$SRV.VERB`, `$SRV.VERB.name` and `$SRV.VERB.name.id`, for every verb.
  private func subscribeDiscovery(_ identity: HostIdentity) {
    let name = ServiceDocuments.serviceName
    for pattern: Text in ["$SRV.*", "$SRV.*.\(name)", "$SRV.*.\(name).\(identity.id)"] {
      subscribe(pattern.bytes) { [self] message in discover(message) }
    }
  }

  private func discover(_ message: borrowing IncomingMessage) {
    guard let host else { return }
    var tokens = TokenReader(message.subject)
    _ = tokens.next()
    guard let token = tokens.next() else { return }
    let verb = message.subject.extracting(token)
    let document: [UInt8]
    if verb.equals("PING") {
      document = ServiceDocuments.ping(host.identity)
    } else if verb.equals("INFO") {
      document = ServiceDocuments.info(host.identity, endpoints)
    } else if verb.equals("STATS") {
      document = ServiceDocuments.statistics(
        of: host, endpoints, link: bus?.linkStatus ?? LinkStatus())
    } else {
      return
    }
    publish(document, to: message.reply.array, as: .replies)
  }

  // MARK: publishing

  private func publishStatus() {
    guard let host, let facts else { return }
    let document = ServiceDocuments.status(
      of: host, state: isStopping ? "stopping" : "running", facts: facts.status,
      link: bus?.linkStatus ?? LinkStatus())
    publish(document, to: prefix + "status".bytes, as: .readings)
  }

  private func respond(_ result: InvocationResult, to reply: [UInt8], resource: String) {
    switch result {
    case .success(let record): answer(record.jsonBytes, to: reply, resource: resource)
    case .failure(let error): refuse(error, to: reply, resource: resource)
    }
  }

  /// An answer that no message can carry is refused: the caller is not left waiting.
  private func answer(_ document: [UInt8], to reply: [UInt8], resource: String) {
    do throws(PublishError) {
      try send(document, to: reply, as: .replies)
    } catch {
      guard case .tooLarge = error else { return reportUnsent(reply, error) }
      refuse(
        InvocationError(.tooLarge, "the answer is too large: \(error)"), to: reply,
        resource: resource)
    }
  }

  private func refuse(_ error: InvocationError, to reply: [UInt8], resource: String) {
    var headers = HeaderWriter()
    headers.append("Nats-Service-Error", error.reason)
    headers.append("Nats-Service-Error-Code", String(error.code.rawValue))
    var json = JSONWriter()
    json.beginObject()
    json.field("name", resource)
    json.fields(of: error)
    json.endObject()
    publish(
      json.bytes, headers: headers.finished(), to: reply, as: .replies)
  }

  private func publish(
    _ payload: [UInt8], headers: [UInt8] = [], to subject: [UInt8],
    as trafficClass: TrafficClass
  ) {
    do throws(PublishError) {
      try send(payload, headers: headers, to: subject, as: trafficClass)
    } catch {
      reportUnsent(subject, error)
    }
  }

  private func send(
    _ payload: [UInt8], headers: [UInt8] = [], to subject: [UInt8],
    as trafficClass: TrafficClass
  ) throws(PublishError) {
    guard let host, let bus, !subject.isEmpty else { return }
    let noReply: [UInt8] = []
    let message = OutgoingMessage(
      subject: subject.span, reply: noReply.span, headers: headers.span, payload: payload.span)
    let lifetime =
      trafficClass == .replies ? ServicesDialect.answerLifetime : ServicesDialect.newsLifetime
    try bus.publish(message, as: trafficClass, expires: host.time.now + lifetime)
  }

  private func reportUnsent(_ subject: [UInt8], _ error: PublishError) {
    diagnostics.report("not published", "a message to \(quoted: subject) was dropped: \(error)")
  }
}

/// One endpoint and its counts, as the services convention reports them.
struct ServiceEndpoint {
  let name: String
  let subject: String
  /// Whose resources take the operation; nil for the host's own.
  let provider: (any CapabilityProvider)?
  let operation: String
  var requests: UInt64 = 0
  var errors: UInt64 = 0
  var lastError = ""
  var processing = Duration.zero
}
