@testable import GPIOProvider

/// Boards as their kernels describe them, made from the documented formats: what a sensor's source may
/// meet, and no more.
struct BoardDescription {
  let name: String
  let tree: String
  /// Sensors of the board in SenML's units, with what they measure.
  let sensors: [(kind: SensorKind, value: Double)]

  static var all: [BoardDescription] {
    [raspberryPi4, raspberryPi5, zero2W, rock5B, beagleBone, testMachine]
  }

  private static let proc = """
    proc/stat = cpu  100 0 50 800 50 0 0 0 0 0\\ncpu0 100 0 50 800 50 0 0 0 0 0\\nctxt 1
    proc/meminfo = MemTotal:        3884352 kB\\nMemFree:          200000 kB\\nMemAvailable:    3000000 kB
    proc/uptime = 350735.47 234388.90
    proc/loadavg = 0.20 0.18 0.12 1/80 11206

    """

  /// With a BME280, two DS18B20 and, by pwm-fan, a fan.
  static var raspberryPi4: BoardDescription {
    BoardDescription(
      name: "Raspberry Pi 4",
      tree: proc + """
        @ sys/devices/virtual/thermal/thermal_zone0 < sys/class/thermal
        type = cpu-thermal
        temp = 48312
        @ sys/devices/virtual/thermal/cooling_device0 < sys/class/thermal
        type = pwm-fan
        @ sys/devices/virtual/thermal/thermal_zone0/hwmon0 < sys/class/hwmon
        name = cpu_thermal
        temp1_input = 48312
        @ sys/devices/platform/soc/soc:firmware/raspberrypi-hwmon/hwmon/hwmon1 < sys/class/hwmon
        name = rpi_volt
        in0_lcrit_alarm = 0
        @ sys/devices/platform/soc/soc:firmware < sys/bus/platform/drivers/raspberrypi-firmware
        get_throttled = 50002
        @ sys/devices/platform/soc/fe804000.i2c/i2c-1/1-0076/iio:device0 < sys/bus/iio/devices
        name = bme280
        in_temp_input = 22510
        in_pressure_input = 101.325000000
        in_humidityrelative_input = 47125
        in_temp_oversampling_ratio = 2
        @ sys/devices/w1_bus_master1/28-0316a2795aff < sys/bus/w1/devices
        temperature = 23125
        w1_slave = 72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\\n72 01 4b 46 7f ff 0e 10 57 t=23125
        @ sys/devices/w1_bus_master1/28-00000a1b2c3d < sys/bus/w1/devices
        temperature = -10062
        @ sys/devices/w1_bus_master1 < sys/bus/w1/devices
        therm_bulk_read = 0
        @ sys/devices/platform/cooling_fan/hwmon/hwmon2 < sys/class/hwmon
        name = pwmfan
        fan1_input = 2830
        pwm1 = 128
        @
        proc/net/wireless = Inter-| sta-|   Quality        |   Discarded packets\\n face | tus | link level noise |  nwid\\n wlan0: 0000   54.  -56.  -256        0      0      0      0     12        0

        """,
      sensors: [
        (.thermal(zone: "cpu-thermal"), 48.312),
        (.hwmon(HwmonChannel(device: DeviceName("cpu_thermal"), channel: "temp1")), 48.312),
        (.raspberryPi(RaspberryPiState(.underVoltage)), 0),
        (.raspberryPi(RaspberryPiState(.capped)), 1),
        (.raspberryPi(RaspberryPiState(.throttled)), 0),
        (.raspberryPi(RaspberryPiState(.underVoltage, sinceBoot: true)), 1),
        (.raspberryPi(RaspberryPiState(.capped, sinceBoot: true)), 0),
        (.raspberryPi(RaspberryPiState(.throttled, sinceBoot: true)), 1),
        (.raspberryPi(RaspberryPiState(.softLimit, sinceBoot: true)), 0),
        (.iio(IIOChannel(device: DeviceName("bme280"), channel: "temp")), 22.51),
        (.iio(IIOChannel(device: DeviceName("bme280"), channel: "pressure")), 101_325),
        (.iio(IIOChannel(device: DeviceName("bme280"), channel: "humidityrelative")), 47.125),
        (.w1(id: "28-0316a2795aff"), 23.125), (.w1(id: "28-00000a1b2c3d"), -10.062),
        (.tachometer(HwmonChannel(device: DeviceName("pwmfan"), channel: "fan1")), 2_830),
        (.wifi(WiFiSignal(interface: "wlan0", metric: .signal)), -56),
        (.wifi(WiFiSignal(interface: "wlan0", metric: .quality)), 54.0 / 70),
        (.host(.memory), 3_072_000_000), (.host(.uptime), 350_735.47), (.host(.load), 0.2),
      ])
  }

  /// Its firmware has another place, and its I/O chip a converter.
  static var raspberryPi5: BoardDescription {
    BoardDescription(
      name: "Raspberry Pi 5",
      tree: proc + """
        @ sys/devices/virtual/thermal/thermal_zone0 < sys/class/thermal
        type = cpu-thermal
        temp = 51250
        @ sys/devices/platform/axi/1000120000.pcie/1f000c8000.adc/hwmon/hwmon1 < sys/class/hwmon
        name = rp1_adc
        in1_input = 1491
        in2_input = 2588
        temp1_input = 45867
        @ sys/devices/platform/cooling_fan/hwmon/hwmon3 < sys/class/hwmon
        name = pwmfan
        fan1_input = 0
        @ sys/devices/platform/soc@107c000000/soc@107c000000:firmware < sys/bus/platform/drivers/raspberrypi-firmware
        get_throttled = 80008
        @

        """,
      sensors: [
        (.thermal(zone: "cpu-thermal"), 51.25),
        (.hwmon(HwmonChannel(device: DeviceName("rp1_adc"), channel: "in1")), 1.491),
        (.hwmon(HwmonChannel(device: DeviceName("rp1_adc"), channel: "temp1")), 45.867),
        (.tachometer(HwmonChannel(device: DeviceName("pwmfan"), channel: "fan1")), 0),
        // Without the monitor the firmware is asked.
        (.raspberryPi(RaspberryPiState(.underVoltage)), 0),
        (.raspberryPi(RaspberryPiState(.softLimit)), 1),
        (.raspberryPi(RaspberryPiState(.softLimit, sinceBoot: true)), 1),
      ])
  }

  /// An old kernel: 1-Wire has only the file for people.
  static var zero2W: BoardDescription {
    BoardDescription(
      name: "Raspberry Pi Zero 2 W",
      tree: proc + """
        @ sys/devices/virtual/thermal/thermal_zone0 < sys/class/thermal
        type = cpu-thermal
        temp = 39166
        @ sys/devices/w1_bus_master1/28-0316a2795aff < sys/bus/w1/devices
        w1_slave = f8 ff 4b 46 7f ff 08 10 24 : crc=24 YES\\nf8 ff 4b 46 7f ff 08 10 24 t=-500
        @ sys/devices/platform/soc/soc:firmware < sys/bus/platform/drivers/raspberrypi-firmware
        get_throttled = 0
        @
        proc/net/wireless = Inter-| sta-|   Quality\\n face | tus | link\\n  wlan0: 0000   37.  -73.  -256        0      0      0      0      0        0

        """,
      sensors: [
        (.thermal(zone: "cpu-thermal"), 39.166), (.w1(id: "28-0316a2795aff"), -0.5),
        (.raspberryPi(RaspberryPiState(.throttled)), 0),
        (.wifi(WiFiSignal(interface: "wlan0", metric: .signal)), -73),
      ])
  }

  /// An RK3588: many zones, a converter with a shared scale, two equal chips on two buses.
  static var rock5B: BoardDescription {
    BoardDescription(
      name: "Rock 5B",
      tree: proc + """
        @ sys/devices/virtual/thermal/thermal_zone0 < sys/class/thermal
        type = soc-thermal
        temp = 41615
        @ sys/devices/virtual/thermal/thermal_zone10 < sys/class/thermal
        type = npu-thermal
        temp = 40692
        @ sys/devices/platform/fec10000.saradc/iio:device0 < sys/bus/iio/devices
        name = fec10000.saradc
        in_voltage0_raw = 4095
        in_voltage2_raw = 1024
        in_voltage_scale = 0.439453125
        @ sys/devices/platform/fea90000.i2c/i2c-1/1-0048/iio:device1 < sys/bus/iio/devices
        name = ads1115
        in_voltage0_raw = -12000
        in_voltage0_scale = 0.125
        in_voltage0-voltage1_raw = 8
        in_voltage0-voltage1_scale = 0.0625
        @ sys/devices/platform/feaa0000.i2c/i2c-2/2-0048/iio:device2 < sys/bus/iio/devices
        name = ads1115
        in_voltage0_raw = 16000
        in_voltage0_scale = 0.125
        in_voltage3_raw = 2
        in_voltage3_offset = 10
        @ sys/devices/platform/fec80000.i2c/i2c-4/4-0022/power_supply/tcpm-source-psy-4-0022 < sys/class/power_supply
        online = 1
        voltage_now = 12000000
        current_now = 3000000
        @

        """,
      sensors: [
        (.thermal(zone: "npu-thermal"), 40.692),
        (
          .iio(IIOChannel(device: DeviceName("fec10000.saradc"), channel: "voltage2")), 0.45
        ),
        (.iio(IIOChannel(device: DeviceName("ads1115", at: "i2c-1"), channel: "voltage0")), -1.5),
        (.iio(IIOChannel(device: DeviceName("ads1115", at: "2-0048"), channel: "voltage0")), 2),
        (.iio(IIOChannel(device: DeviceName("ads1115", at: "2-0048"), channel: "voltage3")), 0.012),
        (
          .iio(
            IIOChannel(device: DeviceName("ads1115", at: "i2c-1"), channel: "voltage0-voltage1")),
          0.0005
        ),
        (
          .powerSupply(
            PowerSupplyProperty(supply: "tcpm-source-psy-4-0022", property: "voltage_now")), 12
        ),
        (
          .powerSupply(
            PowerSupplyProperty(supply: "tcpm-source-psy-4-0022", property: "current_now")), 3
        ),
      ])
  }

  /// With its converter, the counter of an encoder and an LM75 on a cape.
  static var beagleBone: BoardDescription {
    BoardDescription(
      name: "BeagleBone Black",
      tree: proc + """
        @ sys/devices/platform/ocp/44e0d000.tscadc/TI-am335x-adc.0.auto/iio:device0 < sys/bus/iio/devices
        name = TI-am335x-adc.0.auto
        in_voltage1_raw = 2048
        @ sys/devices/platform/ocp/48300000.epwmss/48300180.counter/counter0 < sys/bus/counter/devices
        name = 48300180.counter
        count0/count = 4294967295
        count0/ceiling = 4294967295
        @ sys/devices/platform/ocp/4819c000.i2c/i2c-2/2-0048/hwmon/hwmon0 < sys/class/hwmon
        name = lm75
        temp1_input = -25500
        temp1_max = 80000
        @ sys/devices/platform/ocp/44e0b000.i2c/i2c-0/0-0024/tps65217-charger/power_supply/tps65217-charger < sys/class/power_supply
        online = 1
        @

        """,
      sensors: [
        // Without a scale a step is a millivolt.
        (
          .iio(IIOChannel(device: DeviceName("TI-am335x-adc.0.auto"), channel: "voltage1")), 2.048
        ),
        (
          .counter(CounterCount(device: DeviceName("48300180.counter"), count: 0)), 4_294_967_295
        ),
        (.hwmon(HwmonChannel(device: DeviceName("lm75"), channel: "temp1")), -25.5),
        (
          .powerSupply(PowerSupplyProperty(supply: "tps65217-charger", property: "online")), 1
        ),
      ])
  }

  /// Labels, alarms, two disks of one name, a battery.
  static var testMachine: BoardDescription {
    BoardDescription(
      name: "x86 test machine",
      tree: proc + """
        @ sys/devices/virtual/thermal/thermal_zone0 < sys/class/thermal
        type = acpitz
        temp = 27800
        @ sys/devices/platform/coretemp.0/hwmon/hwmon4 < sys/class/hwmon
        name = coretemp
        temp1_input = 52000
        temp1_label = Package id 0
        temp1_crit_alarm = 0
        temp1_max = 100000
        temp2_input = 49000
        temp2_label = Core 0
        temp2_crit_alarm = 0
        @ sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0/hwmon2 < sys/class/hwmon
        name = nvme
        temp1_input = 38850
        temp1_alarm = 0
        temp1_label = Composite
        @ sys/devices/pci0000:00/0000:00:1d.4/0000:02:00.0/nvme/nvme1/hwmon3 < sys/class/hwmon
        name = nvme
        temp1_input = 41850
        temp1_alarm = 0
        temp1_label = Composite
        @ sys/devices/platform/nct6775.656/hwmon/hwmon5 < sys/class/hwmon
        name = nct6798
        in0_input = 872
        fan2_input = 1054
        fan2_alarm = 0
        curr1_input = 1500
        power1_average = 15250000
        energy1_input = 2000000
        humidity1_input = 40500
        @ sys/devices/LNXSYSTM:00/PNP0C0A:00/power_supply/BAT0 < sys/class/power_supply
        capacity = 87
        energy_now = 43210000
        charge_now = 2500000
        power_now = 8500000
        temp = 312
        cycle_count = 113
        status = Discharging
        @

        """,
      sensors: [
        (.thermal(zone: "acpitz"), 27.8),
        (
          .hwmon(HwmonChannel(device: DeviceName("coretemp"), channel: "temp", label: "Core 0")), 49
        ),
        (
          .hwmon(
            HwmonChannel(device: DeviceName("coretemp"), channel: "temp", label: "Package id 0")),
          52
        ),
        (.hwmon(HwmonChannel(device: DeviceName("nvme", at: "nvme1"), channel: "temp1")), 41.85),
        (.hwmon(HwmonChannel(device: DeviceName("nvme", at: "0000:01"), channel: "temp1")), 38.85),
        (.hwmon(HwmonChannel(device: DeviceName("nct6798"), channel: "in0")), 0.872),
        (.hwmon(HwmonChannel(device: DeviceName("nct6798"), channel: "fan2")), 1_054),
        (.hwmon(HwmonChannel(device: DeviceName("nct6798"), channel: "curr1")), 1.5),
        (.hwmon(HwmonChannel(device: DeviceName("nct6798"), channel: "power1")), 15.25),
        (.hwmon(HwmonChannel(device: DeviceName("nct6798"), channel: "energy1")), 2),
        (.hwmon(HwmonChannel(device: DeviceName("nct6798"), channel: "humidity1")), 40.5),
        (.powerSupply(PowerSupplyProperty(supply: "BAT0", property: "capacity")), 87),
        (.powerSupply(PowerSupplyProperty(supply: "BAT0", property: "energy_now")), 155_556),
        (.powerSupply(PowerSupplyProperty(supply: "BAT0", property: "charge_now")), 9_000),
        (.powerSupply(PowerSupplyProperty(supply: "BAT0", property: "power_now")), 8.5),
        (.powerSupply(PowerSupplyProperty(supply: "BAT0", property: "temp")), 31.2),
        (.powerSupply(PowerSupplyProperty(supply: "BAT0", property: "cycle_count")), 113),
      ])
  }
}
