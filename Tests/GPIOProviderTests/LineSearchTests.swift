import XCTest

@testable import GPIOProvider

final class LineSearchTests: XCTestCase {
  private struct Fixture {
    var path: String
    var name: String
    var label: String
    var lines: [String]
  }

  /// A Raspberry Pi 5 with a link from the old number, and two equal expanders.
  private let board = [
    Fixture(
      path: "/dev/gpiochip0", name: "gpiochip0", label: "pinctrl-rp1",
      lines: ["ID_SDA", "ID_SCL", "GPIO2", "GPIO3", "GPIO4"]),
    Fixture(
      path: "/dev/gpiochip4", name: "gpiochip0", label: "pinctrl-rp1",
      lines: ["ID_SDA", "ID_SCL", "GPIO2", "GPIO3", "GPIO4"]),
    Fixture(
      path: "/dev/gpiochip10", name: "gpiochip10", label: "gpio-brcmstb@107d508500",
      lines: ["-", "GPIO4", "-"]),
    Fixture(path: "/dev/gpiochip11", name: "gpiochip11", label: "20-0020", lines: ["", "VALVE"]),
    Fixture(path: "/dev/gpiochip12", name: "gpiochip12", label: "20-0020", lines: ["", "PUMP"]),
  ]

  private func search(
    chip: String?, _ location: LineConfiguration.Location, denied: [String] = [],
    on board: [Fixture]? = nil
  ) -> Result<LineSearch.Match, BoardError> {
    var search = LineSearch(chip: chip, location: location)
    for path in denied { search.wasDenied(path, group: "gpio") }
    for (index, fixture) in (board ?? self.board).enumerated() {
      let chip = GPIOChip(
        path: fixture.path, name: fixture.name, label: fixture.label,
        lineCount: UInt32(fixture.lines.count))
      search.consider(chip, index: index) { offset in
        fixture.lines.indices.contains(Int(offset)) ? fixture.lines[Int(offset)] : nil
      }
    }
    do throws(BoardError) { return .success(try search.result()) } catch { return .failure(error) }
  }

  private func found(_ chip: Int, _ name: String, _ offset: UInt32)
    -> Result<LineSearch.Match, BoardError>
  {
    .success(LineSearch.Match(chip: chip, chipName: name, offset: offset))
  }

  func testFindsALineByItsName() {
    XCTAssertEqual(search(chip: nil, .name("GPIO2")), found(0, "gpiochip0", 2))
    XCTAssertEqual(search(chip: nil, .name("PUMP")), found(4, "gpiochip12", 1))
    XCTAssertEqual(search(chip: "pinctrl-rp1", .name("GPIO4")), found(0, "gpiochip0", 4))
  }

  func testFindsAChipByNameLabelOrLink() {
    XCTAssertEqual(search(chip: "gpiochip0", .offset(3)), found(0, "gpiochip0", 3))
    XCTAssertEqual(search(chip: "pinctrl-rp1", .offset(3)), found(0, "gpiochip0", 3))
    XCTAssertEqual(search(chip: "gpiochip4", .offset(3)), found(1, "gpiochip0", 3))
    XCTAssertEqual(search(chip: "gpiochip10", .offset(1)), found(2, "gpiochip10", 1))
  }

  func testALinkToAChipIsNotASecondChip() {
    XCTAssertEqual(search(chip: nil, .name("ID_SDA")), found(0, "gpiochip0", 0))
  }

  func testRefusesAnAmbiguousName() {
    XCTAssertEqual(
      search(chip: nil, .name("GPIO4")),
      .failure(
        .ambiguousLine(line: "GPIO4", chips: ["gpiochip0 line 4", "gpiochip10 line 1"])))
    XCTAssertEqual(
      search(chip: "gpiochip10", .name("-")),
      .failure(.ambiguousLine(line: "-", chips: ["gpiochip10 line 0", "gpiochip10 line 2"])))
    XCTAssertEqual(
      search(chip: "20-0020", .offset(1)),
      .failure(.ambiguousLine(line: "1", chips: ["gpiochip11 line 1", "gpiochip12 line 1"])))
  }

  func testSaysWhatIsMissing() {
    XCTAssertEqual(
      search(chip: nil, .name("GPIO99")), .failure(.noSuchLine(line: "GPIO99", chip: nil)))
    XCTAssertEqual(
      search(chip: "gpiochip10", .name("GPIO2")),
      .failure(.noSuchLine(line: "GPIO2", chip: "gpiochip10")))
    XCTAssertEqual(
      search(chip: "gpiochip0", .offset(5)),
      .failure(.offsetOutOfRange(offset: 5, chip: "gpiochip0", lines: 5)))
    XCTAssertEqual(
      search(chip: "pinctrl-bcm2711", .offset(5)),
      .failure(
        .noSuchChip(
          chip: "pinctrl-bcm2711",
          present: [
            "gpiochip0 [pinctrl-rp1]", "gpiochip10 [gpio-brcmstb@107d508500]",
            "gpiochip11 [20-0020]", "gpiochip12 [20-0020]",
          ])))
    XCTAssertEqual(
      search(chip: "gpiochip0", .offset(0), on: []),
      .failure(.noSuchChip(chip: "gpiochip0", present: [])))
    XCTAssertEqual(
      search(chip: nil, .name("GPIO2"), on: []), .failure(.noSuchLine(line: "GPIO2", chip: nil)))
  }

  func testAChipWithoutLinesHasNone() {
    let empty = [Fixture(path: "/dev/gpiochip0", name: "gpiochip0", label: "none", lines: [])]
    XCTAssertEqual(
      search(chip: "gpiochip0", .offset(0), on: empty),
      .failure(.offsetOutOfRange(offset: 0, chip: "gpiochip0", lines: 0)))
    XCTAssertEqual(
      search(chip: nil, .name("A"), on: empty), .failure(.noSuchLine(line: "A", chip: nil)))
  }

  func testADeniedChipIsTheReasonOnlyWhenItMayHoldTheLine() {
    let denied = ["/dev/gpiochip5", "/dev/gpiochip7"]
    XCTAssertEqual(search(chip: nil, .name("GPIO2"), denied: denied), found(0, "gpiochip0", 2))
    XCTAssertEqual(
      search(chip: nil, .name("GPIO99"), denied: denied),
      .failure(.permissionDenied(path: "/dev/gpiochip5", group: "gpio")))
    XCTAssertEqual(
      search(chip: "gpiochip7", .offset(0), denied: denied),
      .failure(.permissionDenied(path: "/dev/gpiochip7", group: "gpio")))
    XCTAssertEqual(
      search(chip: "gpiochip10", .name("GPIO99"), denied: denied),
      .failure(.noSuchLine(line: "GPIO99", chip: "gpiochip10")))
    XCTAssertEqual(
      search(chip: "gpiochip10", .offset(3), denied: denied),
      .failure(.offsetOutOfRange(offset: 3, chip: "gpiochip10", lines: 3)))
  }
}
