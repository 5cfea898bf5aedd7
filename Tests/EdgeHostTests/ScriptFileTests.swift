import Foundation
import GPIOProvider
import XCTest

@testable import EdgeHost

/// The course of a simulated input that stands in a file.
final class ScriptFileTests: XCTestCase {
  private let path = NSTemporaryDirectory() + "edge-host-script-\(UUID().uuidString)"

  override func tearDown() { try? FileManager.default.removeItem(atPath: path) }

  private func manifest(_ script: String) -> String {
    """
    capabilities:
      - builtin: gpio
        board: simulated
        lines:
          - {name: a, direction: input, script: \(script)}
    """
  }

  /// The script that a file of this content gives.
  private func steps(_ content: String) throws -> LineScript? {
    try content.write(toFile: path, atomically: true, encoding: .utf8)
    let manifest = try ManifestFile.decode(
      Array(self.manifest("{file: \(path), repeat: true}").utf8), from: "test", lookUp: { _ in nil }
    )
    guard case .gpio(_, let lines, _)? = manifest.capabilities.first else { return nil }
    return lines.first?.script
  }

  private func assertMistake(
    _ content: String, _ message: String, file: StaticString = #filePath, line: UInt = #line
  ) throws {
    try content.write(toFile: path, atomically: true, encoding: .utf8)
    assertMistakes(
      manifest("{file: \(path)}"), ["5:52: 'file': \(path)\(message)"], file: file, line: line)
  }

  func testStepsOfAFile() throws {
    let script = try steps("# a door\r\n 2s active\n\n500ms\tinactive # closed\n1min active")
    XCTAssertEqual(
      script,
      LineScript(
        steps: [
          .init(after: .seconds(2), isActive: true),
          .init(after: .milliseconds(500), isActive: false),
          .init(after: .seconds(60), isActive: true),
        ], repeats: true))
  }

  func testWrongFiles() throws {
    for wrong in [
      "2s on", "2s", "active 2s", "2 active", "0s active", "2d active", "2s active now",
    ] {
      try assertMistake(
        "1s active\n\(wrong)\n", ":2: a step is such as '2s active', not '\(wrong)'")
    }
    try assertMistake("# nothing\n", " has no steps")
    try assertMistake(
      String(repeating: "1s active\n", count: 6_401), " is too large: at most 64000 bytes")
    try FileManager.default.removeItem(atPath: path)
    assertMistakes(
      manifest("{file: \(path)}"), ["5:52: 'file': \(path): No such file or directory"])
  }

  func testAFileAndStepsAreOneTooMany() throws {
    try "1s active".write(toFile: path, atomically: true, encoding: .utf8)
    assertMistakes(
      manifest("{steps: [{after: 1s, active: true}], file: \(path)}"),
      ["5:46: 'steps' are in the 'file' already: leave one of them out"])
    assertMistakes(
      manifest("{file: door.txt}"),
      [
        "5:52: 'file' must be the path of a file of steps such as '2s active', one on each line, "
          + "not 'door.txt'"
      ])
  }
}
