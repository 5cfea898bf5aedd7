import XCTest

@testable import EdgeHost

/// Invariant: any bytes give a manifest or a list of mistakes with places inside the file, at most
/// twenty and a count; nothing traps.
final class ManifestRobustnessTests: XCTestCase {
  private func check(_ bytes: [UInt8], _ what: @autoclosure () -> String) {
    do {
      _ = try ManifestFile.decode(bytes, from: "m", lookUp: { _ in nil })
    } catch {
      XCTAssertTrue((1...20).contains(error.errors.count), what())
      for mistake in error.errors {
        guard let mark = mistake.mark else { return XCTFail("no place: \(what())") }
        XCTAssertTrue(mark.line >= 1 && mark.line <= bytes.count + 1, "\(mark): \(what())")
        XCTAssertTrue(mark.column >= 1 && mark.column <= bytes.count + 1, "\(mark): \(what())")
        XCTAssertFalse(mistake.message.isEmpty, what())
        XCTAssertLessThan(mistake.message.utf8.count, 400, what())
      }
    }
  }

  func testEveryPrefixOfAGoodManifest() {
    let bytes = Array(ManifestTests.everyKey.utf8)
    for end in 0...bytes.count { check(Array(bytes[..<end]), "prefix \(end)") }
  }

  func testEveryByteChangedOrLeftOut() {
    let bytes = Array(ManifestTests.everyKey.utf8)
    var random = Random(state: 3)
    for index in bytes.indices {
      var changed = bytes
      changed[index] = UInt8(truncatingIfNeeded: random.next())
      check(changed, "byte \(index) is \(changed[index])")
      changed.remove(at: index)
      check(changed, "without byte \(index)")
    }
  }

  func testRandomBytes() {
    for (size, count) in [(16, 2_000), (512, 400), (64_000, 4)] {
      for seed in 0..<count {
        var random = Random(state: UInt64(seed))
        check(
          (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) },
          "\(size) of seed \(seed)")
      }
    }
  }

  /// Random arrangements of what manifests are made of reach deeper than random bytes.
  func testRandomWords() {
    let words = [
      "host", "name", "labels", "link", "servers", "journal", "memory", "capabilities", "builtin",
      "gpio", "sensors", "board", "simulated", "lines", "line", "direction", "input", "output",
      "script", "steps", "after", "active", "repeat", "values", "kind", "thermal", "zone", "every",
      "debounce", "actors", "bindings", "path", "5ms", "64kB", "17", "true", "null", "~", "''",
      "nats://hub", ": ", ": ", ": ", "\n", "\n", "\n  ", "\n    ", "- ", "- ", "[", "]", "{", "}",
      ", ", "\"", "|\n", "&a ", "*a ", "!t ", "<<", "? ", "#", "---\n", "\t", "%",
    ].map { Array($0.utf8) }
    for (size, count) in [(8, 4_000), (64, 1_000), (4_000, 10)] {
      for seed in 0..<count {
        var random = Random(state: UInt64(seed))
        let bytes = (0..<size).flatMap { _ in words[Int(random.next() % UInt64(words.count))] }
        check(bytes, "\(size) words of seed \(seed)")
      }
    }
  }

  func testTheLargestFilesEndSoon() {
    let size = 256_000
    for piece in [
      "{", "[", "- ", "? ", "a: ", "'", "\"\\", "a: b\n", "- a\n", "&a ", "#", " ", "\n", "a,",
      "|\n ",
    ] {
      let count = size / piece.utf8.count
      let start = ContinuousClock.now
      check(Array(String(repeating: piece, count: count).utf8), piece)
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(5), piece)
    }
  }
}

/// Knuth's linear congruential generator: the same bytes for the same seed everywhere.
private struct Random {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
}
