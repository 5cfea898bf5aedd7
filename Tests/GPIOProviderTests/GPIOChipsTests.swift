import XCTest

@testable import GPIOProvider

final class GPIOChipsTests: XCTestCase {
  func testFlagsOfTheKernel() {
    let table: [(KernelLineFlags, (inout ListedLine) -> Void)] = [
      ([.input], { _ in }),
      ([.output], { $0.direction = .output }),
      ([.input, .used], { $0.isUsed = true }),
      ([.input, .activeLow, .biasPullUp], { ($0.activeLow, $0.bias) = (true, .pullUp) }),
      ([.input, .biasPullDown], { $0.bias = .pullDown }),
      ([.input, .biasDisabled], { $0.bias = .disabled }),
      ([.output, .openDrain], { ($0.direction, $0.drive) = (.output, .openDrain) }),
      ([.output, .openSource], { ($0.direction, $0.drive) = (.output, .openSource) }),
      ([.input, .edgeRising], { $0.edges = .rising }),
      ([.input, .edgeFalling], { $0.edges = .falling }),
      ([.input, .edgeRising, .edgeFalling], { $0.edges = .both }),
    ]
    for (flags, change) in table {
      var expected = ListedLine(offset: 3, name: "GPIO3")
      expected.consumer = "who"
      change(&expected)
      XCTAssertEqual(
        ListedLine(offset: 3, name: "GPIO3", consumer: "who", flags: flags), expected)
    }
  }

  func testNoChips() {
    XCTAssertEqual(GPIOChips.list(devicePath: "/nonexistent/chip"), GPIOChips([]))
  }

  func testWhatIsNoChipIsLeftOut() throws {
    let folder = try ThermalTree()
    defer { folder.remove() }
    try folder.add(0, type: "x", temp: nil)
    XCTAssertEqual(GPIOChips.list(devicePath: folder.root + "/thermal_zone"), GPIOChips([]))
  }

  func testThermalZones() throws {
    let tree = try ThermalTree()
    defer { tree.remove() }
    XCTAssertEqual(GPIOChips.thermalZones(root: tree.root), [])
    try tree.add(0, type: "cpu-thermal", temp: "40000\n")
    try tree.add(2, type: "gpu", temp: nil)
    try tree.add(3, type: "cpu-thermal", temp: nil)
    XCTAssertEqual(GPIOChips.thermalZones(root: tree.root), ["cpu-thermal", "gpu"])
  }
}
