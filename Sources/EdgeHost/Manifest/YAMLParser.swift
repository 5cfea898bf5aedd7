import CYAML
import Transport

/// Reads one YAML document into a tree, with libyaml.
///
/// A manifest is data for people to read, so YAML's machinery for shared structure (anchors,
/// aliases, merge keys), its tags and further documents are refused, and so is a key given twice.
/// These mistakes are reported and reading goes on; a syntax error or an exceeded bound ends it.
struct YAMLParser: ~Copyable {
  /// Parses `bytes`; nil after a mistake that leaves no document.
  static func parse(_ bytes: [UInt8], problems: ProblemList) -> YAMLNode? {
    // libyaml insists on an address, which no bytes may not have.
    if bytes.isEmpty {
      problems.report(Mark(line: 1, column: 1), emptyMessage)
      return nil
    }
    return parse(nonempty: bytes, problems)
  }

  private static func parse(nonempty bytes: [UInt8], _ problems: ProblemList) -> YAMLNode? {
    bytes.withUnsafeBufferPointer { bytes in
      // A byte order mark is a wrong character to libyaml when it need not guess the encoding.
      let hasMark = bytes.starts(with: [0xef, 0xbb, 0xbf])
      var parser = YAMLParser(UnsafeBufferPointer(rebasing: bytes[(hasMark ? 3 : 0)...]), problems)
      return try? parser.document()
    }
  }

  /// Thrown after the reason was reported.
  private struct Stopped: Error {}

  /// libyaml's parser points into itself, so it has a fixed address.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeBufferPointer<UInt8>
  private let problems: ProblemList
  private let texts: YAMLTexts
  private let isReady: Bool
  private var nodeCount = 0

  private init(_ input: UnsafeBufferPointer<UInt8>, _ problems: ProblemList) {
    self.input = input
    self.problems = problems
    texts = YAMLTexts(capacity: input.count)
    parser = .allocate(capacity: 1)
    isReady = yaml_parser_initialize(parser) == 1
    if isReady {
      yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }
  }

  deinit {
    if isReady { yaml_parser_delete(parser) }
    parser.deallocate()
  }
}

// MARK: - Structure

extension YAMLParser {
  private mutating func document() throws(Stopped) -> YAMLNode {
    while true {
      let event = try next()
      switch event.kind {
      case .streamStart, .documentStart, .documentEnd, .none: continue
      case .streamEnd: throw stop(event.mark, Self.emptyMessage)
      case .alias, .scalar, .sequenceStart, .sequenceEnd, .mappingStart, .mappingEnd:
        let root = try node(event, depth: 0)
        try expectEnd()
        if case .scalar(let scalar) = root.content, scalar.isNull {
          throw stop(Mark(line: 1, column: 1), Self.emptyMessage)
        }
        return root
      }
    }
  }

  private mutating func expectEnd() throws(Stopped) {
    while true {
      let event = try next()
      switch event.kind {
      case .streamEnd: return
      case .documentStart:
        problems.report(event.mark, "a manifest is one document: a second one begins here")
        return
      default: continue
      }
    }
  }

  private mutating func node(_ event: Event, depth: Int) throws(Stopped) -> YAMLNode {
    nodeCount += 1
    if nodeCount > ManifestLimits.nodesMax {
      throw stop(event.mark, "too many values: a manifest has at most \(ManifestLimits.nodesMax)")
    }
    if event.isAnchored {
      problems.report(event.mark, "anchors (&name) are not supported: write the values out")
    }
    if event.hasForeignTag {
      problems.report(event.mark, "tags (!name) are not supported: write the value alone")
    }
    let content: YAMLNode.Content
    switch event.kind {
    case .scalar(let scalar): content = event.hasForeignTag ? .refused : .scalar(scalar)
    case .sequenceStart: content = .sequence(try items(from: event.mark, depth: depth + 1))
    case .mappingStart: content = .mapping(try entries(from: event.mark, depth: depth + 1))
    case .alias:
      problems.report(event.mark, "aliases (*name) are not supported: write the values out")
      content = .refused
    // libyaml never puts these where a value must be.
    case .none, .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
      throw stop(event.mark, "not valid YAML: expected a value")
    }
    return YAMLNode(mark: event.mark, content: content)
  }

  private mutating func items(from mark: Mark, depth: Int) throws(Stopped) -> [YAMLNode] {
    try checkDepth(depth, mark)
    var items: [YAMLNode] = []
    while true {
      let event = try next()
      if case .sequenceEnd = event.kind { return items }
      items.append(try node(event, depth: depth))
    }
  }

  private mutating func entries(from mark: Mark, depth: Int) throws(Stopped) -> [YAMLEntry] {
    try checkDepth(depth, mark)
    var entries: [YAMLEntry] = []
    while true {
      let event = try next()
      if case .mappingEnd = event.kind { return entries }
      let key = try node(event, depth: depth)
      let value = try node(try next(), depth: depth)
      guard let name = keyName(key) else { continue }
      if let first = entries.first(where: { $0.name.equals(name) }) {
        problems.report(key.mark, "\(quoted: name.bytes) is given twice: first at \(first.mark)")
        continue
      }
      if entries.count == ManifestLimits.keysMax {
        throw stop(key.mark, "too many keys: at most \(ManifestLimits.keysMax) in one mapping")
      }
      entries.append(YAMLEntry(name: name, mark: key.mark, value: value))
    }
  }

  /// nil after a report, or for a key that was refused already.
  private func keyName(_ key: YAMLNode) -> YAMLText? {
    switch key.content {
    case .scalar(let scalar):
      if !scalar.isText && matches(scalar.bytes, "<<") {
        problems.report(key.mark, "merge keys (<<) are not supported: write the keys out")
        return nil
      }
      if scalar.text.isEmpty {
        problems.report(key.mark, "a key is missing before ':'")
        return nil
      }
      return scalar.text
    case .sequence, .mapping:
      problems.report(key.mark, "a key must be a word, not a list or a mapping")
      return nil
    case .refused: return nil
    }
  }

  private func checkDepth(_ depth: Int, _ mark: Mark) throws(Stopped) {
    if depth > ManifestLimits.depthMax {
      throw stop(mark, "nested too deeply: at most \(ManifestLimits.depthMax) levels")
    }
  }

  private static var emptyMessage: Text {
    "the manifest is empty: it needs at least 'capabilities', the list of what the board offers"
  }

  private func stop(_ mark: Mark, _ message: Text) -> Stopped {
    problems.report(mark, message)
    return Stopped()
  }
}

// MARK: - Events

extension YAMLParser {
  private struct Event {
    enum Kind {
      case none, streamStart, streamEnd, documentStart, documentEnd, alias, sequenceStart
      case sequenceEnd, mappingStart, mappingEnd
      case scalar(YAMLScalar)
    }

    var kind = Kind.none
    let mark: Mark
    var isAnchored = false
    /// A tag other than the one the value has anyway.
    var hasForeignTag = false
  }

  private mutating func next() throws(Stopped) -> Event {
    guard isReady else { throw stop(Mark(line: 1, column: 1), "out of memory") }
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
    defer { yaml_event_delete(&event) }
    var result = Event(mark: Mark(event.start_mark))
    switch event.type {
    case YAML_STREAM_START_EVENT: result.kind = .streamStart
    case YAML_STREAM_END_EVENT: result.kind = .streamEnd
    case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
    case YAML_ALIAS_EVENT: result.kind = .alias
    case YAML_SEQUENCE_START_EVENT:
      result.kind = .sequenceStart
      result.isAnchored = event.data.sequence_start.anchor != nil
      result.hasForeignTag = isForeign(event.data.sequence_start.tag, "tag:yaml.org,2002:seq")
    case YAML_SEQUENCE_END_EVENT: result.kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      result.kind = .mappingStart
      result.isAnchored = event.data.mapping_start.anchor != nil
      result.hasForeignTag = isForeign(event.data.mapping_start.tag, "tag:yaml.org,2002:map")
    case YAML_MAPPING_END_EVENT: result.kind = .mappingEnd
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let text = texts.append(UnsafeBufferPointer(start: scalar.value, count: scalar.length))
      let isText = scalar.tag != nil || scalar.style != YAML_PLAIN_SCALAR_STYLE
      result.kind = .scalar(YAMLScalar(text, isText: isText))
      result.isAnchored = scalar.anchor != nil
      result.hasForeignTag = isForeign(scalar.tag, "tag:yaml.org,2002:str")
    default: break
    }
    return result
  }

  /// `!` alone means "as it is written", which for a scalar is text.
  private func isForeign(_ tag: UnsafeMutablePointer<yaml_char_t>?, _ own: StaticString) -> Bool {
    guard let tag else { return false }
    return !equals(tag, own) && !equals(tag, "!")
  }

  private func equals(_ text: UnsafeMutablePointer<yaml_char_t>, _ word: StaticString) -> Bool {
    word.withUTF8Buffer { word in
      // The NUL that ends `text` differs from every byte of `word`, so this never reads past it.
      for index in word.indices where text[index] != word[index] { return false }
      return text[word.count] == 0
    }
  }
}

// MARK: - Syntax errors

extension YAMLParser {
  /// Reports what libyaml found, in its words.
  private func syntaxError() -> Stopped {
    let problem = parser.pointee.problem.map { String(cString: $0) } ?? "out of memory"
    var message: Text = "not valid YAML: \(problem)"
    if parser.pointee.error == YAML_READER_ERROR {
      return stop(mark(atByte: Int(clamping: parser.pointee.problem_offset)), message)
    }
    if byte(atCharacter: Int(clamping: parser.pointee.problem_mark.index)) == UInt8(ascii: "\t") {
      message.append("; indent with spaces, not with tabs")
    }
    if let context = parser.pointee.context {
      message += " (\(String(cString: context)), begun at \(Mark(parser.pointee.context_mark)))"
    }
    return stop(Mark(parser.pointee.problem_mark), message)
  }

  /// The reader knows only how many bytes it had read.
  private func mark(atByte offset: Int) -> Mark {
    var mark = Mark(line: 1, column: 1)
    var last: UInt8 = 0
    for byte in input.prefix(offset) {
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        if !(byte == UInt8(ascii: "\n") && last == UInt8(ascii: "\r")) { mark.line += 1 }
        mark.column = 1
      } else if byte & 0xc0 != 0x80 {
        mark.column += 1
      }
      last = byte
    }
    return mark
  }

  private func byte(atCharacter index: Int) -> UInt8? {
    var remaining = index
    for byte in input where byte & 0xc0 != 0x80 {
      if remaining == 0 { return byte }
      remaining -= 1
    }
    return nil
  }
}

extension Mark {
  fileprivate init(_ mark: yaml_mark_t) {
    line = UInt32(clamping: mark.line) &+ 1
    column = UInt32(clamping: mark.column) &+ 1
  }
}
