import XCTest

@testable import GPIOProvider

final class BoardErrorTests: XCTestCase {
  func testSaysTheThingAndTheValue() {
    let table: [(BoardError, String)] = [
      (
        .noSuchChip(chip: "x", present: []),
        "no GPIO chip is named or labelled \"x\"; there are: none"
      ),
      (
        .noSuchChip(chip: "x", present: ["a", "b"]),
        "no GPIO chip is named or labelled \"x\"; there are: a, b"
      ),
      (.noSuchLine(line: "x", chip: nil), "no line is named \"x\""),
      (.noSuchLine(line: "x", chip: "c"), "no line is named \"x\" on chip \"c\""),
      (
        .ambiguousLine(line: "x", chips: ["c line 1", "d line 2"]),
        "line \"x\" is in several places (c line 1, d line 2): say which, with chip and offset"
      ),
      (
        .offsetOutOfRange(offset: 54, chip: "c", lines: 54),
        "line 54 is not on chip \"c\", which has lines 0 to 53"
      ),
      (
        .offsetOutOfRange(offset: 0, chip: "c", lines: 0),
        "line 0 is not on chip \"c\", which has no lines"
      ),
      (.busy(line: "x", consumer: "gpioset"), "line x is in use by \"gpioset\""),
      (
        .busy(line: "x", consumer: ""),
        "line x is in use by the kernel or a program that gives no name"
      ),
      (
        .permissionDenied(path: "/dev/gpiochip0", group: "gpio"),
        "no permission to open /dev/gpiochip0: the user must be in its group, \"gpio\""
      ),
      (
        .permissionDenied(path: "/dev/gpiochip0", group: nil),
        "no permission to open /dev/gpiochip0: a udev rule must give it to a group of the user's"
      ),
      (
        .noHeader(present: ["gpiochip0 [pl061]"]),
        "no GPIO chip has a Raspberry Pi's header, for 'bcm' and 'header'; there are: "
          + "gpiochip0 [pl061]"
      ),
      (.system(call: "read", line: "x", code: 19), "line x: read: No such device"),
    ]
    for (error, text) in table { XCTAssertEqual("\(error)", text) }
  }
}
