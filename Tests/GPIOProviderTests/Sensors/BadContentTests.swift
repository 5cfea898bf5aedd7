import Foundation
import Transport
import XCTest

@testable import GPIOProvider

/// Whatever a file of the kernel's holds or is: the process lives, and each try gives a finite value or a
/// reason.
final class BadContentTests: XCTestCase {
  private static let contents: [Data] =
    [
      "", "\n", " ", "text", "-", "+", ".", "0", "-1", "99999999999999999999", "1e999", "1e-999",
      "NaN", "inf", "0x", "\0", "12\0" + "34", "12 34", "12\n34\n", "1.5.2", "--1", "=", "t=", ":",
      "YES\n t=", "YES\nt=9999999999999999999", ": : :", "cpu", "cpu cpu cpu cpu cpu cpu",
      "\u{0664}\u{0665}",
      String(repeating: "9", count: 20_000), String(repeating: "\n", count: 5_000),
      String(repeating: "a:", count: 9_000), String(repeating: "wlan0: 0 0 0\n", count: 900),
    ].map { Data($0.utf8) } + [Data([0xFF, 0xFE, 0x80]), Data((0...255).map { UInt8($0) })]

  private enum Spoiling: CaseIterable {
    case content, removed, folder, unreadable, linkLoop, pipe, longName
  }

  func testAnythingInPlaceOfAFile() throws {
    for (number, board) in BoardDescription.all.enumerated() {
      let tree = try BoardTree(board.tree)
      defer { tree.remove() }
      let original = Dictionary(uniqueKeysWithValues: tree.files.map { ($0, tree.content($0)!) })
      var random = SeededGenerator(seed: UInt64(number + 1))
      let sources = makeSources(board, tree, InlineReader())
      for path in tree.files {
        for spoiling in Spoiling.allCases.shuffled(using: &random).prefix(2) {
          try spoil(path, spoiling, in: tree, &random)
          check(sources, "\(board.name): \(path) \(spoiling)")
          try repair(path, original[path]!, in: tree)
        }
      }
      for (sensor, source) in zip(board.sensors, sources) where sensor.kind.text != "host" {
        XCTAssertEqual(source.measure(at: Instant(nanoseconds: 0)).value, sensor.value)
      }
    }
  }

  /// Files that change between the time at which they are found and that at which they are read.
  func testAnythingThatChangesWhileItIsRead() throws {
    for seed in UInt64(1)...25 {
      var random = SeededGenerator(seed: seed)
      let board = BoardDescription.all.randomElement(using: &random)!
      let tree = try BoardTree(board.tree)
      defer { tree.remove() }
      let original = Dictionary(uniqueKeysWithValues: tree.files.map { ($0, tree.content($0)!) })
      let paths = tree.files
      let reader = MeddlingReader {
        let path = paths.randomElement(using: &random)!
        if Bool.random(using: &random) {
          try? self.spoil(path, Spoiling.allCases.randomElement(using: &random)!, in: tree, &random)
        } else {
          try? self.repair(path, original[path]!, in: tree)
        }
      }
      let sources = makeSources(board, tree, reader)
      for _ in 0..<5 { check(sources, "seed \(seed), \(board.name)") }
    }
  }

  func testRandomBytesInEveryParser() {
    for seed in UInt64(1)...3_000 {
      var random = SeededGenerator(seed: seed)
      let alphabet = Array("0123456789-. \n:=tYESNOcpuwlan0xabef".utf8) + [0, 0xFF]
      let bytes = (0..<Int.random(in: 0...90, using: &random)).map { _ in
        alphabet.randomElement(using: &random)!
      }
      let text = String(decoding: bytes, as: UTF8.self)
      if let value = AttributeText.integer(bytes) {
        XCTAssertEqual(value, Int64(text.replacing(/[\n ]+$/, with: "")), "seed \(seed)")
      }
      if let value = try? W1Slave.temperature(bytes, "p") {
        XCTAssertTrue(text.contains("t=\(value)") || text.contains("t="), "seed \(seed)")
      }
      XCTAssertLessThanOrEqual(WirelessTable.rows(bytes).count, 16)
      if let value = try? FilePattern(path: "p", after: "t=").number(in: bytes) {
        XCTAssertTrue(value.isFinite && text.contains("t="), "seed \(seed)")
      }
      if let ticks = ProcessorTicks(bytes) { XCTAssertLessThanOrEqual(ticks.idle, ticks.all) }
    }
  }

  // MARK: parts

  private func makeSources(
    _ board: BoardDescription, _ tree: BoardTree, _ reader: any FileReader
  ) -> [any SensorSource] {
    let environment = tree.environment(reader, time: FakeTime())
    return board.sensors.map { environment.source(of: $0.kind) }
  }

  private func check(_ sources: [any SensorSource], _ what: String) {
    for source in sources {
      var outcomes: [Result<Measured, ReadingError>] = []
      source.measure(at: Instant(nanoseconds: 0)) { outcomes.append($0) }
      XCTAssertEqual(outcomes.count, 1, what)
      switch outcomes.first {
      case .success(let measured):
        XCTAssertTrue(measured.value.isFinite, what)
        XCTAssertEqual(measured.isUncertain, measured.reason != nil, what)
      case .failure(let error): XCTAssertFalse(error.reason.isEmpty, what)
      case nil: break
      }
    }
  }

  private func spoil(
    _ path: String, _ spoiling: Spoiling, in tree: BoardTree, _ random: inout SeededGenerator
  ) throws {
    let full = "\(tree.root)/\(path)"
    try? FileManager.default.removeItem(atPath: full)
    switch spoiling {
    case .content: try tree.write(path, BadContentTests.contents.randomElement(using: &random)!)
    case .removed: break
    case .folder: try tree.makeFolder(path)
    case .unreadable:
      try tree.write(path, "1\n")
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: full)
    case .linkLoop:
      try FileManager.default.createSymbolicLink(atPath: full, withDestinationPath: full)
    case .pipe: XCTAssertEqual(mkfifo(full, 0o644), 0)
    case .longName:
      let name = String(repeating: "x", count: 250)
      try FileManager.default.createSymbolicLink(atPath: full, withDestinationPath: name)
    }
  }

  private func repair(_ path: String, _ content: String, in tree: BoardTree) throws {
    try? FileManager.default.removeItem(atPath: "\(tree.root)/\(path)")
    try tree.write(path, content)
  }
}

/// Changes something before each read.
private final class MeddlingReader: FileReader {
  private let inner = InlineReader()
  private let meddle: () -> Void

  init(_ meddle: @escaping () -> Void) { self.meddle = meddle }

  func start(_ read: FileRead, at now: Instant) {
    meddle()
    inner.start(read, at: now)
  }
}
