import XCTest

@testable import EdgeHost

final class ManifestEnvironmentTests: XCTestCase {
  private func expand(_ text: String, _ variables: [String: String]) -> String? {
    ManifestEnvironment.expand(Array(text.utf8)) { variables[$0] }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  func testReferencesAreReplacedAsWaSCCDoes() {
    let variables = ["T": "/tmp", "A_1": "x y", "E": "", "R": "${T}"]
    let table: [(String, String)] = [
      ("$T", "$T"), ("${T}", "/tmp"), ("${U}", "${U}"), ("${T:/etc}", "/tmp"),
      ("${U:/etc}", "/etc"), ("${U:}", ""), ("${U:a:b}", "a:b"), ("${E:x}", ""), ("${A_1}", "x y"),
      ("${R}", "${T}"), ("a${T}b${T}", "a/tmpb/tmp"), ("", ""), ("$", "$"), ("${", "${"),
      ("${}", "${}"), ("${:x}", "${:x}"), ("${T", "${T"), ("${T\n}", "${T\n}"), ("$${T}", "$/tmp"),
      ("${T-x}", "${T-x}"), ("${${T}}", "${/tmp}"), ("{T}", "{T}"),
    ]
    for (text, expected) in table { XCTAssertEqual(expand(text, variables), expected, text) }
  }

  func testTheResultIsBounded() {
    let large = String(repeating: "x", count: 1_000)
    XCTAssertNotNil(expand(String(repeating: "${A}", count: 256), ["A": large]))
    XCTAssertNil(expand(String(repeating: "${A}", count: 257), ["A": large]))
    XCTAssertEqual(expand(String(repeating: "${", count: 100_000), [:])?.utf8.count, 200_000)
    XCTAssertEqual(expand(String(repeating: "${A:", count: 50_000), [:])?.utf8.count, 200_000)
    let fallback = String(repeating: "x", count: 1_020)
    XCTAssertEqual(expand("${A:\(fallback)}", [:]), fallback)
    XCTAssertEqual(expand("${A:\(fallback)x}", [:]), "${A:\(fallback)x}")
  }

  func testLatticeHostNamesTheServer() throws {
    let table: [(String, String)] = [
      ("", "nats://127.0.0.1:4222"), ("hub", "nats://hub:4222"), ("hub:5222", "nats://hub:5222"),
      ("nats://hub:5222", "nats://hub:5222"), ("10.0.0.7", "nats://10.0.0.7:4222"),
    ]
    for (value, expected) in table {
      let manifest = try goodManifest("capabilities: []", variables: ["LATTICE_HOST": value])
      XCTAssertEqual(manifest.link.servers.map(\.description), [expected])
    }
    let listed = try goodManifest(
      "capabilities: []\nlink: {servers: [leaf]}", variables: ["LATTICE_HOST": "hub"])
    XCTAssertEqual(listed.link.servers.map(\.description), ["nats://leaf:4222"])
  }

  func testAWrongLatticeHostIsNamed() {
    XCTAssertThrowsError(
      try ManifestFile.decode(
        Array("capabilities: []".utf8), from: "m", lookUp: { _ in "ws://hub" })
    ) {
      XCTAssertEqual(
        "\($0)", "LATTICE_HOST: the scheme 'ws' is not supported: say nats://HOST:PORT\n")
    }
  }
}
