import Transport

/// What the sources of a host's sensors share: where the kernel's files are, the loop and the clocks.
public final class SensorEnvironment {
  let sys: String
  let proc: String
  let time: any TimeSource

  /// - Parameters:
  ///   - loop: hears of what other threads have read.
  ///   - sys: where sysfs is; another folder in tests.
  ///   - proc: where procfs is.
  public init(
    loop: EventLoop, time: any TimeSource, sys: String = "/sys", proc: String = "/proc"
  ) {
    self.time = time
    self.sys = sys
    self.proc = proc
  }
}

extension SensorEnvironment {
  /// The source of a sensor of this kind.
  func source(of kind: SensorKind) -> any SensorSource {
    switch kind {
    case .thermal(let zone):
      ThermalSource(zone: zone, root: ("\(sys)/class/thermal" as Text).string)
    case .simulated(let values): SimulatedSource(values)
    }
  }
}
