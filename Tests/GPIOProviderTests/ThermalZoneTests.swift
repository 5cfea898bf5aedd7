import Foundation
import XCTest

@testable import GPIOProvider

final class ThermalZoneTests: XCTestCase {
  private var tree: ThermalTree!

  override func setUpWithError() throws { tree = try ThermalTree() }
  override func tearDown() { tree.remove() }

  private func read(_ zone: inout ThermalZone) -> Result<Double, ReadingError> {
    do throws(ReadingError) { return .success(try zone.read()) } catch { return .failure(error) }
  }

  private func isBad(_ result: Result<Double, ReadingError>, _ text: String) -> Bool {
    if case .failure(let error) = result { return error.reason.contains(text) }
    return false
  }

  func testFindsAZoneByItsType() throws {
    // As on a Raspberry Pi 4 and on a board with several zones.
    try tree.add(0, type: "cpu-thermal", temp: "48312\n")
    try tree.add(2, type: "gpu-thermal", temp: "51000\n")
    try tree.add(63, type: "cpu-thermal2", temp: "-20500\n")
    for (type, value) in [("cpu-thermal", 48.312), ("gpu-thermal", 51), ("cpu-thermal2", -20.5)] {
      var zone = ThermalZone(type: type, root: tree.root)
      XCTAssertEqual(read(&zone), .success(value))
    }
    for type in ["cpu", "cpu-thermal3", "", "CPU-THERMAL"] {
      var zone = ThermalZone(type: type, root: tree.root)
      XCTAssertTrue(isBad(read(&zone), "no thermal zone of type \"\(type)\""), type)
    }
  }

  func testBadContentIsNoValue() throws {
    try tree.add(0, type: "cpu", temp: nil)
    var zone = ThermalZone(type: "cpu", root: tree.root)
    XCTAssertTrue(isBad(read(&zone), "No such file"))
    let table: [(String, String)] = [
      ("", "no temperature"), ("\n", "no temperature"), ("-", "no temperature"),
      ("hot\n", "no temperature"), ("48.3\n", "no temperature"), ("0x30", "no temperature"),
      ("+48312", "no temperature"), (" 48312", "no temperature"), ("--5", "no temperature"),
      ("48312\n50000\n", "no temperature"), ("48312\0", "no temperature"),
      ("٤٨", "no temperature"), ("9223372036854775808", "no temperature"),
      (String(repeating: "9", count: 100_000), "no temperature"),
      ("999999999999999999", "holds 999999999999999999"), ("1000001", "holds 1000001"),
      // THERMAL_TEMP_INVALID
      ("-274000\n", "holds -274000"), ("-999999999999999999", "holds -999999999999999999"),
    ]
    for (content, reason) in table {
      try tree.set(0, temp: content)
      XCTAssertTrue(isBad(read(&zone), reason), "\(content.prefix(40)): \(read(&zone))")
    }
    for (content, value) in [("0", 0), ("-273150", -273.15), ("1000000\n", 1_000), ("007", 0.007)] {
      try tree.set(0, temp: content)
      XCTAssertEqual(read(&zone), .success(value), content)
    }
  }

  func testAFolderInPlaceOfTheFileIsNoValue() throws {
    try tree.add(0, type: "cpu", temp: nil)
    try FileManager.default.createDirectory(
      atPath: tree.root + "/thermal_zone0/temp", withIntermediateDirectories: false)
    var zone = ThermalZone(type: "cpu", root: tree.root)
    XCTAssertTrue(isBad(read(&zone), "directory"))
  }

  func testAZoneThatMovesIsFoundAgain() throws {
    try tree.add(0, type: "cpu", temp: "1000")
    var zone = ThermalZone(type: "cpu", root: tree.root)
    XCTAssertEqual(read(&zone), .success(1))
    try tree.remove(0)
    XCTAssertTrue(isBad(read(&zone), "no thermal zone"))
    // Its number is another's now.
    try tree.add(0, type: "gpu", temp: "9000")
    XCTAssertTrue(isBad(read(&zone), "no thermal zone"))
    try tree.add(1, type: "cpu", temp: "2000")
    XCTAssertEqual(read(&zone), .success(2))
  }

  func testRandomContentNeverTraps() throws {
    for seed in UInt64(1)...2_000 {
      var random = SeededGenerator(seed: seed)
      let alphabet = Array("0123456789-\n .".utf8) + [0, 0xFF]
      let content = (0..<Int.random(in: 0...70, using: &random)).map { _ in
        alphabet.randomElement(using: &random)!
      }
      let text = String(decoding: content, as: UTF8.self)
      let expected = Int64(text.replacing(/[\n ]+$/, with: ""))
      if let value = ThermalZone.integer(content) {
        XCTAssertEqual(value, expected, "seed \(seed)")
      }
    }
  }
}
