import CLinux
import Foundation
import XCTest

@testable import Transport

/// The watch, and the question for the path, with a real kernel: in a network namespace of its own.
final class NetworkWatchTests: XCTestCase {
  private enum Outcome {
    case skipped(String)
    case seen([NetworkEvent])
  }

  private static func ip(_ arguments: String) -> Bool {
    let words = ["ip"] + arguments.split(separator: " ").map(String.init)
    let pointers = words.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var child = pid_t()
    // Unlike Foundation's, it is spawned by this thread and so in this thread's namespace.
    guard posix_spawnp(&child, "ip", nil, nil, pointers, environ) == 0 else { return false }
    var status: Int32 = 0
    return waitpid(child, &status, 0) == child && status == 0
  }

  /// Runs `body` on a thread in a network namespace of its own: two ends of a virtual link.
  private func inNamespace(_ body: @escaping @Sendable () throws -> Void) throws {
    nonisolated(unsafe) var reason: String?
    nonisolated(unsafe) var failure: (any Error)?
    let done = expectation(description: "thread")
    let thread = Thread {
      let newNetwork: Int32 = 0x4000_0000
      // Foundation does not hand it on, for it is Linux's own.
      typealias Unshare = @convention(c) (Int32) -> Int32
      let unshare = unsafeBitCast(dlsym(nil, "unshare"), to: Unshare.self)
      if unshare(newNetwork) != 0 {
        reason = "no network namespace: \(String(cString: strerror(errno)))"
      } else if !NetworkWatchTests.ip("link add near type veth peer name far") {
        reason = "no virtual link: this kernel has no veth, or there is no ip"
      } else {
        do { try body() } catch { failure = error }
      }
      done.fulfill()
    }
    thread.start()
    wait(for: [done], timeout: 60)
    if let failure { throw failure }
    if let reason { throw XCTSkip(reason) }
  }

  func testEventsOfARealKernel() throws {
    try inNamespace {
      let loop = try EventLoop()
      nonisolated(unsafe) var events: [NetworkEvent] = []
      let watch = try NetworkWatch(on: loop) { events.append($0) }
      // A loop without anything to do waits for ever; this one looks again.
      nonisolated(unsafe) var timer: Transport.Timer?
      timer = Transport.Timer(on: loop) { now in timer?.set(now + .milliseconds(20)) }
      timer?.set(EventLoop.now)
      func wait(for event: NetworkEvent) throws {
        let deadline = EventLoop.now + .seconds(20)
        while !events.contains(event), EventLoop.now < deadline { try loop.turn() }
        XCTAssertTrue(events.contains(event), "\(event) in \(events)")
        events.removeAll()
      }
      let address = try XCTUnwrap(NetworkAddress([10, 1, 2, 3].span))
      XCTAssertTrue(NetworkWatchTests.ip("link set far up"))
      XCTAssertTrue(NetworkWatchTests.ip("link set near up"))
      try wait(for: .linkUp)
      XCTAssertTrue(NetworkWatchTests.ip("addr add 10.1.2.3/24 dev near"))
      try wait(for: .addressAdded(address))
      XCTAssertTrue(NetworkWatchTests.ip("route add default via 10.1.2.1"))
      try wait(for: .routeAdded)
      XCTAssertTrue(NetworkWatchTests.ip("route del default"))
      try wait(for: .routeRemoved)
      XCTAssertTrue(NetworkWatchTests.ip("link set far down"))
      try wait(for: .linkDown)
      XCTAssertTrue(NetworkWatchTests.ip("addr del 10.1.2.3/24 dev near"))
      try wait(for: .addressRemoved(address))
      XCTAssertTrue(NetworkWatchTests.ip("link del near"))
      try wait(for: .linkDown)
      watch.cancel()
      watch.cancel()
      XCTAssertTrue(NetworkWatchTests.ip("link add other type veth peer name another"))
      for _ in 0..<5 { try loop.turn() }
      XCTAssertEqual(events, [])
      timer?.set(nil)
      timer = nil
    }
  }

  /// More reports than the socket holds: some are lost, and that is said.
  func testOverrun() throws {
    try inNamespace {
      let loop = try EventLoop()
      nonisolated(unsafe) var events: [NetworkEvent] = []
      let watch = try NetworkWatch(on: loop) { events.append($0) }
      for _ in 0..<200 where !events.contains(.lost) {
        for round in 0..<40 {
          XCTAssertTrue(NetworkWatchTests.ip("link set near \(round % 2 == 0 ? "up" : "down")"))
        }
        try loop.turn()
      }
      XCTAssertTrue(events.contains(.lost))
      watch.cancel()
    }
  }

  func testPathCheck() throws {
    try inNamespace {
      XCTAssertTrue(NetworkWatchTests.ip("link set lo up"))
      for (command, expected) in [
        ("link set near up", Int32(0)), ("addr del 10.1.2.3/24 dev near", -EADDRNOTAVAIL),
        ("route del 10.1.2.0/24", -ENETUNREACH), ("link set near down", -ENETUNREACH),
        ("link del near", -EADDRNOTAVAIL),
      ] {
        _ = NetworkWatchTests.ip("link add near type veth peer name far")
        XCTAssertTrue(NetworkWatchTests.ip("link set far up"))
        XCTAssertTrue(NetworkWatchTests.ip("link set near up"))
        _ = NetworkWatchTests.ip("addr del 10.1.2.3/24 dev near")
        XCTAssertTrue(NetworkWatchTests.ip("addr add 10.1.2.3/24 dev near"))
        let socket = try NetworkWatchTests.connected(to: [10, 1, 2, 9])
        var bytes = [UInt8](repeating: 0, count: 16)
        XCTAssertEqual(linux_local_address(socket, &bytes), 4)
        XCTAssertEqual(Array(bytes[..<4]), [10, 1, 2, 3])
        XCTAssertEqual(linux_path_check(socket), 0)
        XCTAssertTrue(NetworkWatchTests.ip(command))
        XCTAssertEqual(linux_path_check(socket), expected, command)
        _ = linux_close(socket)
      }
    }
  }

  /// A datagram socket: it has addresses as a connection has, and the peer need not be there.
  private static func connected(to address: [UInt8]) throws -> Int32 {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = 9
    withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address) }
    let client = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, length) }
    }
    if result != 0 { throw SystemError("connect", -errno) }
    return client
  }
}
