import XCTest

@testable import EdgeHost

final class HostNameTests: XCTestCase {
  func testTheKernelsNameAsOneToken() {
    let table: [(String, String)] = [
      ("dock-7", "dock-7"), ("raspberrypi", "raspberrypi"), ("pi.local", "pi-local"),
      ("DOCK_7", "DOCK_7"), ("dock-", "dock-"), ("-", "-"), ("", "edge-host"), ("..", "edge-host"),
      ("(none)", "(none)"), ("t\u{fc}r 7", "t-r-7"), ("a.>.*", "a"),
      (String(repeating: "x", count: 64), String(repeating: "x", count: 63)),
    ]
    for (kernel, name) in table {
      XCTAssertEqual(HostProgram.hostName(fromKernel: Array(kernel.utf8)), name, kernel)
      XCTAssertTrue(Name.isValid(Array(name.utf8)))
    }
  }
}
