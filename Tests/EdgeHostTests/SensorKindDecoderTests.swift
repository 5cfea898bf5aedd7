import Foundation
import GPIOProvider
import Transport
import XCTest

@testable import EdgeHost

final class SensorKindDecoderTests: XCTestCase {
  private func manifest(_ sensor: String) -> String {
    "capabilities:\n- builtin: sensors\n  sensors:\n  - {name: a, \(sensor)}\n"
  }

  private func assert(_ sensor: String, _ kind: SensorKind, line: UInt = #line) {
    let decoded = try? goodManifest(manifest(sensor))
    guard case .sensors(let sensors)? = decoded?.capabilities.first else {
      return XCTFail("\(mistakes(Array(manifest(sensor).utf8)))", line: line)
    }
    XCTAssertEqual(sensors.map { $0.kind }, [kind], line: line)
  }

  private func assert(_ sensor: String, refused expected: String..., line: UInt = #line) {
    let found = mistakes(Array(manifest(sensor).utf8))
    XCTAssertEqual(found.count, expected.count, "\(found)", line: line)
    for (message, end) in zip(found, expected) {
      XCTAssertTrue(message.hasSuffix(end), message, line: line)
    }
  }

  func testEveryKind() {
    assert("kind: thermal, zone: cpu-thermal", .thermal(zone: "cpu-thermal"))
    assert(
      "kind: iio, device: bme280, channel: temp",
      .iio(IIOChannel(device: DeviceName("bme280"), channel: "temp")))
    assert(
      "kind: iio, device: ads1115, at: i2c-1, channel: voltage0-voltage1",
      .iio(IIOChannel(device: DeviceName("ads1115", at: "i2c-1"), channel: "voltage0-voltage1")))
    assert(
      "kind: hwmon, device: coretemp, channel: temp1",
      .hwmon(HwmonChannel(device: DeviceName("coretemp"), channel: "temp1")))
    assert(
      "kind: hwmon, device: coretemp, channel: temp, label: Core 0",
      .hwmon(HwmonChannel(device: DeviceName("coretemp"), channel: "temp", label: "Core 0")))
    assert(
      "kind: tachometer",
      .tachometer(HwmonChannel(device: DeviceName("pwmfan"), channel: "fan1")))
    assert(
      "kind: tachometer, device: nct6798, channel: fan2, at: isa",
      .tachometer(HwmonChannel(device: DeviceName("nct6798", at: "isa"), channel: "fan2")))
    assert("kind: w1, id: 28-0316a2795aff", .w1(id: "28-0316a2795aff"))
    assert(
      "kind: power_supply, supply: BAT0",
      .powerSupply(PowerSupplyProperty(supply: "BAT0", property: "capacity")))
    assert(
      "kind: power_supply, supply: BAT0, property: temp",
      .powerSupply(PowerSupplyProperty(supply: "BAT0", property: "temp")))
    assert(
      "kind: counter, device: eqep, count: 1",
      .counter(CounterCount(device: DeviceName("eqep"), count: 1)))
    assert(
      "kind: raspberry_pi, state: soft_limit, since_boot: true",
      .raspberryPi(RaspberryPiState(.softLimit, sinceBoot: true)))
    assert("kind: wifi, interface: wlan0", .wifi(WiFiSignal(interface: "wlan0", metric: .signal)))
    assert(
      "kind: wifi, interface: wlan0, metric: quality",
      .wifi(WiFiSignal(interface: "wlan0", metric: .quality)))
    assert("kind: host, metric: cpu", .host(.cpu))
    assert("kind: host, metric: disk", .host(.disk(path: "/")))
    assert("kind: host, metric: disk, path: /var/log", .host(.disk(path: "/var/log")))
    assert("kind: host, metric: clock_offset", .host(.clockOffset))
    assert(
      "kind: file, path: /proc/meminfo, after: 'SwapFree:', line: 16",
      .file(FilePattern(path: "/proc/meminfo", after: "SwapFree:", line: 16)))
    assert("kind: simulated, script: {values: [1]}", .simulated(values: [1]))
  }

  /// Every example of the page is good, and there is one of each kind.
  func testTheExamplesOfTheDocuments() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docs/sensors.md")
    let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
    let examples = lines.filter { $0.hasPrefix("- {name:") }.joined(separator: "\n  ")
    let text = "capabilities:\n- builtin: sensors\n  sensors:\n  \(examples)\n"
    XCTAssertEqual(mistakes(Array(text.utf8)), [])
    guard case .sensors(let sensors)? = try goodManifest(text).capabilities.first else {
      return XCTFail("no sensors")
    }
    let headings = lines.filter { $0.hasPrefix("## ") }.map { String($0.dropFirst(3)) }.dropFirst()
    XCTAssertEqual(Set(sensors.map { $0.kind.text }), Set(headings))
    XCTAssertEqual(headings.count, 12)
  }

  func testMistakes() {
    assert("kind: w2", refused: "not 'w2': did you mean 'w1'?")
    assert(
      "kind: w1, zone: a, channel: b, id: 28-0316a2795aff",
      refused: "'zone' is only for thermal sensors; this one is w1",
      "'channel' is only for iio, hwmon and tachometer sensors; this one is w1")
    assert(
      "kind: w1, id: 28-123",
      refused: "'id' must be the id of a thermometer, such as 28-0316a2795aff, not '28-123'")
    assert(
      "kind: iio, device: a",
      refused: "a sensor needs 'channel': a channel such as temp or voltage0")
    assert(
      "kind: hwmon, device: a, channel: volt1",
      refused: """
        'channel' must be temp, in, curr, power, energy, humidity, fan or freq and a number, \
        such as temp1, not 'volt1'
        """)
    assert(
      "kind: hwmon, device: a, channel: temp",
      refused: "'channel' needs the number of the temp, or the sensor a 'label'")
    assert(
      "kind: hwmon, device: a, channel: temp1, label: x",
      refused: "'label' says which temp is meant: leave the number out of 'channel'")
    assert(
      "kind: tachometer, channel: temp1",
      refused: "'channel' must be a fan such as fan1, not 'temp1'")
    assert(
      "kind: tachometer, channel: fan", refused: "'channel' must be a fan such as fan1, not 'fan'")
    assert(
      "kind: power_supply, supply: ../x",
      refused: "must be the name of a folder in /sys/class/power_supply, not '../x'")
    assert(
      "kind: power_supply, supply: a, property: status",
      refused: """
        'property' must be capacity, voltage_now, current_now, power_now, charge_now, energy_now, \
        temp, online or cycle_count, not 'status'
        """)
    assert("kind: host, metric: memory, path: /var", refused: "'path' is only for 'metric: disk'")
    assert("kind: host", refused: "'metric': cpu, memory, disk, uptime, load or clock_offset")
    assert(
      "kind: file, path: etc",
      refused: "'path' must be an absolute path such as /proc/meminfo, not 'etc'")
    assert(
      "kind: file, path: /a, line: 0", refused: "must be a whole number from 1 to 4000, not '0'")
    assert(
      "kind: raspberry_pi", refused: "'state': under_voltage, capped, throttled or soft_limit")
  }
}
