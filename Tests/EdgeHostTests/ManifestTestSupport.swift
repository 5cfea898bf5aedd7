import XCTest

@testable import EdgeHost

/// Decodes a manifest that must be good; no variable is set.
func goodManifest(
  _ text: String, variables: [String: String] = [:], file: StaticString = #filePath,
  line: UInt = #line
) throws -> Manifest {
  do {
    return try ManifestFile.decode(Array(text.utf8), from: "m.yaml", lookUp: { variables[$0] })
  } catch {
    XCTFail("\(error)", file: file, line: line)
    throw error
  }
}

/// The mistakes of a manifest, each as `LINE:COLUMN: MESSAGE`.
func mistakes(_ bytes: [UInt8]) -> [String] {
  do {
    _ = try ManifestFile.decode(bytes, from: "m", lookUp: { _ in nil })
    return []
  } catch {
    return error.description.split(separator: "\n").map { String($0.dropFirst("m:".count)) }
  }
}

func assertMistakes(
  _ text: String, _ expected: [String], file: StaticString = #filePath, line: UInt = #line
) {
  XCTAssertEqual(mistakes(Array(text.utf8)), expected, "in:\n\(text)", file: file, line: line)
}
