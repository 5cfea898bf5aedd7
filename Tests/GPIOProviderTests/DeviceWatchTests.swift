import XCTest

@testable import GPIOProvider

final class DeviceWatchTests: XCTestCase {
  private func tells(_ news: DeviceWatch.News, _ parts: String...) -> Bool {
    DeviceWatch.tells(news, Array((parts.joined(separator: "\0") + "\0").utf8)[...])
  }

  func testWhichEventsAreNews() {
    let chip = ["remove@/devices/gpiochip2", "ACTION=remove", "SUBSYSTEM=gpio"]
    XCTAssertTrue(tells(.chips, chip[0], chip[1], chip[2]))
    XCTAssertFalse(tells(.arrivals, chip[0], chip[1], chip[2]))
    for action in ["add", "bind"] {
      XCTAssertTrue(tells(.arrivals, "\(action)@/devices/28-0", "ACTION=\(action)", "SUBSYSTEM=w1"))
    }
    XCTAssertFalse(tells(.arrivals, "change@/devices/28-0", "ACTION=change", "SUBSYSTEM=w1"))
    XCTAssertFalse(tells(.chips, "add@/devices/28-0", "ACTION=add", "SUBSYSTEM=w1"))
  }

  func testWhatIsNoEvent() {
    for news: DeviceWatch.News in [.chips, .arrivals] {
      XCTAssertFalse(DeviceWatch.tells(news, []))
      XCTAssertFalse(tells(news, "", "", ""))
      XCTAssertFalse(tells(news, "ACTION=adder", "SUBSYSTEM=gpios"))
      XCTAssertFalse(DeviceWatch.tells(news, [0xff, 0, 0xfe, 0][...]))
    }
  }
}
