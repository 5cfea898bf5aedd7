import CLinux
import Transport
import XCTest

@testable import GPIOProvider

/// The border to the kernel. The numbers here are written as linux/gpio.h has them, in bits, and
/// not with the names that are under test.
final class KernelGPIOTests: XCTestCase {
  private func bits(_ bits: UInt64...) -> UInt64 { bits.reduce(0) { $0 | 1 << $1 } }

  func testFlagsOfInputs() {
    let table: [((inout LineConfiguration) -> Void, UInt64)] = [
      ({ _ in }, bits(2, 4, 5)),
      ({ $0.edges = .none }, bits(2)),
      ({ $0.edges = .rising }, bits(2, 4)),
      ({ $0.edges = .falling }, bits(2, 5)),
      ({ $0.activeLow = true }, bits(1, 2, 4, 5)),
      ({ $0.bias = .pullUp }, bits(2, 4, 5, 8)),
      ({ $0.bias = .pullDown }, bits(2, 4, 5, 9)),
      ({ $0.bias = .disabled }, bits(2, 4, 5, 10)),
      // The kernel refuses a drive on an input.
      ({ $0.drive = .openDrain }, bits(2, 4, 5)),
    ]
    for (index, (change, flags)) in table.enumerated() {
      XCTAssertEqual(
        LineConfiguration.inputLine("a", change).kernelFlags.rawValue, flags, "row \(index)")
    }
  }

  func testFlagsOfOutputs() {
    let table: [((inout LineConfiguration) -> Void, UInt64)] = [
      // Edges belong to inputs; they are on by default, and the kernel refuses them here.
      ({ _ in }, bits(3)),
      ({ $0.activeLow = true }, bits(1, 3)),
      ({ $0.drive = .openDrain }, bits(3, 6)),
      ({ $0.drive = .openSource }, bits(3, 7)),
      ({ $0.bias = .pullUp }, bits(3, 8)),
    ]
    for (index, (change, flags)) in table.enumerated() {
      XCTAssertEqual(
        LineConfiguration.outputLine("a", change).kernelFlags.rawValue, flags, "row \(index)")
    }
  }

  func testAsItIsAsksForNothingButTheSense() {
    let line = LineConfiguration.outputLine("a") {
      $0.bias = .pullUp
      $0.drive = .openDrain
    }
    XCTAssertEqual(line.kernelFlagsAsIs.rawValue, 0)
    XCTAssertEqual(
      LineConfiguration.outputLine("a") { $0.activeLow = true }.kernelFlagsAsIs.rawValue, bits(1))
  }

  func testDebounceInWholeMicroseconds() {
    let table: [(Int64, UInt32)] = [
      (0, 0), (-1, 0), (.min, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (5_000_000, 5_000),
      (.max, .max),
    ]
    for (nanoseconds, expected) in table {
      let line = LineConfiguration.inputLine("a") { $0.debounce = .nanoseconds(nanoseconds) }
      XCTAssertEqual(line.kernelDebounceMicroseconds, expected, "\(nanoseconds)")
    }
    XCTAssertEqual(
      LineConfiguration.outputLine("a") { $0.debounce = .seconds(1) }.kernelDebounceMicroseconds, 0)
  }

  func testEventsComeWithKernelTimeAndNumber() {
    let handle = LineHandle(index: 3)
    for (kind, isRising) in [(LINUX_GPIO_RISING, true), (LINUX_GPIO_FALLING, false)] {
      let event = linux_gpio_event(
        monotonic_nanoseconds: 123_456_789, kind: UInt32(kind), offset: 4, sequence: 9,
        line_sequence: 7)
      XCTAssertEqual(
        EdgeEvent(event, on: handle),
        EdgeEvent(
          line: handle, isRising: isRising, time: Instant(nanoseconds: 123_456_789),
          lineSequence: 7))
    }
  }

  func testNamesEndAtTheFirstNUL() {
    var info = linux_gpio_line_info()
    XCTAssertEqual(kernelText(info.name), "")
    withUnsafeMutableBytes(of: &info.name) { $0.copyBytes(from: Array("GPIO4\0rest".utf8)) }
    XCTAssertEqual(kernelText(info.name), "GPIO4")
    // Without any NUL, and not UTF-8: all bytes, and nothing behind them.
    withUnsafeMutableBytes(of: &info.name) { bytes in
      for index in bytes.indices { bytes[index] = 0x41 }
      bytes[0] = 0xFF
    }
    XCTAssertEqual(kernelText(info.name).unicodeScalars.count, 33)
    XCTAssertEqual(kernelText(info.name).utf8.last, 0x41)
  }

  func testAChipThatIsGoneIsToldFromAnError() {
    XCTAssertTrue(BoardError.system(call: "read", line: "a", code: 19).isGone)
    XCTAssertFalse(BoardError.system(call: "read", line: "a", code: 5).isGone)
    XCTAssertFalse(BoardError.busy(line: "a", consumer: "b").isGone)
  }
}
