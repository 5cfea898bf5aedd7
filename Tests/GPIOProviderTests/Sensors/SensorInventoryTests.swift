import Transport
import XCTest

@testable import GPIOProvider

final class SensorInventoryTests: XCTestCase {
  func testWhatIsListedCanBeMeasured() throws {
    for board in BoardDescription.all {
      let tree = try BoardTree(board.tree)
      defer { tree.remove() }
      let kinds = SensorInventory(sys: tree.sys, proc: tree.proc).kinds()
      // The load of the processor takes time to measure.
      for kind in kinds where kind != .host(.cpu) {
        XCTAssertNotNil(tree.measure(kind).value, "\(board.name): \(kind): \(tree.measure(kind))")
      }
      for (index, kind) in kinds.enumerated() {
        XCTAssertFalse(kinds[..<index].contains(kind), "\(kind) is listed twice")
      }
      let values = kinds.map { tree.measure($0).value }
      for sensor in board.sensors {
        XCTAssertTrue(
          values.contains(sensor.value) || [.ratio].contains(sensor.kind.quantity),
          "\(board.name) does not list \(sensor.kind)")
      }
    }
  }

  func testDevicesOfOneNameAreListedWithTheirPlaces() throws {
    let tree = try BoardTree(BoardDescription.rock5B.tree)
    defer { tree.remove() }
    let kinds = SensorInventory(sys: tree.sys, proc: tree.proc).kinds()
    let converters = kinds.filter { $0.text == "iio" }
    func channel(_ device: DeviceName, _ channel: String) -> SensorKind {
      .iio(IIOChannel(device: device, channel: channel))
    }
    XCTAssertEqual(
      converters,
      [
        channel(DeviceName("fec10000.saradc"), "voltage0"),
        channel(DeviceName("fec10000.saradc"), "voltage2"),
        channel(DeviceName("ads1115", at: "1-0048"), "voltage0"),
        channel(DeviceName("ads1115", at: "1-0048"), "voltage0-voltage1"),
        channel(DeviceName("ads1115", at: "2-0048"), "voltage0"),
        channel(DeviceName("ads1115", at: "2-0048"), "voltage3"),
      ])
  }

  func testThePartThatTellsDevicesApart() {
    let places = [
      "devices/pci0000:00/0000:01:00.0/nvme/nvme0/hwmon2",
      "devices/pci0000:00/0000:02:00.0/nvme/nvme1/hwmon3",
    ]
    XCTAssertEqual(SensorInventory.part(of: places[0], unlike: [places[1]]), "nvme0")
    let buses = ["devices/i2c-1/1-0048/hwmon/hwmon1", "devices/i2c-2/1-0048/hwmon/hwmon3"]
    XCTAssertEqual(SensorInventory.part(of: buses[1], unlike: [buses[0]]), "i2c-2")
    XCTAssertNil(SensorInventory.part(of: "a/b", unlike: ["a/c"]))
    XCTAssertNil(SensorInventory.part(of: "", unlike: [""]))
  }

  func testLabelsAndFansAndFirmware() throws {
    let pi = try BoardTree(BoardDescription.raspberryPi4.tree)
    defer { pi.remove() }
    let kinds = SensorInventory(sys: pi.sys, proc: pi.proc).kinds()
    XCTAssertEqual(kinds.filter { $0.text == "raspberry_pi" }.count, 4)
    XCTAssertEqual(kinds.filter { $0.text == "tachometer" }.count, 1)
    XCTAssertEqual(kinds.filter { $0.text == "w1" }.count, 2)
    let machine = try BoardTree(BoardDescription.testMachine.tree)
    defer { machine.remove() }
    let core = HwmonChannel(device: DeviceName("coretemp"), channel: "temp", label: "Core 0")
    XCTAssertTrue(
      SensorInventory(sys: machine.sys, proc: machine.proc).kinds().contains(.hwmon(core)))
  }

  func testASurveyTellsEverySensorOnce() throws {
    let tree = try BoardTree(BoardDescription.raspberryPi4.tree)
    defer { tree.remove() }
    let time = FakeTime()
    let kinds = SensorInventory(sys: tree.sys, proc: tree.proc).kinds() + [.w1(id: "28-0")]
    let survey = SensorSurvey(kinds, tree.environment(InlineReader(), time: time))
    try tree.write("proc/stat", "cpu  200 0 50 900 50\n")
    var told: [[SensorSurvey.Finding]] = []
    survey.measure(at: time.now) { told.append($0) }
    XCTAssertEqual(told.count, 1)
    let findings = try XCTUnwrap(told.first)
    XCTAssertEqual(findings.map { $0.kind }, kinds)
    XCTAssertEqual(findings.filter { $0.value == nil }.map { $0.kind }, [.w1(id: "28-0")])
    XCTAssertEqual(findings.first { $0.kind == .host(.cpu) }?.value, 0.5)
    SensorSurvey([], tree.environment(InlineReader(), time: time)).measure(at: time.now) {
      XCTAssertEqual($0, [])
    }
  }
}
