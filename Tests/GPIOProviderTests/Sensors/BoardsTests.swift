import Foundation
import Transport
import XCTest

@testable import GPIOProvider

/// Every sensor of the boards described in `Boards.swift`.
final class BoardsTests: XCTestCase {
  func testEverySensorOfEveryBoard() throws {
    for board in BoardDescription.all {
      let tree = try BoardTree(board.tree)
      defer { tree.remove() }
      for sensor in board.sensors {
        let outcome = tree.measure(sensor.kind)
        XCTAssertEqual(outcome, .success(Measured(sensor.value)), "\(board.name): \(sensor.kind)")
      }
    }
  }

  func testDevicesKeepTheirNamesWhenTheirNumbersChange() throws {
    let tree = try BoardTree(BoardDescription.raspberryPi4.tree)
    defer { tree.remove() }
    let environment = tree.environment(InlineReader(), time: FakeTime())
    let kind = SensorKind.iio(IIOChannel(device: DeviceName("bme280"), channel: "temp"))
    let source = environment.source(of: kind)
    let now = Instant(nanoseconds: 0)
    XCTAssertEqual(source.measure(at: now).value, 22.51)
    let old = "sys/devices/platform/soc/fe804000.i2c/i2c-1/1-0076/iio:device0"
    let new = "sys/devices/platform/soc/fe804000.i2c/i2c-1/1-0076/iio:device3"
    try tree.remove(old)
    try tree.remove("sys/bus/iio/devices/iio:device0")
    XCTAssertEqual(
      source.measure(at: now).reason,
      "no IIO device is named 'bme280' in \(tree.sys)/bus/iio/devices; there is: none")
    try tree.add("@ \(old) < sys/bus/iio/devices\nname = ads1115\nin_temp_input = 1")
    XCTAssertEqual(
      source.measure(at: now).reason,
      "no IIO device is named 'bme280' in \(tree.sys)/bus/iio/devices; there is: ads1115")
    try tree.add("@ \(new) < sys/bus/iio/devices\nname = bme280\nin_temp_input = 19000")
    XCTAssertEqual(source.measure(at: now).value, 19)
  }

  func testEveryKindTellsWhatItMisses() throws {
    let tree = try BoardTree("proc/stat = cpu")
    defer { tree.remove() }
    let (sys, proc) = (tree.sys, tree.proc)
    let device = DeviceName("chip")
    let table: [(SensorKind, String)] = [
      (.thermal(zone: "cpu"), "no thermal zone of type \"cpu\" in \(sys)/class/thermal"),
      (
        .iio(IIOChannel(device: device, channel: "temp")),
        "no IIO device is named 'chip' in \(sys)/bus/iio/devices; there is: none"
      ),
      (
        .hwmon(HwmonChannel(device: device, channel: "temp1")),
        "no monitor is named 'chip' in \(sys)/class/hwmon; there is: none"
      ),
      (
        .w1(id: "28-000000000001"),
        "no 1-Wire device 28-000000000001 in \(sys)/bus/w1/devices; there is: none"
      ),
      (
        .powerSupply(PowerSupplyProperty(supply: "BAT0", property: "temp")),
        "no power supply is named 'BAT0' in \(sys)/class/power_supply; there is: none"
      ),
      (
        .counter(CounterCount(device: device, count: 0)),
        "no counter is named 'chip' in \(sys)/bus/counter/devices; there is: none"
      ),
      (
        .raspberryPi(RaspberryPiState(.throttled)),
        "no firmware of a Raspberry Pi in \(sys)/bus/platform/drivers"
      ),
      (
        .wifi(WiFiSignal(interface: "wlan0", metric: .signal)),
        "\(proc)/net/wireless: No such file or directory"
      ),
      (.host(.memory), "\(proc)/meminfo: No such file or directory"),
      (.host(.cpu), "\(proc)/stat begins with no times of the processor"),
      (.host(.disk(path: "\(sys)/no")), "\(sys)/no: No such file or directory"),
      (.file(FilePattern(path: "\(sys)/no")), "\(sys)/no: No such file or directory"),
    ]
    for (kind, reason) in table {
      XCTAssertEqual(tree.measure(kind), .failure(ReadingError(Text(reason))), "\(kind)")
    }
  }

  func testKindsKnowTheirQuantities() {
    let units: [(SensorKind, String?)] = [
      (.thermal(zone: ""), "Cel"), (.w1(id: ""), "Cel"), (.simulated(values: []), nil),
      (.file(FilePattern(path: "")), nil), (.host(.cpu), "/"), (.host(.memory), "B"),
      (.host(.uptime), "s"), (.host(.clockOffset), "s"), (.raspberryPi(.init(.capped)), "/"),
      (.wifi(WiFiSignal(interface: "", metric: .signal)), "dBm"),
      (.counter(CounterCount(device: DeviceName(""), count: 0)), "count"),
    ]
    for (kind, unit) in units { XCTAssertEqual(kind.quantity?.unit, unit, "\(kind)") }
    let channels = [
      "temp": "Cel", "temp0": "Cel", "voltage0": "V", "voltage0-voltage1": "V",
      "current_x": "A", "accel_x": "m/s2", "humidityrelative": "%RH", "pressure": "Pa",
      "illuminance": "lx", "magn_x": "T", "intensity_both": nil, "proximity": nil, "": nil,
    ]
    for (channel, unit) in channels {
      let kind = SensorKind.iio(IIOChannel(device: DeviceName(""), channel: channel))
      XCTAssertEqual(kind.quantity?.unit, unit, channel)
    }
  }
}
