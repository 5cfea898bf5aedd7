import XCTest

@testable import Transport

final class ServerURLTests: XCTestCase {
  func testGoodAddresses() throws {
    let table: [(String, host: String, port: UInt16, shown: String)] = [
      ("nats://127.0.0.1:4222", "127.0.0.1", 4222, "nats://127.0.0.1:4222"),
      ("nats://hub", "hub", 4222, "nats://hub:4222"),
      ("hub", "hub", 4222, "nats://hub:4222"),
      ("hub:5222", "hub", 5222, "nats://hub:5222"),
      ("NATS://Hub.Example.:1", "Hub.Example.", 1, "nats://Hub.Example.:1"),
      ("nats://hub.example:65535/", "hub.example", 65535, "nats://hub.example:65535"),
      ("nats://wh_7-leaf", "wh_7-leaf", 4222, "nats://wh_7-leaf:4222"),
      ("nats://[fd00::7]:4223", "fd00::7", 4223, "nats://[fd00::7]:4223"),
      ("[::1]", "::1", 4222, "nats://[::1]:4222"),
      ("[::]", "::", 4222, "nats://[::]:4222"),
      ("[fd00::]", "fd00::", 4222, "nats://[fd00::]:4222"),
      ("[1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8", 4222, "nats://[1:2:3:4:5:6:7:8]:4222"),
      ("[::ffff:10.0.0.7]:1", "::ffff:10.0.0.7", 1, "nats://[::ffff:10.0.0.7]:1"),
      ("[fe80::1%eth0]", "fe80::1%eth0", 4222, "nats://[fe80::1%eth0]:4222"),
    ]
    for (text, host, port, shown) in table {
      let url = try ServerURL(parsing: text)
      XCTAssertEqual(url.host, host, text)
      XCTAssertEqual(url.port, port, text)
      XCTAssertEqual(url.description, shown, text)
    }
  }

  func testTLS() throws {
    for text in ["tls://hub", "TLS://hub:4222/", "tls://hub:4222"] {
      if TLSConfiguration.isAvailable {
        let url = try ServerURL(parsing: text)
        XCTAssertTrue(url.requiresTLS)
        XCTAssertEqual(url.description, "tls://hub:4222")
      } else {
        XCTAssertThrowsError(try ServerURL(parsing: text)) { error in
          XCTAssertEqual(error as? ServerURLError, .tls)
        }
      }
    }
    XCTAssertThrowsError(try ServerURL(parsing: "tls6://hub")) { error in
      XCTAssertEqual(error as? ServerURLError, .scheme("tls6"))
    }
    XCTAssertFalse(try ServerURL(parsing: "nats://hub").requiresTLS)
    XCTAssertFalse(try ServerURL(parsing: "hub").requiresTLS)
  }

  func testBadAddresses() {
    let table: [(String, ServerURLError)] = [
      ("", .empty),
      ("http://hub", .scheme("http")),
      ("ws\u{1b}[2J://hub", .scheme("ws?[2J")),
      ("://hub", .scheme("")),
      ("nats://", .missingHost),
      ("nats://:4222", .missingHost),
      ("nats:///", .missingHost),
      ("nats://token@hub", .credentials),
      ("nats://ann:se/cret@hub", .credentials),
      ("user:pass@hub:4222", .credentials),
      ("token@hub://4222", .credentials),
      ("nats://hub:0", .port("0")),
      ("nats://hub:", .port("")),
      ("nats://hub:65536", .port("65536")),
      ("nats://hub:4294967297", .port("4294967297")),
      ("nats://hub:42x", .port("42x")),
      ("nats://hub:-1", .port("-1")),
      ("nats://hub:4222/lattice", .path),
      ("nats://hub?tls=1", .path),
      ("nats://a b", .host("a b")),
      ("nats://a..b", .host("a..b")),
      ("nats://.", .host(".")),
      ("nats://h\u{fc}b", .host("h??b")),
      ("nats://a,nats://b", .path),
      ("a,b", .host("a,b")),
      ("nats://10.0.0", .host("10.0.0")),
      ("nats://10.0.0.256", .host("10.0.0.256")),
      ("nats://fd00::7", .bareIPv6),
      ("nats://[fd00::7", .host("[fd00::7")),
      ("nats://[fd00::7]4222", .host("[fd00::7]4222")),
      ("nats://[]", .host("[]")),
      ("nats://[:]", .host("[:]")),
      ("nats://[:::]", .host("[:::]")),
      ("nats://[1::2::3]", .host("[1::2::3]")),
      ("nats://[1:2:3:4:5:6:7]", .host("[1:2:3:4:5:6:7]")),
      ("nats://[1:2:3:4:5:6:7:8:9]", .host("[1:2:3:4:5:6:7:8:9]")),
      ("nats://[12345::]", .host("[12345::]")),
      ("nats://[10.0.0.7]", .host("[10.0.0.7]")),
      ("nats://[hub]", .host("[hub]")),
      ("nats://[fe80::1%]", .host("[fe80::1%]")),
      (String(repeating: "a", count: 64), .host(String(repeating: "a", count: 40) + "...")),
    ]
    for (text, expected) in table {
      XCTAssertThrowsError(try ServerURL(parsing: text), text) {
        XCTAssertEqual($0 as? ServerURLError, expected, text)
      }
    }
  }

  func testAMessageNeverRepeatsASecret() {
    for text in [
      "nats://ann:hunter2@hub", "nats://hunter2@", "hunter2@hub/x", "nats://a/hunter2@b",
    ] {
      XCTAssertThrowsError(try ServerURL(parsing: text)) {
        XCTAssertFalse("\($0)".contains("hunter2"), text)
      }
    }
  }

  /// Invariant: any text gives an address or a `ServerURLError`, and an address survives its own
  /// description.
  func testAnyTextIsParsedOrRefused() throws {
    var state: UInt64 = 7
    let alphabet = Array("nats:/[]@.0123456789abcf%-_ \u{0}\u{e9}".unicodeScalars)
    for _ in 0..<20_000 {
      var text = state & 1 == 0 ? "nats://" : ""
      for _ in 0..<(state >> 33) % 24 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text.unicodeScalars.append(alphabet[Int((state >> 33) % UInt64(alphabet.count))])
      }
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      guard let url = try? ServerURL(parsing: text) else { continue }
      XCTAssertEqual(try ServerURL(parsing: url.description), url, text)
    }
  }
}
