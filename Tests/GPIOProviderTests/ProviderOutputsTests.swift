import Lattice
import Transport
import XCTest

@testable import GPIOProvider

/// What outputs do and tell: commands, guards, causes, groups of lines, and what is remembered.
final class ProviderOutputsTests: ProviderTestCase {
  // MARK: Operations and their events

  func testEveryChangeHasItsCause() {
    let provider = started([
      .line("relay", .output) {
        $0.output.linkLoss = .seconds(30)
        $0.output.maxOn = .seconds(100)
      }
    ])
    _ = told()
    let caller = Caller(dialect: "services", name: Array("ops@laptop".utf8).span)
    call(provider, "set", "relay", [("active", .bool(true))], by: caller)
    call(provider, "set", "relay", [("active", .bool(true))], by: caller)
    call(provider, "toggle", "relay", by: caller)
    XCTAssertEqual(
      told(),
      [
        "relay change active=true level=1 cause=command by=ops@laptop",
        "relay change active=false level=0 cause=command by=ops@laptop",
      ], "what changes nothing is no change")

    let (on, off) = (
      "relay change active=true level=1 cause=", "relay change active=false level=0 cause="
    )
    call(provider, "pulse", "relay", [("duration_ms", .integer(500))])
    advance(provider, .seconds(1))
    XCTAssertEqual(told(), [on + "command by=edge-host", off + "pulse"])
    call(
      provider, "blink", "relay",
      [("on_ms", .integer(20)), ("off_ms", .integer(30)), ("count", .integer(2))])
    advance(provider, .seconds(1))
    XCTAssertEqual(
      told(), [on + "command by=edge-host", off + "blink", on + "blink", off + "blink"])
    set(provider, "relay", true, lease: 100)
    advance(provider, .seconds(1))
    XCTAssertEqual(told(), [on + "command by=edge-host", off + "lease"])
    set(provider, "relay", true)
    advance(provider, .seconds(200))
    XCTAssertEqual(told(), [on + "command by=edge-host", off + "max_on"])
    set(provider, "relay", true)
    provider.linkChanged(isConnected: false, at: time.now)
    advance(provider, .seconds(60))
    XCTAssertEqual(told(), [on + "command by=edge-host", off + "link_loss"])
    set(provider, "relay", true)
    provider.stop(at: time.now)
    XCTAssertEqual(told(), [on + "command by=edge-host", off + "stop"])
  }

  func testWhatALineDoesNotTakeIsSaid() {
    let provider = started([.line("fan", .pwm), .line("relay", .output), .line("door", .input)])
    XCTAssertEqual(
      call(provider, "pwm", "relay", [("duty", .double(0.5))]).error,
      InvocationError(
        .conflict, "line \"relay\" does not take pwm; it takes get, set, toggle, pulse, blink"))
    XCTAssertEqual(
      set(provider, "fan", true).error,
      InvocationError(.conflict, "line \"fan\" does not take set; it takes get, pwm"))
    XCTAssertEqual(setMany(provider, [("fan", true)]).error?.code, .conflict)
    for operation in ["toggle", "set"] {
      XCTAssertEqual(
        call(provider, operation, "door", operation == "set" ? [("active", .bool(true))] : [])
          .error?.code, .conflict)
    }
  }

  func testAGuardSaysWhenItWouldAllow() {
    let provider = started([.line("compressor", .output) { $0.output.minOff = .seconds(180) }])
    advance(provider, .milliseconds(179_500))
    let early = set(provider, "compressor", true).error
    XCTAssertEqual(early?.code, .conflict)
    XCTAssertEqual(early?.details["guard"], .string("min_off"))
    XCTAssertEqual(early?.details["allowed_in_ms"], .integer(500))
    advance(provider, .milliseconds(500))
    XCTAssertNil(set(provider, "compressor", true).error)
  }

  func testWhoMayCommandALine() {
    let key = String(repeating: "A", count: 56)
    let provider = started([
      .line("relay", .output) { $0.allow = [key] }, .line("lamp", .output),
    ])
    let name = Array("MACTOR".utf8)
    let stranger = Caller(dialect: "wasmbus", name: name.span, keys: ["M", "ISSUER"])
    let issued = Caller(dialect: "wasmbus", name: name.span, keys: ["M", key])
    let on: [(String, Value)] = [("active", .bool(true))]
    XCTAssertEqual(
      call(provider, "set", "relay", on, by: stranger).error,
      InvocationError(.forbidden, "line \"relay\" may not be commanded by MACTOR"))
    XCTAssertNil(call(provider, "get", "relay", by: stranger).error)
    XCTAssertNil(call(provider, "set", "lamp", on, by: stranger).error)
    XCTAssertNil(call(provider, "set", "relay", on, by: issued).error)
    var both = Record()
    both.append("lamp", .bool(false))
    both.append("relay", .bool(false))
    let many = call(provider, "set-many", "", [("active", .record(both))], by: stranger)
    XCTAssertEqual(many.error?.code, .forbidden)
    XCTAssertEqual(board.values, ["relay": true, "lamp": true])
  }

  func testABlinkHasAllItsPhases() {
    let provider = started([.line("relay", .output)])
    let start = time.now
    var switches: [Int64] = []
    board.onChange = { [unowned self] in switches.append((time.now - start).milliseconds) }
    call(
      provider, "blink", "relay",
      [("on_ms", .integer(100)), ("off_ms", .integer(400)), ("count", .integer(3))])
    advance(provider, .seconds(5))
    XCTAssertEqual(switches, [0, 100, 500, 600, 1_000, 1_100])
    board.onChange = nil
  }

  // MARK: Several lines

  func testManyAreSetAllOrNone() {
    let gate = InterlockConfiguration(
      name: "gate", lines: ["up", "down"], deadTime: .milliseconds(500))
    let provider = started(
      [
        .line("up", .output), .line("down", .output), .line("lamp", .output),
        .line("far", .output), .line("door", .input),
      ], interlocks: [gate])
    board.chips["far"] = 1
    func refused(_ states: [(String, Bool)]) -> InvocationError? {
      let before = board.values
      board.calls = []
      let error = setMany(provider, states).error
      XCTAssertEqual(board.values, before)
      return error
    }
    XCTAssertEqual(refused([("up", true)])?.details["allowed_in_ms"], .integer(500), "at start")
    advance(provider, .milliseconds(500))
    XCTAssertNil(setMany(provider, [("lamp", true), ("up", true)]).error)
    XCTAssertEqual(board.calls.suffix(2), [.set("lamp", true), .set("up", true)])
    let interlocked = refused([("lamp", false), ("down", true)])
    XCTAssertEqual(interlocked?.details["guard"], .string("interlock"))
    XCTAssertEqual(board.calls, [], "nothing is even tried")
    XCTAssertEqual(refused([("lamp", false), ("dor", true)])?.code, .notFound)
    XCTAssertEqual(refused([("lamp", false), ("door", true)])?.code, .conflict)
    let apart = refused([("lamp", false), ("far", true)])
    XCTAssertEqual(apart?.code, .conflict)
    XCTAssertTrue(apart?.reason.contains("lamp, far") ?? false, apart?.reason ?? "")
    board.writeErrors["up"] = inputOutput
    XCTAssertEqual(refused([("lamp", false), ("up", false)])?.code, .failed)
    board.writeErrors = [:]
    XCTAssertNil(set(provider, "far", true).error, "no trace of what was refused")
    XCTAssertNil(setMany(provider, [("lamp", false), ("up", false)]).error)
  }

  func testManyAreReadTogether() {
    let provider = started([.line("a", .input), .line("b", .output), .line("flow", .counter)])
    board.values["a"] = true
    let names: [Value] = [.string("flow"), .string("a"), .string("b")]
    let lines = call(provider, "get-many", "", [("names", .list(names))])["lines"]?.list
    XCTAssertEqual(lines?.map { $0.record?["name"] }, names)
    XCTAssertEqual(lines?.map { $0.record?["active"] }, [nil, .bool(true), .bool(false)])
    XCTAssertEqual(
      call(provider, "get-many", "", [("names", .list([.string("a"), .string("x")]))]).error?
        .code, .notFound)
    board.readErrors["b"] = gone
    XCTAssertEqual(call(provider, "get-many", "", [("names", .list(names))]).error?.code, .failed)
    XCTAssertEqual(provider.problems.map { $0.line }, ["b"], "it is given up, and only it")
  }

  // MARK: Start and return

  func testTheStateAtStart() {
    memory.values = ["last.on": 1, "last.off": 0]
    board.values["kept"] = true
    let provider = started([
      .line("plain", .output), .line("active", .output) { $0.output.start = .active },
      .line("kept", .output) { $0.output.start = .keep },
      .line("on", .output) { $0.output.start = .last },
      .line("off", .output) { $0.output.start = .last },
      .line("new", .output) { ($0.output.start, $0.output.safe) = (.last, .active) },
    ])
    XCTAssertEqual(
      board.calls,
      [
        .request("plain", active: false), .request("active", active: true),
        .request("kept", active: nil), .request("on", active: true),
        .request("off", active: false), .request("new", active: true),
      ])
    XCTAssertEqual(call(provider, "get", "kept")["active"], .bool(true))
  }

  func testTheLastStateIsWhatWasCommandedForGood() {
    let table: [(String, [(String, Value)], Int64)] = [
      ("set", [("active", .bool(true))], 1),
      ("set", [("active", .bool(true)), ("lease_ms", .integer(60_000))], 0),
      ("set", [("active", .bool(true)), ("pulse_ms", .integer(60_000))], 0),
      ("set", [("active", .bool(false)), ("pulse_ms", .integer(500))], 1),
      ("toggle", [], 1),
      ("toggle", [("lease_ms", .integer(60_000))], 0),
      ("pulse", [("duration_ms", .integer(60_000))], 0),
      (
        "blink", [("on_ms", .integer(300)), ("off_ms", .integer(300)), ("count", .integer(10))], 0
      ),
    ]
    for (operation, arguments, expected) in table {
      memory.values = [:]
      let provider = started([.line("relay", .output) { $0.output.start = .last }])
      call(provider, operation, "relay", arguments)
      // Power may go at any time.
      for _ in 0..<4 {
        XCTAssertEqual(memory.values["last.relay"], expected, "\(operation) \(arguments)")
        advance(provider, .milliseconds(200))
      }
      provider.stop(at: time.now)
      XCTAssertEqual(memory.values["last.relay"], expected, "\(operation) at stop")
    }
    XCTAssertTrue(memory.urgentKeys.contains("last.relay"))
  }

  func testAnOutputThatComesBackSafeSaysSo() throws {
    let provider = started([.line("relay", .output), .line("lamp", .output)])
    set(provider, "relay", true)
    _ = told()
    for line in ["relay", "lamp"] {
      provider.lineFailed(try XCTUnwrap(board.handle(of: line)), gone)
    }
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertEqual(
      told(),
      ["relay change active=false level=0 cause=start", "lamp state active=false level=0"])
  }

  func testAnOutputThatCannotBeReadIsStillAnOutput() {
    board.readErrors["relay"] = inputOutput
    board.readErrors["door"] = inputOutput
    let provider = started([.line("relay", .output), .line("door", .input)])
    XCTAssertEqual(provider.problems.map { $0.line }, ["door"])
    XCTAssertEqual(call(provider, "get", "relay").error?.code, .failed)
    set(provider, "relay", true)
    XCTAssertEqual(board.values["relay"], true)
  }

  // MARK: Hardware that does not follow

  private func failingGate() -> GPIOProvider {
    let provider = started(
      [.line("up", .output), .line("down", .output), .line("lamp", .output)],
      interlocks: [
        InterlockConfiguration(name: "gate", lines: ["up", "down"], deadTime: .milliseconds(300))
      ])
    advance(provider, .seconds(1))
    set(provider, "up", true, pulse: 500)
    return provider
  }

  func testAnInterlockHoldsWhileTheOtherLineCannotBeSwitchedOff() {
    let provider = failingGate()
    board.writeErrors["up"] = inputOutput
    advance(provider, .seconds(10))
    XCTAssertEqual(board.values["up"], true)
    let refusal = set(provider, "down", true).error
    XCTAssertEqual(refusal?.code, .failed)
    XCTAssertEqual(
      refusal?.reason,
      "down: interlock: up may still be active, as its hardware did not follow")
    XCTAssertNil(set(provider, "lamp", true).error, "others go on")
    board.writeErrors = [:]
    while board.values["up"] == true { advance(provider, .milliseconds(10)) }
    advance(provider, .milliseconds(280))
    XCTAssertEqual(set(provider, "down", true).error?.code, .failed, "the dead time")
    advance(provider, .milliseconds(30))
    XCTAssertNil(set(provider, "down", true).error)
    XCTAssertEqual(board.values, ["up": false, "down": true, "lamp": true])
  }

  func testAnInterlockHoldsWhileTheOtherLineIsGone() {
    let provider = failingGate()
    board.writeErrors["up"] = gone
    board.requestErrors["up"] = .noSuchChip(chip: "usb", present: [])
    advance(provider, .seconds(10))
    XCTAssertEqual(provider.problems.map { $0.line }, ["up"])
    XCTAssertEqual(set(provider, "down", true).error?.code, .failed)
    XCTAssertEqual(setMany(provider, [("lamp", true), ("down", true)]).error?.code, .failed)
    board.writeErrors = [:]
    board.requestErrors = [:]
    advance(provider, GPIOProvider.retryPeriod)
    XCTAssertNil(set(provider, "down", true).error)
  }

  func testAPulseThatBecomesActiveWaitsForTheOtherLine() {
    let provider = failingGate()
    set(provider, "down", false, pulse: 1_000)
    board.writeErrors["up"] = inputOutput
    advance(provider, .seconds(5))
    XCTAssertEqual(board.values["down"], false)
    board.writeErrors = [:]
    advance(provider, .seconds(3))
    XCTAssertEqual(board.values["up"], false)
    XCTAssertEqual(board.values["down"], true)
    XCTAssertNil(provider.deadline)
  }
}
