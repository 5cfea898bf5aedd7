import Foundation
import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// Outputs by pulse-width modulation: software on a fake board, the kernel's in a folder of our own.
final class ProviderPWMTests: ProviderTestCase {
  private var root = ""

  override func setUpWithError() throws {
    root = NSTemporaryDirectory() + "edge-host-pwm-provider-\(UUID().uuidString)"
    for folder in ["/devices/fe20c000.pwm", "/pwmchip0/pwm1"] {
      try FileManager.default.createDirectory(
        atPath: root + folder, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(
      atPath: root + "/pwmchip0/device", withDestinationPath: "../devices/fe20c000.pwm")
    for file in ["export", "unexport", "npwm"] { try write("2", "../" + file) }
    for file in ["period", "duty_cycle", "enable"] { try write("0", file) }
  }

  override func tearDownWithError() throws { try FileManager.default.removeItem(atPath: root) }

  private func write(_ text: String, _ file: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: root + "/pwmchip0/pwm1/" + file))
  }

  private func attribute(_ file: String) throws -> String {
    try String(contentsOfFile: root + "/pwmchip0/pwm1/" + file, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func fan(_ change: (inout LineConfiguration) -> Void = { _ in }) -> LineConfiguration {
    .line("fan", .pwm) {
      $0.pwm.chip = "fe20c000.pwm"
      $0.pwm.channel = 1
      $0.pwm.frequency = 25_000
      change(&$0)
    }
  }

  @discardableResult
  private func modulate(
    _ provider: GPIOProvider, _ line: String, _ duty: Double, _ more: (String, Value)...
  ) -> InvocationResult {
    call(provider, "pwm", line, [("duty", .double(duty))] + more)
  }

  // MARK: The kernel's

  func testTheKernelsChannel() throws {
    let provider = started([fan()], pwmRoot: root)
    XCTAssertEqual(board.calls, [], "it is no line of a chip")
    XCTAssertEqual(told(), ["fan state duty=0.0 frequency_hz=25000"])
    XCTAssertEqual(try attribute("period"), "40000")
    let answer = modulate(provider, "fan", 0.25)
    XCTAssertEqual(answer["duty"], .double(0.25))
    XCTAssertEqual(try attribute("duty_cycle"), "10000")
    XCTAssertEqual(try attribute("enable"), "1")
    modulate(provider, "fan", 0.25, ("frequency_hz", .integer(1_000)))
    XCTAssertEqual(try attribute("period"), "1000000")
    modulate(provider, "fan", 0.25)
    XCTAssertEqual(
      told(),
      [
        "fan change duty=0.25 frequency_hz=25000 cause=command by=edge-host",
        "fan change duty=0.25 frequency_hz=1000 cause=command by=edge-host",
      ], "another frequency is a change, the same is none")
    provider.stop(at: time.now)
    XCTAssertEqual(told(), ["fan change duty=0.0 frequency_hz=1000 cause=stop"])
    XCTAssertEqual(try attribute("duty_cycle"), "0")
    XCTAssertEqual(try attribute("enable"), "0")
  }

  func testALeaseStopsTheKernelsChannelAlsoLater() throws {
    let provider = started([fan()], pwmRoot: root)
    modulate(provider, "fan", 0.5, ("lease_ms", .integer(1_000)))
    // The attribute takes no number for now.
    try FileManager.default.removeItem(atPath: root + "/pwmchip0/pwm1/duty_cycle")
    try FileManager.default.createDirectory(
      atPath: root + "/pwmchip0/pwm1/duty_cycle", withIntermediateDirectories: false)
    advance(provider, .seconds(1))
    XCTAssertEqual(problems.count, 1, "\(problems)")
    try FileManager.default.removeItem(atPath: root + "/pwmchip0/pwm1/duty_cycle")
    try write("20000", "duty_cycle")
    advance(provider, GPIOProvider.rewritePeriod)
    XCTAssertEqual(try attribute("duty_cycle"), "0")
    XCTAssertEqual(problems.last, "fan: good")
    XCTAssertNil(provider.deadline)
  }

  func testAGuardIsAskedBeforeTheHardware() throws {
    let provider = started([fan { $0.output.minOff = .seconds(60) }], pwmRoot: root)
    try FileManager.default.removeItem(atPath: root + "/pwmchip0/pwm1/duty_cycle")
    let refusal = modulate(provider, "fan", 0.5).error
    XCTAssertEqual(refusal?.details["guard"], .string("min_off"), "\(String(describing: refusal))")
    XCTAssertEqual(provider.problems.count, 0)
  }

  func testAChannelThatIsGoneComesBack() throws {
    let provider = started([fan()], pwmRoot: root)
    modulate(provider, "fan", 0.5)
    let (place, away) = (root + "/pwmchip0", root + "/away")
    try FileManager.default.moveItem(atPath: place, toPath: away)
    XCTAssertEqual(modulate(provider, "fan", 0.7).error?.code, .failed)
    XCTAssertEqual(provider.problems.map { $0.line }, ["fan"])
    XCTAssertEqual(modulate(provider, "fan", 0.7).error?.code, .unavailable)
    try FileManager.default.moveItem(atPath: away, toPath: place)
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertEqual(provider.problems.count, 0)
    XCTAssertEqual(try attribute("duty_cycle"), "0", "in its safe state")
    XCTAssertNil(modulate(provider, "fan", 0.7).error)
  }

  func testAChannelThatIsNotReadyYetIsNoNews() throws {
    let (place, away) = (root + "/pwmchip0/pwm1", root + "/away")
    try FileManager.default.moveItem(atPath: place, toPath: away)
    let provider = started([fan()], pwmRoot: root)
    XCTAssertEqual(modulate(provider, "fan", 0.5).error?.code, .unavailable)
    advance(provider, .seconds(1))
    try FileManager.default.moveItem(atPath: away, toPath: place)
    advance(provider, GPIOProvider.settlePeriod)
    XCTAssertNil(modulate(provider, "fan", 0.5).error)
    XCTAssertEqual(problems, [])
    provider.stop(at: time.now)

    try FileManager.default.moveItem(atPath: place, toPath: away)
    let other = started([fan()], pwmRoot: root)
    advance(other, .seconds(60))
    XCTAssertEqual(problems.count, 1, "it will never be: \(problems)")
    try FileManager.default.moveItem(atPath: away, toPath: place)
    advance(other, GPIOProvider.retryPeriod)
    XCTAssertEqual(problems.last, "fan: good")
  }

  func testNoSuchChip() {
    let provider = started([fan { $0.pwm.chip = "other" }], pwmRoot: root)
    XCTAssertEqual(
      provider.problems.map { $0.reason },
      ["no PWM chip is named \"other\" in \(root); there are: fe20c000.pwm (pwmchip0)"])
    XCTAssertEqual(modulate(provider, "fan", 0.5).error?.code, .unavailable)
  }

  // MARK: By software

  private func lamp(_ change: (inout LineConfiguration) -> Void = { _ in }) -> LineConfiguration {
    .line("lamp", .pwm) {
      $0.pwm.frequency = 100
      change(&$0)
    }
  }

  /// The part of the next second that the line is active, as the hardware has it.
  private func measured(_ provider: GPIOProvider) -> Double {
    var (active, since) = (Transport.Duration.zero, time.now)
    var isActive = board.values["lamp"] ?? false
    board.onChange = { [unowned self] in
      if isActive { active = active + (time.now - since) }
      (isActive, since) = (board.values["lamp"] ?? false, time.now)
    }
    advance(provider, .seconds(1))
    board.onChange = nil
    if isActive { active = active + (time.now - since) }
    return Double(active.nanoseconds) / 1e9
  }

  func testSoftwareSwitchesTheLine() {
    let provider = started([lamp()])
    _ = told()
    for duty in [0.25, 0.6, 1, 0, 0.5] {
      XCTAssertNil(modulate(provider, "lamp", duty).error)
      XCTAssertEqual(measured(provider), duty, accuracy: 0.005)
    }
    XCTAssertEqual(told().count, 5)
    XCTAssertEqual(
      modulate(provider, "lamp", 0.5, ("frequency_hz", .integer(201))).error,
      InvocationError(
        .badRequest,
        "\"frequency_hz\" is 201, but line \"lamp\" is switched by software: at most 200"))
    board.calls = []
    provider.stop(at: time.now)
    XCTAssertEqual(board.calls, [.set("lamp", false), .release("lamp")])
    XCTAssertNil(provider.deadline)
  }

  func testAnotherDutyDoesNotSwitchTheLineOn() {
    let provider = started([lamp()])
    modulate(provider, "lamp", 0.5)
    advance(provider, .milliseconds(7))
    XCTAssertEqual(board.values["lamp"], false, "in the second half of a period")
    modulate(provider, "lamp", 0.3)
    XCTAssertEqual(board.values["lamp"], false)
    advance(provider, .milliseconds(4))
    XCTAssertEqual(board.values["lamp"], true)
  }

  func testGuardsAndLeaseSeeAnActiveLineWhileTheDutyIsNotZero() {
    let provider = started([lamp { $0.output.maxOn = .seconds(10) }])
    modulate(provider, "lamp", 0.5, ("lease_ms", .integer(1_000)))
    advance(provider, .seconds(2))
    XCTAssertEqual(measured(provider), 0)
    modulate(provider, "lamp", 0.5)
    advance(provider, .seconds(5))
    modulate(provider, "lamp", 0.7)
    advance(provider, .seconds(6))
    XCTAssertEqual(measured(provider), 0, "max_on counts over changes of the duty")
    XCTAssertEqual(call(provider, "get", "lamp")["duty"], .double(0))
  }

  func testALineThatFailsIsSwitchedOffAsSoonAsItWorks() {
    let provider = started([lamp()])
    modulate(provider, "lamp", 0.5, ("lease_ms", .integer(1_002)))
    advance(provider, .milliseconds(1_001))
    XCTAssertEqual(board.values["lamp"], true)
    board.writeErrors["lamp"] = inputOutput
    advance(provider, .seconds(3))
    XCTAssertEqual(board.values["lamp"], true)
    board.writeErrors = [:]
    advance(provider, .seconds(1))
    XCTAssertEqual(board.values["lamp"], false)
    XCTAssertNil(provider.deadline)
    XCTAssertEqual(problems, ["lamp: \(inputOutput)", "lamp: good"])
  }

  func testACommandThatFailsLeavesTheOldDuty() {
    let provider = started([lamp()])
    modulate(provider, "lamp", 1)
    board.writeErrors["lamp"] = inputOutput
    XCTAssertEqual(modulate(provider, "lamp", 0).error?.code, .failed)
    XCTAssertEqual(call(provider, "get", "lamp")["duty"], .double(1))
    board.writeErrors = [:]
    XCTAssertEqual(measured(provider), 1)
  }
}
