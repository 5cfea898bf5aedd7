import CLinux
import Foundation
import XCTest

/// The C functions for GPIO without a chip: whatever stands in its place is refused, with whichever of
/// the two files behind the functions, and nothing is left open.
final class GPIOBorderTests: XCTestCase {
  /// The most negative errno is -4095.
  private let refused: ClosedRange<Int32> = -4095 ... -1

  func testWhatIsNoChipAndNoRequestIsRefused() throws {
    let file = linux_open("/dev/null", 1)
    XCTAssertGreaterThanOrEqual(file, 0)
    defer { _ = linux_close(file) }
    for descriptor in [file, -1, .min, .max] {
      var chip = linux_gpio_chip_info()
      var line = linux_gpio_line_info()
      var settings = linux_gpio_settings(offset: 0, flags: 0, debounce_microseconds: 0, value: 0)
      var bits: UInt64 = 1
      var event = linux_gpio_event()
      let results = [
        linux_gpio_chip(descriptor, &chip), linux_gpio_line(descriptor, 0, &line),
        linux_gpio_request(descriptor, &settings, 1, 0, "test"),
        linux_gpio_request(descriptor, &settings, 0, 0, "test"),
        linux_gpio_request(descriptor, &settings, Int32(LINUX_GPIO_LINES_MAX) + 1, 0, "test"),
        linux_gpio_configure(descriptor, &settings, 1), linux_gpio_get(descriptor, .max, &bits),
        linux_gpio_set(descriptor, .max, 0), linux_gpio_read_events(descriptor, &event, 0),
      ]
      for (index, result) in results.enumerated() {
        XCTAssert(refused.contains(result), "call \(index) of \(descriptor): \(result)")
      }
      XCTAssertEqual(bits, 0)
    }
  }

  func testOpeningAndClosingLeavesNothingOpen() throws {
    let before = try descriptors()
    for path in ["/dev/null", "/none", "", "/"] {
      let chip = linux_gpio_open(path)
      if chip >= 0 { XCTAssertEqual(linux_gpio_close(chip), 0) }
      XCTAssert(refused.contains(linux_gpio_close(chip)), "\(path) is closed twice")
    }
    XCTAssertEqual(try descriptors(), before)
  }

  private func descriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
  }
}
