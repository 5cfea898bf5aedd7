import Transport

/// The hardware under the provider: finds lines, takes them, reads and sets them. Two boards exist:
/// the Linux character device and the simulated one.
public protocol Board: AnyObject {
  /// Takes lines; each is taken or fails by itself, and the results stand in the order of the requests.
  /// Lines that report no edges are taken together as far as the hardware allows, so that they can be
  /// read and set in one step.
  func request(_ requests: [LineRequest]) -> [Result<LineHandle, BoardError>]
  /// The lines' logical values; those that were taken together are read in one step.
  func values(of lines: [LineHandle]) throws(BoardError) -> [Bool]
  /// Sets the lines in one step. Throws `notTogether`, and sets none, when that cannot be.
  func set(_ values: [LineValue]) throws(BoardError)
  /// Gives a line back; what it does then is up to the kernel. A handle must not be used
  /// afterwards.
  func release(_ line: LineHandle)
  /// Hands over the edges that the line has had so far, and that nobody has been told of yet.
  func readEdges(of line: LineHandle)
  /// The debounce period that the hardware or the kernel keeps; zero for none.
  func debounce(of line: LineHandle) -> Duration

  /// Who hears of edges. Set before the first request.
  var edgeHandler: (any EdgeHandler)? { get set }
  /// When a scripted change is due; nil on a real board, whose edges come by descriptor.
  var deadline: Instant? { get }
  func handleDeadline(at now: Instant)
}

/// What is asked of a board for one line.
public struct LineRequest {
  public var line: LineConfiguration
  /// The value that an output is taken with, in the same step, so that it never glitches. Nil: it keeps
  /// the level it has.
  public var active: Bool?
  /// Lines with edges that are taken together, so that the order of all their edges is known: a number
  /// that they share. Nil: a line with edges is taken by itself, with its own buffer, so that no
  /// neighbour's edges push out its own.
  public var group: Int?

  public init(_ line: LineConfiguration, active: Bool? = nil, group: Int? = nil) {
    self.line = line
    self.active = active
    self.group = group
  }
}

/// A value that a line is to have.
public struct LineValue: Equatable {
  public var line: LineHandle
  public var isActive: Bool

  public init(_ line: LineHandle, isActive: Bool) {
    self.line = line
    self.isActive = isActive
  }
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
  /// A chip has come or gone: lines that could not be taken are worth another try.
  func chipsChanged()
}

/// Why a board could not do what was asked, with the thing and the value in words.
public enum BoardError: Error, Equatable {
  case noSuchChip(chip: String, present: [String])
  case noSuchLine(line: String, chip: String?)
  /// `chips` says each place: the chip and the offset.
  case ambiguousLine(line: String, chips: [String])
  case offsetOutOfRange(offset: UInt32, chip: String, lines: UInt32)
  case busy(line: String, consumer: String)
  /// Lines that are not of one chip, or were not taken together.
  case notTogether(lines: [String])
  /// `group`: whose members may open it; nil: no group's.
  case permissionDenied(path: String, group: String?)
  /// No chip has the lines of a Raspberry Pi's header.
  case noHeader(present: [String])
  /// `isGone`: its chip went away; `isSettling`: it has appeared and is not ready yet.
  case pwm(reason: String, isGone: Bool, isSettling: Bool)
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
    case .notTogether(let lines):
      return
        "the lines \(joined(lines)) cannot be set in one step: they are on different chips, or one was taken later"
    case .permissionDenied(let path, let group):
      if let group {
        return "no permission to open \(path): the user must be in its group, \"\(group)\""
      }
      return "no permission to open \(path): a udev rule must give it to a group of the user's"
    case .noHeader(let present):
      return
        "no GPIO chip has a Raspberry Pi's header, for 'bcm' and 'header'; there are: \(joined(present))"
    case .pwm(let reason, _, _): return Text(reason)
    case .system(let call, let line, let code):
      return "line \(line): \(SystemError(call, 0 &- code))"
    }
  }

  private func joined(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.joined(by: ", ")
  }
}
