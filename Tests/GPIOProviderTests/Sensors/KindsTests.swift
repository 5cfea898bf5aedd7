import Foundation
import Transport
import XCTest

@testable import GPIOProvider

/// What each kind makes of what its files may hold.
final class KindsTests: XCTestCase {
  private var tree: BoardTree!
  private let time = FakeTime()

  override func setUpWithError() throws { tree = try BoardTree() }
  override func tearDown() { tree.remove() }

  private func source(_ kind: SensorKind) -> any SensorSource {
    tree.environment(InlineReader(), time: time).source(of: kind)
  }

  // MARK: thermal

  func testThermalFindsAZoneByItsType() throws {
    for (number, type, temp) in [
      (0, "cpu-thermal", "48312"), (2, "gpu-thermal", "51000"), (63, "cpu-thermal2", "-20500"),
    ] {
      try tree.write("sys/class/thermal/thermal_zone\(number)/type", type + "\n")
      try tree.write("sys/class/thermal/thermal_zone\(number)/temp", temp + "\n")
    }
    for (type, value) in [("cpu-thermal", 48.312), ("gpu-thermal", 51), ("cpu-thermal2", -20.5)] {
      XCTAssertEqual(tree.measure(.thermal(zone: type)).value, value)
    }
    for type in ["cpu", "cpu-thermal3", "", "CPU-THERMAL"] {
      XCTAssertTrue(
        tree.measure(.thermal(zone: type)).reason.hasPrefix("no thermal zone of type"), type)
    }
    let cpu = source(.thermal(zone: "cpu-thermal"))
    XCTAssertEqual(cpu.measure(at: time.now).value, 48.312)
    // Its number is another's now.
    try tree.write("sys/class/thermal/thermal_zone0/type", "gpu-thermal\n")
    XCTAssertNil(cpu.measure(at: time.now).value)
    try tree.write("sys/class/thermal/thermal_zone2/type", "cpu-thermal\n")
    XCTAssertEqual(cpu.measure(at: time.now).value, 51)
  }

  func testThermalRefusesWhatIsNoTemperature() throws {
    let path = "sys/class/thermal/thermal_zone0"
    try tree.write(path + "/type", "cpu\n")
    let zone = SensorKind.thermal(zone: "cpu")
    XCTAssertTrue(tree.measure(zone).reason.contains("No such file"))
    let table: [(String, String)] = [
      ("", "holds nothing"), ("\n", "holds nothing"), ("-", "holds '-'"), ("hot\n", "holds 'hot'"),
      ("48.3\n", "no whole number"), ("0x30", "no whole number"), ("+48312", "no whole number"),
      (" 48312", "no whole number"), ("--5", "no whole number"),
      ("48312\n50000\n", "no whole number"), ("48312\0", "no whole number"),
      ("9223372036854775808", "no whole number"),
      (String(repeating: "9", count: 100_000), "no whole number"),
      ("999999999999999999", "holds 999999999999999999, which is no temperature"),
      ("1000001", "holds 1000001"),
      // THERMAL_TEMP_INVALID
      ("-274000\n", "holds -274000"), ("-999999999999999999", "holds -999999999999999999"),
    ]
    for (content, reason) in table {
      try tree.write(path + "/temp", content)
      let outcome = tree.measure(zone)
      XCTAssertNil(outcome.value)
      XCTAssertTrue(outcome.reason.contains(reason), "\(content.prefix(40)): \(outcome.reason)")
      XCTAssertTrue(outcome.reason.contains("\(tree.root)/\(path)/temp"), outcome.reason)
    }
    for (content, value) in [("0", 0), ("-273150", -273.15), ("1000000\n", 1_000), ("007", 0.007)] {
      try tree.write(path + "/temp", content)
      XCTAssertEqual(tree.measure(zone).value, value, content)
    }
  }

  // MARK: iio, hwmon

  func testADeviceThatIsThereTwiceNeedsAPlace() throws {
    try tree.add(BoardDescription.rock5B.tree)
    func kind(_ place: String?) -> SensorKind {
      .iio(IIOChannel(device: DeviceName("ads1115", at: place), channel: "voltage0"))
    }
    XCTAssertEqual(
      tree.measure(kind(nil)).reason,
      """
      2 IIO devices are named 'ads1115': say 'at' with a part of \
      devices/platform/fea90000.i2c/i2c-1/1-0048/iio:device1 or \
      devices/platform/feaa0000.i2c/i2c-2/2-0048/iio:device2
      """)
    XCTAssertEqual(
      tree.measure(kind("i2c-7")).reason,
      "no IIO device named 'ads1115' is at 'i2c-7' in \(tree.sys)/bus/iio/devices")
    XCTAssertTrue(tree.measure(kind("0048")).reason.hasPrefix("2 IIO devices"))
    XCTAssertEqual(tree.measure(kind("i2c-2")).value, 2)
  }

  func testAnIIOChannelThatIsMissingNamesThoseThere() throws {
    try tree.add(BoardDescription.rock5B.tree)
    let channel = IIOChannel(device: DeviceName("fec10000.saradc"), channel: "voltage1")
    let folder = tree.sys + "/bus/iio/devices/iio:device0"
    XCTAssertEqual(
      tree.measure(.iio(channel)).reason,
      "\(folder) has no channel 'voltage1'; it has: voltage0, voltage2")
  }

  func testAnIIOScaleThatIsNoNumberIsNoValue() throws {
    let folder = "sys/bus/iio/devices/iio:device0"
    try tree.add("\(folder)/name = adc\n\(folder)/in_temp_raw = 10\n\(folder)/in_temp_scale = x")
    let kind = SensorKind.iio(IIOChannel(device: DeviceName("adc"), channel: "temp"))
    XCTAssertEqual(
      tree.measure(kind).reason,
      "\(tree.root)/\(folder)/in_temp_scale holds 'x', which is no number")
    try tree.write("\(folder)/in_temp_scale", "1e400")
    XCTAssertNil(tree.measure(kind).value)
    try tree.write("\(folder)/in_temp_scale", "0.000000125")
    XCTAssertEqual(tree.measure(kind).value ?? 0, 0.00000000125, accuracy: 1e-18)
    try tree.write("\(folder)/in_temp_offset", "-2.5")
    XCTAssertEqual(tree.measure(kind).value ?? 0, 0.0000000009375, accuracy: 1e-18)
  }

  func testAFaultIsBadAndAnAlarmUncertain() throws {
    try tree.add(BoardDescription.testMachine.tree)
    let nvme = SensorKind.hwmon(
      HwmonChannel(device: DeviceName("nvme", at: "nvme1"), channel: "temp1"))
    let folder = "sys/devices/pci0000:00/0000:00:1d.4/0000:02:00.0/nvme/nvme1/hwmon3"
    try tree.write(folder + "/temp1_alarm", "1\n")
    let path = tree.sys + "/class/hwmon/hwmon3"
    XCTAssertEqual(
      tree.measure(nvme), .success(Measured(41.85, uncertain: "\(path)/temp1_alarm is set")))
    try tree.write(folder + "/temp1_fault", "1\n")
    XCTAssertEqual(
      tree.measure(nvme).reason,
      "\(path)/temp1_fault is set: the sensor is broken or not connected")
    XCTAssertNil(tree.measure(nvme).value)
    try tree.write(folder + "/temp1_fault", "0\n")
    try tree.write(folder + "/temp1_alarm", "maybe\n")
    XCTAssertEqual(
      tree.measure(nvme).reason, "\(path)/temp1_alarm holds 'maybe', which is no whole number")
  }

  func testALabelThatIsMissingNamesThoseThere() throws {
    try tree.add(BoardDescription.testMachine.tree)
    let core = HwmonChannel(device: DeviceName("coretemp"), channel: "temp", label: "Core 9")
    XCTAssertEqual(
      tree.measure(.hwmon(core)).reason,
      """
      \(tree.sys)/class/hwmon/hwmon4 has no temp labelled 'Core 9'; the labels are: \
      Package id 0, Core 0
      """)
    let channel = HwmonChannel(device: DeviceName("nct6798"), channel: "in7")
    XCTAssertEqual(
      tree.measure(.hwmon(channel)).reason,
      """
      \(tree.sys)/class/hwmon/hwmon5 has no channel 'in7'; it has: \
      in0, fan2, curr1, energy1, humidity1, power1
      """)
  }

  // MARK: w1

  func testWhatAThermometerSaysWhenItHasMeasuredNothingIsRefused() throws {
    let path = "sys/bus/w1/devices/28-0316a2795aff/temperature"
    try tree.write(path, "85000\n")
    let source = source(.w1(id: "28-0316a2795aff"))
    // The first reading after power-up, however often.
    for _ in 0..<3 {
      XCTAssertEqual(
        source.measure(at: time.now).reason,
        "\(tree.root)/\(path) holds 85000: the sensor has measured nothing since it got its supply")
    }
    let table: [(String, Double?)] = [
      ("21500", 21.5), ("85000", nil), ("21562", 21.562), ("127937", nil), ("127940", nil),
      ("128000", nil), ("-55500", -55.5), ("-60000", nil), ("", nil), ("\n", nil),
      // It does get that warm.
      ("84900", 84.9), ("85000", 85), ("85000", 85), ("85063", 85.063), ("75000", 75),
      ("85000", 85), ("74900", 74.9), ("85000", nil),
    ]
    for (content, value) in table {
      try tree.write(path, content + "\n")
      XCTAssertEqual(source.measure(at: time.now).value, value, content)
    }
  }

  func testTheOldFileHasItsChecksumTaken() throws {
    let path = "sys/bus/w1/devices/28-0316a2795aff/w1_slave"
    let bytes = "72 01 4b 46 7f ff 0e 10 57"
    let zeros = "00 00 00 00 00 00 00 00 00"
    let table: [(String, Double?, String)] = [
      ("\(bytes) : crc=57 YES\n\(bytes) t=23125\n", 23.125, ""),
      ("\(bytes) : crc=57 YES\n\(bytes) t=-1250", -1.25, ""),
      ("\(bytes) : crc=58 NO\n\(bytes) t=23125\n", nil, "the checksum of the transfer is wrong"),
      ("\(zeros) : crc=00 YES\n\(zeros) t=0\n", nil, "the bus is short-circuited"),
      ("\(bytes) : crc=57 YES\n\(bytes) t=85000\n", nil, "holds 85000"),
      ("\(bytes) : crc=57 YES\n\(bytes) t=\n", nil, "no temperature behind"),
      ("\(bytes) : crc=57 YES\n\(bytes)\n", nil, "no temperature behind"),
      ("\(bytes) : crc=57 YES\n", nil, "no temperature behind"),
      ("\(bytes) : crc=57 YES", nil, "which is no reading"),
      ("", nil, "is empty"), ("\n\n", nil, "is empty"), (" \n \n.", nil, "which is no reading"),
    ]
    for (content, value, reason) in table {
      try tree.write(path, content)
      let outcome = tree.measure(.w1(id: "28-0316a2795aff"))
      XCTAssertEqual(outcome.value, value, content)
      XCTAssertTrue(outcome.reason.hasPart(reason), "\(content): \(outcome.reason)")
    }
  }

  func testIDsOfThermometers() {
    for id in ["28-0316a2795aff", "10-000802b4ba0e", "3b-0000001921e8"] {
      XCTAssertTrue(W1Probe.isID(id), id)
    }
    for id in [
      "", "28", "28-0316a2795af", "28-0316a2795afff", "28_0316a2795aff", "28-0316a2795agf",
      "01-0316a2795aff", "00-800000000000", "../../../../x.y", "w1_bus_master1",
    ] {
      XCTAssertFalse(W1Probe.isID(id), id)
    }
  }

  // MARK: the rest

  func testTheLoadOfTheProcessorIsThatSinceTheReadingBefore() throws {
    try tree.write("proc/stat", "cpu  100 0 50 800 50 0 0 0 7 7\ncpu0 1 1 1 1\n")
    let source = source(.host(.cpu))
    XCTAssertEqual(
      source.measure(at: time.now).reason,
      "\(tree.proc)/stat: the times of the processor have not gone on since the last try")
    // 100 ticks, of which 60 idle and 10 waiting for a disk.
    try tree.write("proc/stat", "cpu  120 0 60 860 60 0 0 0 7 7\n")
    XCTAssertEqual(source.measure(at: time.now).value ?? 0, 0.3, accuracy: 1e-12)
    try tree.write("proc/stat", "cpu  130 0 60 860 60 0 0 0 7 7\n")
    XCTAssertEqual(source.measure(at: time.now).value, 1)
    // Set back, as in a machine that was suspended.
    try tree.write("proc/stat", "cpu  10 0 10 10 10 0 0 0 7 7\n")
    XCTAssertNil(source.measure(at: time.now).value)
    try tree.write("proc/stat", "cpu  10 0 10 20 10 0 0 0 7 7\n")
    XCTAssertEqual(source.measure(at: time.now).value, 0)
    for content in [
      "", "cpu", "cpu 1 2 3\n", "cpu a b c d e\n", "cpu 1 2 3 18446744073709551615 1 1",
    ] {
      try tree.write("proc/stat", content)
      XCTAssertTrue(
        source.measure(at: time.now).reason.hasSuffix("begins with no times of the processor"),
        content)
    }
  }

  func testTheHostTellsOfItself() throws {
    try tree.add(BoardDescription.zero2W.tree)
    XCTAssertGreaterThan(tree.measure(.host(.disk(path: tree.root))).value ?? 0, 0)
    time.isSynchronised = false
    let offset = source(.host(.clockOffset)).measure(at: time.now)
    XCTAssertEqual(offset.reason, "nothing keeps the clock right")
    XCTAssertNotNil(offset.value)
    time.isSynchronised = true
    XCTAssertEqual(source(.host(.clockOffset)).measure(at: time.now).reason, "")
    try tree.write("proc/meminfo", "MemTotal: 1 kB\n")
    XCTAssertEqual(
      tree.measure(.host(.memory)).reason, "\(tree.proc)/meminfo does not contain 'MemAvailable:'")
  }

  func testAWirelessInterfaceWithoutAnAccessPoint() throws {
    let head = "Inter-| sta-|\n face | tus | link level noise\n"
    let signal = SensorKind.wifi(WiFiSignal(interface: "wlan0", metric: .signal))
    let table: [(String, Double?, String)] = [
      ("wlan0: 0000   54.  -56.  -256        0\n", -56, ""),
      ("  wlan0: 0000   54   -56   -256\n", -56, ""),
      ("wlan0: 0000    0     0     0\n", nil, "wlan0 hears no access point"),
      ("wlan0: 0000    0  -256  -256\n", nil, "wlan0 hears no access point"),
      ("wlan0: 0000    x     y     z\n", nil, "wlan0 hears no access point"),
      ("wlan0: 0000\n", nil, "has no interface 'wlan0'; there is: none"),
      ("wlan1: 0000 1. -2. 3.\n", nil, "has no interface 'wlan0'; there is: wlan1"),
      ("", nil, "none"),
      (":\n::\n wlan0:", nil, "none"),
    ]
    for (rows, value, reason) in table {
      try tree.write("proc/net/wireless", head + rows)
      XCTAssertEqual(tree.measure(signal).value, value, rows)
      XCTAssertTrue(tree.measure(signal).reason.hasPart(reason), tree.measure(signal).reason)
    }
    try tree.write("proc/net/wireless", head + "wlan0: 0000 99. -30. -256\n")
    XCTAssertEqual(tree.measure(.wifi(WiFiSignal(interface: "wlan0", metric: .quality))).value, 1)
  }

  func testANumberInAFile() throws {
    let content = "MemFree:   200 kB\nMemAvailable:\t3000.5 kB\nrange 4-5.\nlast -1e3\nend: x\n"
    try tree.write("file", content)
    let path = tree.root + "/file"
    let table: [(String?, UInt32?, Double?)] = [
      ("MemFree:", nil, 200), ("MemAvailable:", nil, 3_000.5), ("MemAvailable:", 2, 3_000.5),
      ("MemAvailable:", 1, nil), ("range", nil, 4), ("range 4-", nil, 5), ("last", nil, -1_000),
      ("end:", nil, nil), ("nothing", nil, nil), (nil, nil, nil), (nil, 9, nil), ("", 1, nil),
      ("last -1e3\nend", nil, nil),
    ]
    for (after, line, value) in table {
      let outcome = tree.measure(.file(FilePattern(path: path, after: after, line: line)))
      XCTAssertEqual(outcome.value, value, "\(after ?? "-") \(line ?? 0): \(outcome.reason)")
      if value == nil { XCTAssertTrue(outcome.reason.hasPrefix(path), outcome.reason) }
    }
    try tree.write("file", " 17")
    XCTAssertEqual(tree.measure(.file(FilePattern(path: path))).value, 17)
    XCTAssertEqual(tree.measure(.file(FilePattern(path: path, line: 1))).value, 17)
  }

  func testTheFirmwareIsAskedWhereThereIsNoMonitor() throws {
    try tree.add(BoardDescription.raspberryPi5.tree)
    let kind = SensorKind.raspberryPi(RaspberryPiState(.underVoltage))
    let firmware =
      "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
    try tree.write(firmware, "50005\n")
    XCTAssertEqual(tree.measure(kind).value, 1)
    try tree.add(
      "sys/class/hwmon/hwmon0/name = rpi_volt\nsys/class/hwmon/hwmon0/in0_lcrit_alarm = 0")
    XCTAssertEqual(tree.measure(kind).value, 0)
    for content in ["", "xyz", "123456789", "-1", "0x"] {
      try tree.write(firmware, content)
      XCTAssertTrue(
        tree.measure(.raspberryPi(RaspberryPiState(.capped))).reason.hasSuffix(
          "which are no states"), content)
    }
    try tree.write(firmware, "0x2\n")
    XCTAssertEqual(tree.measure(.raspberryPi(RaspberryPiState(.capped))).value, 1)
  }

  func testACountMayHave64Bits() throws {
    try tree.add(BoardDescription.beagleBone.tree)
    let kind = SensorKind.counter(CounterCount(device: DeviceName("48300180.counter"), count: 0))
    let path = "sys/bus/counter/devices/counter0/count0/count"
    for (content, value) in [("18446744073709551615", 18_446_744_073_709_551_616), ("0", 0.0)] {
      try tree.write(path, content + "\n")
      XCTAssertEqual(tree.measure(kind).value, value)
    }
    for content in ["-1", "18446744073709551616", "", "1 2"] {
      try tree.write(path, content)
      XCTAssertTrue(tree.measure(kind).reason.hasSuffix("which is no count"), content)
    }
  }
}

extension String {
  /// Nothing but the empty text has no part.
  fileprivate func hasPart(_ part: String) -> Bool { part.isEmpty ? isEmpty : contains(part) }
}
