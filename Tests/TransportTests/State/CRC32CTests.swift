import XCTest

@testable import Transport

final class CRC32CTests: XCTestCase {
  /// RFC 3720, B.4, and the catalogue's text.
  func testVectors() {
    let vectors: [([UInt8], UInt32)] = [
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      (Array(0..<32), 0x46DD_794E),
      (Array((0..<32).reversed()), 0x113F_DB5C),
      (bytes("123456789"), 0xE306_9283),
      ([], 0),
    ]
    for (input, check) in vectors { XCTAssertEqual(crc32c(input.span), check, "\(input)") }
  }
}
