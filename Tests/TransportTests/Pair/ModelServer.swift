@testable import Transport

/// A NATS server as far as its clients can tell: a model without I/O and without a clock of its own.
/// It takes the bytes of any number of clients and keeps the bytes that each is to get.
///
/// What a client does that a real server would punish, or that a good client never does, is noted in
/// `violations`; a test ends by looking that there are none.
final class ModelServer {
  struct Options {
    var serverID = "MODEL"
    var version = "2.10.27"
    var maxPayload = 1 << 20
    var supportsHeaders = true
    var requiresTLS = false
    var isLameDuck = false
    /// Where else the cluster is, as INFO tells it; nil: INFO says nothing.
    var connectURLs: [String]?
    /// Says nothing to a new client: neither INFO nor anything else.
    var isMute = false
    /// Answers PING; a server that does not is alive but stuck.
    var answersPing = true
    /// Sends INFO once more after the first PING, as servers since 2025 do.
    var repeatsInfo = false
    /// Answers CONNECT with this -ERR and closes.
    var refusal: String?
    /// Asks silent clients for a sign of life this often; a client that leaves two PINGs unanswered is
    /// closed.
    var pingInterval: Duration?
    /// Whether `received` is kept.
    var keepsReceived = true
  }

  struct ClientID: Hashable { let number: Int }

  /// A message on its way through the server.
  struct Message: Equatable {
    var subject: String
    var reply: String?
    var headers: [UInt8]
    var payload: [UInt8]
  }

  struct Received: Equatable {
    var message: Message
    /// Nil for messages that the test itself published.
    var sender: ClientID?
    var at: Instant
  }

  var options: Options
  /// Everything published, in order.
  private(set) var received: [Received] = []
  private(set) var violations: [String] = []
  /// Bytes that clients sent, and how many times a connection was made.
  private(set) var bytesReceived = 0
  private(set) var clientCount = 0

  private var clients: [ClientID: Client] = [:]
  /// Of `clients`, oldest first.
  private var clientOrder: [ClientID] = []
  /// Owners of clients for whom there is output, or news of their end.
  private var ownersWithOutput: [Int] = []
  private var listeners: [Listener] = []
  private var random: RandomGenerator

  private struct Subscription {
    let sid: UInt32
    let pattern: String
    let queueGroup: String?
    var delivered: UInt32 = 0
    var maximum: UInt32?
  }

  private final class Client {
    let owner: Int
    var reader = ClientOperationReader()
    var output: [UInt8] = []
    var isClosed = false
    var connectCount = 0
    var hasPinged = false
    var echo = true
    var noResponders = false
    var subscriptions: [Subscription] = []
    var lastHeard: Instant
    var unansweredPings = 0
    var nextPing: Instant?

    init(owner: Int, at now: Instant) {
      self.owner = owner
      lastHeard = now
    }
  }

  /// A subscriber inside the test.
  private struct Listener {
    let pattern: String
    let isInterested: (Message) -> Bool
    let handle: (Message, Instant) -> Void
  }

  init(options: Options = Options(), seed: UInt64 = 1) {
    self.options = options
    random = RandomGenerator(seed: seed)
  }

  // MARK: connections

  /// A new connection; INFO waits to be taken.
  ///
  /// - Parameter owner: whose it is, for `takeOwnersWithOutput`.
  func accept(at now: Instant, from owner: Int = 0) -> ClientID {
    clientCount += 1
    let id = ClientID(number: clientCount)
    let client = Client(owner: owner, at: now)
    client.nextPing = options.pingInterval.map { now + $0 }
    clients[id] = client
    clientOrder.append(id)
    if !options.isMute { send(raw: bytes("INFO \(info(for: id)) \r\n"), to: id) }
    return id
  }

  /// Bytes of a client have arrived.
  func receive(_ input: [UInt8], from id: ClientID, at now: Instant) {
    guard let client = clients[id], !client.isClosed else { return }
    bytesReceived += input.count
    client.lastHeard = now
    client.reader.append(input)
    do {
      while !client.isClosed, let operation = try client.reader.next() {
        handle(operation, from: id, at: now)
      }
    } catch {
      violate(error.text, by: id)
      close(id, saying: "Unknown Protocol Operation")
    }
  }

  /// The client's end of the connection is gone.
  func disconnect(_ id: ClientID) {
    if clients.removeValue(forKey: id) != nil { clientOrder.removeAll { $0 == id } }
  }

  /// The bytes to be carried to a client.
  func takeOutput(of id: ClientID) -> [UInt8] {
    guard let client = clients[id] else { return [] }
    let output = client.output
    client.output = []
    return output
  }

  /// Owners of clients for whom there may be output since the last call.
  func takeOwnersWithOutput() -> [Int] {
    if ownersWithOutput.isEmpty { return [] }
    defer { ownersWithOutput.removeAll(keepingCapacity: true) }
    return ownersWithOutput
  }

  /// Whether the server has closed this connection: when its output is taken nothing more comes.
  func isClosed(_ id: ClientID) -> Bool { clients[id]?.isClosed ?? true }

  /// The connections that the server believes in, oldest first.
  var connected: [ClientID] {
    clientOrder.filter { clients[$0]?.isClosed == false }
  }

  /// When `handleDeadline` has something to do.
  var deadline: Instant? {
    if options.pingInterval == nil { return nil }
    return clients.values.reduce(nil) { $1.isClosed ? $0 : Instant.earlier($0, $1.nextPing) }
  }

  func handleDeadline(at now: Instant) {
    guard let interval = options.pingInterval else { return }
    for id in connected {
      guard let client = clients[id], let ping = client.nextPing, ping <= now else { continue }
      if client.unansweredPings >= 2 {
        close(id, saying: "Stale Connection")
      } else {
        client.unansweredPings += 1
        client.nextPing = now + interval
        send(raw: bytes("PING\r\n"), to: id)
      }
    }
  }

  // MARK: what a test does with the server

  /// Publishes from inside the test; returns how many subscriptions got the message.
  @discardableResult
  func publish(
    _ subject: String, reply: String? = nil, headers: [UInt8] = [], _ payload: [UInt8],
    at now: Instant
  ) -> Int {
    let message = Message(subject: subject, reply: reply, headers: headers, payload: payload)
    return route(message, from: nil, at: now)
  }

  /// Calls `handle` for every message under a pattern. One that does not interest it is told to be
  /// nobody's when there is nobody else.
  func listen(
    _ pattern: String, where isInterested: @escaping (Message) -> Bool = { _ in true },
    handle: @escaping (Message, Instant) -> Void
  ) {
    listeners.append(Listener(pattern: pattern, isInterested: isInterested, handle: handle))
  }

  /// Answers every request under a pattern; nil from `answer` leaves it unanswered.
  func respond(_ pattern: String, answer: @escaping (Message) -> [UInt8]?) {
    listen(pattern) { [unowned self] message, now in
      guard let reply = message.reply, let payload = answer(message) else { return }
      publish(reply, payload, at: now)
    }
  }

  /// Puts bytes of any kind into a client's stream.
  func send(raw: [UInt8], to id: ClientID) {
    guard let client = clients[id] else { return }
    note(client)
    client.output += raw
  }

  private func note(_ client: Client) {
    if client.output.isEmpty { ownersWithOutput.append(client.owner) }
  }

  /// Closes a connection, with -ERR when a text is given.
  func close(_ id: ClientID, saying text: String? = nil) {
    guard let client = clients[id], !client.isClosed else { return }
    note(client)
    if let text { client.output += bytes("-ERR '\(text)'\r\n") }
    client.isClosed = true
    client.subscriptions = []
  }

  /// Sends INFO to everybody, as after a change of the cluster.
  func announce() { for id in connected { send(raw: bytes("INFO \(info(for: id)) \r\n"), to: id) } }

  /// The subscriptions of a client as `pattern`, or `pattern queue-group`, in the order they were made.
  func subscriptions(of id: ClientID) -> [String] {
    (clients[id]?.subscriptions ?? []).map { $0.pattern + ($0.queueGroup.map { " \($0)" } ?? "") }
  }

  func connectCount(of id: ClientID) -> Int { clients[id]?.connectCount ?? 0 }

  // MARK: operations

  private func handle(_ operation: ClientOperation, from id: ClientID, at now: Instant) {
    if clients[id]?.connectCount == 0 {
      guard case .connect = operation else {
        violate("an operation before CONNECT: \(operation)", by: id)
        return close(id, saying: "Authorization Violation")
      }
    }
    switch operation {
    case .connect(let json): connect(json, id)
    case .ping: ping(id)
    case .pong: clients[id]?.unansweredPings = 0
    case .subscribe(let subject, let queueGroup, let sid):
      subscribe(Subscription(sid: sid, pattern: subject, queueGroup: queueGroup), id)
    case .unsubscribe(let sid, let maximum): unsubscribe(sid, after: maximum, id)
    case .publish(let subject, let reply, let headers, let payload):
      let message = Message(subject: subject, reply: reply, headers: headers, payload: payload)
      publish(message, from: id, at: now)
    }
  }

  private func connect(_ json: [UInt8], _ id: ClientID) {
    clients[id]?.connectCount += 1
    if clients[id]?.connectCount != 1 {
      // A real server forgets all subscriptions here.
      violate("a second CONNECT", by: id)
      clients[id]?.subscriptions = []
    }
    guard let connect = try? JSONValue(json) else { return violate("CONNECT is no JSON", by: id) }
    if connect["verbose"] != .bool(false) || connect["pedantic"] != .bool(false) {
      violate("CONNECT asks for +OK or for checks", by: id)
    }
    if connect["protocol"] != .integer(1) { violate("CONNECT without protocol 1", by: id) }
    if connect["no_responders"] == .bool(true), connect["headers"] != .bool(true) {
      violate("no_responders without headers", by: id)
    }
    clients[id]?.echo = connect["echo"] != .bool(false)
    clients[id]?.noResponders = connect["no_responders"] == .bool(true)
    if let refusal = options.refusal { close(id, saying: refusal) }
  }

  private func ping(_ id: ClientID) {
    guard options.answersPing, let client = clients[id] else { return }
    send(raw: bytes("PONG\r\n"), to: id)
    if !client.hasPinged, options.repeatsInfo {
      send(raw: bytes("INFO \(info(for: id)) \r\n"), to: id)
    }
    clients[id]?.hasPinged = true
  }

  private func subscribe(_ subscription: Subscription, _ id: ClientID) {
    guard let client = clients[id] else { return }
    if client.subscriptions.contains(where: { $0.sid == subscription.sid }) {
      return violate("a second SUB for sid \(subscription.sid)", by: id)
    }
    clients[id]?.subscriptions.append(subscription)
  }

  private func unsubscribe(_ sid: UInt32, after maximum: UInt32?, _ id: ClientID) {
    guard let index = clients[id]?.subscriptions.firstIndex(where: { $0.sid == sid }) else {
      return violate("UNSUB of unknown sid \(sid)", by: id)
    }
    if let maximum, let delivered = clients[id]?.subscriptions[index].delivered,
      delivered < maximum
    {
      clients[id]?.subscriptions[index].maximum = maximum
    } else {
      clients[id]?.subscriptions.remove(at: index)
    }
  }

  private func publish(_ message: Message, from id: ClientID, at now: Instant) {
    if message.headers.count + message.payload.count > options.maxPayload {
      violate("a message over max_payload", by: id)
      return close(id, saying: "Maximum Payload Violation")
    }
    let count = route(message, from: id, at: now)
    if count == 0, let reply = message.reply, clients[id]?.noResponders == true {
      let status = Message(
        subject: reply, reply: nil, headers: bytes("NATS/1.0 503\r\n\r\n"), payload: [])
      guard let index = firstSubscription(of: id, matching: reply) else { return }
      deliver(status, to: id, index)
    }
  }

  // MARK: routing

  private func route(_ message: Message, from sender: ClientID?, at now: Instant) -> Int {
    if options.keepsReceived {
      received.append(Received(message: message, sender: sender, at: now))
    }
    var count = 0
    var groups: [String: [(ClientID, UInt32)]] = [:]
    for id in clientOrder {
      guard let client = clients[id], id != sender || client.echo else { continue }
      for subscription in client.subscriptions
      where Pattern.matches(subscription.pattern, message.subject) {
        if let group = subscription.queueGroup {
          groups[group, default: []].append((id, subscription.sid))
        } else if deliver(message, to: id, sid: subscription.sid) {
          count += 1
        }
      }
    }
    for group in groups.isEmpty ? [] : groups.keys.sorted() {
      let (id, sid) = random.element(of: groups[group] ?? [])
      if deliver(message, to: id, sid: sid) { count += 1 }
    }
    for listener in listeners
    where Pattern.matches(listener.pattern, message.subject) && listener.isInterested(message) {
      listener.handle(message, now)
      count += 1
    }
    return count
  }

  private func firstSubscription(of id: ClientID, matching subject: String) -> Int? {
    clients[id]?.subscriptions.firstIndex { Pattern.matches($0.pattern, subject) }
  }

  private func deliver(_ message: Message, to id: ClientID, sid: UInt32) -> Bool {
    guard let index = clients[id]?.subscriptions.firstIndex(where: { $0.sid == sid }) else {
      return false
    }
    deliver(message, to: id, index)
    return true
  }

  private func deliver(_ message: Message, to id: ClientID, _ index: Int) {
    guard let client = clients[id] else { return }
    let subscription = client.subscriptions[index]
    note(client)
    ServerOperation.message(
      sid: subscription.sid, subject: message.subject, reply: message.reply,
      headers: message.headers, payload: message.payload, into: &client.output)
    client.subscriptions[index].delivered += 1
    if let maximum = subscription.maximum, subscription.delivered + 1 >= maximum {
      client.subscriptions.remove(at: index)
    }
  }

  private func violate(_ text: String, by id: ClientID) {
    violations.append("client \(id.number): \(text)")
  }

  private func info(for id: ClientID) -> String {
    """
    {"server_id":"\(options.serverID)","server_name":"model","version":"\(options.version)",\
    "proto":1,"host":"0.0.0.0","port":4222,"headers":\(options.supportsHeaders),\
    "tls_required":\(options.requiresTLS),"max_payload":\(options.maxPayload),\
    "client_id":\(id.number),"client_ip":"192.0.2.1"\(options.isLameDuck ? ",\"ldm\":true" : "")\
    \(options.connectURLs.map { ",\"connect_urls\":[\($0.map { "\"\($0)\"" }.joined(separator: ","))]" } ?? "")}
    """
  }
}
