import Transport

/// What the sources of a host's sensors share: where the kernel's files are, who reads them, the clocks.
public final class SensorEnvironment {
  let sys: String
  let proc: String
  let time: any TimeSource
  /// Of files behind which there is a driver.
  private let slow: any FileReader
  /// Of files that are the kernel's own memory, and of thermal zones: a register of the processor.
  private let inline = InlineReader()
  /// Sources of 1-Wire sensors that were made.
  private var w1Count = 0

  /// - Parameters:
  ///   - loop: hears of what other threads have read.
  ///   - sys: where sysfs is; another folder in tests.
  ///   - proc: where procfs is.
  public convenience init(
    loop: EventLoop, time: any TimeSource, sys: String = "/sys", proc: String = "/proc"
  ) {
    self.init(ThreadReader(on: loop, time: time), time: time, sys: sys, proc: proc)
  }

  init(_ slow: any FileReader, time: any TimeSource, sys: String, proc: String) {
    self.slow = slow
    self.time = time
    self.sys = sys
    self.proc = proc
  }
}

extension SensorEnvironment {
  /// The source of a sensor of this kind.
  func source(of kind: SensorKind) -> any SensorSource {
    switch kind {
    case .simulated(let values): return SimulatedSource(values)
    case .thermal(let zone): return source(ThermalProbe(zone: zone, sys: sys), inline)
    case .iio(let channel): return source(IIOProbe(channel, sys: sys), slow)
    case .hwmon(let channel), .tachometer(let channel):
      return source(HwmonProbe(channel, sys: sys), slow)
    case .w1(let id):
      w1Count += 1
      let probe = W1Probe(id: id, sys: sys) { [self] in w1Count > 1 }
      return source(probe, slow)
    case .powerSupply(let property): return source(PowerSupplyProbe(property, sys: sys), slow)
    case .counter(let count): return source(CounterProbe(count, sys: sys), slow)
    case .raspberryPi(let state): return source(RaspberryPiProbe(state, sys: sys), slow)
    case .wifi(let signal): return source(WiFiProbe(signal, proc: proc), inline)
    case .host(let metric):
      let probe = HostProbe(metric, proc: proc, time: time)
      // A file system may be one of the network.
      if case .disk = metric { return source(probe, slow) }
      return source(probe, inline)
    case .file(let pattern): return source(FileProbe(pattern), slow)
    }
  }

  private func source(_ probe: any Probe, _ reader: any FileReader) -> any SensorSource {
    ProbeSource(probe, reader: reader, time: time)
  }
}
