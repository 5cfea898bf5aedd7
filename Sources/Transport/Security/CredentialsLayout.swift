/// Where a `.creds` file has its two parts: a JWT and the seed of the user it is for, each on a line of
/// its own between lines of dashes that name it.
///
/// In goes the file's text, out come offsets; nothing is copied and no key is made.
///
///     -----BEGIN NATS USER JWT-----
///     eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiO...
///     ------END NATS USER JWT------
///
///     -----BEGIN USER NKEY SEED-----
///     SUA...
///     ------END USER NKEY SEED------
public struct CredentialsLayout: Equatable {
  public private(set) var jwt: Range<Int>
  public private(set) var seed: Range<Int>
  /// The seed's line, from 1.
  public private(set) var seedLine: UInt32

  private enum Part: Equatable {
    case jwt
    case seed
    /// A block of another name is passed over.
    case other
  }

  public init(_ text: Span<UInt8>) throws(CredentialsError) {
    var lines = LineReader(text)
    var inside: (part: Part, line: UInt32)?
    var jwt: Range<Int>?
    var seed: Range<Int>?
    var seedLine: UInt32 = 0
    while let range = lines.next() {
      let line = text.extracting(range)
      if let armor = CredentialsLayout.armor(line) {
        if armor.isBegin {
          if let inside { throw CredentialsError(line: inside.line, problem: .unended) }
          inside = (armor.part, lines.number)
        } else {
          guard let begun = inside, begun.part == armor.part else {
            throw CredentialsError(line: lines.number, problem: .unbegun)
          }
          inside = nil
        }
      } else if let inside, inside.part != .other, !line.isEmpty {
        let isAgain = inside.part == .jwt ? jwt != nil : seed != nil
        if isAgain { throw CredentialsError(line: lines.number, problem: .secondLine) }
        if inside.part == .jwt {
          try CredentialsLayout.checkJWT(line, lines.number)
          jwt = range
        } else {
          seed = range
          seedLine = lines.number
        }
      }
    }
    if let inside { throw CredentialsError(line: inside.line, problem: .unended) }
    guard let jwt else { throw CredentialsError(line: lines.number, problem: .noJWT) }
    guard let seed else { throw CredentialsError(line: lines.number, problem: .noSeed) }
    self.jwt = jwt
    self.seed = seed
    self.seedLine = seedLine
  }

  /// `---BEGIN NAME---` or `---END NAME---` with three dashes or more at either end.
  private static func armor(_ line: Span<UInt8>) -> (isBegin: Bool, part: Part)? {
    let dash = UInt8(ascii: "-")
    var start = 0
    var end = line.count
    while start < end, line[start] == dash { start += 1 }
    while end > start, line[end - 1] == dash { end -= 1 }
    if start < 3 || line.count - end < 3 { return nil }
    let label = line.extracting(start..<end)
    let isBegin = label.starts(with: "BEGIN ")
    if !isBegin && !label.starts(with: "END ") { return nil }
    let name = label.extracting((isBegin ? 6 : 4)..<label.count)
    if name.equals("NATS USER JWT") { return (isBegin, .jwt) }
    if name.equals("USER NKEY SEED") { return (isBegin, .seed) }
    return (isBegin, .other)
  }

  /// Three parts of base64url with dots between them (RFC 7515): what is in them is the server's affair.
  private static func checkJWT(_ line: Span<UInt8>, _ number: UInt32) throws(CredentialsError) {
    var dots = 0
    var isEmptyPart = true
    for index in line.indices {
      switch line[index] {
      case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "_"):
        isEmptyPart = false
      case UInt8(ascii: "."):
        if isEmptyPart { throw CredentialsError(line: number, problem: .notAJWT) }
        dots += 1
        isEmptyPart = true
      default: throw CredentialsError(line: number, problem: .notAJWT)
      }
    }
    if dots != 2 || isEmptyPart { throw CredentialsError(line: number, problem: .notAJWT) }
  }
}

/// What is wrong with a `.creds` file, and in which line; nothing of it is repeated.
public struct CredentialsError: Error, Equatable {
  public enum Problem: Equatable, Sendable {
    case noJWT
    case noSeed
    /// A block that is begun and not ended.
    case unended
    /// An end without its beginning.
    case unbegun
    /// More than one line in a block, or a second block of the kind.
    case secondLine
    case notAJWT
    case seed(NKeyError)
  }

  /// From 1.
  public let line: UInt32
  public let problem: Problem
}

extension CredentialsError: TextConvertible {
  /// `LINE: MESSAGE`; the file's name goes before it.
  public var text: Text {
    switch problem {
    case .noJWT: "\(line): no block BEGIN NATS USER JWT"
    case .noSeed: "\(line): no block BEGIN USER NKEY SEED"
    case .unended: "\(line): this block does not end"
    case .unbegun: "\(line): the end of a block that was not begun"
    case .secondLine: "\(line): there is a JWT or a seed already, each on one line"
    case .notAJWT: "\(line): this is no JWT: three parts of base64url with dots between them"
    case .seed(let error): "\(line): \(error)"
    }
  }
}

/// Walks lines that end in LF or CRLF; blanks at either end are left out.
struct LineReader: ~Escapable {
  private let text: Span<UInt8>
  private var start = 0
  /// Of the line that was read last, from 1.
  private(set) var number: UInt32 = 0

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) { self.text = text }

  mutating func next() -> Range<Int>? {
    if start >= text.count { return nil }
    number += number < .max ? 1 : 0
    let newline = text.firstOffset(of: 0x0A, from: start) ?? text.count
    defer { start = newline + 1 }
    return text.trimmingBlanks(start..<newline)
  }
}
