import Foundation
import XCTest

@testable import Transport

final class RFC3339Tests: XCTestCase {
  private static let second: Int64 = 1_000_000_000

  /// Texts in the form that is written, with their times: read and written.
  private static let canonical: [(Int64, String)] = [
    (0, "1970-01-01T00:00:00.000000000Z"),
    (1, "1970-01-01T00:00:00.000000001Z"),
    (-1, "1969-12-31T23:59:59.999999999Z"),
    (951_782_400 * second, "2000-02-29T00:00:00.000000000Z"),
    (951_868_800 * second, "2000-03-01T00:00:00.000000000Z"),
    (1_709_164_800 * second, "2024-02-29T00:00:00.000000000Z"),
    (4_107_542_400 * second, "2100-03-01T00:00:00.000000000Z"),
    (-2_203_891_200 * second, "1900-03-01T00:00:00.000000000Z"),
    (1_793_692_483 * second + 120_000_034, "2026-11-03T07:54:43.120000034Z"),
    (.max, "2262-04-11T23:47:16.854775807Z"),
    (.min, "1677-09-21T00:12:43.145224192Z"),
  ]

  func testWritesAndReadsTheCanonicalForm() {
    for (nanoseconds, text) in Self.canonical {
      XCTAssertEqual(Timestamp(nanoseconds: nanoseconds).rfc3339, text)
      XCTAssertEqual(parse(text)?.nanoseconds, nanoseconds, text)
    }
  }

  func testReadsOffsetsFractionsAndLowerCase() {
    let table: [(String, String)] = [
      ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000000Z"),
      ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000000000Z"),
      ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000000Z"),
      ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000000Z"),
      ("2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.000000000Z"),
      ("2026-01-01T00:00:00+23:59", "2025-12-31T00:01:00.000000000Z"),
      ("2026-01-01T00:00:00.000000009Z", "2026-01-01T00:00:00.000000009Z"),
      // Leap seconds, in UTC and with an offset (RFC 3339 section 5.8).
      ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000000000Z"),
      ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000000000Z"),
    ]
    for (text, expected) in table { XCTAssertEqual(parse(text)?.rfc3339, expected, text) }
  }

  func testRefusesWhatIsNotADate() {
    let bad = [
      "", "Z", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z",
      "2026-1-01T00:00:00Z", "26-01-01T00:00:00Z", "+2026-01-01T00:00:00Z",
      "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z",
      "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z",
      "2100-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z", "2026-01-01T23:59:60+01:00",
      "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00,5Z",
      "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+0100",
      "2026-01-01T00:00:00+01", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ",
      "2026-01-01T00:00:0\u{0663}Z", "2026-01-01T00:00:-1Z",
      // Beyond the range of a Timestamp by a nanosecond, by centuries.
      "2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z",
      "1677-09-21T00:12:42.999999999Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    ]
    for text in bad { XCTAssertNil(parse(text), text) }
  }

  func testEveryPrefixOfADateIsRefused() {
    let text = Array("2026-11-03T07:54:43.120000034+01:30".utf8)
    for length in 0..<text.count {
      let prefix = Array(text[..<length])
      XCTAssertNil(Timestamp(rfc3339: prefix.span), "prefix of \(length) bytes")
    }
    XCTAssertNotNil(Timestamp(rfc3339: text.span))
  }

  func testRandomBytesNeverTrap() {
    let seed: UInt64 = 0x5EED_0001
    var state = seed
    for _ in 0..<20_000 {
      // One or two bytes of a good date are replaced: nearly right is where parsers break.
      var bytes = Array("2026-11-03T07:54:43.120000034Z".utf8)
      for _ in 0..<2 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 56)
      }
      if let time = Timestamp(rfc3339: bytes.span) {
        XCTAssertEqual(parse(time.rfc3339), time, "seed \(seed)")
      }
    }
  }

  func testAgreesWithTheCalendarOfFoundation() {
    let formatter = ISO8601DateFormatter()
    // One time of day in each 11 days and some, over the whole range.
    var seconds: Int64 = -9_223_372_036
    while seconds <= 9_223_372_036 {
      let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
      let text = Timestamp(nanoseconds: seconds * Self.second).rfc3339
      XCTAssertEqual(text.prefix(19), expected.prefix(19))
      XCTAssertEqual(parse(expected)?.nanoseconds, seconds * Self.second)
      seconds += 1_009_003
    }
  }

  private func parse(_ text: String) -> Timestamp? {
    let bytes = Array(text.utf8)
    return Timestamp(rfc3339: bytes.span)
  }
}
