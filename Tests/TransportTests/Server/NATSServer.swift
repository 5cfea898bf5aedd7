import Foundation
import XCTest

/// A real nats-server with JetStream on a port and a store of its own, until `stop`.
final class NATSServer {
  private let folder: URL
  private let configuration: URL
  private let executable: String
  private var process: Process?
  let port: UInt16
  /// Where leaf nodes join.
  let leafPort: UInt16

  /// Skips the test where there is no nats-server; `make unit` installs and fetches them.
  ///
  /// - Parameters:
  ///   - jetStream: what stands in the `jetstream` block beside the store.
  ///   - hub: joined as a leaf node.
  ///   - executable: another than the installed one.
  init(
    jetStream: String = "", leafOf hub: NATSServer? = nil, executable: String? = nil
  ) throws {
    guard let executable = executable ?? NATSServer.installed else {
      throw XCTSkip("there is no nats-server")
    }
    self.executable = executable
    port = try NATSServer.freePort()
    leafPort = try NATSServer.freePort()
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("nats-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    configuration = folder.appendingPathComponent("configuration")
    let leafNodes = hub.map {
      "reconnect: 1, remotes: [{ url: \"nats://127.0.0.1:\($0.leafPort)\" }]"
    }
    try """
    host: 127.0.0.1
    port: \(port)
    jetstream {
      store_dir: "\(folder.path)"
      \(jetStream)
    }
    leafnodes { \(leafNodes ?? "listen: \"127.0.0.1:\(leafPort)\"") }
    """.write(to: configuration, atomically: true, encoding: .utf8)
    try start()
  }

  /// Starts it, again with the same store.
  func start() throws {
    let process = Process()
    // Should the tests die, the kernel ends the server.
    let guardian = "/usr/bin/setpriv"
    let arguments = ["--config", configuration.path, "--log", folder.path + "/log"]
    if FileManager.default.isExecutableFile(atPath: guardian) {
      process.executableURL = URL(fileURLWithPath: guardian)
      process.arguments = ["--pdeathsig", "KILL", executable] + arguments
    } else {
      process.executableURL = URL(fileURLWithPath: executable)
      process.arguments = arguments
    }
    try process.run()
    self.process = process
  }

  /// Ends it as a crash does.
  func kill() {
    guard let process, process.isRunning else { return }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  /// Has it end as an operator does: what it keeps is written.
  func shutDown() {
    guard let process, process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
    self.process = nil
  }

  /// Stops the process where it stands: its connections stay open and silent.
  func pause() { signal(SIGSTOP) }
  func resume() { signal(SIGCONT) }

  func stop() {
    kill()
    try? FileManager.default.removeItem(at: folder)
  }

  private func signal(_ number: Int32) {
    if let process { Glibc.kill(process.processIdentifier, number) }
  }

  /// As it says itself, such as "v2.10.27".
  var version: String {
    get throws {
      let process = Process()
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: executable)
      process.arguments = ["--version"]
      process.standardOutput = output
      try process.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      return text.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
    }
  }

  /// Those that Tests/Support/nats_servers fetched, or else the installed one.
  static let executables: [String] = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let fetched = ["bookworm", "trixie", "sid"].map {
      root.path + "/build/nats-server/\($0)/nats-server"
    }
    .filter { FileManager.default.isExecutableFile(atPath: $0) }
    return fetched.isEmpty ? installed.map { [$0] } ?? [] : fetched
  }()

  /// The newest of those that were fetched: nil when none was.
  static let newest = executables.first { $0.contains("/sid/") }

  private static let installed: String? = [
    "/usr/sbin", "/usr/local/bin", "/usr/bin", "/usr/local/sbin",
  ]
  .map { $0 + "/nats-server" }
  .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// A port that the kernel gave out a moment ago; it gives the next one another.
  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
      }
    }
    XCTAssertTrue(status)
    return UInt16(bigEndian: address.sin_port)
  }
}
