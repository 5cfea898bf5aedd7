import XCTest

@testable import Transport

/// Key-value buckets as a real nats-server keeps them.
final class KeyValueServerTests: ServerTestCase {
  /// A client with its view of a bucket.
  private struct Store {
    typealias Write = Result<UInt64, JetStreamFailure>

    let live: LiveClient
    let keyValue: KeyValue

    func make(_ options: KeyValueBucketOptions = KeyValueBucketOptions()) throws {
      let result: Result<Void, JetStreamFailure> = try live.result {
        keyValue.createBucket(options, timeout: .seconds(20), completion: $0)
      }
      try result.get()
    }

    func put(_ key: String, _ value: String) throws -> Write {
      try live.result {
        keyValue.put(key, bytes(value).span, timeout: .seconds(20), completion: $0)
      }
    }

    func create(_ key: String, _ value: String) throws -> Write {
      try live.result { keyValue.create(key, bytes(value), timeout: .seconds(20), completion: $0) }
    }

    func update(_ key: String, _ value: String, revision: UInt64) throws -> Write {
      try live.result {
        keyValue.update(
          key, bytes(value).span, revision: revision, timeout: .seconds(20), completion: $0)
      }
    }

    func delete(_ key: String, revision: UInt64? = nil) throws -> Write {
      try live.result {
        keyValue.delete(key, revision: revision, timeout: .seconds(20), completion: $0)
      }
    }

    func purge(_ key: String) throws -> Write {
      try live.result { keyValue.purge(key, timeout: .seconds(20), completion: $0) }
    }

    /// `value@revision`, `missing@revision`, or what went wrong.
    func get(_ key: String) throws -> String {
      try live.result { (done: @escaping (String) -> Void) in
        keyValue.get(key, timeout: .seconds(20)) { answer in
          switch answer {
          case .found(let entry):
            XCTAssertEqual(entry.key.string, key)
            let age = EventLoop.wallClock.nanoseconds - entry.stored.nanoseconds
            XCTAssertLessThan(age.magnitude, 600 * 1_000_000_000)
            done("\(entry.value.string)@\(entry.revision)")
          case .missing(let revision): done("missing@\(revision)")
          case .failed(let failure): done("\(failure)")
          }
        }
      }
    }
  }

  private func store(_ server: NATSServer, domain: String? = nil) throws -> Store {
    let live = try client(server)
    return Store(
      live: live,
      keyValue: try KeyValue("cache", on: try JetStream(over: live.client, domain: domain)))
  }

  private func refusal(_ result: Store.Write) -> JetStreamError? {
    guard case .failure(let failure) = result else { return nil }
    return failure.refusal
  }

  // MARK: reading and writing

  func testReadingAndWriting() throws {
    let store = try store(try server())
    XCTAssertTrue(try store.get("a").hasPrefix("JetStream refused: stream not found"))
    XCTAssertEqual(try store.put("a", "1"), .failure(.noResponders))
    try store.make()
    var other = KeyValueBucketOptions()
    other.history = 5
    try store.make(other)

    XCTAssertEqual(try store.get("a"), "missing@0")
    XCTAssertEqual(try store.put("a", "1"), .success(1))
    XCTAssertEqual(try store.put("links/x=y.b-_", "binary \u{0}\u{FF}\r\n"), .success(2))
    XCTAssertEqual(try store.get("links/x=y.b-_"), "binary \u{0}\u{FF}\r\n@2")
    XCTAssertEqual(try store.put("empty", ""), .success(3))
    XCTAssertEqual(try store.get("empty"), "@3")

    XCTAssertEqual(try store.delete("a"), .success(4))
    XCTAssertEqual(try store.get("a"), "missing@4")
    XCTAssertEqual(try store.purge("a"), .success(5))
    XCTAssertEqual(try store.get("a"), "missing@5")
  }

  func testCreateConflict() throws {
    let store = try store(try server())
    try store.make()
    XCTAssertEqual(try store.create("a", "1"), .success(1))
    let conflict = refusal(try store.create("a", "2"))
    XCTAssertEqual(conflict?.isWrongLastSequence, true)
    XCTAssertEqual(try store.get("a"), "1@1")
    // What was deleted can be made again.
    XCTAssertEqual(try store.delete("a"), .success(2))
    XCTAssertEqual(try store.create("a", "3"), .success(3))
    XCTAssertEqual(try store.purge("a"), .success(4))
    XCTAssertEqual(try store.create("a", "4"), .success(5))
    XCTAssertEqual(try store.get("a"), "4@5")
  }

  func testStaleRevision() throws {
    let store = try store(try server())
    try store.make()
    XCTAssertEqual(try store.put("a", "1"), .success(1))
    XCTAssertEqual(try store.update("a", "2", revision: 1), .success(2))
    XCTAssertEqual(refusal(try store.update("a", "3", revision: 1))?.isWrongLastSequence, true)
    XCTAssertEqual(refusal(try store.delete("a", revision: 1))?.isWrongLastSequence, true)
    XCTAssertEqual(try store.get("a"), "2@2")
    XCTAssertEqual(try store.delete("a", revision: 2), .success(3))
  }

  // MARK: watching

  /// What a watch told, in order.
  private final class Log {
    var events: [String] = []
  }

  private func watch(_ store: Store, _ pattern: String = ">") throws -> Log {
    let log = Log()
    var limits = PullLimits()
    limits.batchMessages = 3
    limits.batchBytes = 1000
    let consumer = try store.keyValue.watch(
      pattern, limits: limits, time: SystemTime(), seed: RandomGenerator.systemSeed
    ) { event in
      switch event {
      case .entry(let entry):
        let value = entry.operation == .put ? entry.value.string : "\(entry.operation)"
        log.events.append("\(entry.key.string)=\(value)@\(entry.revision)")
      case .current: log.events.append("current")
      case .restarted: log.events.append("restarted")
      case .problem: break
      }
    }
    store.live.consumers.append(consumer)
    XCTAssertTrue(consumer.start())
    return log
  }

  func testWatching() throws {
    let server = try server()
    let store = try store(server)
    try store.make()
    let early = try watch(store)
    try store.live.wait("an empty bucket") { early.events == ["current"] }
    for number in 1...8 { _ = try store.put("k\(number % 4)", "\(number)") }
    try store.live.wait("changes") { early.events.count == 9 }
    XCTAssertEqual(Array(early.events.dropFirst()), (1...8).map { "k\($0 % 4)=\($0)@\($0)" })

    _ = try store.delete("k1")
    _ = try store.purge("k2")
    let late = try watch(store)
    try store.live.wait("all keys") { late.events.last == "current" }
    XCTAssertEqual(late.events, ["k3=7@7", "k0=8@8", "k1=delete@9", "k2=purge@10", "current"])
    let one = try watch(store, "k3")
    try store.live.wait("one key") { one.events == ["k3=7@7", "current"] }
  }

  /// Each entry comes once, in order, whatever happens to the connection.
  func testWatchingAcrossCuts() throws {
    let server = try server()
    let store = try store(server)
    try store.make()
    let log = try watch(store)
    var expected = ["current"]
    func put(_ value: String) throws {
      let revision = try store.put("k", value).get()
      expected.append("k=\(value)@\(revision)")
    }
    try put("before")
    try store.live.wait("the first") { log.events == expected }

    // The server stands still: only silence tells.
    server.pause()
    try store.live.wait("the silence to be noticed") { store.live.disconnects == 1 }
    server.resume()
    try store.live.wait("the return") { store.live.connects == 2 }
    try put("after silence")
    try store.live.wait("what came after") { log.events == expected }

    // The server crashes and comes back with its store; the consumer is gone.
    server.kill()
    try store.live.wait("the crash to be noticed") { store.live.disconnects == 2 }
    try server.start()
    try store.live.wait("the return from a crash") { store.live.client.isConnected }
    try put("after a crash")
    try store.live.wait("what came after") { log.events.count >= expected.count }
    XCTAssertEqual(log.events, expected)
  }

  /// Changes that were made while a watcher was away come when it is back.
  func testWatcherThatWasAway() throws {
    let server = try server()
    let (watcher, writer) = (try store(server), try store(server))
    try writer.make()
    let log = try watch(watcher)
    try watcher.live.wait("an empty bucket") { log.events == ["current"] }
    _ = try writer.put("a", "1")
    try watcher.live.wait("the first") { log.events == ["current", "a=1@1"] }
    watcher.live.client.drain()
    try watcher.live.wait("the end") { watcher.live.disconnects == 1 }
    for number in 2...9 { _ = try writer.put(number % 2 == 0 ? "a" : "b", "\(number)") }
    watcher.live.client.start()
    try watcher.live.wait("what it missed") { log.events.last == "b=9@9" }
    XCTAssertEqual(log.events, ["current", "a=1@1", "a=8@8", "b=9@9"])
  }

  func testBucketThatIsMadeAnew() throws {
    let store = try store(try server())
    try store.make()
    for number in 1...4 { _ = try store.put("k\(number)", "old") }
    let log = try watch(store)
    try store.live.wait("the old") { log.events.last == "current" }
    XCTAssertNil(
      try store.keyValue.jetStream.callForTest(store.live, "STREAM.DELETE.KV_cache", ""))
    try store.make()
    _ = try store.put("k1", "new")
    try store.live.wait("the new") { log.events.count >= 8 }
    XCTAssertEqual(log.events.suffix(3), ["restarted", "k1=new@1", "current"])
  }

  /// On a leaf node, of a bucket that is in the hub's domain.
  func testAcrossALeafNode() throws {
    let hub = try server("domain: hub")
    let leaf = try server("domain: edge", leafOf: hub)
    let (board, cloud) = (try store(leaf, domain: "hub"), try store(hub))
    try cloud.make()
    try board.live.wait("the leaf's link") {
      // Until the link is up the hub's domain does not answer.
      (try? board.get("a")) == "missing@0"
    }
    let log = try watch(board)
    XCTAssertEqual(try board.put("a", "from the board"), .success(1))
    XCTAssertEqual(try cloud.get("a"), "from the board@1")
    XCTAssertEqual(try cloud.put("b", "from the cloud"), .success(2))
    XCTAssertEqual(try board.get("b"), "from the cloud@2")
    XCTAssertEqual(try board.create("c", "new"), .success(3))
    XCTAssertEqual(refusal(try board.create("c", "again"))?.isWrongLastSequence, true)
    try board.live.wait("all entries") { log.events.last == "c=new@3" }
    XCTAssertEqual(
      log.events.filter { $0 != "current" },
      ["a=from the board@1", "b=from the cloud@2", "c=new@3"])
  }
}
