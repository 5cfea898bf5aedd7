import Foundation
import Transport
import XCTest

@testable import GPIOProvider

/// What can be tested without a GPIO chip: that anything else in its place is refused in words.
final class LinuxBoardTests: XCTestCase {
  private var folder = ""

  override func setUpWithError() throws {
    folder = NSTemporaryDirectory() + "edge-host-gpio-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  override func tearDownWithError() throws {
    try FileManager.default.removeItem(atPath: folder)
  }

  private func board() throws -> LinuxBoard {
    LinuxBoard(loop: try EventLoop(), devicePath: folder + "/gpiochip")
  }

  private func error(_ line: LineConfiguration) throws -> BoardError? {
    let board = try board()
    do throws(BoardError) { _ = try board.request(line, active: false) } catch { return error }
    return nil
  }

  func testWithoutChips() throws {
    XCTAssertEqual(try error(.inputLine("a")), .noSuchChip(chip: "gpiochip0", present: []))
    XCTAssertEqual(
      try error(.inputLine("a") { ($0.chip, $0.location) = (nil, .name("GPIO4")) }),
      .noSuchLine(line: "GPIO4", chip: nil))
  }

  func testWhatIsNoChipIsPassedOver() throws {
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: folder + "/gpiochip0"))
    try FileManager.default.createDirectory(
      atPath: folder + "/gpiochip1", withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/gpiochip2", withDestinationPath: "/dev/null")
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/gpiochip3", withDestinationPath: folder + "/none")
    let before = try descriptors()
    for _ in 0..<5 {
      XCTAssertEqual(
        try error(.outputLine("a", safe: .keep)), .noSuchChip(chip: "gpiochip0", present: []))
    }
    XCTAssertEqual(try descriptors(), before, "descriptors are left open")
  }

  func testADeniedChipIsNamed() throws {
    let path = folder + "/gpiochip0"
    try Data().write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    XCTAssertNil(DeviceGroup.name(of: path))
    // Root may open everything, so as root this asks as somebody else.
    let user = geteuid()
    if user == 0 { XCTAssertEqual(seteuid(65_534), 0) }
    defer { if user == 0 { XCTAssertEqual(seteuid(0), 0) } }
    XCTAssertEqual(try error(.inputLine("a")), .permissionDenied(path: path, group: nil))
  }

  func testTheGroupOfADeviceHasItsName() throws {
    let (device, groups) = (folder + "/gpiochip0", folder + "/group")
    try Data().write(to: URL(fileURLWithPath: device))
    try FileManager.default.setAttributes([.posixPermissions: 0o660], ofItemAtPath: device)
    let number = getegid()
    XCTAssertEqual(DeviceGroup.name(of: device, groups: groups), "\(number)", "without a list")
    try Data("a:x:1\(number):\nodd\n::\npins:x:\(number):pi,ops\nb:x:\(number)".utf8).write(
      to: URL(fileURLWithPath: groups))
    XCTAssertEqual(DeviceGroup.name(of: device, groups: groups), "pins")
    XCTAssertNil(DeviceGroup.name(of: folder + "/none", groups: groups))
  }

  func testAHandleThatWasNeverGivenIsRefused() throws {
    let board = try board()
    for index in [-1, 0, Int.max] {
      let handle = LineHandle(index: index)
      XCTAssertThrowsError(try board.isActive(handle))
      XCTAssertThrowsError(try board.setActive(handle, true))
      board.release(handle)
    }
    XCTAssertNil(board.deadline)
  }

  private func descriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
  }
}
