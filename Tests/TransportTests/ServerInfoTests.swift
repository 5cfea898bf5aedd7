import XCTest

@testable import Transport

final class ServerInfoTests: XCTestCase {
  private func info(_ text: String) throws -> ServerInfo { try ServerInfo(json: bytes(text).span) }

  private func reason(_ text: String) -> JSONError.Reason? {
    do throws(JSONError) {
      _ = try ServerInfo(json: bytes(text).span)
      return nil
    } catch {
      return error.reason
    }
  }

  /// As nats-server 2.9.10 sends it.
  func testRealInfo() throws {
    let info = try info(
      """
      {"server_id":"NBZYEI7IVZ2WEKEW6MBTXSKXQ5KSYOZLDKEXUCJRPC6ZKIRNHZTBLLIA",\
      "server_name":"NBZYEI7IVZ2WEKEW6MBTXSKXQ5KSYOZLDKEXUCJRPC6ZKIRNHZTBLLIA","version":"2.9.10",\
      "proto":1,"git_commit":"not set","go":"go1.19.4","host":"127.0.0.1","port":4222,\
      "headers":true,"auth_required":true,"tls_required":false,"max_payload":1048576,\
      "jetstream":true,"client_id":5,"client_ip":"127.0.0.1","nonce":"q2lGVHNNaFlNbkE",\
      "cluster":"hub","domain":"hub","connect_urls":["10.0.0.1:4222","10.0.0.2:4222"],"ldm":true}\u{20}
      """)
    var expected = ServerInfo()
    expected.serverID = "NBZYEI7IVZ2WEKEW6MBTXSKXQ5KSYOZLDKEXUCJRPC6ZKIRNHZTBLLIA"
    expected.version = "2.9.10"
    expected.maxPayload = 1_048_576
    expected.supportsHeaders = true
    expected.isLameDuck = true
    expected.nonce = "q2lGVHNNaFlNbkE"
    expected.domain = "hub"
    expected.connectURLs = [
      try ServerURL(parsing: "10.0.0.1:4222"), try ServerURL(parsing: "10.0.0.2:4222"),
    ]
    XCTAssertEqual(info, expected)
  }

  /// An address that is of no use takes nothing from the others; their number is bounded.
  func testOtherServers() throws {
    XCTAssertNil(try info("{}").connectURLs)
    XCTAssertNil(try info(#"{"connect_urls":null}"#).connectURLs)
    XCTAssertEqual(try info(#"{"connect_urls":[]}"#).connectURLs, [])
    let urls = try info(#"{"connect_urls":["","a b","x:0","[fd00::7]:4223","hub:4222"]}"#)
      .connectURLs
    XCTAssertEqual(urls?.map { $0.text.string }, ["nats://[fd00::7]:4223", "nats://hub:4222"])
    let many = (1...500).map { #""hub-\#($0):4222""# }.joined(separator: ",")
    XCTAssertEqual(try info(#"{"connect_urls":[\#(many)]}"#).connectURLs?.count, 16)
    for bad in [#"{"connect_urls":1}"#, #"{"connect_urls":[1]}"#, #"{"connect_urls":[["a"]]}"#] {
      XCTAssertEqual(reason(bad), .unexpectedType, bad)
    }
  }

  func testNothingSaidMeansDefaults() throws {
    XCTAssertEqual(try info("{}"), ServerInfo())
    XCTAssertEqual(try info(" \t{ } \r\n"), ServerInfo())
  }

  func testUnknownKeysOfEveryType() throws {
    let info = try info(
      """
      {"a":null,"b":[1,[2,{"headers":false}]],"c":{"d":{"version":"no"},"e":[]},"f":"\\u0041",\
      "g":-1.5e3,"version":"2","h":true}
      """)
    XCTAssertEqual(info.version, "2")
    XCTAssertFalse(info.supportsHeaders)
  }

  func testLastOfDuplicatesWins() throws {
    XCTAssertEqual(try info(#"{"version":"1","version":"2"}"#).version, "2")
    XCTAssertFalse(try info(#"{"headers":true,"headers":false}"#).supportsHeaders)
  }

  func testLimits() throws {
    XCTAssertEqual(try info(#"{"max_payload":1}"#).maxPayload, 1)
    XCTAssertEqual(try info(#"{"max_payload":9223372036854775807}"#).maxPayload, .max)
    for text in ["0", "-1", "-9223372036854775808"] {
      XCTAssertEqual(try info("{\"max_payload\":\(text)}").maxPayload, 1 << 20)
    }
  }

  func testWrongTypesAreRefused() {
    for text in [
      #"{"server_id":1}"#, #"{"version":null}"#, #"{"max_payload":"1"}"#, #"{"max_payload":1.5}"#,
      #"{"max_payload":9223372036854775808}"#, #"{"headers":1}"#, #"{"headers":"true"}"#,
      #"{"tls_required":[]}"#, #"{"tls_available":{}}"#, #"{"ldm":null}"#, "[]", "1", "\"x\"",
      "null",
    ] {
      XCTAssertEqual(reason(text), .unexpectedType, text)
    }
  }

  func testMalformedTextIsRefused() {
    XCTAssertEqual(reason(""), .unexpectedEnd)
    XCTAssertEqual(reason("{"), .unexpectedEnd)
    XCTAssertEqual(reason("{}{}"), .trailingBytes)
    XCTAssertEqual(reason(#"{"a":1,}"#), .unexpectedByte)
    XCTAssertEqual(reason("{\"a\":" + String(repeating: "[", count: 40)), .tooDeep)
  }

  func testEveryPrefixIsRefused() {
    let whole = bytes(#"{"version":"2.9 ☃","headers":true,"x":[1,{"y":null}],"max_payload":12}"#)
    for length in whole.indices {
      XCTAssertThrowsError(try ServerInfo(json: Array(whole[..<length]).span), "\(length)")
    }
  }
}
