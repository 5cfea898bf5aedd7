import CLinux
import Transport

/// What the command line asks for.
indirect enum Command: Equatable {
  case run(ManifestPath)
  case check(ManifestPath, showsLimits: Bool)
  case hosts(OperatorOptions)
  case call(CallRequest, OperatorOptions)
  case watch(WatchRequest, OperatorOptions)
  case gpio(GPIORequest)
  case sensors(json: Bool)
  case safe(ManifestPath, json: Bool)
  case setup(SetupRequest, OperatorOptions)
  case journal(JournalRequest)
  case version
  case help
}

/// Which manifest, and how it is read.
struct ManifestPath: Equatable {
  var path: String
  /// Replaces `${NAME}` by the environment's values first, as waSCC manifests expect.
  var expandsEnvironment = false
  /// `check` only: leaves alone the files that the manifest names.
  var skipsFiles = false
}

struct CallRequest: Equatable {
  var lattice: String
  var host: String
  /// `describe`, or capability and operation.
  var capability: String
  var operation: String
  var arguments: [String]
  /// What is printed of the answer.
  var form = Form.table
  /// Whether a name that is no line is asked for as a sensor.
  var triesSensors = false

  enum Form: Equatable {
    /// Every field.
    case table
    /// The state of the line, or the value of the sensor.
    case value
    /// The same as a number alone.
    case number
    case nothing
  }
}

struct WatchRequest: Equatable {
  var subject: String
  /// Ends after this many messages; nil: never.
  var count: Int64?
  /// Answers durable events: "they are kept here".
  var acknowledges: Bool
  /// Of the hosts and of the lines and sensors whose events are printed; nil: all that comes.
  var pattern: NamePattern?
}

/// A command line that cannot be understood, in words for who typed it.
struct UsageError: Error {
  let message: Text
}

/// Reads a command line. The first word is the command; options stand anywhere after it.
struct Arguments {
  private(set) var positional: [String] = []
  private var options: [(name: String, value: String)] = []

  /// Options that take a value; all others are switches.
  private static let valued = [
    "--manifest", "--server", "--lattice", "--timeout", "--count", "--socket", "--chip", "--bias",
    "--hold", "--lease", "--pulse", "--creds", "--nkey", "--tlsca", "--tlscert", "--tlskey",
    "--name", "--max-bytes", "--max-age", "--duplicate-window", "--replicas", "--domain",
    "--file",
  ]
  private static let switches = [
    "--json", "--acknowledge", "--expand-env", "--no-files", "--limits", "--active-low",
    "--numeric", "--dry-run",
  ]
  /// As libgpiod's tools have them.
  private static let short = [
    ("-c", "--chip"), ("-l", "--active-low"), ("-b", "--bias"), ("-n", "--count"),
  ]

  /// The program's arguments without its name.
  static func ofProcess() -> [String] {
    var buffer = [CChar](repeating: 0, count: 64 * 1024)
    let length = linux_arguments(&buffer, buffer.count)
    if length <= 0 { return [] }
    var arguments: [String] = []
    var word: [UInt8] = []
    for byte in buffer.prefix(Int(length)) {
      if byte != 0 {
        word.append(UInt8(bitPattern: byte))
        continue
      }
      arguments.append(word.string)
      word.removeAll(keepingCapacity: true)
    }
    return Array(arguments.dropFirst())
  }

  /// - Parameter environment: looks up an environment variable.
  static func command(
    _ words: [String], environment: (String) -> String?
  ) throws(UsageError) -> Command {
    if words.includes("--help") || words.includes("-h") { return .help }
    if words.includes("--version") { return .version }
    let arguments = try Arguments(words)
    guard let name = arguments.positional.first else {
      // The form that waSCC users know: `--manifest FILE` alone runs the host.
      if arguments.option("--manifest") == nil { throw UsageError(message: "no command given") }
      return .run(try arguments.manifest(positional: 0))
    }
    return try arguments.command(named: name, environment)
  }

  private init(_ words: [String]) throws(UsageError) {
    var index = 0
    while index < words.count {
      let word = Arguments.long(words[index])
      index += 1
      if !word.begins(with: "--") {
        positional.append(word)
        continue
      }
      let parts = word.cut(at: UInt8(ascii: "="))
      let name = parts?.before ?? word
      if Arguments.switches.includes(name) {
        if parts != nil { throw UsageError(message: "\(name) takes no value") }
        options.append((name, ""))
      } else if Arguments.valued.includes(name) {
        if let value = parts?.after {
          options.append((name, value))
        } else if index < words.count, !words[index].begins(with: "--") {
          options.append((name, words[index]))
          index += 1
        } else {
          throw UsageError(message: "\(name) needs a value")
        }
      } else {
        throw UsageError(message: "unknown option \(word)")
      }
    }
  }

  private static func long(_ word: String) -> String {
    for (short, long) in Arguments.short where short == word { return long }
    return word
  }

  private func command(
    named name: String, _ environment: (String) -> String?
  ) throws(UsageError) -> Command {
    switch name {
    case "help":
      return .help
    case "run":
      return .run(try manifest(positional: 1))
    case "check":
      try allow(["--expand-env", "--no-files", "--limits"], positional: 2)
      guard positional.count == 2 else { throw UsageError(message: "check needs a FILE") }
      return .check(
        ManifestPath(
          path: positional[1], expandsEnvironment: option("--expand-env") != nil,
          skipsFiles: option("--no-files") != nil),
        showsLimits: option("--limits") != nil)
    case "hosts":
      try allow(Arguments.ofOperators, positional: 1)
      return .hosts(try operatorOptions(environment))
    case "call":
      try allow(Arguments.ofOperators + ["--lattice"], positional: .max)
      return .call(try callRequest(environment), try operatorOptions(environment))
    case "watch":
      return .watch(try watchRequest(environment), try operatorOptions(environment))
    case "get", "set":
      return .call(try lineRequest(name, environment), try operatorOptions(environment))
    case "gpio":
      return .gpio(try gpioRequest())
    case "sensors":
      guard positional.count > 1, positional[1] == "list" else {
        throw UsageError(message: "sensors needs list")
      }
      try allow(["--json"], positional: 2)
      return .sensors(json: option("--json") != nil)
    case "setup":
      return .setup(try setupRequest(), try operatorOptions(environment))
    case "safe":
      try allow(["--manifest", "--expand-env", "--json"], positional: 1)
      return .safe(try manifest(), json: option("--json") != nil)
    case "journal":
      return .journal(try journalRequest(environment))
    default:
      throw UsageError(message: "unknown command \"\(name)\"")
    }
  }

  private func manifest(positional count: Int) throws(UsageError) -> ManifestPath {
    try allow(["--manifest", "--expand-env"], positional: count)
    return try manifest()
  }

  private func manifest() throws(UsageError) -> ManifestPath {
    guard let path = option("--manifest") else {
      throw UsageError(message: "\(positional.first ?? "run") needs --manifest FILE")
    }
    return ManifestPath(path: path, expandsEnvironment: option("--expand-env") != nil)
  }

  private func callRequest(_ environment: (String) -> String?) throws(UsageError) -> CallRequest {
    let lattice = lattice(environment)
    if positional.count >= 3, positional[2] == "describe" {
      try allowPositional(3)
      return CallRequest(
        lattice: lattice, host: positional[1], capability: "", operation: "describe",
        arguments: [])
    }
    guard positional.count >= 4 else {
      throw UsageError(message: "call needs HOST CAPABILITY OPERATION, or HOST describe")
    }
    return CallRequest(
      lattice: lattice, host: positional[1], capability: positional[2], operation: positional[3],
      arguments: Array(positional[4...]))
  }

  private func watchRequest(
    _ environment: (String) -> String?
  ) throws(UsageError) -> WatchRequest {
    let subject = positional.count > 1 ? positional[1] : "edge.>"
    // A name within a whole subject may have a slash, too.
    let isPattern = !subject.begins(with: "edge.") && subject.utf8.contains(UInt8(ascii: "/"))
    let options = ["--count", "--acknowledge"] + (isPattern ? ["--lattice"] : [])
    try allow(Arguments.ofOperators + options, positional: 2)
    var request = WatchRequest(
      subject: subject, count: try count(), acknowledges: option("--acknowledge") != nil)
    if isPattern {
      let pattern = try NamePattern(request.subject)
      request.subject = pattern.subject(lattice: lattice(environment))
      request.pattern = pattern
    }
    return request
  }

  func count() throws(UsageError) -> Int64? {
    guard let text = option("--count") else { return nil }
    guard let number = Int64(text), number > 0 else {
      throw UsageError(message: "--count \(text) is no positive number")
    }
    return number
  }

  func lattice(_ environment: (String) -> String?) -> String {
    option("--lattice") ?? Arguments.variable("LATTICE_NAMESPACE", environment) ?? "default"
  }

  /// The duration that an option gives.
  func duration(_ name: String) throws(UsageError) -> Duration? {
    guard let text = option(name) else { return nil }
    return try Arguments.duration(text, name)
  }

  /// - Parameter name: what messages call it.
  static func duration(_ text: String, _ name: String) throws(UsageError) -> Duration {
    guard let nanoseconds = try? Quantity.duration.parse(text.bytes), nanoseconds > 0 else {
      throw UsageError(message: "\(name) \(text) is no duration such as 5s or 500ms")
    }
    return Duration(nanoseconds: nanoseconds)
  }

  /// An environment variable; the empty one counts as none.
  static func variable(_ name: String, _ environment: (String) -> String?) -> String? {
    guard let value = environment(name), !value.utf8.isEmpty else { return nil }
    return value
  }

  /// The value of an option; the last one given counts.
  func option(_ name: String) -> String? {
    var value: String?
    for option in options where option.name == name { value = option.value }
    return value
  }

  func allow(_ names: [String], positional limit: Int) throws(UsageError) {
    for option in options where !names.includes(option.name) {
      throw UsageError(message: "\(option.name) does not belong to this command")
    }
    try allowPositional(limit)
  }

  private func allowPositional(_ limit: Int) throws(UsageError) {
    if positional.count > limit {
      throw UsageError(message: "\"\(positional[limit])\" is one argument too many")
    }
  }
}
