import Transport

/// One connection of the local dialect: bytes that came and are no whole line yet, and bytes that
/// wait to be sent. It does no I/O; whoever owns the connection moves the bytes.
public final class LocalSession {
  /// A request is one line of at most this many bytes, its end not counted. Arbitrary: a request
  /// with every argument there is takes some hundred.
  public static let lineBytesMax = 8_192
  /// What may wait to be sent before somebody who does not read is cut off: about a hundred events.
  public static let outputBytesMax = 16_384
  /// An answer that finds nothing else waiting may be larger: a description of 256 lines.
  static let answerBytesMax = 131_072
  /// Calls that may be under way before further lines are left unread. Arbitrary.
  static let callsMax = 16
  /// Watches of one connection. Arbitrary.
  static let watchesMax = 8

  /// Who is at the other end: `uid-1000 (local)`.
  public let caller: Caller
  /// What is to be sent.
  public private(set) var output: [UInt8] = []
  /// Called when there is no room for what is to be said: sends what can be sent at once. A burst of
  /// edges within one turn of the loop is no reason to cut off somebody who reads.
  public var makeRoom: (() -> Void)?
  /// Nothing is to be sent any more: the connection is closed at once.
  public private(set) var isCutOff = false

  var watches: [LocalWatch] = []
  var callsUnderWay = 0
  private var input: [UInt8] = []
  /// No more comes in: the peer has said so, or what came cannot be understood.
  private var isEnded = false

  init(caller: Caller) { self.caller = caller }

  /// How many bytes may be received now; 0 while others wait to be handled or answers to be sent.
  public var inputRoom: Int {
    isEnded || isCutOff || !takesRequests ? 0 : LocalSession.lineBytesMax + 1 - input.count
  }

  /// Everything that was asked is answered and sent, and nothing more will be asked.
  public var isOver: Bool {
    isCutOff || isEnded && output.isEmpty && callsUnderWay == 0 && watches.isEmpty
  }

  /// Takes note that this many bytes of `output` have been sent.
  public func removeOutput(_ count: Int) {
    output.removeFirst(max(0, min(count, output.count)))
  }

  /// No more comes in; what is under way is still answered.
  public func endInput() { isEnded = true }

  /// Takes bytes that came: at most `inputRoom`, the rest would be lost.
  func append(_ bytes: Span<UInt8>) {
    input.append(bytes.extracting(0..<min(bytes.count, inputRoom)))
  }

  /// What came cannot be understood, and nothing behind it.
  func refuseInput() {
    isEnded = true
    input = []
    watches = []
  }

  private var takesRequests: Bool {
    output.count <= LocalSession.outputBytesMax / 2 && callsUnderWay < LocalSession.callsMax
  }

  /// Hands over whole lines, as long as their answers have room.
  /// - Returns: false when a line is longer than allowed. Nothing behind it can be understood.
  func takeLines(_ handle: (Span<UInt8>) -> Void) -> Bool {
    // Answers may come at once and be large, so the lines are taken out one after the other; they
    // are moved once.
    let lines = input
    var start = 0
    while takesRequests, !isCutOff, let end = lines.span.firstOffset(of: 0x0A, from: start) {
      let hasReturn = end > start && lines[end - 1] == 0x0D
      let line = start..<(hasReturn ? end - 1 : end)
      if !line.isEmpty { handle(lines.span.extracting(line)) }
      start = end + 1
    }
    input.removeFirst(min(start, input.count))
    return input.count <= LocalSession.lineBytesMax || input.contains(0x0A)
  }

  /// Adds a line of output. Whoever lets too much wait is cut off.
  /// - Returns: false when the connection is cut off by it.
  @discardableResult
  func send(_ line: [UInt8]) -> Bool {
    if isCutOff { return true }
    if !hasRoom(for: line) { makeRoom?() }
    if !hasRoom(for: line) {
      cutOff()
      return false
    }
    output.append(line.span)
    return true
  }

  private func hasRoom(for line: [UInt8]) -> Bool {
    output.isEmpty || output.count + line.count <= LocalSession.outputBytesMax
  }

  func cutOff() {
    isCutOff = true
    makeRoom = nil
    input = []
    output = []
    watches = []
  }
}

/// What a connection wants to hear of.
struct LocalWatch {
  /// The request's id, as a JSON text.
  let id: [UInt8]
  /// Resources by name; empty for all.
  let names: [String]
}
