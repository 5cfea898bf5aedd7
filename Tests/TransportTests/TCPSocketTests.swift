import CLinux
import Foundation
import XCTest

@testable import Transport

/// What the kernel does with a socket, as the client relies on it: over the loopback.
final class TCPSocketTests: XCTestCase {
  private var listener: Int32 = -1
  private var address = linux_address()
  private var client: Int32 = -1
  private var server: Int32 = -1

  override func setUpWithError() throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try listenAnew()
  }

  private func listenAnew() throws {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutablePointer(to: &name) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        guard bind(listener, pointer, length) == 0, listen(listener, 4) == 0,
          getsockname(listener, pointer, &length) == 0
        else { throw SystemError("bind", -errno) }
      }
    }
    withUnsafeMutableBytes(of: &address.bytes) { bytes in
      withUnsafeBytes(of: &name) { bytes.copyMemory(from: $0) }
    }
    address.length = UInt32(length)
  }

  override func tearDown() {
    for descriptor in [client, server, listener] where descriptor >= 0 {
      _ = linux_close(descriptor)
    }
    (client, server, listener) = (-1, -1, -1)
  }

  private func connectBoth(multipath: UInt32 = 0) throws {
    client = try check("connect", linux_tcp_connect(&address, multipath, 3))
    server = accept(listener, nil, nil)
    XCTAssertGreaterThanOrEqual(server, 0)
    XCTAssertEqual(linux_tcp_connect_result(client), 0)
  }

  func testPiecesArriveInOrder() throws {
    try connectBoth()
    // More pieces than one call takes: the rest is the caller's.
    let texts = (0..<40).map { Array("piece \($0), ".utf8) }
    let memory = texts.map { text in
      let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: text.count)
      copy.initialize(from: text, count: text.count)
      return linux_piece(start: copy, length: text.count)
    }
    defer { for piece in memory { piece.start.deallocate() } }
    let sent = linux_send_pieces(client, memory, Int32(memory.count))
    let expected = texts.prefix(Int(LINUX_PIECES_MAX)).flatMap { $0 }
    XCTAssertEqual(sent, Int64(expected.count))
    var received = [UInt8](repeating: 0, count: 1000)
    let count = Int(linux_receive(server, &received, received.count))
    XCTAssertEqual(Array(received.prefix(count)), expected)
    XCTAssertEqual(linux_send_pieces(client, memory, 0), 0)
    XCTAssertEqual(linux_send_pieces(client, memory, -1), 0)
  }

  /// A full socket is an answer, not a wait; and a peer that is gone is one, not a signal.
  func testPiecesToAFullAndToAClosedSocket() throws {
    try connectBoth()
    let block = [UInt8](repeating: 7, count: 65_536)
    try block.withUnsafeBytes { bytes in
      var pieces = [linux_piece(start: bytes.baseAddress!, length: bytes.count)]
      var result: Int64 = 0
      var total: Int64 = 0
      while result >= 0 {
        result = linux_send_pieces(client, pieces, 1)
        total += max(result, 0)
      }
      XCTAssertEqual(result, Int64(-EAGAIN))
      XCTAssertGreaterThan(total, 0)
      let progress = try progressOf(client)
      XCTAssertNotEqual(progress.known & UInt32(LINUX_TCP_HAS_QUEUED), 0)
      XCTAssertGreaterThan(progress.queued_bytes, 0)
      _ = linux_close(server)
      server = -1
      result = 0
      let deadline = EventLoop.now + .seconds(20)
      while result >= 0 || result == Int64(-EAGAIN), EventLoop.now < deadline {
        result = linux_send_pieces(client, pieces, 1)
      }
      XCTAssertTrue([Int64(-EPIPE), Int64(-ECONNRESET)].contains(result), "\(result)")
      pieces = []
    }
  }

  private func progressOf(_ socket: Int32) throws -> linux_tcp_progress {
    var progress = linux_tcp_progress()
    _ = try check("getsockopt", linux_tcp_progress_of(socket, &progress))
    return progress
  }

  func testAcknowledgedBytesMove() throws {
    try connectBoth()
    let before = try progressOf(client)
    XCTAssertNotEqual(before.known & UInt32(LINUX_TCP_HAS_BYTES), 0)
    let bytes = [UInt8](repeating: 1, count: 1000)
    XCTAssertEqual(linux_send(client, bytes, bytes.count), 1000)
    XCTAssertEqual(linux_send(server, bytes, 500), 500)
    let deadline = EventLoop.now + .seconds(20)
    var after = before
    while after.bytes_acknowledged < before.bytes_acknowledged + 1000, EventLoop.now < deadline {
      after = try progressOf(client)
    }
    XCTAssertEqual(after.bytes_acknowledged - before.bytes_acknowledged, 1000)
    XCTAssertEqual(after.queued_bytes, 0)
    XCTAssertLessThan(after.milliseconds_since_acknowledgement, 20_000)
    var progress = linux_tcp_progress()
    XCTAssertEqual(linux_tcp_progress_of(-1, &progress), -EBADF)
  }

  private func options() -> linux_tcp_options {
    linux_tcp_options(
      user_timeout_milliseconds: 15_000, keepalive_idle_seconds: 15, keepalive_interval_seconds: 5,
      keepalive_probes: 3, retransmission_pause_max_milliseconds: 2_000, thin_linear_timeouts: 1,
      unsent_bytes_max: 4096)
  }

  func testOptionsThatAreTakenAreSet() throws {
    try connectBoth()
    var options = options()
    let taken = linux_tcp_configure(client, &options)
    // All but the youngest, TCP_RTO_MAX_MS, are in every kernel that has the GPIO interface we need.
    let old = LINUX_TCP_NODELAY | LINUX_TCP_USER_TIMEOUT | LINUX_TCP_KEEPALIVE
    let all = UInt32(old | LINUX_TCP_THIN_LINEAR | LINUX_TCP_UNSENT_MAX)
    XCTAssertEqual(taken & all, all)
    XCTAssertEqual(value(of: 18), 15_000)
    XCTAssertEqual(value(of: 4), 15)
    XCTAssertEqual(value(of: 25), 4096)
    if taken & UInt32(LINUX_TCP_RETRANSMISSION_PAUSE) != 0 { XCTAssertEqual(value(of: 44), 2000) }
    options = linux_tcp_options()
    XCTAssertEqual(linux_tcp_configure(client, &options), UInt32(LINUX_TCP_NODELAY))
    XCTAssertEqual(linux_tcp_configure(-1, &options), 0)
  }

  /// A kernel with Multipath TCP opens it, any other does not; either way it is a TCP connection here.
  func testMultipathThatFallsBack() throws {
    try connectBoth(multipath: 1)
    let isMultipath = linux_tcp_is_multipath(client)
    XCTAssertEqual(isMultipath, 0, "the listener is of plain TCP")
    var options = options()
    let taken = linux_tcp_configure(client, &options)
    XCTAssertNotEqual(taken & UInt32(LINUX_TCP_NODELAY), 0)
    XCTAssertNotEqual(taken & UInt32(LINUX_TCP_USER_TIMEOUT), 0)
    XCTAssertEqual(linux_send(client, [UInt8](repeating: 1, count: 10), 10), 10)
    var received = [UInt8](repeating: 0, count: 10)
    XCTAssertEqual(linux_receive(server, &received, 10), 10)
    XCTAssertNotEqual(try progressOf(client).known & UInt32(LINUX_TCP_HAS_QUEUED), 0)
  }

  func testTheStateOfASocket() throws {
    try connectBoth()
    let settings = LinkSettings(.wifi)
    let state = SocketState(client, settings: settings, unsentBytesMax: 4096)
    XCTAssertEqual(value(of: 18), 140_000)
    XCTAssertEqual(value(of: 4), 20)
    XCTAssertEqual(value(of: 25), 4096)
    XCTAssertNotEqual(state.options & UInt32(LINUX_TCP_USER_TIMEOUT), 0)
    let own = try XCTUnwrap(NetworkAddress([127, 0, 0, 1].span))
    let other = try XCTUnwrap(NetworkAddress([127, 0, 0, 2].span))
    XCTAssertEqual(state.local, own)
    XCTAssertEqual(state.loss(after: .addressRemoved(own)), .addressGone)
    // The kernel is asked, and address and route are there.
    for event in [NetworkEvent.addressRemoved(other), .linkDown, .routeRemoved, .lost, .linkUp] {
      XCTAssertNil(state.loss(after: event))
    }
    let before = try XCTUnwrap(state.acknowledged(written: 0, at: EventLoop.now)).bytes
    XCTAssertEqual(linux_send(client, [UInt8](repeating: 1, count: 100), 100), 100)
    let deadline = EventLoop.now + .seconds(20)
    while let now = state.acknowledged(written: 100, at: EventLoop.now), now.bytes < before + 100 {
      XCTAssertLessThan(EventLoop.now, deadline)
      if EventLoop.now > deadline { return }
    }
    let acknowledged = try XCTUnwrap(state.acknowledged(written: 100, at: EventLoop.now))
    XCTAssertEqual(acknowledged.bytes, before + 100)
    XCTAssertLessThanOrEqual(acknowledged.at, EventLoop.now)
    let closed = SocketState(-1, settings: settings, unsentBytesMax: 4096)
    XCTAssertNil(closed.local)
    XCTAssertEqual(closed.options, 0)
    XCTAssertNil(closed.acknowledged(written: 0, at: EventLoop.now))
  }

  /// Of Multipath TCP the bytes that are left tell how many are acknowledged.
  func testTheStateOfAMultipathSocket() throws {
    try connectBoth(multipath: 1)
    let state = SocketState(client, settings: LinkSettings(), unsentBytesMax: 4096)
    XCTAssertEqual(linux_send(client, [UInt8](repeating: 1, count: 100), 100), 100)
    let deadline = EventLoop.now + .seconds(20)
    var bytes: UInt64 = 0
    while bytes < 100, EventLoop.now < deadline {
      bytes = try XCTUnwrap(state.acknowledged(written: 100, at: EventLoop.now)).bytes
    }
    XCTAssertGreaterThanOrEqual(bytes, 100)
  }

  /// A listener that speaks it keeps it; any other makes it fall back, and then one address is all.
  func testWhetherItIsMultipathInTheEnd() throws {
    try connectBoth(multipath: 1)
    XCTAssertEqual(linux_tcp_is_multipath(client), 0, "the listener is of plain TCP")
    let own = try XCTUnwrap(NetworkAddress([127, 0, 0, 1].span))
    let fallen = SocketState(client, settings: LinkSettings(), unsentBytesMax: 4096)
    XCTAssertEqual(fallen.loss(after: .addressRemoved(own)), .addressGone)
    tearDown()
    try setUpWithError()
    let multipath: Int32 = 262
    _ = linux_close(listener)
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), multipath)
    try XCTSkipIf(listener < 0, "this kernel has no Multipath TCP")
    try listenAnew()
    try connectBoth(multipath: 1)
    XCTAssertEqual(linux_tcp_is_multipath(client), 1)
    let state = SocketState(client, settings: LinkSettings(), unsentBytesMax: 4096)
    XCTAssertNil(state.loss(after: .addressRemoved(own)))
    XCTAssertEqual(state.options & UInt32(LINUX_TCP_NODELAY), UInt32(LINUX_TCP_NODELAY))
    print("multipath options taken: \(state.options)")
    XCTAssertEqual(linux_send(client, [UInt8](repeating: 1, count: 100), 100), 100)
    let deadline = EventLoop.now + .seconds(20)
    var bytes: UInt64 = 0
    while bytes < 100, EventLoop.now < deadline {
      bytes = try XCTUnwrap(state.acknowledged(written: 100, at: EventLoop.now)).bytes
    }
    XCTAssertEqual(bytes, 100)
  }

  private func value(of option: Int32) -> Int32 {
    var value: Int32 = -1
    var length = socklen_t(4)
    return getsockopt(client, Int32(IPPROTO_TCP), option, &value, &length) == 0 ? value : -1
  }

  func testTheClocksStateIsKnown() {
    XCTAssertTrue([0, 1].contains(linux_clock_is_synchronised()))
  }
}
