import Foundation
import XCTest

@testable import GPIOProvider

/// Against a folder like /sys/class/pwm, made of plain files.
final class PWMChannelTests: XCTestCase {
  private var root = ""

  override func setUpWithError() throws {
    root = NSTemporaryDirectory() + "edge-host-pwm-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try addChip(0, device: "../../../1f00098000.pwm", channels: 2)
    try addChip(2, device: "../../devices/platform/soc/fe20c000.pwm", channels: 4)
  }

  override func tearDownWithError() throws { try FileManager.default.removeItem(atPath: root) }

  private func addChip(_ number: Int, device: String, channels: Int) throws {
    let chip = "\(root)/pwmchip\(number)"
    try FileManager.default.createDirectory(atPath: chip, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: chip + "/device", withDestinationPath: device)
    for (name, content) in [("export", ""), ("unexport", ""), ("npwm", "\(channels)\n")] {
      try put(content, "pwmchip\(number)/\(name)")
    }
  }

  /// What the kernel does when a channel is exported.
  private func addChannel(_ path: String, period: String = "0\n") throws {
    try FileManager.default.createDirectory(
      atPath: "\(root)/\(path)", withIntermediateDirectories: false)
    for (name, content) in [("period", period), ("duty_cycle", "0\n"), ("enable", "0\n")] {
      try put(content, "\(path)/\(name)")
    }
  }

  private func put(_ content: String, _ path: String) throws {
    try Data(content.utf8).write(to: URL(fileURLWithPath: "\(root)/\(path)"))
  }

  private func content(_ path: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
  }

  private func remove(_ path: String) throws {
    try FileManager.default.removeItem(atPath: "\(root)/\(path)")
  }

  /// What a killed host has left running is stopped.
  func testALinesChannelIsStopped() throws {
    var line = LineConfiguration(name: "fan", chip: nil, location: .name("fan"), kind: .pwm)
    line.pwm.chip = "fe20c000.pwm"
    line.pwm.channel = 1
    try addChannel("pwmchip2/pwm1", period: "40000\n")
    try put("30000\n", "pwmchip2/pwm1/duty_cycle")
    try put("1\n", "pwmchip2/pwm1/enable")
    try line.stopChannel(root: root)
    XCTAssertEqual(try content("pwmchip2/pwm1/duty_cycle"), "0\n")
    XCTAssertEqual(try content("pwmchip2/pwm1/enable"), "0\n")
    XCTAssertEqual(try content("pwmchip2/unexport"), "1\n")
    line.pwm.chip = "none.pwm"
    XCTAssertThrowsError(try line.stopChannel(root: root)) {
      XCTAssertTrue("\($0)".contains("none.pwm"), "\($0)")
    }
  }

  private func error(
    _ channel: PWMChannel, frequency: UInt32 = 1_000, duty: Double = 0.25
  ) -> PWMError? {
    do throws(PWMError) {
      try channel.set(frequency: frequency, duty: duty)
      return nil
    } catch {
      return error
    }
  }

  private func assert(
    _ error: PWMError?, _ kind: PWMError.Kind, _ texts: String..., line: UInt = #line
  ) {
    XCTAssertEqual(error?.kind, kind, error?.reason ?? "no error", line: line)
    for text in texts {
      XCTAssertTrue(error?.reason.contains(text) == true, error?.reason ?? "no error", line: line)
    }
  }

  func testRunsChangesAndGivesBack() throws {
    try addChannel("pwmchip2/pwm1")
    let channel = PWMChannel(chip: "fe20c000.pwm", channel: 1, root: root)
    XCTAssertNil(error(channel))
    XCTAssertEqual(try content("pwmchip2/export"), "1\n")
    XCTAssertEqual(try content("pwmchip2/pwm1/period"), "1000000\n")
    XCTAssertEqual(try content("pwmchip2/pwm1/duty_cycle"), "250000\n")
    XCTAssertEqual(try content("pwmchip2/pwm1/enable"), "1\n")
    try put("", "pwmchip2/export")
    XCTAssertNil(error(channel, frequency: 25_000, duty: 1))
    XCTAssertEqual(try content("pwmchip2/pwm1/period"), "40000\n")
    XCTAssertEqual(try content("pwmchip2/pwm1/duty_cycle"), "40000\n")
    XCTAssertEqual(try content("pwmchip2/export"), "", "exported once")
    XCTAssertEqual(try content("pwmchip2/unexport"), "")
    channel.release()
    XCTAssertEqual(try content("pwmchip2/pwm1/duty_cycle"), "0\n")
    XCTAssertEqual(try content("pwmchip2/pwm1/enable"), "0\n")
    XCTAssertEqual(try content("pwmchip2/unexport"), "1\n")
    try put("", "pwmchip2/unexport")
    channel.release()
    XCTAssertEqual(try content("pwmchip2/unexport"), "", "given back once")
    XCTAssertEqual(try content("pwmchip0/export"), "", "the other chip is left alone")
    XCTAssertNil(error(channel), "taken anew")
    XCTAssertEqual(try content("pwmchip2/export"), "1\n")
  }

  func testAChipIsFoundByItsOwnNameToo() throws {
    try addChannel("pwmchip0/pwm0")
    XCTAssertNil(error(PWMChannel(chip: "pwmchip0", channel: 0, root: root)))
    XCTAssertEqual(try content("pwmchip0/pwm0/enable"), "1\n")
  }

  func testAMissingChipSaysWhichThereAre() {
    for name in ["fe20c000", "pwmchip1", "", "soc", "../fe20c000.pwm"] {
      assert(
        error(PWMChannel(chip: name, channel: 0, root: root)), .failed, "\"\(name)\"",
        "there are: 1f00098000.pwm (pwmchip0), fe20c000.pwm (pwmchip2)")
    }
    assert(
      error(PWMChannel(chip: "a", channel: 0, root: root + "/none")), .failed, "there are: none")
  }

  func testAttributesThatAreOnTheirWayAreWaitedFor() throws {
    let channel = PWMChannel(chip: "pwmchip0", channel: 0, root: root)
    assert(error(channel), .notReady, "\(root)/pwmchip0/pwm0/period", "No such file")
    XCTAssertEqual(try content("pwmchip0/export"), "0\n")
    try put("", "pwmchip0/export")
    try addChannel("pwmchip0/pwm0")
    try remove("pwmchip0/pwm0/enable")
    assert(error(channel), .notReady, "/pwm0/enable, writing 1", "No such file")
    try put("0\n", "pwmchip0/pwm0/enable")
    XCTAssertNil(error(channel))
    XCTAssertEqual(try content("pwmchip0/export"), "", "exported once")
  }

  func testAttributesThatAreNotOursYetAreWaitedFor() throws {
    try addChannel("pwmchip0/pwm0")
    for name in ["export", "pwm0/period", "pwm0/duty_cycle", "pwm0/enable"] {
      try FileManager.default.setAttributes(
        [.posixPermissions: name == "pwm0/enable" ? 0o444 : 0o666],
        ofItemAtPath: "\(root)/pwmchip0/\(name)")
    }
    let channel = PWMChannel(chip: "pwmchip0", channel: 0, root: root)
    // Root may write everything, so as root this asks as somebody else.
    let user = geteuid()
    if user == 0 { XCTAssertEqual(seteuid(65_534), 0) }
    let first = error(channel)
    if user == 0 { XCTAssertEqual(seteuid(0), 0) }
    assert(first, .notReady, "pwm0/enable", "Permission denied")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: root + "/pwmchip0/pwm0/enable")
    XCTAssertNil(error(channel))
  }

  func testAChipThatGoesIsLookedForAgain() throws {
    try addChannel("pwmchip0/pwm0")
    let channel = PWMChannel(chip: "1f00098000.pwm", channel: 0, root: root)
    XCTAssertNil(error(channel))
    try remove("pwmchip0")
    assert(error(channel), .gone, "pwmchip0/pwm0/period")
    assert(error(channel), .failed, "no PWM chip")
    // It comes back under another number.
    try addChip(5, device: "../1f00098000.pwm", channels: 2)
    try addChannel("pwmchip5/pwm0")
    XCTAssertNil(error(channel))
    XCTAssertEqual(try content("pwmchip5/pwm0/enable"), "1\n")
  }

  func testAChannelThatSomebodyGaveBackIsExportedAgain() throws {
    try addChannel("pwmchip0/pwm0")
    let channel = PWMChannel(chip: "pwmchip0", channel: 0, root: root)
    XCTAssertNil(error(channel))
    try remove("pwmchip0/pwm0")
    try put("", "pwmchip0/export")
    assert(error(channel), .gone, "pwmchip0/pwm0/period")
    try addChannel("pwmchip0/pwm0")
    XCTAssertNil(error(channel))
    XCTAssertEqual(try content("pwmchip0/export"), "0\n")
  }

  func testAChipThatGoesBeforeItIsReadyIsLookedForAgain() throws {
    let channel = PWMChannel(chip: "1f00098000.pwm", channel: 0, root: root)
    assert(error(channel), .notReady)
    try remove("pwmchip0")
    assert(error(channel), .gone)
    assert(error(channel), .failed, "no PWM chip")
  }

  func testBadAttributesAreNamed() throws {
    try addChannel("pwmchip0/pwm0", period: "often\n")
    let channel = PWMChannel(chip: "pwmchip0", channel: 0, root: root)
    assert(error(channel), .failed, "pwm0/period holds no number")
    try put("0\n", "pwmchip0/pwm0/period")
    try remove("pwmchip0/pwm0/duty_cycle")
    try FileManager.default.createDirectory(
      atPath: root + "/pwmchip0/pwm0/duty_cycle", withIntermediateDirectories: false)
    assert(error(channel), .failed, "pwm0/duty_cycle, writing 250000", "directory")
  }

  func testAnExportThatFailsIsExplained() throws {
    try remove("pwmchip0/export")
    try FileManager.default.createSymbolicLink(
      atPath: root + "/pwmchip0/export", withDestinationPath: "/dev/full")
    let channel = PWMChannel(chip: "pwmchip0", channel: 3, root: root)
    assert(error(channel), .failed, "pwmchip0/export", "No space left")
    let table: [(Int32, channels: Int64?, String)] = [
      (KernelError.busy, 2, "/export: channel 3 is in use by the kernel"),
      (KernelError.noDevice, 2, "/export: the chip has no channel 3; it has 2, counted from 0"),
      (KernelError.noDevice, nil, "/export: the chip has no channel 3"),
      (KernelError.accessDenied, 2, "no permission to write /export"),
      (KernelError.notPermitted, 2, "no permission to write /export"),
    ]
    for (code, channels, text) in table {
      assert(channel.exportError(code, "/export", channels: channels), .failed, text)
    }
  }

  /// In whatever order frequencies and duties follow each other, the kernel takes every write, and
  /// never is the line active for more of the time than before or after.
  func testTheKernelTakesEveryWrite() {
    for seed in UInt64(1)...500 {
      var random = SeededGenerator(seed: seed)
      var kernel: (period: Int64, duty: Int64) = (0, 0)
      for _ in 0..<20 {
        let timing = PWMTiming(
          frequency: .random(
            in: 1...(Bool.random(using: &random) ? 10 : 1_000_000), using: &random),
          duty: [0, 1, .random(in: 0...1, using: &random)].randomElement(using: &random)!)
        let before = kernel
        for (attribute, nanoseconds) in PWMChannel.writes(of: timing, replacing: kernel.period) {
          if attribute.description == "period" {
            kernel.period = nanoseconds
          } else {
            kernel.duty = nanoseconds
          }
          // pwm_apply_might_sleep() in drivers/pwm/core.c
          XCTAssertTrue(kernel.period > 0 && kernel.duty <= kernel.period, "seed \(seed)")
          let part = Double(kernel.duty) / Double(kernel.period)
          let old = before.period > 0 ? Double(before.duty) / Double(before.period) : 0
          let new = Double(timing.active.nanoseconds) / Double(timing.period.nanoseconds)
          XCTAssertLessThanOrEqual(part, max(old, new), "seed \(seed)")
        }
        XCTAssertEqual(kernel.period, timing.period.nanoseconds, "seed \(seed)")
        XCTAssertEqual(kernel.duty, timing.active.nanoseconds, "seed \(seed)")
      }
    }
  }
}
