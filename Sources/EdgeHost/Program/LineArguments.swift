import GPIOProvider
import Transport

// The command lines of commands for lines: `gpio ...`, `get` and `set`.

extension Arguments {
  private static let pulse: ClosedRange<Duration> = .milliseconds(1) ... .seconds(3_600)

  /// `gpio ACTION ...`
  func gpioRequest() throws(UsageError) -> GPIORequest {
    guard positional.count > 1 else {
      throw UsageError(message: "gpio needs list, scan, names, get, set, pulse or watch")
    }
    let words = Array(positional[2...])
    let direct = ["--chip", "--active-low", "--bias", "--socket", "--json", "--timeout"]
    let request: GPIORequest
    switch positional[1] {
    case "list":
      try allow(["--json"], positional: .max)
      request = GPIORequest(.list)
      request.names = words
    case "scan":
      try allow(["--manifest"], positional: 2)
      request = GPIORequest(.scan)
    case "names":
      try allow(["--socket"], positional: 2)
      request = GPIORequest(.names)
    case "get":
      try allow(direct + ["--numeric"], positional: .max)
      request = GPIORequest(.get)
      request.names = words
    case "set":
      try allow(direct + ["--hold", "--lease"], positional: .max)
      request = GPIORequest(.set)
      for word in words {
        guard let (name, value) = word.cut(at: UInt8(ascii: "=")), !name.utf8.isEmpty else {
          throw UsageError(message: "\"\(word)\" is not NAME=VALUE")
        }
        request.names.append(name)
        request.values.append(try Arguments.state(value))
      }
    case "pulse":
      try allow(direct, positional: 4)
      guard words.count == 2 else { throw UsageError(message: "gpio pulse needs NAME DURATION") }
      request = GPIORequest(.pulse)
      request.names = [words[0]]
      request.duration = try Arguments.pulse(words[1], "the pulse's")
    case "watch":
      try allow(direct + ["--count"], positional: .max)
      request = GPIORequest(.watch)
      request.names = words
    default:
      throw UsageError(
        message: """
          "\(positional[1])" is no action of gpio: list, scan, names, get, set, pulse and watch are
          """)
    }
    if request.names.isEmpty, request.action == .get || request.action == .set {
      throw UsageError(message: "gpio \(positional[1]) needs the NAME of a line")
    }
    for (index, name) in request.names.enumerated() {
      if request.names[..<index].contains(where: { $0 == name }) {
        throw UsageError(message: "\"\(name)\" is given twice")
      }
    }
    try setOptions(of: request)
    return request
  }

  private func setOptions(of request: GPIORequest) throws(UsageError) {
    request.json = option("--json") != nil
    request.isNumeric = option("--numeric") != nil
    request.isActiveLow = option("--active-low") != nil
    request.manifest = option("--manifest")
    request.chip = option("--chip")
    request.socket = option("--socket")
    request.count = try count()
    request.timeout = try duration("--timeout")
    request.hold = try duration("--hold")
    request.lease = try duration("--lease")
    if request.chip != nil && request.socket != nil {
      throw UsageError(message: "--chip takes lines directly, --socket through a host: say one")
    }
    switch option("--bias") {
    case nil, "as-is"?: break
    case "pull-up"?: request.bias = .pullUp
    case "pull-down"?: request.bias = .pullDown
    case "disabled"?: request.bias = .disabled
    case let text?:
      throw UsageError(
        message: "--bias \(text) must be as-is, disabled, pull-up or pull-down")
    }
  }

  /// `get HOST/NAME` and `set HOST/NAME VALUE`
  func lineRequest(
    _ operation: String, _ environment: (String) -> String?
  ) throws(UsageError) -> CallRequest {
    let isSet = operation == "set"
    let options = ["--lattice"] + (isSet ? ["--pulse", "--lease"] : ["--numeric"])
    try allow(Arguments.ofOperators + options, positional: isSet ? 3 : 2)
    guard positional.count == (isSet ? 3 : 2),
      let (host, name) = positional[1].cut(at: UInt8(ascii: "/"))
    else {
      throw UsageError(
        message: isSet ? "set needs HOST/NAME and on or off" : "get needs HOST/NAME")
    }
    var request = CallRequest(
      lattice: lattice(environment), host: host, capability: "gpio", operation: operation,
      arguments: ["name=" + name])
    if !isSet {
      request.form = option("--numeric") != nil ? .number : .value
      request.triesSensors = true
      return request
    }
    request.form = .nothing
    request.arguments.append(
      try Arguments.state(positional[2]) ? "active=true" : "active=false")
    if let text = option("--pulse") {
      let pulse = try Arguments.pulse(text, "--pulse")
      request.arguments.append(("pulse_ms=\(pulse.milliseconds)" as Text).string)
    }
    if let lease = try duration("--lease") {
      request.arguments.append(("lease_ms=\(lease.milliseconds)" as Text).string)
    }
    return request
  }

  /// The board bounds it too; here the message can say it in the caller's words.
  private static func pulse(_ text: String, _ name: String) throws(UsageError) -> Duration {
    let duration = try duration(text, name)
    if pulse.contains(duration) { return duration }
    throw UsageError(message: "\(name) \(text) must be between 1ms and 1h")
  }

  private static func state(_ text: String) throws(UsageError) -> Bool {
    if let state = LineText.state(text) { return state }
    throw UsageError(
      message: "\"\(text)\" is no state of a line: say active or inactive, on or off, 1 or 0")
  }
}

/// `HOST/NAME`, where each may have the wildcard `*` for any run of characters.
struct NamePattern: Equatable {
  let host: String
  let name: String

  init(_ text: String) throws(UsageError) {
    guard let (host, name) = text.cut(at: UInt8(ascii: "/")) else {
      throw UsageError(message: "\"\(text)\" is not HOST/NAME")
    }
    for part in [host, name] {
      let bytes = part.utf8.filter { $0 != UInt8(ascii: "*") }
      // What is left besides the wildcards must be possible in a name.
      if part.utf8.isEmpty || !bytes.isEmpty && !Name.isValid(bytes) {
        throw UsageError(message: "\"\(part)\" in \"\(text)\" can be no name, nor a pattern of one")
      }
    }
    self.host = host
    self.name = name
  }

  /// What is subscribed to. NATS knows wildcards for whole tokens only; the rest is left to `matches`.
  func subject(lattice: String) -> String {
    ("edge.\(lattice).\(token(host)).*.\(token(name)).*" as Text).string
  }

  /// Whether an event's subject is meant: `edge.LATTICE.HOST.CAPABILITY.NAME.KIND`.
  func matches(_ subject: Span<UInt8>) -> Bool {
    var tokens = TokenReader(subject)
    var index = 0
    while let token = tokens.next() {
      let bytes = subject.extracting(token).array
      if index == 2 && !NamePattern.isMatch(bytes[...], host.bytes[...]) { return false }
      if index == 4 && !NamePattern.isMatch(bytes[...], name.bytes[...]) { return false }
      index += 1
    }
    return index == 6
  }

  private func token(_ pattern: String) -> String {
    pattern.utf8.contains(UInt8(ascii: "*")) ? "*" : pattern
  }

  /// Goes back to the last `*` at most, so that it takes no longer than one length times the other.
  static func isMatch(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
    var (place, next) = (text.startIndex, pattern.startIndex)
    var star: (pattern: Int, text: Int)?
    while place < text.endIndex {
      if next < pattern.endIndex, pattern[next] == UInt8(ascii: "*") {
        next += 1
        star = (next, place)
      } else if next < pattern.endIndex, pattern[next] == text[place] {
        next += 1
        place += 1
      } else if let last = star {
        place = last.text + 1
        star = (last.pattern, place)
        next = last.pattern
      } else {
        return false
      }
    }
    return pattern[next...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
