import XCTest

@testable import Transport

/// What a connection says before TLS and before INFO, and what it does not say.
final class ConnectionSecurityTests: XCTestCase {
  private let now = Instant(nanoseconds: 0)
  private let nonce = "PXoWU7zWAMt75FY"

  /// One connection and what it did, its socket opened.
  private struct Host: ~Copyable {
    var connection: Connection
    var id: LinkID
    var input = ReadBuffer(capacity: 4096)
    let now: Instant

    init(_ url: ServerURL, at now: Instant, _ change: (inout ConnectionOptions) -> Void = { _ in })
      throws
    {
      var options = ConnectionOptions(servers: [url], name: "dock-7", version: "1")
      change(&options)
      connection = Connection(options: options, limits: ConnectionLimits(), seed: 1)
      connection.start(at: now)
      guard case .open(let link) = connection.nextAction() else {
        throw XCTSkip("no link is opened")
      }
      id = link.id
      self.now = now
      connection.handle(.opened, of: id, at: now)
    }

    mutating func actions() -> [ConnectionAction] {
      var actions: [ConnectionAction] = []
      while let action = connection.nextAction(reading: &input, of: id, at: now) {
        actions.append(action)
      }
      return actions
    }

    mutating func receive(_ text: String) -> [ConnectionAction] {
      let bytes = Array(text.utf8)
      XCTAssertTrue(input.appendOrRefuse(bytes.span))
      return actions()
    }

    mutating func sent() -> String {
      var bytes: [UInt8] = []
      _ = connection.send(over: id, at: now) { pieces in
        pieces.forEach { bytes.append($0) }
        return pieces.byteCount
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private func info(_ more: String = "") -> String {
    "INFO {\"headers\":true,\"nonce\":\"\(nonce)\"\(more)}\r\n"
  }

  private func url(_ scheme: String) throws -> ServerURL {
    let url = try ServerURL(parsing: "nats://hub")
    return scheme == "tls" ? url.requiringTLS : url
  }

  private func token() throws -> Authentication { .token(try FileReference(parsing: "/t")) }

  private func isDisconnect(_ action: ConnectionAction?, _ reason: DisconnectReason) -> Bool {
    guard case .disconnected(_, let found, _)? = action else { return false }
    return found == reason
  }

  func testNothingSecretIsSaidBeforeINFO() throws {
    let authentication = try token()
    var open = try Host(try url("nats"), at: now)
    XCTAssertTrue(open.sent().hasPrefix("CONNECT "))
    var host = try Host(try url("nats"), at: now) { $0.authentication = authentication }
    XCTAssertEqual(host.actions(), [])
    XCTAssertEqual(host.sent(), "")
    XCTAssertEqual(host.receive(info()), [.authenticate(host.id)])
    XCTAssertEqual(host.sent(), "")
    host.connection.authenticate(
      host.id, .token(Secret(copying: Array("abc".utf8).span)), at: now)
    XCTAssertTrue(host.sent().contains("\"auth_token\":\"abc\""))
    // A second proof is no second CONNECT.
    host.connection.authenticate(host.id, .none, at: now)
    XCTAssertEqual(host.sent(), "")
  }

  func testAKeySignsTheNonce() throws {
    let key = try NKey(seed: Array(CredentialsLayoutTests.seed.utf8).span)
    let authentication = Authentication.nkey(try FileReference(parsing: "/k"))
    var host = try Host(try url("nats"), at: now) { $0.authentication = authentication }
    XCTAssertEqual(host.receive(info()), [.authenticate(host.id)])
    host.connection.authenticate(host.id, .nkey(key), at: now)
    XCTAssertTrue(host.sent().contains("\"sig\":\"EfWBi3lRtD--gB3W22wPxLX2nTgqabjBzqR6G-"))
  }

  func testAProofThatCannotBeReadIsTriedAgainMuchLater() throws {
    let authentication = try token()
    var host = try Host(try url("nats"), at: now) { $0.authentication = authentication }
    XCTAssertEqual(host.receive(info()), [.authenticate(host.id)])
    let error = AuthenticationError.noLine(try FileReference(parsing: "/t"))
    host.connection.failAuthentication(host.id, error, at: now)
    let actions = host.actions()
    XCTAssertEqual(actions.first, .close(host.id))
    XCTAssertTrue(isDisconnect(actions.last, .noProof(error)))
  }

  func testWithoutTLSNothingIsSaidWhereItIsAskedFor() throws {
    for scheme in ["tls", "nats"] {
      var host = try Host(try url(scheme), at: now) {
        if scheme == "nats" { $0.tls = TLSConfiguration() }
      }
      XCTAssertEqual(host.sent(), "")
      let actions = host.receive(info())
      XCTAssertEqual(actions.first, .close(host.id))
      XCTAssertTrue(isDisconnect(actions.last, .tls(.notOffered)))
      XCTAssertEqual(host.sent(), "")
    }
  }

  func testAServerThatWantsTLSIsNotGreetedEarlyAgain() throws {
    var host = try Host(try url("nats"), at: now)
    XCTAssertTrue(host.sent().hasPrefix("CONNECT "))
    XCTAssertTrue(isDisconnect(host.receive(info(",\"tls_required\":true")).last, .requiresTLS))
    let later = now + .seconds(60)
    host.connection.handleDeadline(at: later)
    guard case .open(let link) = host.connection.nextAction() else { return XCTFail("not open") }
    host.id = link.id
    host.connection.handle(.opened, of: host.id, at: later)
    XCTAssertEqual(host.sent(), "")
  }

  func testTLSBehindINFO() throws {
    try XCTSkipUnless(TLSConfiguration.isAvailable, "this build has no TLS")
    for offer in [",\"tls_required\":true", ",\"tls_available\":true"] {
      let authentication = try token()
      var host = try Host(try url("tls"), at: now) { $0.authentication = authentication }
      XCTAssertEqual(host.receive(info(offer)), [.secure(host.id)])
      XCTAssertEqual(host.sent(), "")
      host.connection.handle(.secured, of: host.id, at: now)
      XCTAssertEqual(host.actions(), [.authenticate(host.id)])
      host.connection.authenticate(
        host.id, .token(Secret(copying: Array("abc".utf8).span)), at: now)
      XCTAssertTrue(host.sent().contains("\"tls_required\":true"))
    }
  }

  func testBytesBetweenINFOAndTLSEndTheLink() throws {
    try XCTSkipUnless(TLSConfiguration.isAvailable, "this build has no TLS")
    var host = try Host(try url("tls"), at: now)
    let actions = host.receive(info(",\"tls_required\":true") + "PING\r\n")
    XCTAssertTrue(isDisconnect(actions.last, .tls(.bytesBehindInfo)), "\(actions)")
  }

  func testTLSBeforeINFO() throws {
    try XCTSkipUnless(TLSConfiguration.isAvailable, "this build has no TLS")
    var host = try Host(try url("tls"), at: now) {
      $0.tls = TLSConfiguration()
      $0.tls?.handshakeFirst = true
    }
    XCTAssertEqual(host.actions(), [.secure(host.id)])
    XCTAssertEqual(host.sent(), "")
    host.connection.handle(.secured, of: host.id, at: now)
    // Nobody can read it now, so there is nothing to wait for.
    XCTAssertTrue(host.sent().hasPrefix("CONNECT "))
    XCTAssertEqual(host.receive(info(",\"tls_required\":true")), [])
    XCTAssertEqual(host.receive("PONG\r\n").count, 1)
    XCTAssertTrue(host.connection.isConnected)
  }

  func testTLSThatDoesNotEnd() throws {
    try XCTSkipUnless(TLSConfiguration.isAvailable, "this build has no TLS")
    var host = try Host(try url("tls"), at: now)
    XCTAssertEqual(host.receive(info(",\"tls_required\":true")), [.secure(host.id)])
    host.connection.handleDeadline(at: now + .seconds(11))
    XCTAssertTrue(isDisconnect(host.actions().last, .handshakeTimedOut))
  }

  func testServersToldOfNeedTLSAsWell() throws {
    var host = try Host(try url("tls"), at: now)
    _ = host.receive(info(",\"connect_urls\":[\"10.0.0.2:4222\"]"))
    host.connection.handleDeadline(at: now + .seconds(600))
    var opened: [ServerURL] = []
    for step in 1...6 {
      let later = now + .seconds(Int64(step) * 1000)
      host.connection.handleDeadline(at: later)
      while let action = host.connection.nextAction() {
        guard case .open(let link) = action else { continue }
        opened.append(link.server)
        host.connection.handle(.closed(nil), of: link.id, at: later)
      }
    }
    XCTAssertTrue(opened.contains { $0.host == "10.0.0.2" }, "\(opened)")
    XCTAssertTrue(opened.allSatisfy { $0.requiresTLS })
  }
}
