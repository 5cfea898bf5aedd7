import Transport
import XCTest

final class BootIDTests: XCTestCase {
  private func boot(_ text: String) -> BootID? { BootID(kernel: Array(text.utf8).span) }

  func testTheKernelsTextIsReadAndWritten() throws {
    let text = "0b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1f0"
    let boot = try XCTUnwrap(boot(text + "\n"))
    XCTAssertEqual(boot.bytes.prefix(5), [0x0b, 0x62, 0xa1, 0xf4, 0x8d])
    XCTAssertEqual(boot.text, text)
    XCTAssertEqual(self.boot(text.uppercased()), boot)
    XCTAssertEqual(BootID(boot.bytes), boot)
  }

  func testAnythingElseIsRefused() {
    for text in [
      "", "\n", "0b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1f", "0b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1f00",
      "0b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1fg", "0-b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1f0",
      "0b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1f0 ", "\n0b62a1f4-8d0c-4c1e-9d57-3a54c3a3b1f0",
    ] {
      XCTAssertNil(boot(text), text)
    }
    XCTAssertNil(BootID([UInt8](repeating: 1, count: 15)))
  }

  func testTheKernelTellsTheSameEachTime() {
    XCTAssertEqual(BootID.ofKernel(), BootID.ofKernel())
  }

  /// Without one nothing of another run may be taken for this boot's.
  func testWithoutTheKernelsEachRunIsABootOfItsOwn() {
    XCTAssertNotEqual(
      BootID.ofKernel(path: "/nonexistent"), BootID.ofKernel(path: "/nonexistent"))
    XCTAssertNotEqual(BootID.ofKernel(path: "/proc/self/cmdline"), BootID.ofKernel())
  }
}
