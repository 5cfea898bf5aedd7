import XCTest

@testable import Transport

/// Vectors: made with the Python package nkeys 0.2.1; signatures of RFC 8032, section 7.1.
final class NKeyTests: XCTestCase {
  private static let vectors:
    [(seed: String, publicKey: String, nonce: String, signature: String)] =
      [
        (
          "SUAB3ODUBWE2WP2ADWJGYCYYIYAC5MO2IPEHZSEUWGJJHFYQVBWXOIRBXA",
          "UDCJ2BUGVQDF57ZTSDVUAPAMGPI4VLTFJPQ4GHPOVNJNRZUDTOERWDW2", "PXoWU7zWAMt75FY",
          "EfWBi3lRtD--gB3W22wPxLX2nTgqabjBzqR6G-fY287dZ78MM1nyKBjdZPb2_H6k4byZlIDL2IX-pYspBWxyCg"
        ),
        (
          "SUADXAOX2JGG547WB4VZWPN3GUXXATPZPINGPHLUOP42SRHZ3FQAHP4HV4",
          "UB4UISJHWEQKIGZU7GSDVT4CVNCAMATKXAVFPD5ANQHRBUL6BPC7DBG3", "",
          "xqpaemWeXlZ_4IkBb1PQfL_7nLaLClInyuPRYigzEOYJi4tlyMenxUxgsBCXJnlf1ytH_E3OkzB1Q3hmGX00AQ"
        ),
        (
          "SUAGNORQGGCGRHCFUOUZQI44T33HE3N7XYJAW3IFCT2RQVVLVOFKT4X7NU",
          "UC4RWAOSM6TZUZW4YCGEOHU7OVTLU7WOI7BQLPT4RBCZUZ3AF2WW3SU7", "nonce-2",
          "XeVhsLWigv3endWqwIxnK9tK900Bik8j552etNhVT-7H64IQ5gs2vov2tPBM58BwRiYWkGZi_ExE6ah0j1QSCQ"
        ),
        (
          "SUAJPUSYZL5J5M4MZTITC5V5IWVBASCJCNKF7PCAPRS3T5BDDGUKUH5QYY",
          "UACGU5ILWJCUVOZKT5WNY65LZT5OUNCED3SHU6A6FRSYTHWWOCAKQSZH", "nonce-3",
          "nXpP0anxKQDAqWR_TE8WRCv773RGVdzNiCZoglp5b20dLtbLp46qO8kliR_QFbRNzrlfgSTRz7tk4lrw3s2JDQ"
        ),
      ]

  private static let rfc8032: [(seed: String, message: [UInt8], signature: String)] = [
    (
      "SUAJ2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YALCA", [],
      """
      e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
      d25bf5f0595bbe24655141438e7a100b
      """
    ),
    (
      "SUAEZTIITMUP7FW2TW3MGRXMCFHA6W4KGGPTLK5GETNIZ5XNJ64KN63OVI", [0x72],
      """
      92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
      387b2eaeb4302aeeb00d291612bb0c00
      """
    ),
    (
      "SUAMLKUN6Q7Z7A335W3UILZR3S33CZWTQU2QO3YJJOC44OROBNCFR54NIM", [0xAF, 0x82],
      """
      6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
      4a7c15e9716ed28dc027beceea1ec40a
      """
    ),
  ]

  private func key(_ seed: String) throws(NKeyError) -> NKey {
    try NKey(seed: Array(seed.utf8).span)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  func testPublicKeyAndSignature() throws {
    for vector in Self.vectors {
      let key = try key(vector.seed)
      XCTAssertEqual(text(key.publicKey), vector.publicKey)
      XCTAssertEqual(text(key.signature(of: Array(vector.nonce.utf8).span)), vector.signature)
    }
  }

  func testSignaturesOfRFC8032() throws {
    for vector in Self.rfc8032 {
      var raw: [UInt8] = []
      let digits = Array(vector.signature.utf8)
      for index in stride(from: 0, to: digits.count, by: 2) {
        raw.append(try XCTUnwrap(UInt8(text(Array(digits[index...index + 1])), radix: 16)))
      }
      let signature = try key(vector.seed).signature(of: vector.message.span)
      XCTAssertEqual(text(signature), text(encodeBase64URL(raw.span)))
    }
  }

  func testEverySingleChangeIsNoticed() throws {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    let seed = Array(Self.vectors[0].seed.utf8)
    for index in seed.indices {
      for character in alphabet where character != seed[index] {
        var changed = seed
        changed[index] = character
        XCTAssertNil(try? NKey(seed: changed.span), "\(index): \(character)")
      }
    }
  }

  func testWhatIsNoUserSeed() {
    func check(_ seed: String, _ expected: NKeyError, line: UInt = #line) {
      XCTAssertThrowsError(try key(seed), line: line) { error in
        XCTAssertEqual(error as? NKeyError, expected, line: line)
      }
    }
    check("", .length(0))
    check(Self.vectors[0].publicKey, .length(56))
    check(Self.vectors[0].publicKey + "AA", .notASeed)
    check(Self.vectors[0].seed + "A", .length(59))
    check(Self.vectors[0].seed.replacingLast(with: "!"), .character(offset: 57))
    check(Self.vectors[0].seed.lowercased(), .character(offset: 0))
    // The same key as an account's and as an operator's.
    check("SAAB3ODUBWE2WP2ADWJGYCYYIYAC5MO2IPEHZSEUWGJJHFYQVBWXOIWSOQ", .notAUser)
    check("SOAB3ODUBWE2WP2ADWJGYCYYIYAC5MO2IPEHZSEUWGJJHFYQVBWXOIU6AY", .notAUser)
    check("SUAB3ODUBWE2WP2ADWJGYCYYIYAC5MO2IPEHZSEUWGJJHFYQVBWXOIRBXB", .checksum)
  }

  func testErrorsDoNotRepeatTheSeed() {
    let errors: [NKeyError] = [
      .length(3), .character(offset: 5), .notASeed, .checksum, .notAUser,
    ]
    for error in errors { XCTAssertFalse(error.description.contains("SUAB3")) }
  }

  func testChecksumAndEncodings() {
    // The check value of CRC-16/XMODEM, and RFC 4648, section 10.
    XCTAssertEqual(crc16(Array("123456789".utf8).span), 0x31C3)
    for (plain, base32) in [
      ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"),
      ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI"),
    ] {
      XCTAssertEqual(text(encodeBase32(Array(plain.utf8).span)), base32)
      var decoded = [UInt8](repeating: 0xFF, count: plain.utf8.count)
      XCTAssertNil(decodeBase32(Array(base32.utf8).span, into: &decoded, capacity: decoded.count))
      XCTAssertEqual(text(decoded), plain)
    }
    for (plain, base64) in [
      ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
    ] {
      XCTAssertEqual(text(encodeBase64URL(Array(plain.utf8).span)), base64)
    }
    XCTAssertEqual(text(encodeBase64URL([0xFB, 0xFF, 0xBF].span)), "-_-_")
  }
}

extension String {
  fileprivate func replacingLast(with character: Character) -> String {
    String(dropLast()) + String(character)
  }
}
