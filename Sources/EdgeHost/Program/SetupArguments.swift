import Transport

extension Arguments {
  /// `setup stream` and its options.
  func setupRequest() throws(UsageError) -> SetupRequest {
    try allow(
      Arguments.ofOperators.filter { $0 != "--json" } + [
        "--name", "--lattice", "--max-bytes", "--max-age", "--duplicate-window", "--replicas",
        "--domain", "--dry-run",
      ], positional: 2)
    guard positional.count == 2, positional[1] == "stream" else {
      throw UsageError(message: "setup what? There is: setup stream")
    }
    var request = SetupRequest(domain: option("--domain"), isDryRun: option("--dry-run") != nil)
    if let name = option("--name") { request.stream.name = name }
    if let lattice = option("--lattice") {
      guard Name.isValid(lattice.bytes) else {
        throw UsageError(message: "--lattice \(lattice) is no name of a lattice")
      }
      request.stream.lattice = lattice
    }
    request.stream.maxBytes = try size("--max-bytes")
    request.stream.maxAge = try duration("--max-age")
    request.stream.duplicateWindow = try duration("--duplicate-window")
    if let replicas = option("--replicas") {
      guard let number = Int64(replicas), (1...5).contains(number) else {
        throw UsageError(message: "--replicas \(replicas) is no number from 1 to 5")
      }
      request.stream.replicas = number
    }
    return request
  }

  private func size(_ name: String) throws(UsageError) -> Int64? {
    guard let text = option(name) else { return nil }
    guard let bytes = try? Quantity.size.parse(text.bytes), bytes > 0 else {
      throw UsageError(message: "\(name) \(text) is no size such as 500MB or 10GB")
    }
    return bytes
  }
}
