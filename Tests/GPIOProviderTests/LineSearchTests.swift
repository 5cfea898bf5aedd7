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

  // MARK: A Raspberry Pi's header

  private func pi(_ label: String, _ lines: [String]) -> [Fixture] {
    [
      Fixture(path: "/dev/gpiochip0", name: "gpiochip0", label: label, lines: lines),
      Fixture(
        path: "/dev/gpiochip1", name: "gpiochip1", label: "raspberrypi-exp-gpio",
        lines: ["BT_ON", "WL_ON"]),
    ]
  }

  /// As of a Raspberry Pi 4 with an old device tree, which calls lines by what they may do.
  private static let oldNames =
    ["ID_SDA", "ID_SCL", "SDA1", "SCL1", "GPIO_GCLK", "GPIO5", "GPIO6"]
    + ["SPI_CE1_N", "SPI_CE0_N", "SPI_MISO", "SPI_MOSI", "SPI_SCLK", "GPIO12", "GPIO13", "TXD1"]
    + ["RXD1"]

  func testBothNamesOfALineAreFound() {
    let newNames = (0..<28).map { "GPIO\($0)" }
    let table = [
      ("GPIO2", "SDA1", 2), ("GPIO3", "SCL1", 3), ("GPIO4", "GPIO_GCLK", 4),
      ("GPIO7", "SPI_CE1_N", 7), ("GPIO9", "SPI_MISO", 9), ("GPIO10", "SPI_MOSI", 10),
      ("GPIO11", "SPI_SCLK", 11), ("GPIO14", "TXD1", 14), ("GPIO15", "RXD1", 15),
      ("GPIO0", "ID_SDA", 0), ("GPIO1", "ID_SCL", 1),
    ]
    for (new, old, offset) in table {
      for name in [new, old] {
        for names in [newNames, LineSearchTests.oldNames, newNames.map { _ in "" }] {
          XCTAssertEqual(
            search(chip: nil, .name(name), on: pi("pinctrl-bcm2711", names)),
            found(0, "gpiochip0", UInt32(offset)), "\(name) among \(names)")
        }
      }
    }
  }

  func testALineOfTheNameComesBeforeAnAlias() {
    var board = pi("pinctrl-bcm2835", [String](repeating: "", count: 28))
    board[1].lines[1] = "GPIO17"
    XCTAssertEqual(search(chip: nil, .name("GPIO17"), on: board), found(1, "gpiochip1", 1))
    XCTAssertEqual(
      search(chip: "pinctrl-bcm2835", .name("GPIO17"), on: board), found(0, "gpiochip0", 17))
  }

  func testWhatIsNoNameOfTheHeader() {
    let board = pi("pinctrl-bcm2835", [String](repeating: "", count: 54))
    for name in [
      "GPIO28", "GPIO", "GPIO02", "GPIO-1", "GPIO1x", "gpio2", "GPIO99999999999999999999",
    ] {
      XCTAssertEqual(
        search(chip: nil, .name(name), on: board), .failure(.noSuchLine(line: name, chip: nil)))
    }
    XCTAssertEqual(
      search(chip: nil, .name("GPIO5"), on: pi("other", [String](repeating: "", count: 54))),
      .failure(.noSuchLine(line: "GPIO5", chip: nil)), "no header, no aliases")
  }

  func testBCMNumbersOnEveryPi() {
    for label in ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"] {
      let board = pi(label, [String](repeating: "", count: 54))
      for number in UInt32(0)...27 {
        XCTAssertEqual(search(chip: nil, .bcm(number), on: board), found(0, "gpiochip0", number))
      }
      XCTAssertEqual(search(chip: label, .bcm(5), on: board), found(0, "gpiochip0", 5))
      XCTAssertEqual(
        search(chip: "raspberrypi-exp-gpio", .bcm(5), on: board),
        .failure(.noHeader(present: present(label))))
      XCTAssertEqual(
        search(chip: "usb", .bcm(5), on: board),
        .failure(.noSuchChip(chip: "usb", present: present(label))))
    }
  }

  private func present(_ label: String) -> [String] {
    ["gpiochip0 [\(label)]", "gpiochip1 [raspberrypi-exp-gpio]"]
  }

  func testWithoutAHeaderTheChipsAreListed() {
    XCTAssertEqual(
      search(chip: nil, .bcm(17), on: pi("pl061", ["", ""])),
      .failure(.noHeader(present: present("pl061"))))
    XCTAssertEqual(
      search(chip: nil, .bcm(17), denied: ["/dev/gpiochip0"], on: []),
      .failure(.permissionDenied(path: "/dev/gpiochip0", group: "gpio")))
    XCTAssertEqual(
      search(chip: nil, .bcm(17), on: pi("pinctrl-rp1", ["", ""])),
      .failure(.offsetOutOfRange(offset: 17, chip: "gpiochip0", lines: 2)))
  }

  func testPinsOfTheHeader() {
    let supplies: [(pins: [UInt32], text: String)] = [
      ([1, 17], "3.3 V"), ([2, 4], "5 V"), ([6, 9, 14, 20, 25, 30, 34, 39], "ground"),
    ]
    for supply in supplies {
      for pin in supply.pins {
        XCTAssertNil(RaspberryPiHeader.bcmNumber(ofPin: pin))
        XCTAssertEqual(RaspberryPiHeader.supply(atPin: pin).map { "\($0)" }, supply.text)
      }
    }
    let numbers = RaspberryPiHeader.pins.compactMap { RaspberryPiHeader.bcmNumber(ofPin: $0) }
    XCTAssertEqual(numbers.sorted(), Array(RaspberryPiHeader.bcmNumbers), "each line at one pin")
    for (pin, number) in [(3, 2), (11, 17), (12, 18), (13, 27), (27, 0), (37, 26), (40, 21)] {
      XCTAssertEqual(RaspberryPiHeader.bcmNumber(ofPin: UInt32(pin)), UInt32(number))
      XCTAssertNil(RaspberryPiHeader.supply(atPin: UInt32(pin)))
    }
    for pin in [0, 41, UInt32.max] {
      XCTAssertNil(RaspberryPiHeader.bcmNumber(ofPin: pin))
      XCTAssertNil(RaspberryPiHeader.supply(atPin: pin))
    }
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
