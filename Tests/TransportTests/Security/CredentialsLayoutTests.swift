import XCTest

@testable import Transport

final class CredentialsLayoutTests: XCTestCase {
  static let seed = "SUAB3ODUBWE2WP2ADWJGYCYYIYAC5MO2IPEHZSEUWGJJHFYQVBWXOIRBXA"
  static let jwt = "eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiJYIn0.c2lnbmF0dXJl"
  static let file = """
    -----BEGIN NATS USER JWT-----
    \(jwt)
    ------END NATS USER JWT------

    ************************* IMPORTANT *************************
    NKEY Seed printed below can be used to sign and prove identity.

    -----BEGIN USER NKEY SEED-----
    \(seed)
    ------END USER NKEY SEED------

    *************************************************************

    """

  private func layout(_ text: String) throws(CredentialsError) -> (jwt: String, seed: String) {
    let bytes = Array(text.utf8)
    let layout = try CredentialsLayout(bytes.span)
    return (
      String(decoding: bytes[layout.jwt], as: UTF8.self),
      String(decoding: bytes[layout.seed], as: UTF8.self)
    )
  }

  private func lines(of file: String) -> [String] {
    file.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  func testWhatToolsWrite() throws {
    XCTAssertEqual(try CredentialsLayout(Array(Self.file.utf8).span).seedLine, 9)
    for text in [
      Self.file, Self.file.replacing("\n", with: "\r\n"), Self.file.replacing("\n", with: "\n\n"),
      Self.file.replacing("\n", with: " \t\n  "), "\n\n" + Self.file,
      String(Self.file.dropLast(65)),
    ] {
      let found = try layout(text)
      XCTAssertEqual(found.jwt, Self.jwt)
      XCTAssertEqual(found.seed, Self.seed)
    }
  }

  func testOrderAndOtherBlocksDoNotMatter() throws {
    let lines = lines(of: Self.file)
    let text = (["---BEGIN NOTE---", "x", "y", "---END NOTE---"] + lines[7...9] + lines[0...2])
      .joined(separator: "\n")
    XCTAssertEqual(try layout(text).jwt, Self.jwt)
    XCTAssertEqual(try layout(text).seed, Self.seed)
  }

  func testMistakesHaveTheirLine() {
    func check(
      _ text: String, _ at: UInt32, _ problem: CredentialsError.Problem, line: UInt = #line
    ) {
      XCTAssertThrowsError(try layout(text), line: line) { error in
        let expected = CredentialsError(line: at, problem: problem)
        XCTAssertEqual(error as? CredentialsError, expected, line: line)
      }
    }
    let good = lines(of: Self.file)
    func without(_ index: Int) -> String {
      var lines = good
      lines.remove(at: index)
      return lines.joined(separator: "\n")
    }
    func with(_ index: Int, _ text: String) -> String {
      var lines = good
      lines[index] = text
      return lines.joined(separator: "\n")
    }
    check("", 0, .noJWT)
    check(Self.jwt, 1, .noJWT)
    check(good[0...2].joined(separator: "\n"), 3, .noSeed)
    check(without(0), 2, .unbegun)
    check(without(2), 4, .secondLine)
    check(without(9), 11, .secondLine)
    check(good[0...1].joined(separator: "\n"), 1, .unended)
    check(good[0...8].joined(separator: "\n"), 8, .unended)
    check(with(1, ""), 12, .noJWT)
    check(with(8, ""), 12, .noSeed)
    check(with(1, Self.jwt + "\n" + Self.jwt), 3, .secondLine)
    check(Self.file + Self.file, 14, .secondLine)
    for jwt in ["a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a b.c.d", "a+.b.c", "é.b.c"] {
      check(with(1, jwt), 2, .notAJWT)
    }
  }

  func testProofChecksTheSeed() throws {
    let bytes = Array(Self.file.replacing(Self.seed, with: Self.seed.dropLast() + "B").utf8)
    XCTAssertThrowsError(try Proof(credentials: Secret(copying: bytes.span))) { error in
      XCTAssertEqual(
        error as? CredentialsError, CredentialsError(line: 9, problem: .seed(.checksum)))
      XCTAssertFalse("\(error)".contains("SUAB"))
    }
  }
}
