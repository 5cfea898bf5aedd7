import Foundation
import Transport
import XCTest

@testable import EdgeHost

final class ManifestSecurityTests: XCTestCase {
  private func link(_ text: String) throws -> Manifest.Link {
    try goodManifest("link: \(text)\ncapabilities: []").link
  }

  private func assertLink(_ text: String, _ expected: String..., line: UInt = #line) {
    assertMistakes("link: \(text)\ncapabilities: []", expected, line: line)
  }

  func testEachKindOfAuthentication() throws {
    let file = try FileReference(parsing: "/etc/edge-host/secret")
    XCTAssertEqual(try link("{}").authentication, .none)
    XCTAssertEqual(
      try link("{auth: {token: /etc/edge-host/secret}}").authentication, .token(file))
    XCTAssertEqual(
      try link("{auth: {user: dock-7, password: /etc/edge-host/secret}}").authentication,
      .password(user: "dock-7", file))
    XCTAssertEqual(try link("{auth: {nkey: /etc/edge-host/secret}}").authentication, .nkey(file))
    XCTAssertEqual(
      try link("{auth: {creds: 'credential:hub'}}").authentication,
      .credentials(try FileReference(parsing: "credential:hub")))
  }

  func testMistakesOfAuthentication() {
    let one = "1:14: 'auth' needs one of token, user with password, nkey and creds"
    assertLink("{auth: {}}", one)
    assertLink("{auth: {token: /a, creds: /b}}", one)
    assertLink("{auth: {user: dock}}", one)
    assertLink(
      "{auth: {password: /a}}", "1:14: the authentication needs 'user': the user's name")
    assertLink("{auth: {user: dock, nkey: /a}}", "1:15: 'user' goes with 'password' only")
    assertLink(
      "{auth: {tokn: /a}}", one, "1:15: unknown key 'tokn': did you mean 'token'?")
    assertLink(
      "{auth: [a]}",
      "1:14: 'auth' must be a mapping of keys to values that describes the "
        + "authentication, not a list")
  }

  func testASecretInTheManifestIsRefusedAndNotRepeated() {
    for secret in ["hunter2", "SUAB3ODUBWE2WP2ADWJGYCYYIYAC5MO2IPEHZSEUWGJJHFYQVBWXOIRBXA"] {
      for kind in ["token", "nkey", "creds"] {
        let found = mistakes(
          Array("link: {auth: {\(kind): \(secret)}}\ncapabilities: []".utf8))
        XCTAssertEqual(found.count, 1)
        XCTAssertTrue(found.first?.contains("'\(kind)' names a file") == true, "\(found)")
        XCTAssertFalse(found.joined().contains(secret))
      }
    }
    assertLink(
      "{auth: {token: [hunter2]}}", "1:22: 'token' must be the path of a file, or credential:NAME")
  }

  func testTLS() throws {
    if !TLSConfiguration.isAvailable {
      return assertLink(
        "{tls: {}}",
        "1:13: this build has no TLS: leave out 'tls', or install a build with TLS")
    }
    XCTAssertNil(try link("{}").tls)
    XCTAssertEqual(try link("{tls: {}}").tls, TLSConfiguration())
    let tls = try XCTUnwrap(
      try link(
        "{tls: {ca: /ca, certificate: /c, key: /k, server_name: hub, handshake_first: true}}"
      ).tls)
    XCTAssertEqual(tls.authorities, try FileReference(parsing: "/ca"))
    XCTAssertEqual(tls.certificate, try FileReference(parsing: "/c"))
    XCTAssertEqual(tls.key, try FileReference(parsing: "/k"))
    XCTAssertEqual(tls.serverName, "hub")
    XCTAssertTrue(tls.handshakeFirst)
    assertLink("{tls: {certificate: /c}}", "1:27: 'certificate' needs 'key'")
    assertLink("{tls: {key: /c}}", "1:19: 'key' needs 'certificate'")
    assertLink(
      "{tls: {verify: false}}",
      "1:14: unknown key 'verify': the keys of TLS are ca, "
        + "certificate, key, server_name and handshake_first")
  }

  func testFilesAreCheckedWhenAsked() throws {
    let folder = NSTemporaryDirectory() + "edge-host-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data("-----BEGIN NATS USER JWT-----\nnot a jwt\n".utf8)
      .write(to: URL(fileURLWithPath: folder + "/hub.creds"))
    func problems(_ link: String) -> String {
      do {
        let text = "link: \(link)\ncapabilities: []"
        _ = try ManifestFile.decode(
          Array(text.utf8), from: "m", checkingFiles: true, lookUp: { _ in nil })
        return ""
      } catch {
        return error.description
      }
    }
    XCTAssertEqual(
      problems("{auth: {creds: \(folder)/hub.creds}}"),
      "m:1:22: 'creds': \(folder)/hub.creds:2: this is no JWT: three parts of base64url with dots "
        + "between them\n")
    XCTAssertEqual(
      problems("{auth: {token: \(folder)/none}}"),
      "m:1:22: 'token': \(folder)/none: No such file or directory\n")
    if TLSConfiguration.isAvailable {
      XCTAssertEqual(
        problems("{tls: {ca: \(folder)/hub.creds}}"),
        "m:1:13: 'tls': the file of authorities (ca) has no certificate that can be used\n")
    }
  }
}
