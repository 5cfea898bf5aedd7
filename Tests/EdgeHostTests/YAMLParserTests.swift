import Transport
import XCTest

@testable import EdgeHost

final class YAMLParserTests: XCTestCase {
  /// The tree in one line: `{key@1:1=value@1:6 ...}`, text in quotes.
  private func tree(_ text: String) -> String {
    let problems = ProblemList()
    guard let root = YAMLParser.parse(Array(text.utf8), problems: problems) else { return "nil" }
    XCTAssertTrue(problems.isEmpty, problems.errors(in: "").description)
    return describe(root)
  }

  private func describe(_ node: YAMLNode) -> String {
    let mark = ("\(node.mark)" as Text).string
    switch node.content {
    case .scalar(let scalar):
      let text = String(decoding: scalar.bytes, as: UTF8.self)
      return (scalar.isText ? "\"\(text)\"" : text) + "@\(mark)"
    case .sequence(let nodes): return "[\(nodes.map(describe).joined(separator: " "))]@\(mark)"
    case .mapping(let entries):
      let shown = entries.map {
        "\(String(decoding: $0.key, as: UTF8.self))@\(("\($0.mark)" as Text).string)="
          + describe($0.value)
      }
      return "{\(shown.joined(separator: " "))}@\(mark)"
    case .refused: return "refused@\(mark)"
    }
  }

  func testPlacesOfKeysAndValues() {
    XCTAssertEqual(
      tree("a: 1\nb:\n  - x\n  - {c: 'd'}\n"),
      "{a@1:1=1@1:4 b@2:1=[x@3:5 {c@4:6=\"d\"@4:9}@4:5]@3:3}@1:1")
  }

  func testColumnsCountCharacters() {
    XCTAssertEqual(tree("{\u{fc}\u{20ac}\u{1f600}: a}"), "{\u{fc}\u{20ac}\u{1f600}@1:2=a@1:7}@1:1")
  }

  func testWhichScalarsAreText() {
    XCTAssertEqual(
      tree("[1, '1', \"1\", !!str 1, ! 1, !!seq [], !!map {}]"),
      "[1@1:2 \"1\"@1:5 \"1\"@1:10 \"1\"@1:15 \"1\"@1:24 []@1:29 {}@1:39]@1:1")
    XCTAssertEqual(tree("- |\n  a\n- >\n  b\n"), "[\"a\n\"@1:3 \"b\n\"@3:3]@1:1")
  }

  func testABOMAndLineEndings() {
    XCTAssertEqual(tree("\u{feff}a: 1\r\nb: 2\r\n"), "{a@1:1=1@1:4 b@2:1=2@2:4}@1:1")
  }

  func testSharedStructureIsRefused() {
    assertMistakes(
      "capabilities: []\nlabels: {a: &x b, c: *x}\n",
      [
        "2:13: anchors (&name) are not supported: write the values out",
        "2:22: aliases (*name) are not supported: write the values out",
      ])
    assertMistakes(
      "capabilities: []\nhost: &h {name: a}\nlink: &l [a]\n",
      [
        "2:7: anchors (&name) are not supported: write the values out",
        "3:7: anchors (&name) are not supported: write the values out",
        "3:7: 'link' must be a mapping of keys to values that describes the link, not a list",
      ])
    assertMistakes(
      "capabilities: []\nhost:\n  <<: {name: a}\n",
      ["3:3: merge keys (<<) are not supported: write the keys out"])
    assertMistakes(
      "capabilities: !list []\nhost: {name: !!int 7}\nlabels: !x {}\n",
      [
        "1:15: tags (!name) are not supported: write the value alone",
        "2:14: tags (!name) are not supported: write the value alone",
        "3:9: tags (!name) are not supported: write the value alone",
      ])
  }

  func testKeys() {
    assertMistakes(
      "capabilities: []\n? [a]\n: b\n? {c: d}\n: e\n'': f\n",
      [
        "2:3: a key must be a word, not a list or a mapping",
        "4:3: a key must be a word, not a list or a mapping", "6:1: a key is missing before ':'",
      ])
    assertMistakes(
      "capabilities: []\n'capabilities': []\n",
      ["2:1: 'capabilities' is given twice: first at 1:1"])
  }

  func testSecondDocumentsAreRefused() {
    assertMistakes(
      "capabilities: []\n---\ncapabilities: []\n",
      ["2:1: a manifest is one document: a second one begins here"])
  }

  func testSyntaxErrorsInTheWordsOfLibyaml() {
    assertMistakes(
      "capabilities: [\n",
      [
        "2:1: not valid YAML: did not find expected node content "
          + "(while parsing a flow node, begun at 2:1)"
      ])
    assertMistakes(
      "a: b\n\tc: d\n",
      [
        "2:1: not valid YAML: found a tab character that violates indentation; indent with spaces, "
          + "not with tabs (while scanning a plain scalar, begun at 1:4)"
      ])
    assertMistakes(
      "# Indented by tabs\u{fc}\na:\n\tc: d\n",
      [
        "3:1: not valid YAML: found character that cannot start any token; indent with spaces, not "
          + "with tabs (while scanning for the next token, begun at 3:1)"
      ])
    assertMistakes(
      "host: {name: a}\n  b: c\n",
      [
        "2:3: not valid YAML: did not find expected key (while parsing a block mapping, begun "
          + "at 1:1)"
      ])
    assertMistakes(
      "a: b: c\n", ["1:5: not valid YAML: mapping values are not allowed in this context"])
    assertMistakes(
      "a: *x\nb: 'open\n",
      [
        "1:4: aliases (*name) are not supported: write the values out",
        "3:1: not valid YAML: found unexpected end of stream "
          + "(while scanning a quoted scalar, begun at 2:4)",
      ])
    assertMistakes(
      "a: \"\\ud800\"",
      [
        "1:7: not valid YAML: found invalid Unicode character escape code "
          + "(while parsing a quoted scalar, begun at 1:4)"
      ])
  }

  func testBytesThatAreNotText() {
    func assertBytes(_ bytes: [UInt8], _ expected: String, line: UInt = #line) {
      XCTAssertEqual(mistakes(bytes), [expected], line: line)
    }
    let prefix = Array("a: \u{fc}\r\nb: \u{20ac}".utf8)
    assertBytes(prefix + [0xff], "2:5: not valid YAML: invalid leading UTF-8 octet")
    assertBytes(prefix + [0xe2, 0x82], "2:5: not valid YAML: incomplete UTF-8 octet sequence")
    assertBytes(prefix + [0xe2, 0x41, 0x41], "2:6: not valid YAML: invalid trailing UTF-8 octet")
    assertBytes(prefix + [0xc0, 0x80], "2:5: not valid YAML: invalid length of a UTF-8 sequence")
    assertBytes(prefix + [0xed, 0xa0, 0x80], "2:5: not valid YAML: invalid Unicode character")
    assertBytes(prefix + [0], "2:5: not valid YAML: control characters are not allowed")
    assertBytes(
      [0xff, 0xfe] + "a".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] },
      "1:1: not valid YAML: invalid leading UTF-8 octet")
  }

  func testBounds() {
    let depth = String(repeating: "[", count: 16)
    let problems = ProblemList()
    XCTAssertNotNil(
      YAMLParser.parse(
        Array((depth + String(repeating: "]", count: 16)).utf8), problems: problems))
    assertMistakes(depth + "[", ["1:17: nested too deeply: at most 16 levels"])
    assertMistakes(
      String(repeating: "[", count: 200_000), ["1:17: nested too deeply: at most 16 levels"])
    assertMistakes(
      String(repeating: "- ", count: 100_000), ["1:33: nested too deeply: at most 16 levels"])
    assertMistakes(
      String(repeating: "? ", count: 100_000), ["1:33: nested too deeply: at most 16 levels"])
    assertMistakes(
      String(repeating: "- a\n", count: 20_000),
      ["16384:3: too many values: a manifest has at most 16384"])
    assertMistakes(
      (0..<300).map { "k\($0): 1\n" }.joined(), ["257:1: too many keys: at most 256 in one mapping"]
    )
  }
}
