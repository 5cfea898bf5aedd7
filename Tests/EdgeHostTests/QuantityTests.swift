import Transport
import XCTest

@testable import EdgeHost

final class QuantityTests: XCTestCase {
  private func parse(_ quantity: Quantity, _ text: String) -> Result<Int64, QuantityError> {
    do throws(QuantityError) {
      return .success(try quantity.parse(Array(text.utf8)))
    } catch {
      return .failure(error)
    }
  }

  func testDurationsInNanoseconds() {
    let table: [(String, Result<Int64, QuantityError>)] = [
      ("0s", .success(0)), ("100us", .success(100_000)), ("5ms", .success(5_000_000)),
      ("30s", .success(30_000_000_000)), ("5min", .success(300_000_000_000)),
      ("1h", .success(3_600_000_000_000)), ("2d", .success(172_800_000_000_000)),
      ("007s", .success(7_000_000_000)),
      ("9223372036s", .success(9_223_372_036_000_000_000)), ("9223372037s", .failure(.tooLarge)),
      ("9223372036854775808us", .failure(.tooLarge)),
      ("99999999999999999999s", .failure(.tooLarge)),
      ("", .failure(.noNumber)), ("s", .failure(.noNumber)), ("-1s", .failure(.noNumber)),
      (".5s", .failure(.noNumber)), ("+1s", .failure(.noNumber)),
      ("5", .failure(.missingUnit)), ("99999999999999999999", .failure(.missingUnit)),
      ("1.5s", .failure(.fraction)), ("1,5s", .failure(.fraction)), ("5 s", .failure(.space)),
      ("5m", .failure(.unknownUnit)), ("5S", .failure(.unknownUnit)),
      ("5sec", .failure(.unknownUnit)),
      ("5s ", .failure(.unknownUnit)), ("5\u{b5}s", .failure(.unknownUnit)),
      ("1h30min", .failure(.unknownUnit)), ("5kB", .failure(.unknownUnit)),
    ]
    for (text, expected) in table { XCTAssertEqual(parse(.duration, text), expected, text) }
  }

  func testSizesInBytes() {
    let table: [(String, Result<Int64, QuantityError>)] = [
      ("0B", .success(0)), ("512B", .success(512)), ("8kB", .success(8_000)),
      ("8KiB", .success(8_192)), ("16MB", .success(16_000_000)), ("16MiB", .success(16_777_216)),
      ("2GB", .success(2_000_000_000)), ("2GiB", .success(2_147_483_648)),
      ("9223372036GB", .success(9_223_372_036_000_000_000)),
      ("9223372037GB", .failure(.tooLarge)), ("8", .failure(.missingUnit)),
      ("8k", .failure(.unknownUnit)), ("8KB", .failure(.unknownUnit)),
      ("8s", .failure(.unknownUnit)),
    ]
    for (text, expected) in table { XCTAssertEqual(parse(.size, text), expected, text) }
  }

  func testTheShortestExactText() {
    let durations: [(Int64, String)] = [
      (0, "0us"), (1_000, "1us"), (1_500_000, "1500us"), (90_000_000_000, "90s"),
      (300_000_000_000, "5min"), (86_400_000_000_000, "1d"), (1, "1"),
    ]
    for (value, text) in durations { XCTAssertEqual(Quantity.duration.text(value).string, text) }
    let sizes: [(Int64, String)] = [
      (0, "0B"), (1_024, "1024B"), (64_000, "64kB"), (16_000_000, "16MB"), (1_500_000, "1500kB"),
    ]
    for (value, text) in sizes { XCTAssertEqual(Quantity.size.text(value).string, text) }
  }

  func testDecimalsAreRoundedAsTheLibraryRoundsThem() {
    for text in [
      "0", "1", "-1", "21.5", "-0.25", "0.1", "0.3", "1.005", "99.999999999999", "123456789012345",
      "0.00000000000001", "-273.15", "3.14159265358979", "00.5", "-0",
    ] {
      XCTAssertEqual(parseDecimal(Array(text.utf8).span), Double(text), text)
    }
    XCTAssertEqual(parseDecimal(Array("-0".utf8).span)?.sign, .minus)
    var state: UInt64 = 11
    for _ in 0..<10_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let whole = (state >> 20) % 10_000_000
      let text = "\(whole).\((state >> 5) % 100_000_000)"
      XCTAssertEqual(parseDecimal(Array(text.utf8).span), Double(text), text)
    }
    for text in [
      "", "-", ".", "1.", ".5", "+1", "nan", "1.2.3", "1-", "1e", "e1", "1e+", "--1",
    ] {
      XCTAssertNil(parseDecimal(Array(text.utf8).span), text)
    }
  }
}
