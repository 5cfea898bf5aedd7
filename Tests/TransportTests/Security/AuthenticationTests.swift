import CLinux
import XCTest

@testable import Transport

final class AuthenticationTests: XCTestCase {
  private var folder = ""

  override func setUpWithError() throws {
    folder = NSTemporaryDirectory() + "edge-host-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  override func tearDown() { try? FileManager.default.removeItem(atPath: folder) }

  private func file(_ text: String, _ name: String = "secret") throws -> FileReference {
    let path = folder + "/" + name
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return try FileReference(parsing: path)
  }

  private func connect(
    _ authentication: Authentication, nonce: String = "PXoWU7zWAMt75FY", usesTLS: Bool = false
  ) throws -> [String: Any] {
    let options = ConnectionOptions(servers: [], name: "dock-7", version: "0.1.0")
    let argument = try options.connectArgument(
      try authentication.read(), nonce: Array(nonce.utf8).span, usesTLS: usesTLS)
    let object = try JSONSerialization.jsonObject(with: Data(argument.bytes.array))
    return try XCTUnwrap(object as? [String: Any])
  }

  private func failure(_ authentication: Authentication) -> AuthenticationError? {
    do throws(AuthenticationError) {
      _ = try authentication.read()
      return nil
    } catch {
      return error
    }
  }

  func testNone() throws {
    let json = try connect(.none, nonce: "")
    XCTAssertEqual(json["name"] as? String, "dock-7")
    XCTAssertEqual(json["tls_required"] as? Bool, false)
    for key in ["auth_token", "user", "pass", "nkey", "jwt", "sig"] { XCTAssertNil(json[key]) }
    XCTAssertFalse(Authentication.none.isSecret)
  }

  func testToken() throws {
    let json = try connect(.token(try file("s3cr\"et\\ é\n")), usesTLS: true)
    XCTAssertEqual(json["auth_token"] as? String, "s3cr\"et\\ é")
    XCTAssertEqual(json["tls_required"] as? Bool, true)
  }

  func testPassword() throws {
    let json = try connect(.password(user: "dock", try file("pass word\r\n")))
    XCTAssertEqual(json["user"] as? String, "dock")
    XCTAssertEqual(json["pass"] as? String, "pass word")
  }

  func testNKey() throws {
    let json = try connect(.nkey(try file("\n \(CredentialsLayoutTests.seed) \n")))
    XCTAssertEqual(
      json["nkey"] as? String, "UDCJ2BUGVQDF57ZTSDVUAPAMGPI4VLTFJPQ4GHPOVNJNRZUDTOERWDW2")
    XCTAssertEqual(
      json["sig"] as? String,
      "EfWBi3lRtD--gB3W22wPxLX2nTgqabjBzqR6G-fY287dZ78MM1nyKBjdZPb2_H6k4byZlIDL2IX-pYspBWxyCg")
  }

  func testCredentials() throws {
    let json = try connect(.credentials(try file(CredentialsLayoutTests.file)))
    XCTAssertEqual(json["jwt"] as? String, CredentialsLayoutTests.jwt)
    XCTAssertEqual(
      json["sig"] as? String,
      "EfWBi3lRtD--gB3W22wPxLX2nTgqabjBzqR6G-fY287dZ78MM1nyKBjdZPb2_H6k4byZlIDL2IX-pYspBWxyCg")
    XCTAssertNil(json["nkey"])
  }

  func testAReplacedFileIsReadAgain() throws {
    let authentication = Authentication.token(try file("old"))
    XCTAssertEqual(try connect(authentication)["auth_token"] as? String, "old")
    _ = try file("new")
    XCTAssertEqual(try connect(authentication)["auth_token"] as? String, "new")
  }

  func testKeysNeedANonce() throws {
    for authentication in [
      Authentication.nkey(try file(CredentialsLayoutTests.seed)),
      .credentials(try file(CredentialsLayoutTests.file, "creds")),
    ] {
      XCTAssertTrue(authentication.needsNonce)
      XCTAssertThrowsError(try connect(authentication, nonce: "")) { error in
        XCTAssertEqual(error as? AuthenticationError, .noNonce)
      }
    }
  }

  func testBadFiles() throws {
    let missing = try FileReference(parsing: folder + "/missing")
    XCTAssertEqual(
      failure(.token(missing))?.description, "\(missing.text): No such file or directory")
    let empty = try file("", "empty")
    XCTAssertEqual(failure(.token(empty)), .file(FileReadError(file: empty, problem: .empty)))
    let blank = try file(" \r\n\n", "blank")
    XCTAssertEqual(failure(.token(blank)), .noLine(blank))
    let two = try file("one\ntwo\n", "two")
    XCTAssertEqual(failure(.password(user: "u", two)), .severalLines(two))
    let control = try file("a\u{1}b", "control")
    XCTAssertEqual(failure(.token(control)), .controlCharacter(control))
    let large = try file(String(repeating: "a", count: 64 * 1024 + 1), "large")
    XCTAssertEqual(
      failure(.token(large)),
      .file(FileReadError(file: large, problem: .tooLarge(bytesMax: 64 * 1024))))
    let seed = try file("SUAB", "seed")
    XCTAssertEqual(failure(.nkey(seed)), .seed(seed, .length(4)))
    let credentials = try file("\n\nx", "creds")
    XCTAssertEqual(
      failure(.credentials(credentials))?.description,
      "\(credentials.text):3: no block BEGIN NATS USER JWT")
  }

  func testSizesOfFiles() throws {
    for count in [1, 4095, 4096, 4097, 8192, 32768, 65535, 65536] {
      let text = String(repeating: "k", count: count)
      let secret = try file(text, "size").read(bytesMax: 65536)
      XCTAssertEqual(secret.bytes.array, Array(text.utf8))
      secret.withPointer { XCTAssertEqual($0[count], 0) }
    }
  }

  func testALongSecretIsRefusedBeforeTheServerWould() throws {
    XCTAssertThrowsError(
      try connect(.token(try file(String(repeating: "\"", count: 3000))))
    ) { error in
      guard case .tooLong(let size, 4096)? = error as? AuthenticationError else {
        return XCTFail("\(error)")
      }
      XCTAssertGreaterThan(size, 6000)
    }
  }

  func testCredentialsOfTheService() throws {
    _ = try file("from systemd\n", "token")
    let reference = try FileReference(parsing: "credential:token")
    unsetenv("CREDENTIALS_DIRECTORY")
    XCTAssertEqual(
      failure(.token(reference)), .file(FileReadError(file: reference, problem: .noCredentials)))
    setenv("CREDENTIALS_DIRECTORY", folder, 1)
    defer { unsetenv("CREDENTIALS_DIRECTORY") }
    XCTAssertEqual(try connect(.token(reference))["auth_token"] as? String, "from systemd")
  }

  func testReferences() {
    for (text, expected) in [
      ("", FileReferenceError.empty), ("token", .relative), ("./token", .relative),
      ("credential:", .credentialName), ("credential:a/b", .credentialName),
      ("credential:..", .credentialName), ("/a\0b", .zeroByte),
      ("credential:" + String(repeating: "a", count: 256), .credentialName),
    ] {
      XCTAssertThrowsError(try FileReference(parsing: text)) { error in
        XCTAssertEqual(error as? FileReferenceError, expected, text)
      }
    }
    XCTAssertNoThrow(try FileReference(parsing: "credential:hub.creds"))
  }

  func testNothingShowsASecret() throws {
    let secret = Secret(copying: Array("hunter2".utf8).span)
    var dumped = ""
    dump(Proof.token(secret), to: &dumped)
    XCTAssertFalse("\(secret) \(Proof.token(secret)) \(dumped)".contains("hunter2"))
  }

  func testMemoryIsWiped() {
    var pointer: UnsafePointer<UInt8>?
    let count = 5000
    do {
      let secret = Secret(copying: [UInt8](repeating: 0xA5, count: count).span)
      secret.withPointer { pointer = $0 }
      XCTAssertEqual(secret.bytes[count - 1], 0xA5)
    }
    // The allocator may have put its own bytes at the beginning of what was freed.
    XCTAssertNotNil(pointer)
    let left = (64..<count).filter { pointer?[$0] == 0xA5 }
    XCTAssertEqual(left, [])
  }
}
