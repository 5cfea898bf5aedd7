import Transport

/// The hardware under the provider: finds lines, takes them, reads and sets them. Two boards exist:
/// the Linux character device and the simulated one.
public protocol Board: AnyObject {
  /// Takes a line; an output is taken with `active` in the same step, so that it never glitches. An
  /// output whose safe state is `keep` stays as it is; `active` is for a board that cannot tell.
  func request(_ line: LineConfiguration, active: Bool) throws(BoardError) -> LineHandle
  /// The line's logical value.
  func isActive(_ line: LineHandle) throws(BoardError) -> Bool
  func setActive(_ line: LineHandle, _ active: Bool) throws(BoardError)
  /// Gives a line back; what it does then is up to the kernel. A handle must not be used
  /// afterwards.
  func release(_ line: LineHandle)

  /// Who hears of edges. Set before the first request.
  var edgeHandler: (any EdgeHandler)? { get set }
  /// When a scripted change is due; nil on a real board, whose edges come by descriptor.
  var deadline: Instant? { get }
  func handleDeadline(at now: Instant)
}

/// A line that a board has taken.
public struct LineHandle: Equatable, Hashable, Sendable {
  public let index: Int
  public init(index: Int) { self.index = index }
}

/// A change of an input's logical value.
public struct EdgeEvent: Equatable, Sendable {
  public var line: LineHandle
  /// Rising means that the line became active.
  public var isRising: Bool
  /// The kernel's time of the edge.
  public var time: Instant
  /// The kernel's number of this event on this line, from 1; a gap counts lost events.
  public var lineSequence: UInt32

  public init(line: LineHandle, isRising: Bool, time: Instant, lineSequence: UInt32) {
    self.line = line
    self.isRising = isRising
    self.time = time
    self.lineSequence = lineSequence
  }
}

public protocol EdgeHandler: AnyObject {
  func handle(_ edge: EdgeEvent)
  /// The line's hardware failed or went away. Said once; the line is still to be released.
  func lineFailed(_ line: LineHandle, _ error: BoardError)
}

/// Why a board could not do what was asked, with the thing and the value in words.
public enum BoardError: Error, Equatable {
  case noSuchChip(chip: String, present: [String])
  case noSuchLine(line: String, chip: String?)
  /// `chips` says each place: the chip and the offset.
  case ambiguousLine(line: String, chips: [String])
  case offsetOutOfRange(offset: UInt32, chip: String, lines: UInt32)
  case busy(line: String, consumer: String)
  case permissionDenied(path: String)
  case system(call: StaticString, line: String, code: Int32)

  public static func == (left: BoardError, right: BoardError) -> Bool {
    left.description == right.description
  }
}

extension BoardError: TextConvertible {
  public var text: Text {
    switch self {
    case .noSuchChip(let chip, let present):
      return "no GPIO chip is named or labelled \"\(chip)\"; there are: \(joined(present))"
    case .noSuchLine(let line, let chip):
      if let chip { return "no line is named \"\(line)\" on chip \"\(chip)\"" }
      return "no line is named \"\(line)\""
    case .ambiguousLine(let line, let chips):
      return
        "line \"\(line)\" is in several places (\(joined(chips))): say which, with chip and offset"
    case .offsetOutOfRange(let offset, let chip, let lines):
      if lines == 0 { return "line \(offset) is not on chip \"\(chip)\", which has no lines" }
      return "line \(offset) is not on chip \"\(chip)\", which has lines 0 to \(lines - 1)"
    case .busy(let line, let consumer):
      return consumer.isEmpty
        ? "line \(line) is in use by the kernel or a program that gives no name"
        : "line \(line) is in use by \"\(consumer)\""
    case .permissionDenied(let path):
      return "no permission to open \(path): the user must be in its group (gpio)"
    case .system(let call, let line, let code):
      return "line \(line): \(SystemError(call, 0 &- code))"
    }
  }

  private func joined(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.joined(by: ", ")
  }
}
